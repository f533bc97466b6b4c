//! Functions: code that people write and agents run, in immutable versions, behind schemas, under a narrowed token.
//!
//! Owns the tables `functions`, `function_versions` and `packages`, the executor of function runs, and the routes of runs (the queue
//! and the state machine are platform/runs'). Must not know how tokens are made (see [`RunTokens`]) nor how code is kept
//! from doing harm (platform/sandbox).

mod act;
mod allow_list;
mod answers;
mod coerce;
mod error;
mod executor;
mod facts;
mod mandate;
mod model;
mod outgoing;
mod pools;
mod questions;
mod rate;
mod requirements;
mod retry;
mod roster;
mod routes;
mod section;
mod service;
mod settings;
mod slots;
mod store;
mod triggered;
mod versions;

pub use error::FunctionError;
pub use executor::FunctionExecutor;
pub use facts::KINDS;
pub use mandate::{RunPass, RunTokens, TokenWanted};
pub use model::{Function, FunctionRef, Version};
pub use roster::Listed;
pub use routes::routes;
pub use section::FunctionsSection;
pub use service::{Functions, FunctionsGround};
pub use settings::FunctionsSettings;
pub use triggered::{CallFunction, Callable, Executable, TriggerCall};
