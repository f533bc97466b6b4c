//! Organizations, people, and how people get in: the owner link and sessions.
//!
//! Owns the tables `orgs`, `slugs`, `users`, `identities`, `memberships`, `invitations`, `groups`, `domains`, `sessions` and
//! `owner_links`. Must not know agents, tokens or what a
//! permission means: rights come from `access`, access tokens for people are minted by `oauth` on a session of ours.

mod cookie;
mod dependents;
mod domains;
mod entry;
mod error;
mod facts;
mod groups;
mod import;
mod invitations;
mod links;
mod members;
mod model;
mod orgs;
mod provision;
mod rights;
mod roster;
mod routes;
mod section;
mod service;
mod sessions;
mod settings;
mod store;
mod switch;
mod users;

pub use cookie::{CookieAuthenticator, CookieForm};
pub use dependents::{Dependents, Heir, LeftBehind};
pub use entry::SteppedUp;
pub use error::PeopleError;
pub use facts::*;
pub use groups::{Group, GroupPatch, WantedGroup};
pub use links::OwnerLink;
pub use members::{DirectoryEntry, Member};
pub use model::{How, Org, OrgStanding, Person, Session, SessionKind};
pub use orgs::OrgRef;
pub use provision::Profile;
pub use routes::{OrgRef as OrgView, SessionView, SignedIn, UserRef, routes, signed_in};
pub use section::GroupsSection;
pub use service::{People, PeopleSettings};
pub use sessions::{Refreshed, Started};
pub use settings::OrgSettings;
pub use store::TABLES;
