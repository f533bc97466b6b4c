//! Panics as log lines, so that they reach the operator in the form of all others.

use std::panic;
use std::sync::Once;

pub(crate) fn log_them() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let message = info.payload_as_str().unwrap_or("no message");
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let backtrace = std::backtrace::Backtrace::capture();
            tracing::error!(place, %backtrace, "panic: {message}");
        }));
    });
}
