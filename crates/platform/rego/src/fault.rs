//! What is wrong with a bundle, and where.

use std::fmt;

/// One thing to mend. Line and column count from 1; 0 where the place is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The module; empty for the bundle as a whole.
    pub path: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// Why a bundle was not compiled; at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.0))]
pub struct Faults(pub Vec<Fault>);

impl Fault {
    pub(crate) fn of_bundle(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    pub(crate) fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, column: 0, message: message.into() }
    }

    /// The engine says where by a drawing: `--> path:line:column`, the line with a caret, `error: what`.
    pub(crate) fn of_engine(text: &str) -> Self {
        let after = text.rsplit_once("rror:").map_or(text, |(_, after)| after);
        let message =
            after.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not compile");
        let place = text.split_once("--> ").and_then(|(_, rest)| rest.lines().next());
        let parts = place.and_then(|place| {
            let (rest, column) = place.trim().rsplit_once(':')?;
            let (path, line) = rest.rsplit_once(':')?;
            Some((path.to_owned(), line.parse().ok()?, column.parse().ok()?))
        });
        let (path, line, column) = parts.unwrap_or_default();
        Self { path, line, column, message: message.trim().to_owned() }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.as_str(), self.line) {
            ("", _) => write!(out, "{}", self.message),
            (path, 0) => write!(out, "{path}: {}", self.message),
            (path, line) => write!(out, "{path}:{line}: {}", self.message),
        }
    }
}

fn list(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
