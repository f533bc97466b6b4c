//! Who waits for a run to move. Fed by everything that this process does to runs; what other nodes do is found by
//! looking again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use types::RunId;

/// How soon a waiting node looks again for what another one did.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

#[derive(Clone, Default)]
pub(crate) struct Watchers(Shared);

/// Moves of each run that is watched, and by how many.
type Shared = Arc<Mutex<HashMap<RunId, (watch::Sender<u64>, usize)>>>;

impl Watchers {
    /// Register first, read then: no move in between is missed.
    pub(crate) fn watch(&self, run: RunId) -> Watched {
        let mut all = self.0.lock();
        let (sender, count) = all.entry(run).or_insert_with(|| (watch::Sender::new(0), 0));
        *count += 1;
        Watched { moves: sender.subscribe(), run, all: self.0.clone() }
    }

    pub(crate) fn moved(&self, run: RunId) {
        if let Some((sender, _)) = self.0.lock().get(&run) {
            sender.send_modify(|moves| *moves += 1);
        }
    }
}

pub(crate) struct Watched {
    moves: watch::Receiver<u64>,
    run: RunId,
    all: Shared,
}

impl Watched {
    /// Resolves after a move here, or when it is time to look for one elsewhere.
    pub(crate) async fn moved(&mut self) {
        // The sender lives in the map as long as this does.
        let _ = tokio::time::timeout(LOOK_AGAIN, self.moves.changed()).await;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some((_, count)) = all.get_mut(&self.run) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.run);
            }
        }
    }
}
