//! Where each value came from.

use std::fmt;

/// One key as the server will use it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Explained {
    pub key: &'static str,
    pub meaning: &'static str,
    pub source: Source,
    /// Masked where it is a secret, empty where it is not set.
    pub value: String,
}

/// In rising order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Default,
    /// The configuration file.
    File(String),
    /// A variable of the environment, by name.
    Variable(String),
    /// The file that a `…_FILE` variable names.
    SecretFile(String),
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(place) | Self::Variable(place) | Self::SecretFile(place) => out.write_str(place),
            Self::Flag => out.write_str("flag"),
        }
    }
}

impl serde::Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}
