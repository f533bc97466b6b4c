//! HTTP of permissions, roles, grants and API keys.

mod api_keys;
mod grants;
pub(crate) mod permissions;
mod prefixes;
pub(crate) mod roles;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Access;

pub fn routes(door: &Arc<Door>) -> Routes<Access> {
    Routes::new()
        .route::<permissions::Catalogue, _, _>(door, permissions::catalogue)
        .route::<permissions::Mine, _, _>(door, permissions::mine)
        .route::<permissions::Check, _, _>(door, permissions::check)
        .route::<permissions::Opens, _, _>(door, permissions::opens)
        .route::<permissions::Effective, _, _>(door, permissions::of)
        .route::<roles::ListRoles, _, _>(door, roles::list)
        .route::<roles::CreateRole, _, _>(door, roles::create)
        .route::<roles::GetRole, _, _>(door, roles::get)
        .route::<roles::UpdateRole, _, _>(door, roles::update)
        .route::<roles::DeleteRole, _, _>(door, roles::delete)
        .route::<grants::ListGrants, _, _>(door, grants::list)
        .route::<grants::CreateGrant, _, _>(door, grants::create)
        .route::<grants::GetGrant, _, _>(door, grants::get)
        .route::<grants::DeleteGrant, _, _>(door, grants::delete)
        .route::<prefixes::ListPrefixes, _, _>(door, prefixes::list)
        .route::<prefixes::CreatePrefix, _, _>(door, prefixes::create)
        .route::<prefixes::GetPrefix, _, _>(door, prefixes::get)
        .route::<prefixes::UpdatePrefix, _, _>(door, prefixes::update)
        .route::<prefixes::DeletePrefix, _, _>(door, prefixes::delete)
        .route::<api_keys::ListApiKeys, _, _>(door, api_keys::list)
        .route::<api_keys::CreateApiKey, _, _>(door, api_keys::create)
        .route::<api_keys::GetApiKey, _, _>(door, api_keys::get)
        .route::<api_keys::RevokeApiKey, _, _>(door, api_keys::revoke)
}
