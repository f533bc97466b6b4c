//! Background tasks: named, and none ends unnoticed.

use std::time::Instant;

use tokio::task::JoinHandle;
use tracing::Instrument;

/// Runs `future` in the background under the caller's span. Its end is logged; a panic is an error line.
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    spawn_with_end(name, future, || ())
}

/// As [`spawn`]; `at_end` runs however the task ends, also when it is cut off.
pub(crate) fn spawn_with_end<F>(
    name: &'static str,
    future: F,
    at_end: impl FnOnce() + Send + 'static,
) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let work = async move {
        let mut end = End { name, started: Instant::now(), finished: false, at_end: Some(at_end) };
        let output = future.await;
        end.finished = true;
        output
    };
    metrics::gauge!("safeconduct_tasks", "task" => name).increment(1.0);
    // The caller's span outside: the filter may drop the task's own, and the link must not break there.
    let work = work.instrument(tracing::debug_span!("task", name)).in_current_span();
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    tokio::spawn(work)
}

/// Dropped with the task, whichever way that goes.
struct End<E: FnOnce()> {
    name: &'static str,
    started: Instant,
    finished: bool,
    at_end: Option<E>,
}

impl<E: FnOnce()> Drop for End<E> {
    fn drop(&mut self) {
        let (name, seconds) = (self.name, self.started.elapsed().as_secs_f64());
        metrics::gauge!("safeconduct_tasks", "task" => name).decrement(1.0);
        if std::thread::panicking() {
            metrics::counter!("safeconduct_task_panics_total", "task" => name).increment(1);
            tracing::error!(task = name, seconds, "a background task panicked");
        } else if self.finished {
            tracing::debug!(task = name, seconds, "task ended");
        } else {
            tracing::debug!(task = name, seconds, "task was cut off");
        }
        if let Some(at_end) = self.at_end.take() {
            at_end();
        }
    }
}
