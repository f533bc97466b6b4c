//! What came in: looked at, sent through once more, and forgotten in time.

use std::time::Duration;

use authority::Required;
use crypto::seal::Aad;
use db::{Bookkeeping, Change, CommitError, OrgScope};
use problem::{DELIVERY_NOT_KEPT, DELIVERY_NOT_ROUTED, Problem};
use secrets::Purpose;
use serde_json::json;
use types::{DeliveryId, HookId, Id, Timestamp};
use web::{Allowance, Decided};

use super::input::{Received, read};
use super::model::{Delivery, Hook, Outcome};
use super::receive::Ready;
use super::refusals::More;
use super::store;
use crate::{TriggerError, Triggers, facts};

const UPDATE: Required = Required::parse("hooks:update");

/// Larger bodies are run, but not kept.
const LARGEST: usize = 256 * 1024;
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// Of each hook: those that led to something, and the refused ones.
const KEPT: i64 = 200;
const KEPT_REFUSED: i64 = 50;

/// A delivery, and what was sent – for those who may change the hook.
pub(crate) struct Opened {
    pub(crate) delivery: Delivery,
    pub(crate) received: Option<Received>,
}

impl Triggers {
    pub(crate) async fn seal_request(
        &self,
        hook: &Hook,
        id: DeliveryId,
        received: &Received,
    ) -> Result<Option<Vec<u8>>, TriggerError> {
        if received.body.len() > LARGEST {
            return Ok(None);
        }
        let bytes = serde_json::to_vec(received).map_err(Problem::internal)?;
        let row = id.uuid();
        let aad =
            Aad { table: "hook_deliveries", column: "request", org: Some(hook.org), row: row.as_bytes() };
        Ok(Some(self.inner().keyring.seal(Purpose::Records, &aad, &bytes).await?))
    }

    async fn open_request(&self, hook: &Hook, delivery: &Delivery) -> Result<Option<Received>, TriggerError> {
        let Some(sealed) = &delivery.request else { return Ok(None) };
        let row = delivery.id.uuid();
        let aad =
            Aad { table: "hook_deliveries", column: "request", org: Some(hook.org), row: row.as_bytes() };
        let plain = self.inner().keyring.open_sealed(Purpose::Records, &aad, sealed).await?;
        Ok(Some(serde_json::from_slice(&plain).map_err(Problem::internal)?))
    }

    async fn kept_request(&self, hook: &Hook, delivery: &Delivery) -> Result<Received, TriggerError> {
        self.open_request(hook, delivery).await?.ok_or_else(|| {
            let detail =
                "Nothing was kept of what was sent: it was refused, a repeat, or larger than 256 KB.";
            Problem::new(&DELIVERY_NOT_KEPT, detail).into()
        })
    }

    /// What was sent then; for who may change the hook.
    pub(crate) async fn received_in(
        &self,
        by: &Allowance,
        hook: &Hook,
        id: DeliveryId,
    ) -> Result<Received, TriggerError> {
        let delivery = self.delivery(by, hook, id).await?;
        self.kept_request(hook, &delivery).await
    }

    pub(crate) async fn list_deliveries(
        &self,
        by: &Allowance,
        hook: HookId,
        outcome: Option<Outcome>,
        before: Option<DeliveryId>,
        limit: i64,
    ) -> Result<Vec<Delivery>, TriggerError> {
        let hook = self.find_hook(by, hook).await?;
        // So that the numbers are of now.
        self.add_refusals().await;
        Ok(store::deliveries(&self.inner().db, &by.scope(), hook.id, outcome, before, limit).await?)
    }

    /// What was sent is shown to those who may change the hook: others see that something came.
    pub(crate) async fn open_delivery(
        &self,
        by: &Allowance,
        hook: HookId,
        id: DeliveryId,
    ) -> Result<Opened, TriggerError> {
        let hook = self.find_hook(by, hook).await?;
        self.add_refusals().await;
        let delivery = self.delivery(by, &hook, id).await?;
        let received = match by.check_for(&UPDATE, &hook.object()) {
            Ok(()) => self.open_request(&hook, &delivery).await?,
            Err(_) => None,
        };
        Ok(Opened { delivery, received })
    }

