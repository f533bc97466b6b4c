//! Which nodes serve this installation, and how far each has heard. With SQLite there is exactly one.

use std::time::Duration;

use db::{Bookkeeping, CommitError, Db, DbError, SystemScope, sql};
use types::{Uuid, World};

use crate::{Dead, Feed};

const BEAT: Duration = Duration::from_millis(500);
/// A node that was silent for longer is not waited for: its tokens are dead by revision.
const ALIVE: Duration = Duration::from_secs(5);
/// Reports of deaths are read within a second.
const KEPT: Duration = Duration::from_secs(3600);
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

    /// Says how far this node has heard: twice a second, and at once when something died. Nothing to say on SQLite.
    pub async fn beat(self, stop: impl Future<Output = ()>) {
        if !self.db.is_postgres() {
            return;
        }
        let mut deaths = self.feed.deaths();
        let mut beat = tokio::time::interval(BEAT);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = beat.tick() => {}
                Ok(()) = deaths.changed() => {}
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
        let now = self.world.now();
        let upsert = sql(
            "INSERT INTO nodes (id, applied, seen_at) VALUES ($1, $2, $3) \
             ON CONFLICT (id) DO UPDATE SET applied = $2, seen_at = $3",
            vec![self.this.into(), self.feed.applied().into(), now.into()],
        );
        let old = sql("DELETE FROM node_reports WHERE at < $1", vec![now.minus(KEPT).into()]);
        let mut books = Bookkeeping::new(PURPOSE);
        for (revision, dead) in self.feed.unreported() {
            // A report always serialises: numbers and ids.
            let report = serde_json::to_string(&dead).unwrap_or_default();
            let insert = "INSERT INTO node_reports (revision, node, report, at) VALUES ($1, $2, $3, $4) \
                          ON CONFLICT (revision, node) DO UPDATE SET report = $3";
            let params = vec![revision.into(), self.this.into(), report.into(), now.into()];
            books = books.statement(sql(insert, params));
        }
        self.db.keep(books.statement(old).statement(upsert)).await.map(drop)
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

    /// What died on a node by that revision, as far as it said.
    pub async fn dead_on(&self, node: Uuid, revision: i64) -> Result<Dead, DbError> {
        if node == self.this {
            return Ok(self.feed.report(revision).map(|(_, dead)| dead).unwrap_or_default());
        }
        let select = sql(
            "SELECT report FROM node_reports WHERE revision = $1 AND node = $2",
            vec![revision.into(), node.into()],
        );
        self.db.read_one(PURPOSE, select).await?.map_or_else(|| Ok(Dead::default()), |mut row| row.json())
    }
}
