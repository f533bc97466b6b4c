//! Operations and wire types of configuration.

mod config;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Declare;

pub(crate) use config::{ApplyConfig, PlanConfig};

pub fn routes(door: &Arc<Door>) -> Routes<Declare> {
    Routes::new()
        .route::<config::ValidateConfig, _, _>(door, config::validate)
        .route::<config::PlanConfig, _, _>(door, config::plan)
        .route::<config::ApplyConfig, _, _>(door, config::apply)
        .route::<config::ExportConfig, _, _>(door, config::export)
        .route::<config::ConfigDrift, _, _>(door, config::drift)
        .route::<config::ConfigSchema, _, _>(door, config::schema)
}
