//! `/api/v1/grants`: who holds what.

use authority::Permission;
use axum::extract::State;
use problem::{ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, LAST_OWNER};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{GrantId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size, refuses,
};

use crate::error::AccessError;
use crate::grants::{Grant, WantedGrant};
use crate::store::{self, GrantFilter};
use crate::{Access, HolderId, facts};

operation! {
    /// Lists who was given which role or permission, newest first.
    pub ListGrants[GrantQuery] -> Page<GrantView> = Spec::get("grants.list", "/api/v1/grants").needs("roles:read");

    /// Gives a role or a single permission to a person, an agent or a group. In force on the next request.
    pub CreateGrant(NewGrant) -> GrantView = Spec::create("grants.create", "/api/v1/grants")
        .needs("roles:grant").step_up().facts(leaves![facts::ROLE_GRANTED])
        .errors(refuses![ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT])
        .example(r#"{"principal": "agt_01h455vb4pex5vsknk084sn02q", "role": "viewer"}"#);

    /// Shows one grant.
    pub GetGrant -> GrantView = Spec::get("grants.get", "/api/v1/grants/{grant}").needs("roles:read");

    /// Takes a role or a permission away. In force on the next request.
    pub DeleteGrant -> GrantView = Spec::delete("grants.delete", "/api/v1/grants/{grant}")
        .needs("roles:grant").facts(leaves![facts::ROLE_REVOKED])
        .errors(refuses![AUTHORITY_EXCEEDED, CONFLICT, LAST_OWNER]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantQuery {
    /// Only what this person, agent or group was given itself.
    pub principal: Option<String>,
    /// Only grants of this role.
    pub role: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
    pub count: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// `usr_…`, `agt_…` or `grp_…`.
    pub principal: String,
    /// A role's name; either this or `permission`.
    pub role: Option<String>,
    #[schema(value_type = Option<String>)]
    pub permission: Option<Permission>,
}

#[derive(Serialize, ToSchema)]
pub struct GrantView {
    pub id: GrantId,
    pub principal: String,
    /// `user`, `agent` or `group`.
    pub principal_kind: &'static str,
    pub role: Option<String>,
    pub permission: Option<String>,
    pub granted_by: String,
    pub created_at: Timestamp,
}

impl From<Grant> for GrantView {
    fn from(grant: Grant) -> Self {
        Self {
            id: grant.id,
            principal: grant.holder.to_string(),
            principal_kind: grant.holder.kind(),
            role: grant.role,
            permission: grant.permission,
            granted_by: grant.granted_by,
            created_at: grant.created_at,
        }
    }
}

pub async fn list(
    State(access): State<Access>,
    allowed: Allowed<ListGrants>,
    Params(query): Params<ListGrants>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let before = allowed.after::<GrantId>(query.cursor.as_deref())?;
    let holder = query.principal.as_deref().map(holder).transpose()?;
    let filter = GrantFilter { holder: holder.map(HolderId::uuid), role: query.role };
    let db = &access.inner().db;
    let rows = store::grants(db, &allowed, &filter, before, limit + 1).await?;
    let cursor = |grant: &Grant| allowed.cursor(&[json!(grant.id)]);
    let mut page = page(rows, limit, cursor, GrantView::from);
    if query.count == Some(true) {
        page.total = Some(store::count_grants(db, &allowed, &filter).await?);
    }
    Ok(Reply::of::<ListGrants>(&page)?)
}

pub async fn create(
    State(access): State<Access>,
    allowed: Allowed<CreateGrant>,
    Input(new): Input<CreateGrant>,
) -> Result<Reply, Refusal> {
    let wanted = WantedGrant {
        holder: holder(&new.principal).map_err(|_| AccessError::invalid("/principal", EXPECTED))?,
        role: new.role,
        permission: new.permission,
    };
    allowed.settle::<CreateGrant, _, _, _>(|| access.create_grant(&allowed, &wanted)).await
}

pub async fn get(
    State(access): State<Access>,
    allowed: Allowed<GetGrant>,
    Segment(id): Segment<GrantId>,
) -> Result<Reply, Refusal> {
    let grant = access.grant_of(&allowed, id).await?;
    Ok(Reply::of::<GetGrant>(&GrantView::from(grant))?)
}

pub async fn delete(
    State(access): State<Access>,
    allowed: Allowed<DeleteGrant>,
    Segment(id): Segment<GrantId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteGrant, _, _, _>(|| access.delete_grant(&allowed, id)).await
}

const EXPECTED: &str = "is the id of a person, an agent or a group";

fn holder(text: &str) -> Result<HolderId, AccessError> {
    text.parse().map_err(|_| AccessError::invalid("principal", EXPECTED))
}
