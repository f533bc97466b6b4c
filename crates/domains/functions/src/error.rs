//! Why a function was not created, changed or run. Each becomes one problem here.

use db::{CommitError, DbError};
use ledger::LedgerError;
use named_secrets::SecretError;
use problem::{FieldError, Problem};
use runs::RunsError;
use sandbox::{SandboxError, SyntaxCheckError, SyntaxError};
use secrets::{OpenError, SecretsError};

#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    #[error("unknown function")]
    Unknown,
    #[error("unknown run")]
    UnknownRun,
    #[error(transparent)]
    Syntax(SyntaxError),
    #[error("the schema is not valid")]
    Schema(Vec<FieldError>),
    #[error("the input does not match the schema")]
    Input(Vec<FieldError>),
    #[error("{field}: {reason}")]
    Invalid { field: &'static str, reason: String },
    /// The function would hold more than its author.
    #[error("the author does not hold {0}")]
    Exceeded(String),
    #[error("functions cannot run here: {0}")]
    NoSandbox(String),
    #[error("{0}")]
    Refused(Problem),
    #[error(transparent)]
    Runs(#[from] RunsError),
    #[error(transparent)]
    Named(#[from] SecretError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Sealed(#[from] OpenError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<DbError> for FunctionError {
    fn from(error: DbError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<Problem> for FunctionError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<SandboxError> for FunctionError {
    fn from(error: SandboxError) -> Self {
        Self::NoSandbox(error.to_string())
    }
}

impl From<SyntaxCheckError> for FunctionError {
    fn from(error: SyntaxCheckError) -> Self {
        match error {
            SyntaxCheckError::Syntax(error) => Self::Syntax(error),
            SyntaxCheckError::Sandbox(error) => error.into(),
        }
    }
}

impl From<FunctionError> for Problem {
    fn from(error: FunctionError) -> Self {
        match error {
            FunctionError::Unknown | FunctionError::UnknownRun => {
                Self::new(&problem::NOT_FOUND, "There is no such thing here, or it is not yours to see.")
            }
            FunctionError::Syntax(SyntaxError { line, column, message }) => {
                let detail =
                    format!("Line {line}, column {column}: {message}. Mend the code and send it again.");
                Self::new(&problem::SYNTAX_ERROR, detail)
                    .with_error("/code", message)
                    .with_member("line", line)
                    .with_member("column", column)
            }
            FunctionError::Schema(errors) => {
                Self::new(&problem::INVALID_SCHEMA, "Mend the schema where errors point to.")
                    .with_errors(errors)
            }
            FunctionError::Input(errors) => {
                Self::new(&problem::INPUT_INVALID, "Mend the input where errors point to; nothing was run.")
                    .with_errors(errors)
            }
            FunctionError::Invalid { field, reason } => {
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error(field, reason)
            }
            FunctionError::Exceeded(permission) => {
                let detail = format!("You do not hold {permission}, so no function of yours can. Name less.");
                Self::new(&problem::AUTHORITY_EXCEEDED, detail)
                    .with_error("/permissions", format!("{permission} is more than you hold"))
            }
            FunctionError::NoSandbox(context) => Self::new(
                &problem::SANDBOX_UNAVAILABLE,
                "This server has no working sandbox. The server's log says what is missing.",
            )
            .with_retry_after(5)
            .with_context(context),
            FunctionError::Refused(problem) => problem,
            FunctionError::Runs(error) => error.into(),
            FunctionError::Named(error) => error.into(),
            FunctionError::Ledger(error) => error.into(),
            FunctionError::Secrets(error) => error.into(),
            FunctionError::Sealed(error) => Self::internal(error),
            FunctionError::Commit(error) => error.into(),
        }
    }
}
