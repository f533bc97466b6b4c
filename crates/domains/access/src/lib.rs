//! Who may do what: roles, grants, and the live authority of each principal.
//!
//! Owns the table `grants` and the built-in roles. Grants are compiled into an in-memory [`authority::Authority`] per
//! principal, kept true by the revision feed. Must not know what users or agents are beyond their ids, and never decides
//! about an object: that is the admission's part (platform/web) with the service's facts about the object.

mod facts;
mod grant;
mod index;
mod model;
mod roles;
mod routes;
mod store;

pub use facts::KINDS;
pub use grant::{GrantError, grant};
pub use index::Access;
pub use model::{Gift, NewGrants};
pub use roles::{BUILT_IN, Role};
pub use routes::permissions::effective;
pub use routes::routes;
pub use store::{give, names_of};
