//! HTTP of agents, credentials and kills.

mod activity;
pub(crate) mod agents;
mod credentials;
mod kills;
mod status;
mod views;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Agents;

pub fn routes(door: &Arc<Door>) -> Routes<Agents> {
    Routes::new()
        .route::<agents::CreateAgent, _, _>(door, agents::create)
        .route::<agents::ListAgents, _, _>(door, agents::list)
        .route::<agents::GetAgent, _, _>(door, agents::get)
        .route::<agents::UpdateAgent, _, _>(door, agents::update)
        .route::<agents::DecommissionAgent, _, _>(door, agents::decommission)
        .route::<status::SuspendAgent, _, _>(door, status::suspend)
        .route::<status::ReactivateAgent, _, _>(door, status::reactivate)
        .route::<status::ApproveAgent, _, _>(door, status::approve)
        .route::<status::RejectAgent, _, _>(door, status::reject)
        .route::<kills::KillAgent, _, _>(door, kills::kill)
        .route::<kills::GetKill, _, _>(door, kills::get)
        .route::<activity::AgentActivity, _, _>(door, activity::list)
        .route::<credentials::CreateCredential, _, _>(door, credentials::create)
        .route::<credentials::ListCredentials, _, _>(door, credentials::list)
        .route::<credentials::RotateCredential, _, _>(door, credentials::rotate)
        .route::<credentials::RevokeCredential, _, _>(door, credentials::revoke)
        .route::<credentials::SearchCredentials, _, _>(door, credentials::search)
}
