//! Rego in process: bundles are compiled whole, and evaluated within bounds by a machine that each thread keeps hot.
//!
//! Knows no domain: what the input says and what follows from a ruling is its caller's business. Refuses what is long or
//! deep before it parses it, and every construct whose cost cannot be bounded. An evaluation ends in a [`Ruling`] or in a
//! [`Failure`]; a caller takes a failure for a refusal. The language is Open Policy Agent's, version 1.

mod builtins;
mod bundle;
mod compile;
mod evaluate;
mod explain;
mod fault;
mod glob;
mod index;
mod meaning;
mod ruling;
mod scan;
mod term;
mod tests_of;

pub use bundle::{Bundle, Limits, Module};
pub use compile::Compiled;
pub use evaluate::{Failure, STACK};
pub use explain::Fired;
pub use fault::{Fault, Faults};
pub use ruling::Ruling;
pub use term::Term;
pub use tests_of::{Outcome, run as run_tests};
