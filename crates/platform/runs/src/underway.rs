//! Which runs are being worked on: the question of whatever lives as long as a run does.

use db::{Db, OrgScope};
use types::{OrgId, RunId};

use crate::live::Live;
use crate::model::RunState;
use crate::{RunsError, store};

/// For whoever needs nothing else of the engine.
#[derive(Clone)]
pub struct Underway {
    pub(crate) live: Live,
    pub(crate) db: Db,
}

/// Some process works on it. One whose process has ended while it waits for an answer has another fence.
fn is_here(state: RunState) -> bool {
    matches!(state, RunState::Running | RunState::AwaitingInput)
}

impl Underway {
    /// Whether this one is, under this lease: what stands on the run itself, such as its token, ends with the attempt.
    ///
    /// The worker's own process knows from memory, and knows first when it stops; every other asks the row.
    pub async fn is_on(&self, org: OrgId, run: RunId, fence: i64) -> Result<bool, RunsError> {
        if let Some(held) = self.live.get(run).filter(|held| held.org == org) {
            return Ok(held.fence == fence && held.why().is_none());
        }
        let scope = OrgScope::proven(org);
        let row = self.db.read_one(&scope, store::get(&scope, run)).await?;
        let run = row.map(|mut row| store::run(&mut row)).transpose()?;
        Ok(run.is_some_and(|run| is_here(run.state) && run.fence == fence))
    }
}
