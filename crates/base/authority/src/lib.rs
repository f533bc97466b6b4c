//! What a principal may do: permissions, sets of them, and the decision over a chain of principals.
//!
//! One grammar serves grants and OAuth scopes: `resource[/selector]:action[:reach]`. Everything here is a pure
//! function over text: [`Permission::covers`] and [`Permission::meet`] compare two permissions, [`Authority`] is a
//! minimal set of them with an index, [`decide`] asks every hop of a chain and then the token's scope. An authority
//! only ever shrinks: there is no union.
//!
//! Knows no principal, no object, no role and no database: who relates how to what is handed in as [`Relation`].

mod action;
mod authority;
mod decision;
mod index;
mod permission;
mod reach;
mod required;
mod resource;
mod selector;
mod text;

pub use action::Action;
pub use authority::Authority;
pub use decision::{Decision, Hop, Refusal, Relation, decide};
pub use permission::{InvalidPermission, MAX_LENGTH, Permission};
pub use reach::Reach;
pub use required::Required;
pub use resource::{Known, Resource};
pub use selector::{InvalidSelector, Selector};
