//! Output of runs: numbered lines, kept whole in memory while the run is here, written in sealed segments.
//!
//! Segments are bookkeeping. The executor bounds how much a run may say, so a book never grows past that bound.

use std::borrow::Cow;
use std::cmp::Ordering;

use crypto::seal::Aad;
use db::{DbError, OrgScope, Row, Statement, sql};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{Id, OrgId, RunId, Timestamp};

/// One piece of output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// From 1, without gaps within an attempt.
    pub number: i64,
    pub at: Timestamp,
    /// `stdout`, `stderr`, `log`, `raw`, `sandbox`.
    pub source: Cow<'static, str>,
    /// `debug`, `info`, `warning`, `error`.
    pub level: Cow<'static, str>,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Value>,
}

/// Lines of one attempt that are kept: the executor bounds their bytes, but a line is more than its text.
const MOST: usize = 20_000;

/// The lines of one attempt.
pub(crate) struct LogBook {
    first: i64,
    lines: Mutex<Lines>,
    /// Held while a segment is on its way, so that the last one is not written before one that may yet fail.
    pub(crate) writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Lines {
    all: Vec<LogLine>,
    written: usize,
}

impl LogBook {
    pub(crate) fn new(first: i64) -> Self {
        Self { first, lines: Mutex::default(), writing: tokio::sync::Mutex::default() }
    }

    /// Beyond [`MOST`] lines only a last one is kept, which says so.
    pub(crate) fn push(
        &self,
        at: Timestamp,
        source: &'static str,
        level: &'static str,
        text: String,
        fields: Option<Value>,
    ) {
        let mut lines = self.lines.lock();
        let (source, level, text, fields) = match lines.all.len().cmp(&MOST) {
            Ordering::Less => (source, level, text, fields),
            Ordering::Equal => {
                ("sandbox", "warning", format!("more than {MOST} lines: what follows is not kept"), None)
            }
            Ordering::Greater => return,
        };
        let number = self.first + i64::try_from(lines.all.len()).unwrap_or(i64::MAX);
        lines.all.push(LogLine { number, at, source: source.into(), level: level.into(), text, fields });
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lines.lock().all.len() > MOST
    }

    /// Lines after this number, if all of them are here; `None` when older ones stand in the store only.
    pub(crate) fn after(&self, number: i64) -> Option<Vec<LogLine>> {
        let skip = usize::try_from(number + 1 - self.first).ok()?;
        Some(self.lines.lock().all.iter().skip(skip).cloned().collect())
    }

    /// Whatever is not written yet.
    pub(crate) fn unwritten(&self) -> Vec<LogLine> {
        let lines = self.lines.lock();
        lines.all[lines.written..].to_vec()
    }

    /// Lines up to this number stand in the store.
    pub(crate) fn wrote(&self, number: i64) {
        let mut lines = self.lines.lock();
        let written = usize::try_from(number + 1 - self.first).unwrap_or_default();
        lines.written = lines.written.max(written.min(lines.all.len()));
    }
}

/// Only the holder of the run's fence writes its log.
pub(crate) fn insert(
    org: OrgId,
    run: RunId,
    fence: i64,
    first: i64,
    count: usize,
    body: Vec<u8>,
) -> Statement {
    let text = "INSERT INTO run_log_segments (org, run, first_line, line_count, body) \
                SELECT org, id, $4, $5, $6 FROM runs WHERE org = $1 AND id = $2 AND fence = $3 \
                ON CONFLICT (org, run, first_line) DO NOTHING";
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    sql(
        text,
        vec![org.uuid().into(), run.uuid().into(), fence.into(), first.into(), count.into(), body.into()],
    )
}

/// How many lines earlier attempts left.
pub(crate) fn last_line(org: OrgId, run: RunId) -> Statement {
    let text = "SELECT coalesce(max(first_line + line_count), 1) - 1 FROM run_log_segments WHERE org = $1 AND run = $2";
    sql(text, vec![org.uuid().into(), run.uuid().into()])
}

pub(crate) fn segments(scope: &OrgScope, run: RunId, after: i64, most: i64) -> Statement {
    let text = "SELECT first_line, body FROM run_log_segments WHERE org = $1 AND run = $2 \
                AND first_line + line_count - 1 > $3 ORDER BY first_line LIMIT $4";
    sql(text, vec![scope.org().uuid().into(), run.uuid().into(), after.into(), most.into()])
}

pub(crate) fn segment(mut row: Row) -> Result<(i64, Vec<u8>), DbError> {
    Ok((row.next()?, row.next()?))
}

/// The place that a segment is sealed to.
pub(crate) fn place(run: RunId, first: i64) -> [u8; 24] {
    let mut place = [0; 24];
    place[..16].copy_from_slice(run.uuid().as_bytes());
    place[16..].copy_from_slice(&first.to_be_bytes());
    place
}

pub(crate) fn aad(org: OrgId, place: &[u8]) -> Aad<'_> {
    Aad { table: "run_log_segments", column: "body", org: Some(org), row: place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_is_bounded_and_says_where_it_ends() {
        let book = LogBook::new(5);
        for line in 0..MOST + 10 {
            book.push(Timestamp::from_millis(0), "stdout", "info", line.to_string(), None);
        }
        let last = book.after(4 + i64::try_from(MOST).unwrap()).unwrap();
        assert_eq!(last.len(), 1);
        assert!(book.is_full() && last[0].text.contains("not kept"));
        assert_eq!(book.after(4).unwrap().len(), MOST + 1);
        assert_eq!(book.after(3), None, "older lines stand in the store only");
    }

    #[test]
    fn what_is_written_is_not_written_again() {
        let book = LogBook::new(1);
        let line = |text: &str| book.push(Timestamp::from_millis(0), "log", "info", text.into(), None);
        line("one");
        line("two");
        let first = book.unwritten();
        line("three");
        book.wrote(first.last().unwrap().number);
        assert_eq!(book.unwritten().iter().map(|line| line.number).collect::<Vec<_>>(), [3]);
        book.wrote(1);
        assert_eq!(book.unwritten().len(), 1, "a late word of an earlier segment changes nothing");
    }
}
