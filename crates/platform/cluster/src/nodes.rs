//! Which nodes serve this installation, and how far each has heard. With SQLite there is exactly one.

use std::time::Duration;

use db::{Bookkeeping, CommitError, Db, DbError, SystemScope, sql};
use types::{Uuid, World};

use crate::{Dead, Feed};

const BEAT: Duration = Duration::from_millis(500);
/// A node that was silent for longer is not waited for: its tokens are dead by revision.
const ALIVE: Duration = Duration::from_secs(5);
const PURPOSE: SystemScope = SystemScope::new("node heartbeat");

/// How one node stands to a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReport {
    pub node: Uuid,
    pub applied: bool,
}

#[derive(Clone)]
pub struct Nodes {
    db: Db,
    feed: Feed,
    world: World,
    this: Uuid,
}

impl Nodes {
    pub fn new(db: Db, feed: Feed, world: World) -> Self {
        let this = types::Id::uuid(world.id::<types::RequestId>());
        Self { db, feed, world, this }
    }

    /// This process.
    pub fn this(&self) -> Uuid {
        self.this
    }

    /// Says twice a second how far this node has heard. Nothing to say on SQLite.
    pub async fn beat(self, stop: impl Future<Output = ()>) {
        if !self.db.is_postgres() {
            return;
        }
        let mut beat = tokio::time::interval(BEAT);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = beat.tick() => {}
            }
            if let Err(error) = self.say().await {
                tracing::warn!(%error, "no heartbeat");
            }
        }
        let gone = sql("DELETE FROM nodes WHERE id = $1", vec![self.this.into()]);
        if let Err(error) = self.db.keep(Bookkeeping::new(PURPOSE).statement(gone)).await {
            tracing::debug!(%error, "the node row stays until it is stale");
        }
    }

    async fn say(&self) -> Result<(), CommitError> {
        let upsert = sql(
            "INSERT INTO nodes (id, applied, seen_at) VALUES ($1, $2, $3) \
             ON CONFLICT (id) DO UPDATE SET applied = $2, seen_at = $3",
            vec![self.this.into(), self.feed.applied().into(), self.world.now().into()],
        );
        self.db.keep(Bookkeeping::new(PURPOSE).statement(upsert)).await.map(drop)
    }

    /// Every living node with whether it has applied `revision`; this one first.
    pub async fn reports(&self, revision: i64) -> Result<Vec<NodeReport>, DbError> {
        let mut reports = vec![NodeReport { node: self.this, applied: self.feed.applied() >= revision }];
        if self.db.is_postgres() {
            let since = self.world.now().minus(ALIVE);
            let select = sql(
                "SELECT id, applied FROM nodes WHERE seen_at > $1 AND id <> $2 ORDER BY id",
                vec![since.into(), self.this.into()],
            );
            for mut row in self.db.read(PURPOSE, select).await? {
                let (node, applied): (Uuid, i64) = (row.next()?, row.next()?);
                reports.push(NodeReport { node, applied: applied >= revision });
            }
        }
        Ok(reports)
    }

    /// What died on this node by that revision.
    pub fn dead_here(&self, revision: i64) -> Dead {
        self.feed.report(revision).map(|(_, dead)| dead).unwrap_or_default()
    }
}
