//! HTTP of SCIM: a file for each kind of resource, discovery, and searches.

mod agents;
mod discovery;
mod groups;
mod messages;
mod search;
mod users;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Scim;

pub fn routes(door: &Arc<Door>) -> Routes<Scim> {
    Routes::new()
        .route::<users::CreateUser, _, _>(door, users::create)
        .route::<users::ListUsers, _, _>(door, users::list)
        .route::<users::GetUser, _, _>(door, users::get)
        .route::<users::ReplaceUser, _, _>(door, users::replace)
        .route::<users::PatchUser, _, _>(door, users::patch)
        .route::<users::DeleteUser, _, _>(door, users::delete)
        .route::<groups::CreateGroup, _, _>(door, groups::create)
        .route::<groups::ListGroups, _, _>(door, groups::list)
        .route::<groups::GetGroup, _, _>(door, groups::get)
        .route::<groups::ReplaceGroup, _, _>(door, groups::replace)
        .route::<groups::PatchGroup, _, _>(door, groups::patch)
        .route::<groups::DeleteGroup, _, _>(door, groups::delete)
        .route::<agents::CreateAgent, _, _>(door, agents::create)
        .route::<agents::ListAgents, _, _>(door, agents::list)
        .route::<agents::GetAgent, _, _>(door, agents::get)
        .route::<agents::ReplaceAgent, _, _>(door, agents::replace)
        .route::<agents::PatchAgent, _, _>(door, agents::patch)
        .route::<agents::DeleteAgent, _, _>(door, agents::delete)
        .route::<search::Search, _, _>(door, search::all)
        .route::<search::SearchUsers, _, _>(door, search::users)
        .route::<search::SearchGroups, _, _>(door, search::groups)
        .route::<search::SearchAgents, _, _>(door, search::agents)
        .route::<discovery::Config, _, _>(door, discovery::config)
        .route::<discovery::ListTypes, _, _>(door, discovery::types)
        .route::<discovery::GetType, _, _>(door, discovery::one_type)
        .route::<discovery::ListSchemas, _, _>(door, discovery::schemas)
        .route::<discovery::GetSchema, _, _>(door, discovery::schema)
}
