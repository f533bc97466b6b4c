//! Why an environment was not built.

use sandbox::SandboxError;

/// The texts are for the function's author.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BuildError {
    /// uv's own words: they name the package.
    #[error("{0}")]
    Refused(String),
    #[error("the environment is larger than this server allows ({0})")]
    TooLarge(String),
    #[error("it took longer than {0} s")]
    TimedOut(u64),
    /// The operator's matter.
    #[error("packages cannot be installed here: {0}")]
    Unavailable(String),
}

impl BuildError {
    /// For metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::TooLarge(_) => "too large",
            Self::TimedOut(_) => "timed out",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<std::io::Error> for BuildError {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<SandboxError> for BuildError {
    fn from(error: SandboxError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
