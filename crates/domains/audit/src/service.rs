//! What the handlers share.

use std::sync::Arc;

use cluster::Feed;
use db::Db;
use ledger::{Event, FactKind, Ledger};
use problem::Problem;
use telemetry::Stop;
use types::{FactId, World};
use web::{Allowance, Object, PrincipalId};

use crate::index::Index;

/// The reading side of the ledger; clones share it.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) index: Index,
    pub(crate) feed: Feed,
    pub(crate) world: World,
    pub(crate) catalogue: Vec<&'static FactKind>,
}

impl Audit {
    /// `catalogue`: every kind that any domain declares.
    pub fn new(
        db: Db,
        ledger: Ledger,
        index: Index,
        feed: Feed,
        world: World,
        mut catalogue: Vec<&'static FactKind>,
    ) -> Self {
        catalogue.sort_by_key(|kind| kind.name);
        Self(Arc::new(Inner { db, ledger, index, feed, world, catalogue }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Keeps the index until `stop`; spawned once at boot.
    pub async fn keep_index(self, stop: Stop) {
        self.0.ledger.feed(&self.0.index, stop).await;
    }

    /// The event, if the caller may read it.
    pub(crate) async fn find(&self, by: &Allowance, id: FactId) -> Result<Event, Problem> {
        let found = self.0.ledger.event(&by.scope(), id).await?;
        let event = found.ok_or_else(|| Problem::from(ledger::LedgerError::Unknown))?;
        by.check(&object(&event))?;
        Ok(event)
    }
}

/// A fact belongs to whoever acted.
pub(crate) fn object(event: &Event) -> Object<'static> {
    let actor = event.actor.id.as_deref().and_then(|id| id.parse::<PrincipalId>().ok());
    Object {
        selector: event.id.to_string().into(),
        is: None,
        owner: actor.map(PrincipalId::uuid),
        ..Object::default()
    }
}
