//! Triggers: what acts for its owner with nobody at the door. Schedules act when their time comes, hooks when a stranger
//! knocks.
//!
//! Owns the tables `schedules` and `schedule_ticks`, `hooks`, `hook_routes`, `hook_boards`, `hook_deliveries` and
//! `hook_marks`, and what a trigger may do: a grant of its own, laid over what its owner holds whenever it acts. Must not know
//! how a function runs: it asks for a run as its owner would.

mod error;
mod facts;
mod grant;
mod hooks;
mod routes;
mod schedules;
mod service;

pub use error::TriggerError;
pub use facts::KINDS;
pub use hooks::{HookSettings, HooksSection};
pub use routes::routes;
pub use schedules::SchedulesSection;
pub use service::{Triggers, TriggersGround};
