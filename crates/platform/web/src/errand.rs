//! One request that stands for many operations: each is admitted for the same caller as if it had been asked for by hand –
//! permission, step-up, policy – and decided and shipped as its own route would.

use std::sync::Arc;

use db::CommitError;
use parking_lot::Mutex;
use problem::Problem;

use crate::allowed::may_try;
use crate::policy::Brief;
use crate::{Allowance, Decided, Operation, Precondition, StepUp};

/// What a caller was admitted to so far, on behalf of one allowance.
pub struct Errand {
    of: Allowance,
    /// Closed at the end: what they write must not depend on whether the whole is kept.
    briefs: Mutex<Vec<Arc<dyn Brief>>>,
}

/// Why an act of an errand was not done.
#[derive(Debug)]
pub enum Undone {
    Refused(Problem),
    /// By the database, in the middle of writing: the transaction that it was part of is lost.
    Spoiled(Problem),
    /// Others changed the grounds of the decision: all of it is decided again.
    Stale,
}

impl Errand {
    pub fn new(of: &Allowance) -> Self {
        Self { of: of.clone(), briefs: Mutex::default() }
    }

    /// Whose errand it is.
    pub fn allowance(&self) -> &Allowance {
        &self.of
    }

    /// The caller admitted to another operation. Nothing is counted against its budget: the request itself was.
    pub async fn admit<O: Operation>(&self) -> Result<Allowance, Problem> {
        let (spec, of) = (O::spec(), &self.of);
        may_try(spec, &of.caller)?;
        if spec.step_up == StepUp::Always {
            of.door.confirmed(spec, &of.caller)?;
        }
        let (brief, decided) = of.door.briefed(spec, &of.caller, &of.contact).await?;
        self.briefs.lock().extend(brief.clone());
        decided?;
        Ok(Allowance {
            door: of.door.clone(),
            spec,
            caller: of.caller.clone(),
            contact: of.contact.clone(),
            precondition: Precondition::Nothing,
            ticket: None,
            brief,
        })
    }

    /// Does one operation: admission, decision, change.
    pub async fn act<O, T, E, F>(&self, decide: impl FnOnce(Allowance) -> F) -> Result<T, Undone>
    where
        O: Operation,
        E: Into<Problem>,
        F: Future<Output = Result<Decided<T>, E>>,
    {
        let by = self.admit::<O>().await?;
        let Decided { change, answer } = decide(by).await.map_err(|error| Undone::Refused(error.into()))?;
        self.of.door.db.commit(change).await?;
        Ok(answer)
    }

    /// What policies decided goes on record. After the transaction, however that ended.
    pub async fn close(self) -> Result<(), Problem> {
        for brief in self.briefs.into_inner() {
            brief.close().await?;
        }
        Ok(())
    }
}

impl From<Problem> for Undone {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<CommitError> for Undone {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Stale => Self::Stale,
            other => Self::Spoiled(other.into()),
        }
    }
}

impl From<Undone> for Problem {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Refused(problem) | Undone::Spoiled(problem) => problem,
            Undone::Stale => CommitError::Stale.into(),
        }
    }
}
