//! What the server tells its operator: log lines, metrics, and the names of what runs in the background.
//!
//! Owns the subscriber, the metrics recorder and [`spawn`], the one place that starts background tasks: it names a
//! task, logs how it ended and keeps the caller's span. [`Tasks`] stops a group of them in good order. [`ErrorWatch`]
//! lets a test assert that nothing under it logged an error. Knows no setting by name, no HTTP and no domain.

mod errors;
mod log;
mod measure;
mod panics;
mod spawn;
mod tasks;

pub use errors::ErrorWatch;
pub use log::{Format, InvalidLevel, LogSettings, start, start_for_tests};
pub use measure::{fold_metrics, render_metrics};
pub use spawn::spawn;
pub use tasks::{Stop, Tasks, Unfinished};
