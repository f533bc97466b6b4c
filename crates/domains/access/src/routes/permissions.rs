//! `/api/v1/permissions`: the catalogue, what the caller and others hold, and whether it would be enough.

use std::collections::{BTreeMap, BTreeSet};

use authority::{Authority, Known, Permission, Reach, Required, Selector};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use types::{GrantId, GroupId};
use utoipa::ToSchema;
use web::{Allowed, Caller, Input, Object, Refusal, Reply, Segment, Spec, StepUp, operation};

use crate::error::AccessError;
use crate::roles::texts;
use crate::{Access, HolderId, Source, store};

operation! {
    /// Lists what permissions are about and which operations need them; also what outside applications made known.
    pub Catalogue -> PermissionCatalogue =
        Spec::get("permissions.catalogue", "/api/v1/permissions").needs("permissions:read");

    /// Says what the caller may do: grants, narrowed by the token and by everyone who acts in between.
    pub Mine -> EffectivePermissions = Spec::get("permissions.me", "/api/v1/permissions/me");

    /// Answers whether the caller holds permissions, without doing anything.
    pub Check(PermissionQuestion) -> PermissionAnswer =
        Spec::post("permissions.check", "/api/v1/permissions/check").not_idempotent().rate(web::Rate::Read)
            .example(r#"{"permissions": ["agents:read", "agents:create"], "logic": "any"}"#);

    /// Says which operations permissions would open to whoever held them; nothing is given.
    pub Opens(PermissionSet) -> OpenedOperations =
        Spec::post("permissions.opens", "/api/v1/permissions/opens").needs("permissions:read")
            .not_idempotent().rate(web::Rate::Read).example(r#"{"permissions": ["agents:write:own", "runs:read:all"]}"#);

    /// Says what a person, an agent or a group holds, and by which role or group it came to each of it.
    pub Effective -> HeldPermissions =
        Spec::get("permissions.of", "/api/v1/permissions/of/{principal}").needs("roles:read");
}

#[derive(Serialize, ToSchema)]
pub struct PermissionCatalogue {
    pub items: Vec<ResourceView>,
    /// Every operation that needs a permission.
    pub operations: Vec<OperationView>,
}

#[derive(Serialize, ToSchema)]
pub struct ResourceView {
    pub resource: String,
    pub meaning: String,
    /// What operations need, and the words for several at once; outside applications name their own.
    pub actions: Vec<String>,
    /// Of an outside application.
    pub outside: bool,
}

#[derive(Serialize, ToSchema)]
pub struct OperationView {
    pub id: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub permission: String,
    /// People confirm that it is them; tokens and keys must hold the permission by name, without wildcards.
    pub step_up: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionSet {
    #[schema(value_type = Vec<String>, max_items = 500)]
    pub permissions: Vec<Permission>,
}

#[derive(Serialize, ToSchema)]
pub struct OpenedOperations {
    pub items: Vec<OpenedView>,
}

#[derive(Serialize, ToSchema)]
pub struct OpenedView {
    #[serde(flatten)]
    pub operation: OperationView,
    /// How far for every object: `own`, `group` or `all`; null if only objects that the permissions name are reached.
    pub reach: Option<&'static str>,
    /// Whether tokens and keys could do it too, where it asks for the permission by name.
    pub by_name: bool,
}

#[derive(Serialize, ToSchema)]
pub struct EffectivePermissions {
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
}

#[derive(Serialize, ToSchema)]
pub struct HeldPermissions {
    pub principal: String,
    pub principal_kind: &'static str,
    /// Empty for groups.
    pub display_name: String,
    /// Without those that others cover.
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
    pub groups: Vec<GroupId>,
    pub sources: Vec<SourceView>,
}

/// One grant that it holds.
#[derive(Serialize, ToSchema)]
pub struct SourceView {
    pub grant: GrantId,
    /// The role, if it was given one.
    pub role: Option<String>,
    /// The group that was given it, if not the principal itself.
    pub group: Option<GroupId>,
    pub permissions: Vec<String>,
}

impl From<Source> for SourceView {
    fn from(source: Source) -> Self {
        Self {
            grant: source.grant,
            role: source.role,
            group: source.group,
            permissions: texts(&source.permissions),
        }
    }
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

/// What is asked of somebody without being an operation's own permission.
const BESIDE: [(&str, &str); 1] = [("secrets", "use")];

/// The words that stand for several actions at once.
const COMPOSITE: [&str; 3] = ["*", "manage", "write"];

pub async fn catalogue(State(access): State<Access>, allowed: Allowed<Catalogue>) -> Result<Reply, Refusal> {
    let specs = access.operations();
    let mut actions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut operations = Vec::new();
    for spec in specs {
        let Some(required) = spec.required() else { continue };
        actions.entry(required.resource.to_string()).or_default().insert(required.action.to_string());
        operations.push(OperationView::of(spec, &required));
    }
    for (resource, action) in BESIDE {
        actions.entry(resource.to_owned()).or_default().insert(action.to_owned());
    }
    let ours = Known::ALL.iter().map(|known| {
        let needed = actions.remove(known.name()).unwrap_or_default();
        ResourceView {
            resource: known.name().to_owned(),
            meaning: known.meaning().to_owned(),
            actions: needed.into_iter().chain(COMPOSITE.map(str::to_owned)).collect(),
            outside: false,
        }
    });
    let mut items: Vec<ResourceView> = ours.collect();
    for prefix in access.prefixes(&allowed).await? {
        items.extend(prefix.resources.into_iter().map(|resource| ResourceView {
            resource: format!("{}.{}", prefix.prefix, resource.name),
            meaning: resource.meaning,
            actions: resource.actions,
            outside: true,
        }));
    }
    Ok(Reply::of::<Catalogue>(&PermissionCatalogue { items, operations })?)
}

impl OperationView {
    fn of(spec: &Spec, required: &Required) -> Self {
        Self {
            id: spec.id,
            method: spec.method.name(),
            path: spec.path,
            permission: required.to_string(),
            step_up: spec.step_up == StepUp::Always,
        }
    }
}

pub async fn opens(
    State(access): State<Access>,
    _allowed: Allowed<Opens>,
    Input(set): Input<Opens>,
) -> Result<Reply, Refusal> {
    let held: Authority = set.permissions.into_iter().collect();
    let opened = |spec: &&'static Spec| {
        let required = spec.required()?;
        held.grants_for(&required).next()?;
        Some(OpenedView {
            operation: OperationView::of(spec, &required),
            reach: held.reach_for(&required, &Selector::every()).map(Reach::name),
            by_name: held.spells_out(&required),
        })
    };
    let items = access.operations().iter().filter_map(opened).collect();
    Ok(Reply::of::<Opens>(&OpenedOperations { items })?)
}

pub async fn mine(allowed: Allowed<Mine>) -> Result<Reply, Refusal> {
    let permissions = effective(allowed.caller()).permissions().to_vec();
    Ok(Reply::of::<Mine>(&EffectivePermissions { permissions })?)
}

pub async fn check(allowed: Allowed<Check>, Input(question): Input<Check>) -> Result<Reply, Refusal> {
    let held = effective(allowed.caller());
    let result = |permission: Permission| PermissionResult { allowed: holds(&held, &permission), permission };
    let results: Vec<_> = question.permissions.into_iter().map(result).collect();
    let allowed = match question.logic {
        Logic::All => results.iter().all(|one| one.allowed),
        Logic::Any => results.iter().any(|one| one.allowed),
    };
    Ok(Reply::of::<Check>(&PermissionAnswer { allowed, results })?)
}

/// A question without a reach asks whether it is held as far as any.
fn holds(held: &Authority, permission: &Permission) -> bool {
    let reach = held.widest_reach(&permission.resource, &permission.action, &permission.selector);
    reach.is_some_and(|reach| permission.reach.is_none_or(|asked| reach >= asked))
}

pub async fn of(
    State(access): State<Access>,
    allowed: Allowed<Effective>,
    Segment(holder): Segment<HolderId>,
) -> Result<Reply, Refusal> {
    let id = holder.uuid();
    let object = Object { selector: holder.to_string().into(), is: Some(id), ..Object::default() };
    let display_name = access.display_of(&allowed, holder).await?.ok_or(AccessError::Unknown("principal"))?;
    allowed.check(&object)?;
    let sources = store::sources_of(&access.inner().db, allowed.scope(), allowed.org(), id)
        .await
        .map_err(AccessError::from)?;
    Ok(Reply::of::<Effective>(&HeldPermissions {
        principal: holder.to_string(),
        principal_kind: holder.kind(),
        display_name,
        permissions: sources.authority().permissions().to_vec(),
        groups: sources.groups,
        sources: sources.all.into_iter().map(SourceView::from).collect(),
    })?)
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
