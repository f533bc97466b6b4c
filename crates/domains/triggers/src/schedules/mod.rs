//! Schedules: when which function runs for whom.

mod act;
mod fire;
mod model;
mod plan;
mod routes;
mod section;
mod store;
mod timing;

pub(crate) use routes::routes;
pub use section::SchedulesSection;
