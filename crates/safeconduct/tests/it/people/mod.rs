//! Getting in, being somebody, and where.

mod domains;
pub(crate) mod erasure;
mod groups;
mod invitations;
mod isolation;
mod link;
mod members;
mod orgs;
mod session;
mod switch;
mod users;
