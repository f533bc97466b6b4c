//! `/api/v1/groups`: groups and who is in them.

use access::Member as InGroup;
use axum::extract::State;
use problem::{
    ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, GROUP_IN_USE, INVALID_CURSOR, OUTSIDE_DOMAINS,
    STALE_REVISION,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{DomainName, GroupId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, PrincipalId, Refusal, Reply, Segment, Segments, Spec, leaves, operation,
    page, page_size, refuses,
};

use super::Rooms;
use super::orgs::said;
use crate::groups::{Group, GroupPatch, WantedGroup};
use crate::{PeopleError, facts, store};

operation! {
    /// Makes a group.
    pub CreateGroup(NewGroup) -> GroupView = Spec::create("groups.create", "/api/v1/groups")
        .needs("groups:create").facts(leaves![facts::GROUP_CREATED])
        .errors(refuses![ALREADY_EXISTS, AUTHORITY_EXCEEDED, OUTSIDE_DOMAINS, CONFLICT])
        .example(r#"{"name": "Operations", "description": "Who is called at night."}"#);

    /// Lists groups.
    pub ListGroups[GroupQuery] -> Page<GroupView> = Spec::get("groups.list", "/api/v1/groups")
        .needs("groups:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a group.
    pub GetGroup -> GroupView = Spec::get("groups.get", "/api/v1/groups/{group}").needs("groups:read");

    /// Changes a group (JSON Merge Patch).
    pub UpdateGroup(GroupChanges) -> GroupView = Spec::patch("groups.update", "/api/v1/groups/{group}")
        .needs("groups:update").facts(leaves![facts::GROUP_UPDATED])
        .errors(refuses![ALREADY_EXISTS, AUTHORITY_EXCEEDED, OUTSIDE_DOMAINS, CONFLICT, STALE_REVISION])
        .example(r#"{"description": "Who is called at night and on Sundays."}"#);

    /// Ends a group that no agent belongs to; its members lose what they held through it.
    pub DeleteGroup -> GroupView = Spec::delete("groups.delete", "/api/v1/groups/{group}")
        .needs("groups:delete").facts(leaves![facts::GROUP_DELETED])
        .errors(refuses![GROUP_IN_USE, CONFLICT, STALE_REVISION]);

    /// Lists who is in a group.
    pub ListGroupMembers[GroupMemberQuery] -> Page<GroupMemberView> =
        Spec::get("groups.members", "/api/v1/groups/{group}/members").needs("groups:read").errors(refuses![INVALID_CURSOR]);

    /// Puts a person or an agent into a group; the caller must hold what the group holds.
    pub AddToGroup(NewGroupMember) -> GroupMemberView = Spec::create("groups.add", "/api/v1/groups/{group}/members")
        .needs("groups:update").step_up().facts(leaves![facts::GROUP_MEMBER_ADDED])
        .errors(refuses![ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT]);

    /// Takes a person or an agent out of a group.
    pub RemoveFromGroup -> GroupMemberView =
        Spec::delete("groups.remove", "/api/v1/groups/{group}/members/{member}")
            .needs("groups:update").facts(leaves![facts::GROUP_MEMBER_REMOVED]).errors(refuses![CONFLICT]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub description: String,
    /// Its id in the directory that it comes from.
    #[schema(min_length = 1, max_length = 200)]
    pub external_group_id: Option<String>,
    /// A proved domain: whoever joins the organization with an address in it belongs to the group.
    pub email_domain: Option<DomainName>,
}

/// What is left out stays; null takes a value away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupChanges {
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub external_group_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<DomainName>)]
    pub email_domain: Option<Option<DomainName>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupQuery {
    /// Part of the name or description.
    pub q: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMemberQuery {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroupMember {
    /// Id of a user or an agent.
    #[schema(pattern = "^(usr|agt)_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    pub member: String,
}

#[derive(Serialize, ToSchema)]
pub struct GroupView {
    pub id: GroupId,
    pub name: String,
    pub description: String,
    pub external_group_id: Option<String>,
    pub email_domain: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

#[derive(Serialize, ToSchema)]
pub struct GroupMemberView {
    /// `user` or `agent`.
    pub kind: &'static str,
    pub member: String,
    pub added_by: String,
    pub added_at: Timestamp,
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            name: group.name,
            description: group.description,
            external_group_id: group.external_group_id,
            email_domain: group.email_domain,
            created_at: group.created_at,
            updated_at: group.updated_at,
            revision: group.revision,
        }
    }
}

impl From<InGroup> for GroupMemberView {
    fn from(member: InGroup) -> Self {
        Self {
            kind: member.principal.kind(),
            member: member.principal.to_string(),
            added_by: member.added_by,
            added_at: member.added_at,
        }
    }
}

pub async fn create(
    State(rooms): State<Rooms>,
    allowed: Allowed<CreateGroup>,
    Input(new): Input<CreateGroup>,
) -> Result<Reply, Refusal> {
    let wanted = WantedGroup {
        name: new.name,
        description: new.description,
        external_group_id: new.external_group_id,
        email_domain: new.email_domain.map(|domain| domain.to_string()),
    };
    allowed.settle::<CreateGroup, _, _, _>(|| rooms.people.create_group(&allowed, &wanted)).await
}

pub async fn list(
    State(rooms): State<Rooms>,
    allowed: Allowed<ListGroups>,
    Params(query): Params<ListGroups>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let after = allowed.after::<GroupId>(query.cursor.as_deref())?;
    let db = &rooms.people.inner().db;
    let rows = store::groups(db, &allowed, query.q.as_deref(), after, limit + 1).await?;
    let cursor = |group: &Group| allowed.cursor(&[json!(group.id)]);
    Ok(Reply::of::<ListGroups>(&page(rows, limit, cursor, GroupView::from))?)
}

pub async fn get(
    State(rooms): State<Rooms>,
    allowed: Allowed<GetGroup>,
    Segment(id): Segment<GroupId>,
) -> Result<Reply, Refusal> {
    let group = rooms.people.find_group(&allowed, id).await?;
    Ok(Reply::of::<GetGroup>(&GroupView::from(group))?)
}

pub async fn update(
    State(rooms): State<Rooms>,
    allowed: Allowed<UpdateGroup>,
    Segment(id): Segment<GroupId>,
    Input(changes): Input<UpdateGroup>,
) -> Result<Reply, Refusal> {
    let patch = GroupPatch {
        name: changes.name,
        description: changes.description,
        external_group_id: changes.external_group_id,
        email_domain: changes.email_domain.map(|domain| domain.map(|domain| domain.to_string())),
    };
    allowed.settle::<UpdateGroup, _, _, _>(|| rooms.people.update_group(&allowed, id, &patch)).await
}

pub async fn delete(
    State(rooms): State<Rooms>,
    allowed: Allowed<DeleteGroup>,
    Segment(id): Segment<GroupId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteGroup, _, _, _>(|| rooms.people.delete_group(&allowed, id)).await
}

pub async fn members(
    State(rooms): State<Rooms>,
    allowed: Allowed<ListGroupMembers>,
    Segment(id): Segment<GroupId>,
    Params(query): Params<ListGroupMembers>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let keys = allowed.keys_after(query.cursor.as_deref())?;
    let after = keys.first().and_then(|key| key.as_str()).and_then(|text| text.parse().ok());
    let rows = rooms.people.group_members(&allowed, id, after, limit + 1).await?;
    let cursor = |member: &InGroup| allowed.cursor(&[json!(member.principal.to_string())]);
    Ok(Reply::of::<ListGroupMembers>(&page(rows, limit, cursor, GroupMemberView::from))?)
}

pub async fn add(
    State(rooms): State<Rooms>,
    allowed: Allowed<AddToGroup>,
    Segment(id): Segment<GroupId>,
    Input(new): Input<AddToGroup>,
) -> Result<Reply, Refusal> {
    let member: PrincipalId = new.member.parse().map_err(|_| PeopleError::UnknownMember)?;
    allowed.settle::<AddToGroup, _, _, _>(|| rooms.people.add_to_group(&allowed, id, member)).await
}

pub async fn remove(
    State(rooms): State<Rooms>,
    allowed: Allowed<RemoveFromGroup>,
    Segments((id, member)): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let id: GroupId = id.parse().map_err(|_| PeopleError::UnknownGroup)?;
    let member: PrincipalId = member.parse().map_err(|_| PeopleError::UnknownMember)?;
    allowed.settle::<RemoveFromGroup, _, _, _>(|| rooms.people.remove_from_group(&allowed, id, member)).await
}
