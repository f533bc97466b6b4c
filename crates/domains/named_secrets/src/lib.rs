//! Named secrets: values that an organization's functions use and that nobody gets to see again.
//!
//! Owns the tables `secrets` and `secret_uses`: sealed values, or where they lie in a Vault, under names; to which hosts a
//! value may be sent; and what names which secret, so that nothing in use goes. Must not know what uses them: users say so
//! through [`NamedSecrets`], and are told a value only after the ledger has heard of it.

mod act;
mod error;
mod facts;
mod host;
mod model;
mod routes;
mod service;
mod store;
mod usage;

pub use error::SecretError;
pub use facts::KINDS;
pub use host::{HostPattern, canonical};
pub use model::{NamedSecret, SecretName};
pub use routes::routes;
pub use service::{NamedSecrets, SecretsGround};
pub use usage::{Reading, Use};
