//! `/api/v1/resource-prefixes`: resources of outside applications.

use axum::extract::State;
use problem::{ALREADY_EXISTS, CONFLICT, PREFIX_IN_USE, STALE_REVISION};
use serde::{Deserialize, Serialize};
use types::{Name, PrefixId, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Input, Page, Refusal, Reply, Segment, Spec, leaves, operation, refuses};

use crate::error::AccessError;
use crate::prefixes::{OutsideResource, Prefix, PrefixPatch};
use crate::{Access, facts};

operation! {
    /// Lists the prefixes of outside applications' resources.
    pub ListPrefixes -> Page<PrefixView> =
        Spec::get("resource_prefixes.list", "/api/v1/resource-prefixes").needs("permissions:read");

    /// Makes an outside application's resources known, so that permissions about them can be given.
    pub CreatePrefix(NewPrefix) -> PrefixView =
        Spec::create("resource_prefixes.create", "/api/v1/resource-prefixes").needs("permissions:create")
        .facts(leaves![facts::PREFIX_CREATED]).errors(refuses![ALREADY_EXISTS])
        .example(r#"{"prefix": "titan", "description": "The learning platform", "resources": [{"name": "courses", "meaning": "Courses", "actions": ["read", "enrol"]}]}"#);

    /// Shows one prefix.
    pub GetPrefix -> PrefixView =
        Spec::get("resource_prefixes.get", "/api/v1/resource-prefixes/{prefix}").needs("permissions:read");

    /// Changes what is said of an application's resources.
    pub UpdatePrefix(PrefixChange) -> PrefixView =
        Spec::patch("resource_prefixes.update", "/api/v1/resource-prefixes/{prefix}").needs("permissions:update")
        .facts(leaves![facts::PREFIX_UPDATED]).errors(refuses![CONFLICT, STALE_REVISION])
        .example(r#"{"description": "Courses and certificates"}"#);

    /// Strikes a prefix that no grant, role or API key uses.
    pub DeletePrefix -> PrefixView =
        Spec::delete("resource_prefixes.delete", "/api/v1/resource-prefixes/{prefix}").needs("permissions:delete")
        .facts(leaves![facts::PREFIX_DELETED]).errors(refuses![CONFLICT, PREFIX_IN_USE, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrefix {
    /// The word before the dot; fixed.
    #[schema(value_type = String)]
    pub prefix: Name,
    #[schema(max_length = 500)]
    #[serde(default)]
    pub description: String,
    #[schema(max_items = 200)]
    #[serde(default)]
    pub resources: Vec<OutsideResource>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefixChange {
    #[schema(max_length = 500)]
    pub description: Option<String>,
    #[schema(max_items = 200)]
    pub resources: Option<Vec<OutsideResource>>,
}

#[derive(Serialize, ToSchema)]
pub struct PrefixView {
    pub id: PrefixId,
    pub prefix: Name,
    pub description: String,
    pub resources: Vec<OutsideResource>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

impl From<Prefix> for PrefixView {
    fn from(prefix: Prefix) -> Self {
        Self {
            id: prefix.id,
            prefix: prefix.prefix,
            description: prefix.description,
            resources: prefix.resources,
            created_by: prefix.created_by,
            created_at: prefix.created_at,
            updated_at: prefix.updated_at,
            revision: prefix.revision,
        }
    }
}

pub async fn list(State(access): State<Access>, allowed: Allowed<ListPrefixes>) -> Result<Reply, Refusal> {
    let items = access.prefixes(&allowed).await?.into_iter().map(PrefixView::from).collect();
    Ok(Reply::of::<ListPrefixes>(&Page { items, next_cursor: None, total: None })?)
}

pub async fn create(
    State(access): State<Access>,
    allowed: Allowed<CreatePrefix>,
    Input(new): Input<CreatePrefix>,
) -> Result<Reply, Refusal> {
    well_named(&new.resources)?;
    let create = || access.create_prefix(&allowed, &new.prefix, &new.description, &new.resources);
    allowed.settle::<CreatePrefix, _, _, _>(create).await
}

pub async fn get(
    State(access): State<Access>,
    allowed: Allowed<GetPrefix>,
    Segment(name): Segment<Name>,
) -> Result<Reply, Refusal> {
    let prefix = access.prefix(&allowed, &name).await?;
    Ok(Reply::of::<GetPrefix>(&PrefixView::from(prefix))?)
}

pub async fn update(
    State(access): State<Access>,
    allowed: Allowed<UpdatePrefix>,
    Segment(name): Segment<Name>,
    Input(patch): Input<UpdatePrefix>,
) -> Result<Reply, Refusal> {
    if let Some(resources) = &patch.resources {
        well_named(resources)?;
    }
    let patch = PrefixPatch { description: patch.description, resources: patch.resources };
    allowed.settle::<UpdatePrefix, _, _, _>(|| access.update_prefix(&allowed, &name, &patch)).await
}

pub async fn delete(
    State(access): State<Access>,
    allowed: Allowed<DeletePrefix>,
    Segment(name): Segment<Name>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeletePrefix, _, _, _>(|| access.delete_prefix(&allowed, &name)).await
}

/// Whatever the catalogue shows can be written as a permission.
fn well_named(resources: &[OutsideResource]) -> Result<(), AccessError> {
    for (at, resource) in resources.iter().enumerate() {
        for (of, action) in resource.actions.iter().enumerate() {
            if format!("a.b:{action}").parse::<authority::Permission>().is_err() {
                let field = format!("/resources/{at}/actions/{of}");
                return Err(AccessError::invalid(field, "is a lower-case word such as `read` or `enrol`"));
            }
        }
    }
    Ok(())
}
