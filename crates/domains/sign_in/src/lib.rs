//! How people prove who they are: sign-in providers, the flows through them, who may come in by which.
//!
//! Owns the tables `auth_providers`, `sign_in_states`, `passwords`, `factors`, `recovery_codes` and – for reading and
//! linking – `identities`. Users, memberships and
//! sessions belong to `people`; a flow ends with a session of theirs. A kind of provider is one file in `kinds/` that says
//! what was proved; whether that person comes in, and where, is decided in `linking.rs` for all kinds alike.

mod defence;
mod directory;
mod enabled;
mod entry;
mod error;
mod factors;
mod facts;
mod file;
mod kind;
mod kinds;
mod linking;
mod model;
mod openid;
mod passkeys;
mod passwords;
mod providers;
mod redirects;
mod reset;
mod routes;
mod service;
mod states;
mod step_up;
mod store;
mod vaulted;
mod watch;
mod webauthn;

pub use enabled::EnabledProvider;
pub use error::{Reason, SignInError};
pub use facts::KINDS;
pub use file::FileError;
pub use kind::{Begun, Finding, Kind, Kinds, NewState, Next, Proven, Visit};
pub use model::{Owner, Provider};
pub use passwords::become_hasher_if_asked;
pub use routes::routes;
pub use service::{SignIn, SignInParts, SignInSettings};
pub use states::OpenState;