    async fn delivery(&self, by: &Allowance, hook: &Hook, id: DeliveryId) -> Result<Delivery, TriggerError> {
        let found = store::delivery(&self.inner().db, &by.scope(), hook.id, id).await?;
        found.ok_or(TriggerError::UnknownDelivery)
    }

    /// Sent through once more, as it came: read by the hook's settings of today, run for its owner of today. That it was
    /// believed when it came is enough; what was refused is not there to be tried.
    pub(crate) async fn replay_delivery(
        &self,
        by: &Allowance,
        hook: HookId,
        id: DeliveryId,
    ) -> Result<Decided<Delivery>, TriggerError> {
        let inner = self.inner();
        let hook = self.find_hook(by, hook).await?;
        let first = self.delivery(by, &hook, id).await?;
        let received = self.kept_request(&hook, &first).await?;
        let Some(way) = read(&hook.input, &hook.routes, &received)?.way else {
            let detail = "No route of the hook takes what was sent. Change the routes first.";
            return Err(Problem::new(&DELIVERY_NOT_ROUTED, detail).into());
        };
        let again: DeliveryId = inner.world.id();
        let delivery = Delivery {
            id: again,
            received_at: inner.world.now(),
            ip: by.contact().ip.map(|ip| ip.to_canonical().to_string()),
            replay_of: Some(first.id),
            outcome: Outcome::Accepted,
            reason: None,
            run: None,
            request: self.seal_request(&hook, again, &received).await?,
            ..first.clone()
        };
        let ready = Ready {
            hook: &hook,
            scope: by.scope(),
            contact: by.contact().clone(),
            input: way.input,
            delivery: delivery.clone(),
            message: None,
            key: None,
        };
        let (run, statements) = self.set_off_again(&ready).await?;
        let data = json!({ "delivery": first.id.to_string(), "run": run.to_string() });
        let fact =
            by.fact(&facts::HOOK_DELIVERY_REPLAYED).target("hook", hook.id, hook.path.as_str()).data(data);
        let change =
            Change::new(by.scope(), inner.ledger.seal(fact).await?).statements(statements).wake_queue();
        Ok(Decided::new(change, Delivery { run: Some(run), ..delivery }))
    }

    /// Adds what was only counted to the rows that stand for it.
    async fn add_refusals(&self) {
        let inner = self.inner();
        for more in inner.hooks.refusals.drain(inner.world.now()) {
            if let Err(error) = self.add(&more).await {
                tracing::warn!(%error, "a number of refused deliveries was lost");
            }
        }
    }

    pub(crate) async fn add(&self, more: &More) -> Result<(), CommitError> {
        let books = Bookkeeping::new(OrgScope::proven(more.org)).statement(store::add_to_delivery(more));
        self.inner().db.keep(books).await?;
        Ok(())
    }

    /// Forgets what is old, what is too much and what may happen again; called by the sweeper.
    pub(crate) async fn forget_deliveries(&self) {
        let (inner, now) = (self.inner(), self.inner().world.now());
        self.add_refusals().await;
        inner.hooks.rates.sweep(now);
        inner.hooks.failures.sweep(now);
        inner.hooks.misses.sweep(now);
        inner.hooks.strangers.sweep(now);
        if let Err(error) = self.sweep_rows(now).await {
            tracing::warn!(%error, "old deliveries were not swept");
        }
    }

    async fn sweep_rows(&self, now: Timestamp) -> Result<(), CommitError> {
        let books = Bookkeeping::new(store::DOOR)
            .statement(store::sweep_old(now.minus(KEPT_FOR)))
            .statement(store::sweep_many(KEPT, KEPT_REFUSED))
            .statement(store::sweep_marks(now));
        self.inner().db.keep(books).await?;
        Ok(())
    }
}
