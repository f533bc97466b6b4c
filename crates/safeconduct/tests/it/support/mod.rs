//! A real server on port 0, callers of every kind, and what must be true at the end.

mod agent;
mod answer;
mod caller;
mod dns;
mod group;
mod process;
mod server;
mod traces;

pub(crate) use agent::{TestAgent, claims};
pub(crate) use answer::Answer;
pub(crate) use caller::Caller;
pub(crate) use dns::TestDns;
pub(crate) use process::{PROGRAM, Process, Start};
pub(crate) use server::{TestServer, config};
pub(crate) use traces::{every_row, find, look_through};
