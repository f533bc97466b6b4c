//! What can be wrong with a request in SCIM's own terms; everything else is refused by the domains that are asked.

use problem::{
    INVALID_FILTER, INVALID_PATH, INVALID_SYNTAX, INVALID_VALUE, NO_TARGET, OWNER_UNKNOWN, Problem,
    READ_ONLY, STALE_REVISION,
};

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ScimError {
    #[error("{0}")]
    Filter(String),
    #[error("{0:?} is no attribute here")]
    UnknownAttribute(String),
    #[error("{0}")]
    Path(String),
    #[error("nothing matches {0}")]
    NoTarget(String),
    #[error("{0} cannot be written")]
    ReadOnly(String),
    #[error("{attribute}: {reason}")]
    Value { attribute: String, reason: String },
    #[error("{0}")]
    Syntax(String),
    #[error("nobody is called {0:?}")]
    Owner(String),
    #[error("the version is another")]
    Version,
}

impl ScimError {
    pub(crate) fn value(attribute: &str, reason: impl Into<String>) -> Self {
        Self::Value { attribute: attribute.to_owned(), reason: reason.into() }
    }
}

impl From<ScimError> for Problem {
    fn from(error: ScimError) -> Self {
        match error {
            ScimError::Filter(reason) => {
                Self::new(&INVALID_FILTER, format!("The filter is not understood: {reason}."))
            }
            ScimError::UnknownAttribute(name) => Self::new(
                &INVALID_FILTER,
                format!("There is no attribute {name:?} to filter or sort by. See /Schemas."),
            ),
            ScimError::Path(reason) => {
                Self::new(&INVALID_PATH, format!("The path is not understood: {reason}."))
            }
            ScimError::NoTarget(path) => {
                Self::new(&NO_TARGET, format!("Nothing matches {path}. Read the resource again."))
            }
            ScimError::ReadOnly(name) => {
                Self::new(&READ_ONLY, format!("{name} cannot be written. Leave it out."))
            }
            ScimError::Value { attribute, reason } => {
                Self::new(&INVALID_VALUE, format!("{attribute} {reason}.")).with_error(attribute, reason)
            }
            ScimError::Syntax(reason) => {
                Self::new(&INVALID_SYNTAX, format!("The body is not as SCIM has it: {reason}."))
            }
            ScimError::Owner(name) => {
                let detail = format!(
                    "Nobody here is called {name:?}. Name the owner by id, or by the externalId, userName or address of a user, \
                     or the externalId of a group."
                );
                Self::new(&OWNER_UNKNOWN, detail)
            }
            ScimError::Version => {
                Self::new(&STALE_REVISION, "It was changed since. Read it again and repeat the change.")
            }
        }
    }
}
