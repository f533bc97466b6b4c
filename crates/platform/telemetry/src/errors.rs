//! Counts error lines, and hands those under a watch to the test that set it.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Collects the error lines of everything that runs inside [`ErrorWatch::span`], also of tasks that it spawned through
/// this crate. Several may be set at the same time; each sees its own.
pub struct ErrorWatch {
    number: u64,
    span: Span,
}

impl ErrorWatch {
    #[expect(clippy::new_without_default, reason = "a watch is an act, not a value")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        CAUGHT.lock().get_or_insert_default().insert(number, Vec::new());
        // Error level, so that no filter drops it.
        Self { number, span: tracing::error_span!(target: TARGET, "watch", number) }
    }

    /// Enter it, or instrument a future with it.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// The error lines so far.
    pub fn errors(&self) -> Vec<String> {
        CAUGHT.lock().as_ref().and_then(|caught| caught.get(&self.number).cloned()).unwrap_or_default()
    }
}

impl Drop for ErrorWatch {
    fn drop(&mut self) {
        if let Some(caught) = CAUGHT.lock().as_mut() {
            caught.remove(&self.number);
        }
    }
}

const TARGET: &str = "safeconduct::watch";

/// Lines by the number of their watch.
static CAUGHT: Mutex<Option<HashMap<u64, Vec<String>>>> = Mutex::new(None);

pub(crate) struct ErrorLayer;

/// Marks a span as a watch.
struct Watched(u64);

impl ErrorLayer {
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
        Self.with_filter(LevelFilter::ERROR)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ErrorLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() != TARGET {
            return;
        }
        let mut number = Number(0);
        attributes.record(&mut number);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Watched(number.0));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        metrics::counter!("safeconduct_log_errors_total").increment(1);
        let watched = |span: &tracing_subscriber::registry::SpanRef<'_, S>| {
            span.extensions().get::<Watched>().map(|watched| watched.0)
        };
        let Some(number) =
            context.event_scope(event).and_then(|mut scope| scope.find_map(|span| watched(&span)))
        else {
            return;
        };
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        if let Some(lines) = CAUGHT.lock().as_mut().and_then(|caught| caught.get_mut(&number)) {
            lines.push(line.0);
        }
    }
}

struct Number(u64);

impl Visit for Number {
    fn record_u64(&mut self, _: &Field, value: u64) {
        self.0 = value;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}
