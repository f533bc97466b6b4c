//! Who may do what: roles, grants, API keys, and the live authority of each principal.
//!
//! Owns the tables `grants`, `roles`, `resource_prefixes`, `api_keys`, `group_heads`, `group_members` and `access_heads`,
//! and the built-in roles. Grants
//! are compiled into an in-memory [`authority::Authority`] per principal – its own and those of its groups – kept true by
//! the revision feed. Must not know what users, agents and groups are beyond their ids, and never decides about an
//! object: that is the admission's part (platform/web) with the service's facts about the object.

mod built_in;
mod error;
mod facts;
mod follow;
mod gifts;
mod grant;
mod grants;
mod groups;
mod head;
mod index;
mod key_bearer;
mod keys;
mod model;
mod prefixes;
mod roles;
mod routes;
mod section;
mod seen;
mod source;
mod standing;
mod store;

pub use built_in::{BUILT_IN, BuiltIn};
pub use error::AccessError;
pub use facts::KINDS;
pub use follow::Following;
pub use gifts::Names;
pub use grant::{GrantError, grant};
pub use grants::Grant;
pub use groups::{Member, depart, dissolve, found_group, found_org, join, leave, take_all};
pub use head::{Giver, Head};
pub use index::{Access, Holding};
pub use model::{Gift, HolderId, NewGrants, held_by};
pub use routes::permissions::effective;
pub use routes::routes;
pub use section::RolesSection;
pub use source::{Source, Sources};
pub use standing::{Known, Principals};
pub use store::{give, names_of};
