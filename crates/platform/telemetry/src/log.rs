//! The subscriber: one line per event on standard error, for people or for programs.

use std::io::Write;
use std::sync::Once;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::errors::ErrorLayer;
use crate::{measure, panics};

/// What the operator chose.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// A level, or directives such as `info,safeconduct=debug`.
    pub level: String,
    pub format: Format,
    /// Whether people's lines are coloured; never JSON.
    pub colour: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Pretty,
    /// One object per line; the fields of the innermost span (`request_id` …) stand under `span`.
    Json,
}

/// `log.level` holds no level.
#[derive(Debug, thiserror::Error)]
#[error(
    "log.level: expected `error`, `warn`, `info`, `debug`, `trace` or directives such as `info,safeconduct=debug`: {0}"
)]
pub struct InvalidLevel(String);

/// Installs log, metrics and the panic hook of this process. A second call changes nothing.
///
/// # Errors
/// If the level cannot be read.
pub fn start(settings: &LogSettings) -> Result<(), InvalidLevel> {
    let subscriber = subscriber(settings, std::io::stderr)?;
    // An embedding process may have a subscriber already; ours yields to it.
    let _ = tracing::subscriber::set_global_default(subscriber);
    measure::install();
    panics::log_them();
    Ok(())
}

/// For test binaries: warnings and errors go where the test runner captures them. Safe to call in every test.
pub fn start_for_tests() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let settings = LogSettings { level: "warn".to_owned(), format: Format::Pretty, colour: false };
        if let Ok(subscriber) = subscriber(&settings, tracing_subscriber::fmt::TestWriter::new) {
            let _ = tracing::subscriber::set_global_default(subscriber);
        }
        measure::install();
    });
}

pub(crate) fn subscriber<W>(
    settings: &LogSettings,
    writer: W,
) -> Result<impl Subscriber + use<W>, InvalidLevel>
where
    W: for<'w> MakeWriter<'w, Writer: Write> + Send + Sync + 'static,
{
    let filter =
        EnvFilter::builder().parse(&settings.level).map_err(|error| InvalidLevel(error.to_string()))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match settings.format {
        Format::Pretty => lines.with_ansi(settings.colour).with_filter(filter).boxed(),
        Format::Json => {
            let json = lines.with_ansi(false).json().flatten_event(true);
            json.with_current_span(true).with_span_list(false).with_filter(filter).boxed()
        }
    };
    Ok(Registry::default().with(lines).with(ErrorLayer::layer()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn json_lines_carry_the_fields_of_the_request() {
        let lines = written(Format::Json, "info", || {
            let request = tracing::info_span!("request", request_id = "req_1", route = "/api/v1/agents");
            let _inside = request.enter();
            tracing::info!(status = 201, "answered");
        });
        let line: Value = serde_json::from_str(&lines).unwrap();
        assert_eq!(line["message"], "answered");
        assert_eq!(line["status"], 201);
        assert_eq!(line["level"], "INFO");
        assert_eq!(
            line["span"],
            json!({"name": "request", "request_id": "req_1", "route": "/api/v1/agents"})
        );
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn peoples_lines_name_the_request_too() {
        let lines = written(Format::Pretty, "info", || {
            let _inside = tracing::info_span!("request", request_id = "req_1").entered();
            tracing::warn!("slow");
        });
        assert!(lines.contains("WARN") && lines.contains("req_1") && lines.contains("slow"), "{lines}");
        assert!(!lines.contains('\u{1b}'), "no colour was asked for");
    }

    #[test]
    fn the_level_and_its_directives_are_obeyed() {
        let write = || {
            tracing::debug!("quiet");
            tracing::debug!(target: "safeconduct_ledger", "chatty");
        };
        assert_eq!(written(Format::Pretty, "info", write), "");
        let lines = written(Format::Pretty, "info,safeconduct_ledger=debug", write);
        assert!(lines.contains("chatty") && !lines.contains("quiet"), "{lines}");
    }

    #[test]
    fn a_level_that_is_none_is_named() {
        let settings = LogSettings { level: "info,=,".to_owned(), format: Format::Json, colour: false };
        assert!(start(&settings).unwrap_err().to_string().starts_with("log.level: expected"));
        let settings = LogSettings { level: "a=b=c".to_owned(), ..settings };
        assert!(start(&settings).is_err());
    }

    fn written(format: Format, level: &str, act: impl FnOnce()) -> String {
        let text = Text::default();
        let writer = text.clone();
        let settings = LogSettings { level: level.to_owned(), format, colour: false };
        let subscriber = subscriber(&settings, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, act);
        let bytes = text.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[derive(Clone, Default)]
    struct Text(Arc<Mutex<Vec<u8>>>);

    impl Write for Text {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
