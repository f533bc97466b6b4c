//! `/api/v1/org`: the organization that the caller stands in.

use axum::extract::State;
use serde::Serialize;
use types::{OrgId, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Object, Refusal, Reply, Spec, operation};

use super::Rooms;

operation! {
    /// Shows the caller's organization.
    pub CurrentOrg -> OrgView = Spec::get("orgs.current", "/api/v1/org").needs("orgs:read");
}

#[derive(Serialize, ToSchema)]
pub struct OrgView {
    pub id: OrgId,
    pub slug: String,
    pub name: String,
    /// The first organization of the instance.
    pub home: bool,
    pub created_at: Timestamp,
    pub revision: i64,
}

pub async fn current(State(rooms): State<Rooms>, allowed: Allowed<CurrentOrg>) -> Result<Reply, Refusal> {
    let id = allowed.org().to_string();
    allowed.check(&Object { selector: id.into(), ..Object::default() })?;
    let org = rooms.people.org(allowed.org()).await?;
    let org = org.ok_or_else(|| problem::Problem::internal("a caller without organization"))?;
    let view = OrgView {
        id: org.id,
        slug: org.slug.clone(),
        name: org.name.clone(),
        home: org.home,
        created_at: org.created_at,
        revision: org.revision,
    };
    Ok(Reply::of::<CurrentOrg>(&view)?)
}
