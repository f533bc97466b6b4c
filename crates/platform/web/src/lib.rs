//! HTTP as this house speaks it: operations, admission, problems, limits, idempotency, lists, OpenAPI.
//!
//! Knows no domain: a domain brings operations and authenticators, this crate holds them against the caller's authority.
//! A handler extracts, calls one service function and shapes the answer; it reaches rows only through [`Allowed`].

mod allowed;
mod caller;
mod complaint;
mod contact;
mod cursor;
mod door;
mod errand;
mod foreign;
mod form;
mod idempotency;
mod input;
mod limits;
mod openapi;
mod operation;
mod outer;
mod patch;
mod patched;
mod policy;
mod precondition;
mod range;
mod rejection;
mod routes;
mod server;
mod settle;
mod shape;
mod sight;
mod small;
mod tether;
mod turns;

pub use allowed::{Allowance, Allowed, Details, Object, Visible, Visitor};
pub use caller::{ActingFunction, Authenticator, Caller, Link, Means, PrincipalId, TriggerId};
pub use contact::{Contact, Peer};
pub use cursor::{Cursors, Page, page, page_size};
pub use door::Door;
pub use errand::{Errand, Undone};
pub use foreign::{foreign_content, foreign_file, strip_ours};
pub use form::{Form, HOUSE, OAUTH, OCTETS_IN, OCTETS_OUT, Octets, RefusalForm};
pub use idempotency::sweep as sweep_idempotency;
pub use input::{Input, Params, Segment, Segments, last_event, query};
pub use ledger::FactKind;
pub use limits::RateLimits;
pub use openapi::{Described, document};
pub use operation::{Access, Method, Nothing, Operation, Rate, Spec, StepUp};
pub use outer::Outer;
pub use patch::merge_patch;
pub use patched::Patched;
pub use policy::{Brief, Policy, Question};
pub use precondition::Precondition;
pub use problem::Code;
pub use range::{Wanted as WantedBytes, wanted as wanted_bytes};
pub use rejection::{Refusal, Rejection};
pub use routes::Routes;
pub use server::{Connections, finish, serve, serve_functions};
pub use settle::{Decided, Reply};
pub use shape::Shape;
pub use sight::{Columns, Search, SelectorColumn};
pub use tether::Tether;
pub use turns::Turns;
