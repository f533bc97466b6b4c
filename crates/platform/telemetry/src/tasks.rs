//! A group of background tasks that ends together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::spawn::spawn_with_end;

/// Clones share the group.
#[derive(Clone, Default)]
pub struct Tasks {
    stop: CancellationToken,
    tracker: TaskTracker,
    running: Arc<Mutex<Running>>,
}

/// Tells a task that it should come to an end.
#[derive(Clone)]
pub struct Stop(CancellationToken);

/// Tasks that did not end in time and were cut off.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("did not stop in time and were cut off: {}", .0.join(", "))]
pub struct Unfinished(pub Vec<&'static str>);

#[derive(Default)]
struct Running {
    next: u64,
    tasks: BTreeMap<u64, (&'static str, Option<AbortHandle>)>,
}

impl Tasks {
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task that ends when its [`Stop`] asks it to.
    pub fn spawn<F>(&self, name: &'static str, task: impl FnOnce(Stop) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let number = self.running.lock().enter(name);
        let running = self.running.clone();
        let work = self.tracker.track_future(task(self.stop()));
        let handle = spawn_with_end(name, work, move || drop(running.lock().tasks.remove(&number)));
        // The task may have ended already; then its entry is gone.
        if let Some((_, abort)) = self.running.lock().tasks.get_mut(&number) {
            *abort = Some(handle.abort_handle());
        }
    }

    pub fn stop(&self) -> Stop {
        Stop(self.stop.clone())
    }

    /// Asks all to stop and waits; after `patience` cuts off the rest and names them.
    ///
    /// # Errors
    /// If tasks had to be cut off.
    pub async fn shut_down(&self, patience: Duration) -> Result<(), Unfinished> {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(patience, self.tracker.wait()).await.is_ok() {
            return Ok(());
        }
        let late: Vec<_> = self.running.lock().tasks.values().cloned().collect();
        late.iter().filter_map(|(_, abort)| abort.as_ref()).for_each(AbortHandle::abort);
        self.tracker.wait().await;
        if late.is_empty() {
            Ok(())
        } else {
            Err(Unfinished(late.into_iter().map(|(name, _)| name).collect()))
        }
    }
}

impl Stop {
    /// Resolves once the group is to end.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl Running {
    fn enter(&mut self, name: &'static str) -> u64 {
        self.next += 1;
        self.tasks.insert(self.next, (name, None));
        self.next
    }
}
