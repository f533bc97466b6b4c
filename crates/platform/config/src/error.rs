//! What stops the start.

use std::fmt;

/// Everything that is wrong, so that one look mends it all.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub faults: Vec<Fault>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{place}: no such key as `{key}`{}", hint(.near))]
    UnknownKey { key: String, place: String, near: Option<String> },
    #[error("{key} ({place}): {reason}")]
    BadValue { key: String, place: String, reason: String },
    #[error("{path}: {reason}")]
    File { path: String, reason: String },
    /// The value can be read but must not be used so.
    #[error("{key}: {reason}")]
    Unfit { key: &'static str, reason: String },
}

impl ConfigError {
    pub(crate) fn unless_empty(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self { faults }) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the configuration cannot be used:")?;
        self.faults.iter().try_for_each(|fault| write!(out, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigError {}

fn hint(near: &Option<String>) -> String {
    match near {
        Some(near) => format!("; did you mean `{near}`?"),
        None => "; `safeconduct config explain` lists them all".to_owned(),
    }
}
