//! HTTP of policies, of what can be asked of them, and AuthZEN.

mod access;
mod authzen;
pub(crate) mod policies;
mod rehearsal;
mod search;
mod views;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Policies;

pub fn routes(door: &Arc<Door>) -> Routes<Policies> {
    Routes::new()
        .route::<policies::CreatePolicy, _, _>(door, policies::create)
        .route::<policies::ListPolicies, _, _>(door, policies::list)
        .route::<policies::GetPolicy, _, _>(door, policies::get)
        .route::<policies::ValidatePolicy, _, _>(door, policies::validate)
        .route::<policies::ActivatePolicy, _, _>(door, policies::activate)
        .route::<policies::DeactivatePolicy, _, _>(door, policies::deactivate)
        .route::<rehearsal::SimulatePolicy, _, _>(door, rehearsal::simulate)
        .route::<rehearsal::WhatIfPolicy, _, _>(door, rehearsal::what_if)
        .route::<access::AccessGraph, _, _>(door, access::graph)
        .route::<access::AccessAdvice, _, _>(door, access::advice)
        .route::<authzen::Metadata, _, _>(door, authzen::metadata)
        .route::<authzen::Evaluate, _, _>(door, authzen::evaluation)
        .route::<authzen::EvaluateMany, _, _>(door, authzen::evaluations)
        .route::<search::SearchSubjects, _, _>(door, search::subjects)
        .route::<search::SearchResources, _, _>(door, search::resources)
        .route::<search::SearchActions, _, _>(door, search::actions)
}
