//! Why the sandbox itself could not do its work. What tenant code does wrong is an outcome, not an error.

use thiserror::Error;

/// The sandbox could not run the call at all.
#[derive(Clone, Debug, Error)]
pub enum SandboxError {
    #[error("the sandbox launcher cannot be started: {0}; the server's log says what is missing")]
    Launcher(String),
    #[error("the jail cannot be made: {0}; the server's log says what is missing")]
    Jail(String),
}

/// Code that does not parse.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line}, column {column}: {message}")]
pub struct SyntaxError {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    pub message: String,
}

/// Why code was not accepted.
#[derive(Clone, Debug, Error)]
pub enum SyntaxCheckError {
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}
