//! The envelope: one key-encryption key outside the database, versioned data keys of each organization inside it.
//!
//! Owns where the key-encryption key comes from ([`KeySource`]), the check that it is the right one, and the
//! [`Keyring`] that hands out data keys by purpose. Knows no domain and seals nothing itself: whoever stores a value
//! seals it with the key and the place. Other sources (PKCS#11) will stand beside [`KeySource`].
//! Secrets that lie elsewhere are read through [`Vault`].

mod check;
mod error;
mod keyring;
mod source;
mod vault;

pub use error::SecretsError;
pub use keyring::{Keyring, OpenError, Purpose};
pub use source::KeySource;
pub use vault::{Engine, Reach, Reference, Vault, VaultError, VaultLogin, VaultSettings};
