//! Runs that runs ask for: they end with the one that asked, when that is cancelled.

use db::OrgScope;
use types::RunId;

use crate::house::Runs;
use crate::keep::PARENT_CANCELLED;
use crate::live::Stop;
use crate::model::RunState;
use crate::{RunsError, store};

impl Runs {
    /// Cancels every open run below one that is cancelled already, and waits until nothing of them is left here. A
    /// cancelled run asks for nothing more, so this ends.
    pub async fn cancel_family(&self, scope: &OrgScope, run: RunId) -> Result<(), RunsError> {
        loop {
            let rows = self.0.db.read(scope, store::family(scope.org(), run)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let (member, papers) = store::with_papers(row)?;
                if let Some(held) = self.0.live.get(member.id) {
                    held.stop(Stop::Cancelled);
                }
                self.end_unheld(&member, &papers, RunState::Cancelled, PARENT_CANCELLED).await?;
                self.stop(member.id).await;
            }
        }
    }
}
