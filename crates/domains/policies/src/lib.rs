//! Policies: rules in Rego that stand behind the permissions and can only narrow what those allow.
//!
//! Owns the tables `policies`, `policy_heads`, `decisions` and `permission_uses`: versions of an organization's policy and
//! which one is in force, what was decided, which permissions agents use – and what can be asked of all that: rehearsal of
//! a draft, who reaches a permission, which rights are too many, and AuthZEN. How Rego is run is platform/rego's; the rules
//! of the operator come from files. Must not know what the objects are that it is asked about.

mod advice;
mod authzen;
mod brief;
mod error;
mod facts;
mod files;
mod graph;
mod hypothesis;
mod in_force;
mod input;
mod model;
mod principals;
mod record;
mod routes;
mod section;
mod service;
mod simulate;
mod store;
mod uses;
mod what_if;

pub use error::PolicyError;
pub use facts::KINDS;
pub use files::{FilesError, Reloaded};
pub use hypothesis::{Thing, Things};
pub use rego::STACK;
pub use routes::routes;
pub use section::PoliciesSection;
pub use service::{Policies, PoliciesGround, PoliciesSettings, Record};
