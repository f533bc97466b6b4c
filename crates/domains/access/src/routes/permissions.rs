//! `/api/v1/permissions`: the grammar's catalogue, what the caller holds, and whether it would be enough.

use authority::{Authority, Known, Permission};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Allowed, Caller, Input, Refusal, Reply, Spec, operation};

operation! {
    /// Lists the resources that permissions are about.
    pub Catalogue -> PermissionCatalogue =
        Spec::get("permissions.catalogue", "/api/v1/permissions").needs("permissions:read");

    /// Says what the caller may do: grants, narrowed by the token and by everyone who acts in between.
    pub Mine -> EffectivePermissions = Spec::get("permissions.me", "/api/v1/permissions/me");

    /// Answers whether the caller holds permissions, without doing anything.
    pub Check(PermissionQuestion) -> PermissionAnswer =
        Spec::post("permissions.check", "/api/v1/permissions/check").not_idempotent().rate(web::Rate::Read)
            .example(r#"{"permissions": ["agents:read", "agents:create"], "logic": "any"}"#);
}

#[derive(Serialize, ToSchema)]
pub struct PermissionCatalogue {
    pub items: Vec<ResourceView>,
}

#[derive(Serialize, ToSchema)]
pub struct ResourceView {
    pub resource: &'static str,
    pub meaning: &'static str,
    /// Actions that every resource knows; operations may name further ones.
    pub actions: Vec<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct EffectivePermissions {
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionQuestion {
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 100)]
    pub permissions: Vec<Permission>,
    #[serde(default)]
    pub logic: Logic,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Logic {
    #[default]
    All,
    Any,
}

#[derive(Serialize, ToSchema)]
pub struct PermissionAnswer {
    pub allowed: bool,
    pub results: Vec<PermissionResult>,
}

#[derive(Serialize, ToSchema)]
pub struct PermissionResult {
    #[schema(value_type = String)]
    pub permission: Permission,
    pub allowed: bool,
}

pub async fn catalogue(_allowed: Allowed<Catalogue>) -> Result<Reply, Refusal> {
    let actions = ["read", "create", "update", "delete", "write", "manage", "execute", "approve"];
    let view = |known: &Known| ResourceView {
        resource: known.name(),
        meaning: known.meaning(),
        actions: actions.to_vec(),
    };
    Ok(Reply::of::<Catalogue>(&PermissionCatalogue { items: Known::ALL.iter().map(view).collect() })?)
}

pub async fn mine(allowed: Allowed<Mine>) -> Result<Reply, Refusal> {
    let permissions = effective(allowed.caller()).permissions().to_vec();
    Ok(Reply::of::<Mine>(&EffectivePermissions { permissions })?)
}

pub async fn check(allowed: Allowed<Check>, Input(question): Input<Check>) -> Result<Reply, Refusal> {
    let held = effective(allowed.caller());
    let result = |permission: Permission| PermissionResult { allowed: held.covers(&permission), permission };
    let results: Vec<_> = question.permissions.into_iter().map(result).collect();
    let allowed = match question.logic {
        Logic::All => results.iter().all(|one| one.allowed),
        Logic::Any => results.iter().any(|one| one.allowed),
    };
    Ok(Reply::of::<Check>(&PermissionAnswer { allowed, results })?)
}

/// What everybody in the chain holds and the token lets through.
pub fn effective(caller: &Caller) -> Authority {
    let mut held = Authority::clone(&caller.subject.grants);
    for link in caller.links().skip(1) {
        held = held.intersect(&link.grants);
    }
    match &caller.scope {
        Some(scope) => held.intersect(scope),
        None => held,
    }
}
