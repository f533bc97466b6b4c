//! `/api/v1/members`: who belongs to the organization.

use axum::extract::State;
use problem::{AUTHORITY_EXCEEDED, CONFLICT, INVALID_CURSOR, LAST_OWNER, Problem, STALE_REVISION};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{Timestamp, UserId};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size, refuses,
};

use super::Rooms;
use super::users::UserStatus;
use crate::dependents::Heir;
use crate::members::Member;
use crate::store::{self, MemberFilter};
use crate::{PeopleError, facts};

operation! {
    /// Lists the members of the organization, in the order of their ids.
    pub ListMembers[MemberQuery] -> Page<MemberView> = Spec::get("members.list", "/api/v1/members")
        .needs("members:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a member.
    pub GetMember -> MemberView = Spec::get("members.get", "/api/v1/members/{user}").needs("members:read");

    /// Gives a member exactly these roles. Whoever gives or takes a role must hold it.
    pub UpdateMember(MemberPatch) -> MemberView = Spec::patch("members.update", "/api/v1/members/{user}")
        .needs("members:update").step_up().facts(leaves![facts::MEMBER_ROLES_CHANGED])
        .errors(refuses![AUTHORITY_EXCEEDED, LAST_OWNER, CONFLICT, STALE_REVISION])
        .example(r#"{"roles": ["member"]}"#);

    /// Removes a member: its sessions here end, its rights go, its agents pass to `agents_to` or are suspended.
    pub RemoveMember(Leaving) -> MemberView = Spec::delete("members.remove", "/api/v1/members/{user}")
        .needs("members:delete").facts(leaves![facts::MEMBER_REMOVED])
        .further_facts(leaves![facts::AGENT_OWNER_LEFT])
        .errors(refuses![AUTHORITY_EXCEEDED, LAST_OWNER, CONFLICT, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberQuery {
    pub status: Option<UserStatus>,
    /// Part of the display name, e-mail address or user name.
    pub q: Option<String>,
    /// Only those who were given this role themselves.
    #[schema(max_length = 63)]
    pub role: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberPatch {
    /// All of them; what is not named is taken.
    #[schema(max_items = 20)]
    pub roles: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    /// User or group who owns the member's agents from now on; without it they are suspended.
    #[schema(pattern = "^(usr|grp)_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    pub agents_to: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct MemberView {
    pub user: UserId,
    pub display_name: String,
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    /// `active` or `suspended`, here or on the whole instance.
    pub status: &'static str,
    pub roles: Vec<String>,
    pub joined_at: Timestamp,
    pub invited_by: Option<String>,
    /// Identity provider that the person came from.
    pub provider: Option<String>,
    pub last_login_at: Option<Timestamp>,
    /// Of the membership.
    pub revision: i64,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let acts = member.acts();
        let person = member.person;
        Self {
            user: person.id,
            display_name: person.display_name,
            username: person.username,
            email: person.email,
            email_verified: person.email_verified,
            status: if acts { "active" } else { "suspended" },
            roles: member.roles,
            joined_at: member.joined_at,
            invited_by: member.invited_by,
            provider: member.provider,
            last_login_at: person.last_login_at,
            revision: member.row.revision,
        }
    }
}

pub async fn list(
    State(rooms): State<Rooms>,
    allowed: Allowed<ListMembers>,
    Params(query): Params<ListMembers>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let after = allowed.after::<UserId>(query.cursor.as_deref())?;
    let filter = MemberFilter { status: query.status.map(UserStatus::name), q: query.q, role: query.role };
    let rows = store::members(&rooms.people.inner().db, &allowed, &filter, after, limit + 1).await?;
    let cursor = |member: &Member| allowed.cursor(&[json!(member.person.id)]);
    Ok(Reply::of::<ListMembers>(&page(rows, limit, cursor, MemberView::from))?)
}

pub async fn get(
    State(rooms): State<Rooms>,
    allowed: Allowed<GetMember>,
    Segment(user): Segment<UserId>,
) -> Result<Reply, Refusal> {
    let member = rooms.people.find_member(&allowed, user).await?;
    Ok(Reply::of::<GetMember>(&MemberView::from(member))?)
}

pub async fn update(
    State(rooms): State<Rooms>,
    allowed: Allowed<UpdateMember>,
    Segment(user): Segment<UserId>,
    Input(patch): Input<UpdateMember>,
) -> Result<Reply, Refusal> {
    let decide = || rooms.people.change_roles(&allowed, user, &patch.roles);
    allowed.settle::<UpdateMember, _, _, _>(decide).await
}

pub async fn remove(
    State(rooms): State<Rooms>,
    allowed: Allowed<RemoveMember>,
    Segment(user): Segment<UserId>,
    Input(leaving): Input<RemoveMember>,
) -> Result<Reply, Refusal> {
    let heir = leaving.agents_to.as_deref().map(heir).transpose()?;
    allowed.settle::<RemoveMember, _, _, _>(|| rooms.people.remove_member(&allowed, user, heir)).await
}

fn heir(text: &str) -> Result<Heir, Problem> {
    let user = text.parse().map(Heir::User);
    user.or_else(|_| text.parse().map(Heir::Group)).map_err(|_| {
        PeopleError::Invalid { field: "/agents_to", reason: "must be the id of a user or group".into() }
            .into()
    })
}
