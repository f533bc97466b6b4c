//! Organizations, people, and how people get in: the owner link and sessions.
//!
//! Owns the tables `orgs`, `users`, `memberships`, `sessions` and `owner_links`. Must not know agents, tokens or what a
//! permission means: rights come from `access`, access tokens for people are minted by `oauth` on a session of ours.

mod cookie;
mod error;
mod facts;
mod links;
mod model;
mod orgs;
mod roster;
mod routes;
mod service;
mod sessions;
mod store;

pub use cookie::{CookieAuthenticator, CookieForm};
pub use error::PeopleError;
pub use facts::{KINDS, SESSION_ENDED, SESSION_STARTED, USER_CREATED};
pub use links::OwnerLink;
pub use model::{Org, Person, Session, SessionKind};
pub use routes::routes;
pub use service::{People, PeopleSettings};
pub use sessions::{Refreshed, Started};
