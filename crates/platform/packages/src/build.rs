//! One build under way: what it says, how it ended. Many may wait for it; it goes on when nobody does.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{BuildError, Lock};

/// Lines kept of one build; what comes after is not shown.
const MOST_LINES: usize = 2_000;
const LONGEST_LINE: usize = 1_000;

/// An environment that is there.
#[derive(Clone, Debug)]
pub struct Ready {
    pub lock: Lock,
    pub path: PathBuf,
}

/// One word of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    pub text: String,
}

/// A build; clones share it.
#[derive(Clone)]
pub struct Build(Arc<Inner>);

struct Inner {
    lines: Mutex<Vec<String>>,
    state: watch::Sender<State>,
}

#[derive(Clone, Default)]
struct State {
    lines: usize,
    ended: Option<Result<Ready, BuildError>>,
}

/// Where a build's words go.
#[derive(Clone)]
pub(crate) struct Log(Build);

impl Build {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner { lines: Mutex::default(), state: watch::Sender::default() }))
    }

    pub(crate) fn log(&self) -> Log {
        Log(self.clone())
    }

    pub(crate) fn end(&self, ended: Result<Ready, BuildError>) {
        self.0.state.send_modify(|state| state.ended = Some(ended));
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<Result<Ready, BuildError>> {
        self.0.state.borrow().ended.clone()
    }

    /// How it ended; `None` if that takes longer than `patience`.
    pub async fn wait(&self, patience: Duration) -> Option<Result<Ready, BuildError>> {
        let mut state = self.0.state.subscribe();
        let ended = tokio::time::timeout(patience, state.wait_for(|state| state.ended.is_some())).await;
        ended.ok()?.ok()?.ended.clone()
    }

    /// The lines after line `number`, as soon as there are any; none when the build has ended and all were told.
    pub async fn lines_after(&self, number: usize) -> Vec<Line> {
        let mut state = self.0.state.subscribe();
        // The sender lives as long as this does.
        let _told = state.wait_for(|state| state.lines > number || state.ended.is_some()).await;
        let lines = self.0.lines.lock();
        let later = lines.iter().enumerate().skip(number);
        later.map(|(index, text)| Line { number: index + 1, text: text.clone() }).collect()
    }
}

impl Log {
    pub(crate) fn say(&self, text: impl Into<String>) {
        let text: String = text.into().chars().filter(|one| !one.is_control()).take(LONGEST_LINE).collect();
        let mut lines = self.0.0.lines.lock();
        if text.is_empty() || lines.len() >= MOST_LINES {
            return;
        }
        lines.push(text);
        let count = lines.len();
        drop(lines);
        self.0.0.state.send_modify(|state| state.lines = count);
    }
}
