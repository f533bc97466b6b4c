//! `/api/v1/org` and `/api/v1/orgs`: the organization that the caller stands in, and those of the instance.

use axum::extract::State;
use problem::{
    ACTIVE_AGENTS, ALREADY_EXISTS, CONFLICT, HOME_ORGANIZATION, INVALID_CURSOR, ORGANIZATION_ACTIVE,
    ORGANIZATION_LEAVING, STALE_REVISION,
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use types::{Email, OrgId, Slug, Timestamp, UserId};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Object, Page, Params, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size,
    refuses,
};

use super::Rooms;
use crate::orgs::{OrgPatch, OrgRef, WantedOrg};
use crate::settings::OrgSettingsPatch;
use crate::store::OrgFilter;
use crate::{Org, OrgSettings, facts};

operation! {
    /// Shows the caller's organization.
    pub CurrentOrg -> OrgView = Spec::get("orgs.current", "/api/v1/org").needs("orgs:read");

    /// Founds an organization; for operators.
    pub CreateOrg(NewOrg) -> OrgView = Spec::create("orgs.create", "/api/v1/orgs")
        .needs("system:orgs").facts(leaves![facts::ORG_CREATED]).errors(refuses![ALREADY_EXISTS, CONFLICT])
        .example(r#"{"slug": "acme", "name": "Acme"}"#);

    /// Lists the organizations that the caller belongs to; for operators those of the instance.
    pub ListOrgs[OrgQuery] -> Page<OrgSummary> =
        Spec::get("orgs.list", "/api/v1/orgs").errors(refuses![INVALID_CURSOR]);

    /// Shows an organization by its id or slug: the caller's own, or any for operators.
    pub GetOrg -> OrgView = Spec::get("orgs.get", "/api/v1/orgs/{org}").needs("orgs:read");

    /// Changes an organization's name or settings (JSON Merge Patch).
    pub UpdateOrg(OrgChanges) -> OrgView = Spec::patch("orgs.update", "/api/v1/orgs/{org}")
        .needs("orgs:update").facts(leaves![facts::ORG_UPDATED]).errors(refuses![CONFLICT, STALE_REVISION])
        .example(r#"{"settings": {"time_zone": "Europe/Zurich", "new_agents_need_approval": false}}"#);

    /// Deletes an organization: after 30 days of grace its rows are erased and its keys destroyed. Its slug must be typed.
    pub DeleteOrg(TypedSlug) -> OrgView = Spec::delete("orgs.delete", "/api/v1/orgs/{org}")
        .needs("orgs:delete").facts(leaves![facts::ORG_LEAVING])
        .errors(refuses![ACTIVE_AGENTS, HOME_ORGANIZATION, ORGANIZATION_LEAVING, CONFLICT, STALE_REVISION])
        .example(r#"{"slug": "leaving"}"#);

    /// Brings an organization back from its grace.
    pub RestoreOrg -> OrgView = Spec::post("orgs.restore", "/api/v1/orgs/{org}/restore")
        .needs("orgs:delete").facts(leaves![facts::ORG_RESTORED])
        .errors(refuses![ORGANIZATION_ACTIVE, ORGANIZATION_LEAVING, CONFLICT, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrg {
    /// Stands in addresses; fixed, and never given out again.
    pub slug: Slug,
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    pub billing_email: Option<Email>,
    /// The person who will own it; the caller if left out.
    pub owner: Option<UserId>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrgQuery {
    /// `active`, `leaving` or `erasing`.
    pub status: Option<OrgStatus>,
    /// Part of the slug or name.
    pub q: Option<String>,
    /// Only those that the caller is a member of, also for operators.
    #[serde(default)]
    pub mine: bool,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrgStatus {
    Active,
    Leaving,
    Erasing,
}

impl OrgStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Leaving => "leaving",
            Self::Erasing => "erasing",
        }
    }
}

/// What is left out stays; null goes back to the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrgChanges {
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Email>)]
    pub billing_email: Option<Option<Email>>,
    #[schema(value_type = Option<OrgSettingsPatch>)]
    pub settings: Option<Map<String, Value>>,
}

/// Tells a null that was sent from a field that was not.
pub(super) fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TypedSlug {
    /// The organization's slug, to be sure which one is meant.
    #[schema(max_length = 40)]
    pub slug: String,
}

#[derive(Serialize, ToSchema)]
pub struct OrgView {
    pub id: OrgId,
    pub slug: String,
    pub name: String,
    /// The first organization of the instance.
    pub home: bool,
    /// Whose personal organization it is.
    pub personal_of: Option<UserId>,
    pub billing_email: Option<String>,
    pub settings: OrgSettings,
    /// `active`, `leaving` or `erasing`.
    pub status: &'static str,
    /// When its grace ends, while it is `leaving`.
    pub erase_after: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: i64,
}

#[derive(Serialize, ToSchema)]
pub struct OrgSummary {
    pub id: OrgId,
    pub slug: String,
    pub name: String,
    pub home: bool,
    /// Whether it is somebody's personal organization.
    pub personal: bool,
    /// Whether the caller stands in it now.
    pub current: bool,
    /// `active`, `leaving` or `erasing`.
    pub status: &'static str,
    pub created_at: Timestamp,
}

impl From<Org> for OrgView {
    fn from(org: Org) -> Self {
        Self {
            id: org.id,
            slug: org.slug,
            name: org.name,
            home: org.home,
            personal_of: org.personal_of,
            billing_email: org.billing_email,
            settings: org.settings,
            status: org.standing.name(),
            erase_after: org.standing.erase_after(),
            created_at: org.created_at,
            revision: org.revision,
        }
    }
}

pub async fn current(State(rooms): State<Rooms>, allowed: Allowed<CurrentOrg>) -> Result<Reply, Refusal> {
    let id = allowed.org().to_string();
    allowed.check(&Object { selector: id.into(), ..Object::default() })?;
    let org = rooms.people.find_org(&allowed, &OrgRef::Id(allowed.org())).await?;
    Ok(Reply::of::<CurrentOrg>(&OrgView::from(org))?)
}

pub async fn create(
    State(rooms): State<Rooms>,
    allowed: Allowed<CreateOrg>,
    Input(new): Input<CreateOrg>,
) -> Result<Reply, Refusal> {
    let wanted = WantedOrg {
        slug: new.slug,
        name: new.name,
        billing_email: new.billing_email.map(|email| email.to_string()),
        owner: new.owner,
    };
    allowed.settle::<CreateOrg, _, _, _>(|| rooms.people.create_org(&allowed, &wanted)).await
}

pub async fn list(
    State(rooms): State<Rooms>,
    allowed: Allowed<ListOrgs>,
    Params(query): Params<ListOrgs>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let after = allowed.after::<OrgId>(query.cursor.as_deref())?;
    let filter = OrgFilter { status: query.status.map(OrgStatus::name), q: query.q, ..OrgFilter::default() };
    let rows = rooms.people.orgs(&allowed, filter, query.mine, after, limit + 1).await?;
    let cursor = |org: &Org| allowed.cursor(&[json!(org.id)]);
    let here = allowed.org();
    let view = |org: Org| OrgSummary {
        current: org.id == here,
        personal: org.personal_of.is_some(),
        status: org.standing.name(),
        id: org.id,
        slug: org.slug,
        name: org.name,
        home: org.home,
        created_at: org.created_at,
    };
    Ok(Reply::of::<ListOrgs>(&page(rows, limit, cursor, view))?)
}

pub async fn get(
    State(rooms): State<Rooms>,
    allowed: Allowed<GetOrg>,
    Segment(of): Segment<OrgRef>,
) -> Result<Reply, Refusal> {
    let org = rooms.people.find_org(&allowed, &of).await?;
    Ok(Reply::of::<GetOrg>(&OrgView::from(org))?)
}

pub async fn update(
    State(rooms): State<Rooms>,
    allowed: Allowed<UpdateOrg>,
    Segment(of): Segment<OrgRef>,
    Input(changes): Input<UpdateOrg>,
) -> Result<Reply, Refusal> {
    let patch = OrgPatch {
        name: changes.name,
        billing_email: changes.billing_email.map(|email| email.map(|email| email.to_string())),
        settings: changes.settings,
    };
    allowed.settle::<UpdateOrg, _, _, _>(|| rooms.people.update_org(&allowed, &of, &patch)).await
}

pub async fn delete(
    State(rooms): State<Rooms>,
    allowed: Allowed<DeleteOrg>,
    Segment(of): Segment<OrgRef>,
    Input(typed): Input<DeleteOrg>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteOrg, _, _, _>(|| rooms.people.delete_org(&allowed, &of, &typed.slug)).await
}

pub async fn restore(
    State(rooms): State<Rooms>,
    allowed: Allowed<RestoreOrg>,
    Segment(of): Segment<OrgRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RestoreOrg, _, _, _>(|| rooms.people.restore_org(&allowed, &of)).await
}
