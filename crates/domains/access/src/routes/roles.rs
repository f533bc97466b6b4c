//! `/api/v1/roles`.

use authority::Permission;
use axum::extract::State;
use problem::{
    ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, PLAN_LIMIT_REACHED, ROLE_BUILT_IN, ROLE_IN_USE,
    STALE_REVISION,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{Name, RoleId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size, refuses,
};

use crate::roles::{Role, RolePatch, RoleRef, WantedRole, texts};
use crate::{Access, facts};

operation! {
    /// Lists the roles that can be given: the built-in ones, then the organization's own.
    pub ListRoles[RoleQuery] -> Page<RoleView> = Spec::get("roles.list", "/api/v1/roles").needs("roles:read");

    /// Makes a role of the organization's own. It can allow only what its maker holds.
    pub CreateRole(NewRole) -> RoleView = Spec::create("roles.create", "/api/v1/roles")
        .needs("roles:create").facts(leaves![facts::ROLE_CREATED])
        .errors(refuses![ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, PLAN_LIMIT_REACHED])
        .example(r#"{"name": "releaser", "description": "Runs releases", "permissions": ["functions/release/*:execute:all"]}"#);

    /// Shows a role, by its name or id.
    pub GetRole -> RoleView = Spec::get("roles.get", "/api/v1/roles/{role}").needs("roles:read");

    /// Changes a role for everybody who holds it. Who changes it must hold what it allows, before and after.
    pub UpdateRole(RoleChange) -> RoleView = Spec::patch("roles.update", "/api/v1/roles/{role}")
        .needs("roles:update").step_up().facts(leaves![facts::ROLE_UPDATED])
        .errors(refuses![AUTHORITY_EXCEEDED, CONFLICT, ROLE_BUILT_IN, STALE_REVISION])
        .example(r#"{"description": "Runs releases at night"}"#);

    /// Deletes a role that nobody holds.
    pub DeleteRole -> RoleView = Spec::delete("roles.delete", "/api/v1/roles/{role}")
        .needs("roles:delete").facts(leaves![facts::ROLE_DELETED])
        .errors(refuses![CONFLICT, ROLE_BUILT_IN, ROLE_IN_USE, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleQuery {
    /// Part of the name or description.
    pub q: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
    pub count: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// Fixed: grants refer to it.
    #[schema(value_type = String)]
    pub name: Name,
    #[schema(max_length = 500)]
    #[serde(default)]
    pub description: String,
    #[schema(value_type = Vec<String>, max_items = 500)]
    pub permissions: Vec<Permission>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    #[schema(max_length = 500)]
    pub description: Option<String>,
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    pub permissions: Option<Vec<Permission>>,
}

#[derive(Serialize, ToSchema)]
pub struct RoleView {
    /// Of the organization's own roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RoleId>,
    pub name: String,
    pub description: String,
    pub permissions: Vec<String>,
    /// Built-in roles cannot be changed.
    pub built_in: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        match role {
            Role::BuiltIn(role) => Self {
                id: None,
                name: role.name.to_owned(),
                description: role.description.to_owned(),
                permissions: role.permissions.iter().map(|text| (*text).to_owned()).collect(),
                built_in: true,
                created_by: None,
                created_at: None,
                updated_at: None,
                revision: None,
            },
            Role::Own(role) => Self {
                id: Some(role.id),
                name: role.name.to_string(),
                description: role.description,
                permissions: texts(&role.permissions),
                built_in: false,
                created_by: Some(role.created_by),
                created_at: Some(role.created_at),
                updated_at: Some(role.updated_at),
                revision: Some(role.revision),
            },
        }
    }
}

pub async fn list(
    State(access): State<Access>,
    allowed: Allowed<ListRoles>,
    Params(query): Params<ListRoles>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let after = allowed.keys_after(query.cursor.as_deref())?;
    let mut roles = access.roles(&allowed).await?;
    if let Some(q) = query.q.as_deref().map(str::to_lowercase) {
        roles.retain(|role| role.name().contains(&q) || role.description().to_lowercase().contains(&q));
    }
    let total = roles.len();
    if let [Value::Number(place), Value::String(name)] = after.as_slice() {
        let place = place.as_u64().and_then(|place| usize::try_from(place).ok()).unwrap_or_default();
        roles.retain(|role| role.place() > (place, name.as_str()));
    }
    let cursor = |role: &Role| {
        let (place, name) = role.place();
        allowed.cursor(&[json!(place), json!(name)])
    };
    let mut page = page(roles, limit, cursor, RoleView::from);
    page.total = (query.count == Some(true)).then(|| i64::try_from(total).unwrap_or(i64::MAX));
    Ok(Reply::of::<ListRoles>(&page)?)
}

pub async fn create(
    State(access): State<Access>,
    allowed: Allowed<CreateRole>,
    Input(new): Input<CreateRole>,
) -> Result<Reply, Refusal> {
    let wanted = WantedRole { name: new.name, description: new.description, permissions: new.permissions };
    allowed.settle::<CreateRole, _, _, _>(|| access.create_role(&allowed, &wanted)).await
}

pub async fn get(
    State(access): State<Access>,
    allowed: Allowed<GetRole>,
    Segment(of): Segment<RoleRef>,
) -> Result<Reply, Refusal> {
    let role = access.role(&allowed, &of).await?;
    Ok(Reply::of::<GetRole>(&RoleView::from(role))?)
}

pub async fn update(
    State(access): State<Access>,
    allowed: Allowed<UpdateRole>,
    Segment(of): Segment<RoleRef>,
    Input(patch): Input<UpdateRole>,
) -> Result<Reply, Refusal> {
    let patch = RolePatch { description: patch.description, permissions: patch.permissions };
    allowed.settle::<UpdateRole, _, _, _>(|| access.update_role(&allowed, &of, &patch)).await
}

pub async fn delete(
    State(access): State<Access>,
    allowed: Allowed<DeleteRole>,
    Segment(of): Segment<RoleRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteRole, _, _, _>(|| access.delete_role(&allowed, &of)).await
}
