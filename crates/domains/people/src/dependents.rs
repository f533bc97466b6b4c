//! What hangs on a person and belongs to a domain that this one does not know; handed in at boot.

use db::Change;
use futures::future::BoxFuture;
use problem::Problem;
use types::{GroupId, UserId};
use web::Allowance;

use crate::People;

/// Who gets what a person leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heir {
    User(UserId),
    Group(GroupId),
}

/// What a member leaves behind, as it goes into the change that removes the member.
pub struct LeftBehind {
    pub change: Change,
    pub agents: usize,
}

pub trait Dependents: Send + Sync {
    /// The agents that the person owns in the caller's organization pass to the heir, or else are suspended. The caller
    /// must be allowed to give them away.
    fn owner_leaves<'a>(
        &'a self,
        by: &'a Allowance,
        leaving: UserId,
        heir: Option<Heir>,
        change: Change,
    ) -> BoxFuture<'a, Result<LeftBehind, Problem>>;
}

impl People {
    /// Called once, at boot.
    pub fn know_dependents(&self, dependents: std::sync::Arc<dyn Dependents>) {
        // A second registry would mean two houses in one process; the first stays.
        let _ = self.inner().dependents.set(dependents);
    }

    pub(crate) async fn leave_behind(
        &self,
        by: &Allowance,
        leaving: UserId,
        heir: Option<Heir>,
        change: Change,
    ) -> Result<LeftBehind, Problem> {
        match self.inner().dependents.get() {
            Some(dependents) => dependents.owner_leaves(by, leaving, heir, change).await,
            None => Err(Problem::internal("nobody told people what depends on them")),
        }
    }
}
