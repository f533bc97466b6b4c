//! Which rules hold for an organization: the operator's and its own. In memory, true by the revision feed.

use std::collections::HashMap;
use std::sync::Arc;

use cluster::{Dead, Heard, OnDead};
use parking_lot::RwLock;
use rego::{Compiled, Limits, Term};
use types::{OrgId, PolicyId};

use crate::PolicyError;
use crate::model::Answer;
use crate::service::Inner;

/// Rules that are asked together.
pub(crate) struct Layer {
    /// None for the operator's files.
    pub(crate) version: Option<PolicyId>,
    pub(crate) compiled: Compiled,
}

/// What an organization's own rules come to here.
#[derive(Clone, Default)]
pub(crate) enum Own {
    #[default]
    None,
    Rules(Arc<Layer>),
    /// A version is in force that cannot be read here: everything is refused, and says so.
    Broken(Arc<str>),
}

#[derive(Default)]
pub(crate) struct InForce {
    slots: RwLock<HashMap<OrgId, Slot>>,
    /// One load at a time: compiling is work.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Slot {
    /// How often the feed named this organization's policy.
    heard: u64,
    /// Up to which of these `own` was read.
    loaded: Option<u64>,
    own: Own,
}

impl InForce {
    fn fresh(&self, org: OrgId) -> Option<Own> {
        let slots = self.slots.read();
        let slot = slots.get(&org)?;
        (slot.loaded == Some(slot.heard)).then(|| slot.own.clone())
    }

    /// Called by the feed; must not block.
    pub(crate) fn forget(&self, org: OrgId) {
        self.slots.write().entry(org).or_default().heard += 1;
    }
}

impl Inner {
    /// The organization's own rules; read and compiled only after a change.
    pub(crate) async fn own(&self, org: OrgId) -> Result<Own, PolicyError> {
        if let Some(own) = self.in_force.fresh(org) {
            return Ok(own);
        }
        let _one = self.in_force.loading.lock().await;
        if let Some(own) = self.in_force.fresh(org) {
            return Ok(own);
        }
        let before = self.in_force.slots.read().get(&org).cloned().unwrap_or_default();
        let own = self.load(org, &before.own).await?;
        let mut slots = self.in_force.slots.write();
        let slot = slots.entry(org).or_default();
        slot.loaded = Some(before.heard);
        slot.own = own.clone();
        Ok(own)
    }

    async fn load(&self, org: OrgId, before: &Own) -> Result<Own, PolicyError> {
        let Some(version) = crate::store::active(&self.db, org).await? else { return Ok(Own::None) };
        let id = version.id;
        if let Own::Rules(layer) = before
            && layer.version == Some(id)
        {
            return Ok(before.clone());
        }
        let compiled = match self.open(version).await {
            Ok((_, bundle)) => compile(bundle.bundle(), Limits::TENANT).await,
            Err(error) => Err(error),
        };
        match (compiled, before) {
            (Ok(compiled), _) => Ok(Own::Rules(Arc::new(Layer { version: Some(id), compiled }))),
            (Err(PolicyError::Db(error)), _) => Err(PolicyError::Db(error)),
            // It compiled when it was activated. Whatever is the matter, what works goes on working.
            (Err(error), Own::Rules(_)) => {
                tracing::warn!(%org, policy = %id, %error, "a policy could not be read here; the one before stays in force");
                Ok(before.clone())
            }
            (Err(error), _) => {
                tracing::warn!(%org, policy = %id, %error, "a policy could not be read here; everything is refused");
                Ok(Own::Broken(error.to_string().into()))
            }
        }
    }
}

/// On a thread that may wait.
pub(crate) async fn compile(bundle: rego::Bundle, limits: Limits) -> Result<Compiled, PolicyError> {
    let compiled = tokio::task::spawn_blocking(move || Compiled::new(&bundle, limits)).await;
    compiled.map_err(problem::Problem::internal)?.map_err(PolicyError::Invalid)
}

/// Who may mend a policy must not be locked out by it: an organization's own rules are not asked about this resource.
const SPARED: &str = "policies";

/// The layers that are asked about a slice: the operator's, then the organization's or a draft of it.
pub(crate) struct Layers {
    pub(crate) files: Option<Arc<Layer>>,
    pub(crate) own: Option<Arc<Layer>>,
}

impl Layers {
    pub(crate) fn about(&self, slice: &str) -> impl Iterator<Item = &Layer> {
        let own = self.own.as_deref().filter(|_| !is_spared(slice));
        self.files.as_deref().into_iter().chain(own)
    }
}

pub(crate) fn is_spared(slice: &str) -> bool {
    slice == SPARED
}

/// Asks all layers; what each says must be satisfied.
pub(crate) fn ask<'a>(layers: impl IntoIterator<Item = &'a Layer>, slice: &str, input: &Term) -> Answer {
    let mut all = rego::Ruling::default();
    let mut failure = None;
    for layer in layers {
        match layer.compiled.evaluate(slice, input) {
            Ok(ruling) => all.join(ruling),
            Err(failed) => failure = Some(failed.to_string()),
        }
    }
    Answer { denials: all.denials, approvers: all.approvers, failure }
}

impl OnDead for Inner {
    fn heard(&self, entry: &Heard) -> Dead {
        match entry.kind.as_str() {
            "policy" => self.in_force.forget(entry.org),
            "user" | "agent" => self.principals.forget(&(entry.org, entry.key)),
            // What a group or a role gives touches whoever has it.
            "group" | "role" => self.principals.forget_all(),
            _ => {}
        }
        Dead::default()
    }
}
