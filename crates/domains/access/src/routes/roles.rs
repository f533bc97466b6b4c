//! `/api/v1/roles`.

use serde::Serialize;
use utoipa::ToSchema;
use web::{Allowed, Page, Refusal, Reply, Spec, operation};

use crate::BUILT_IN;

operation! {
    /// Lists the roles that can be given.
    pub ListRoles -> Page<RoleView> = Spec::get("roles.list", "/api/v1/roles").needs("roles:read");
}

#[derive(Serialize, ToSchema)]
pub struct RoleView {
    pub name: &'static str,
    pub description: &'static str,
    pub permissions: Vec<&'static str>,
    /// Built-in roles cannot be changed.
    pub built_in: bool,
}

pub async fn list(_allowed: Allowed<ListRoles>) -> Result<Reply, Refusal> {
    let items = BUILT_IN.iter().map(|role| RoleView {
        name: role.name,
        description: role.description,
        permissions: role.permissions.to_vec(),
        built_in: true,
    });
    Ok(Reply::of::<ListRoles>(&Page { items: items.collect(), next_cursor: None, total: None })?)
}
