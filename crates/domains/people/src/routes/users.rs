//! `/api/v1/users`: the people of the organization.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{Timestamp, UserId};
use utoipa::ToSchema;
use web::{Allowed, Page, Params, Refusal, Reply, Spec, operation, page, page_size};

use super::Rooms;
use crate::{Person, store};

operation! {
    /// Lists the people of the organization.
    pub ListUsers[UserFilter] -> Page<UserView> = Spec::get("users.list", "/api/v1/users").needs("users:read");
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct UserView {
    pub id: UserId,
    pub display_name: String,
    pub email: Option<String>,
    /// `active` or `suspended`.
    pub status: &'static str,
    pub created_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
    pub revision: i64,
}

impl From<Person> for UserView {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            display_name: person.display_name,
            email: person.email,
            status: if person.active { "active" } else { "suspended" },
            created_at: person.created_at,
            last_login_at: person.last_login_at,
            revision: person.revision,
        }
    }
}

pub async fn list(
    State(rooms): State<Rooms>,
    allowed: Allowed<ListUsers>,
    Params(filter): Params<ListUsers>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let after = allowed.after::<UserId>(filter.cursor.as_deref())?;
    let db = &rooms.people.inner().db;
    let rows = store::members(db, &allowed, after, limit + 1).await?;
    let cursor = |person: &Person| allowed.cursor(&[json!(person.id)]);
    Ok(Reply::of::<ListUsers>(&page(rows, limit, cursor, UserView::from))?)
}
