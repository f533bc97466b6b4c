//! The output of one call on its way to whoever keeps logs.

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::{LogLevel, LogLine, LogSource, Redactor};

/// Passes output on until its limit; the rest is dropped and said once.
pub(super) struct LogGate {
    sender: mpsc::Sender<LogLine>,
    left: usize,
    truncated: bool,
    redactor: Redactor,
}

#[derive(Deserialize)]
struct Structured {
    level: String,
    text: String,
    fields: Value,
}

impl LogGate {
    pub(super) fn new(sender: mpsc::Sender<LogLine>, limit: usize, redactor: Redactor) -> Self {
        Self { sender, left: limit, truncated: false, redactor }
    }

    /// Takes the call's secrets out of what others will read.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub(super) fn truncated(&self) -> bool {
        self.truncated
    }

    /// A LOG frame: one byte for the source, then text, or JSON from `context.log`.
    pub(super) async fn frame(&mut self, payload: &[u8]) {
        match payload.split_first() {
            Some((1, text)) => self.text(LogSource::Stdout, text).await,
            Some((2, text)) => self.text(LogSource::Stderr, text).await,
            Some((3, line)) => self.structured(line).await,
            // Not what the runner sends. It is tenant code's own log that it spoils.
            _ => {}
        }
    }

    pub(super) async fn text(&mut self, source: LogSource, bytes: &[u8]) {
        let level = if source == LogSource::Stderr { LogLevel::Warning } else { LogLevel::Info };
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        if !text.is_empty() {
            self.pass(LogLine { source, level, text: text.to_owned(), fields: None }, bytes.len()).await;
        }
    }

    async fn structured(&mut self, line: &[u8]) {
        let Ok(said) = serde_json::from_slice::<Structured>(line) else { return };
        let level = match said.level.as_str() {
            "debug" => LogLevel::Debug,
            "warning" => LogLevel::Warning,
            "error" => LogLevel::Error,
            _ => LogLevel::Info,
        };
        let fields =
            Some(said.fields).filter(|fields| fields.as_object().is_some_and(|fields| !fields.is_empty()));
        self.pass(LogLine { source: LogSource::Log, level, text: said.text, fields }, line.len()).await;
    }

    async fn pass(&mut self, line: LogLine, bytes: usize) {
        if self.truncated {
            return;
        }
        let line = if bytes <= self.left {
            self.left -= bytes;
            let (text, fields) = (self.redactor.text(line.text), line.fields);
            LogLine { text, fields: fields.map(|fields| self.redactor.value(fields)), ..line }
        } else {
            self.truncated = true;
            let text = "the log is full; the rest of this run's output is dropped".to_owned();
            LogLine { source: LogSource::Sandbox, level: LogLevel::Warning, text, fields: None }
        };
        // A caller that dropped its receiver does not want the log.
        let _sent = self.sender.send(line).await;
    }
}
