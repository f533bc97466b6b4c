//! Schedules: when which function runs for whom.

mod act;
mod fire;
mod model;
mod plan;
mod routes;
mod store;
mod timing;

pub(crate) use routes::routes;
