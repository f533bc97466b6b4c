//! Interpreters that are kept warm in this process: made ready when a version becomes live, listed, given up by hand.

use std::path::PathBuf;

use db::{Change, OrgScope};
use sandbox::WarmInterpreter;
use serde_json::json;
use types::{FunctionId, FunctionVersionId, OrgId};
use web::{Allowance, Decided};

use crate::model::{FunctionRef, Mode};
use crate::service::Versioned;
use crate::{FunctionError, Functions, facts, store};

/// Interpreters that are made ready at a time.
pub(crate) const WARMING: usize = 2;

/// One that is warm.
pub(crate) struct Warm {
    pub(crate) org: OrgId,
    pub(crate) function: FunctionId,
    pub(crate) version: FunctionVersionId,
    pub(crate) mode: Mode,
    pub(crate) interpreter: WarmInterpreter,
}

/// How many were given up.
#[derive(Clone, Copy)]
pub(crate) struct Recycled(pub(crate) usize);

impl Functions {
    /// For the version that is live now.
    pub(crate) async fn warm_up_live(&self, scope: &OrgScope, of: &FunctionRef) {
        let inner = self.inner();
        if let Ok(Some(function)) = store::find(&inner.db, scope, of).await
            && let Ok(ready) = inner.versions.get(scope, function.live_version).await
        {
            self.warm_up(&Versioned { function, version: ready.version.clone() });
        }
    }

    /// Has the interpreter of a version that is live now made ready in the background. Only where this process has work, and
    /// room: what is used is worth more than what may be.
    pub(crate) fn warm_up(&self, both: &Versioned) {
        let inner = self.inner();
        let Some(sandbox) = inner.sandbox.clone().filter(|sandbox| sandbox.has_room()) else { return };
        if inner.settings.workers_only || both.version.mode == Mode::Cold {
            return;
        }
        let (Some(slot), Ok(permit)) =
            (inner.slots.of(both.function.org), inner.warming.clone().try_acquire_owned())
        else {
            return;
        };
        let (functions, both) = (self.clone(), both.clone());
        telemetry::spawn("warm up", async move {
            let inner = functions.inner();
            let ready = inner.versions.get(&OrgScope::proven(both.function.org), both.version.id).await;
            if let (Ok(ready), Some(packages)) = (ready, functions.packages_at_hand(&both)) {
                let zygote = ready.zygote(slot, &both.function, packages);
                if let Err(error) = sandbox.warm(&zygote, &ready.limits(&inner.settings)).await {
                    tracing::warn!(%error, function = %both.function.id, "its interpreter is not made ready");
                }
            }
            drop(permit);
        });
    }

    /// The environment of the version's packages, if it has any; none if that is not on this machine.
    #[expect(clippy::option_option, reason = "no packages is not the same as packages that are not here")]
    fn packages_at_hand(&self, both: &Versioned) -> Option<Option<PathBuf>> {
        let Some(lock) = &both.version.lock else { return Some(None) };
        self.inner().environments.as_ref()?.find(both.function.org, lock).map(Some)
    }

    /// Of all organizations, the last used first.
    pub(crate) async fn pools(&self) -> Result<Vec<Warm>, FunctionError> {
        let inner = self.inner();
        let interpreters =
            inner.sandbox.as_ref().map(sandbox::Sandbox::warm_interpreters).unwrap_or_default();
        let mut pools = Vec::with_capacity(interpreters.len());
        for interpreter in interpreters {
            let (Some(org), Ok(version)) =
                (inner.slots.org_of(interpreter.slot), interpreter.version.parse::<FunctionVersionId>())
            else {
                continue;
            };
            let ready = inner.versions.get(&OrgScope::proven(org), version).await?;
            let (function, mode) = (ready.version.function, ready.version.mode);
            pools.push(Warm { org, function, version, mode, interpreter });
        }
        Ok(pools)
    }

    /// The record of [`Functions::recycle`].
    pub(crate) async fn recycling(
        &self,
        by: &Allowance,
        of: Option<FunctionId>,
    ) -> Result<Decided<Recycled>, FunctionError> {
        let count = self.pools().await?.iter().filter(|warm| of.is_none_or(|of| warm.function == of)).count();
        let data = json!({ "function": of, "count": i64::try_from(count).unwrap_or(i64::MAX) });
        let fact = self.inner().ledger.seal(by.fact(&facts::POOLS_RECYCLED).data(data)).await?;
        Ok(Decided::new(Change::new(by.scope(), fact), Recycled(count)))
    }

    /// Gives up what is warm of one function, or all. Calls that run end as they would.
    pub(crate) async fn recycle(&self, of: Option<FunctionId>) -> Result<(), FunctionError> {
        let Some(sandbox) = &self.inner().sandbox else { return Ok(()) };
        let Some(of) = of else {
            sandbox.recycle(None);
            return Ok(());
        };
        for warm in self.pools().await?.into_iter().filter(|warm| warm.function == of) {
            sandbox.recycle(Some(&warm.version.to_string()));
        }
        Ok(())
    }
}
