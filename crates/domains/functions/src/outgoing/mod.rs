//! Ways out of a function: what it may call, the requests that the host makes for it, and what is told of them.

mod held;
mod http;
mod placeholder;
mod rule;
mod tally;

pub(crate) use held::{Held, hold};
pub(crate) use http::{HttpDoor, Inner};
pub(crate) use rule::EgressRule;
pub(crate) use tally::Tally;
