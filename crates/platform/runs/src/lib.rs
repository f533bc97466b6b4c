//! Every kind of work as a run: the queue, leases with fencing, the one state machine, logs, the end.
//!
//! `queued → leased → running (→ awaiting_input →) succeeded | failed | cancelled | timed_out | dead`. Everything up to the end is
//! bookkeeping; the end is a change with one fact, and only the holder of the youngest lease can make it. What a run
//! does is its [`Executor`]'s business: this crate knows no function, no agent and no HTTP, only on whose authority
//! ([`Mandate`]) a run stands, so that it dies with that authority.

mod admit;
mod answers;
mod carry;
mod end;
mod error;
pub mod facts;
mod family;
mod house;
#[cfg(test)]
mod interleavings;
mod interview;
mod keep;
mod letters;
mod live;
mod logs;
mod model;
mod read;
mod store;
mod turns;
mod underway;
mod watch;
mod workers;

pub use admit::{Prepared, Promised};
pub use error::RunsError;
pub use house::{Executor, Ground, Runs, RunsSettings, Task};
pub use interview::{Answer, Interview, Question, Said};
pub use letters::Act;
pub use live::LogSink;
pub use logs::LogLine;
pub use model::{
    Asks, Concurrency, Contents, Ending, Finish, Footing, Mandate, NewRun, Order, Outgoing, Progress, Queue,
    Rate, Run, RunError, RunState, RunToken, Target, Trigger, Usage,
};
pub use read::{Move, RunFilter};
pub use underway::Underway;
pub use workers::{Worker, WorkerState};
