//! HTTP of permissions and roles.

pub(crate) mod permissions;
mod roles;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Access;

pub fn routes(door: &Arc<Door>) -> Routes<Access> {
    Routes::new()
        .route::<permissions::Catalogue, _, _>(door, permissions::catalogue)
        .route::<permissions::Mine, _, _>(door, permissions::mine)
        .route::<permissions::Check, _, _>(door, permissions::check)
        .route::<roles::ListRoles, _, _>(door, roles::list)
}
