//! `/scim/v2/Groups`: groups and who is in them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use problem::{
    ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, GROUP_IN_USE, INVALID_FILTER, INVALID_PATH, INVALID_SYNTAX,
    INVALID_VALUE, NO_TARGET, READ_ONLY, STALE_REVISION,
};
use types::GroupId;
use web::{Allowed, Input, Nothing, Params, Refusal, Segment, Spec, leaves, operation, refuses};

use super::messages::{GroupResource, Listed, PatchMessage};
use crate::Scim;
use crate::form::SCIM;
use crate::query::{Projection, Query};
use crate::reply::{Preconditions, found, gone, list as page, written};
use crate::resources::{GROUP, Write};

operation! {
    /// Makes a group with its members.
    pub CreateGroup(GroupResource) -> GroupResource = Spec::create("scim.groups.create", "/scim/v2/Groups")
        .form(SCIM).not_idempotent().needs("groups:create").facts(leaves![people::GROUP_CREATED])
        .further_facts(leaves![people::GROUP_MEMBER_ADDED])
        .errors(refuses![ALREADY_EXISTS, CONFLICT, INVALID_SYNTAX, INVALID_VALUE])
        .example(r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Engineering",
            "externalId": "00g1"}"#);

    /// Lists groups.
    pub ListGroups[Query] -> Listed = Spec::get("scim.groups.list", "/scim/v2/Groups")
        .form(SCIM).needs("groups:read").errors(refuses![INVALID_FILTER, INVALID_VALUE]);

    /// Shows a group.
    pub GetGroup[Query] -> GroupResource = Spec::get("scim.groups.get", "/scim/v2/Groups/{group}")
        .form(SCIM).needs("groups:read");

    /// Makes a group what is sent; members stay if they are not mentioned.
    pub ReplaceGroup(GroupResource) -> GroupResource = Spec::put("scim.groups.replace", "/scim/v2/Groups/{group}")
        .form(SCIM).needs("groups:update").step_up().facts(leaves![people::GROUP_UPDATED])
        .further_facts(leaves![people::GROUP_MEMBER_ADDED, people::GROUP_MEMBER_REMOVED])
        .errors(refuses![
            ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, INVALID_SYNTAX, INVALID_VALUE, READ_ONLY, STALE_REVISION,
        ])
        .example(r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Engineers",
            "externalId": "00g2"}"#);

    /// Changes a group and who is in it; the client must hold what the group holds.
    pub PatchGroup(PatchMessage)[Query] -> GroupResource = Spec::patch("scim.groups.patch", "/scim/v2/Groups/{group}")
        .form(SCIM).needs("groups:update").step_up().facts(leaves![people::GROUP_UPDATED])
        .further_facts(leaves![people::GROUP_MEMBER_ADDED, people::GROUP_MEMBER_REMOVED])
        .errors(refuses![
            ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, INVALID_PATH, INVALID_SYNTAX, INVALID_VALUE, NO_TARGET, READ_ONLY,
            STALE_REVISION,
        ])
        .example(r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "externalId", "value": "00g3"}]}"#);

    /// Ends a group that no agent belongs to.
    pub DeleteGroup -> Nothing = Spec::delete("scim.groups.delete", "/scim/v2/Groups/{group}")
        .form(SCIM).status(204).needs("groups:delete").facts(leaves![people::GROUP_DELETED])
        .errors(refuses![CONFLICT, GROUP_IN_USE, STALE_REVISION]);
}

pub async fn create(
    State(scim): State<Scim>,
    allowed: Allowed<CreateGroup>,
    Input(body): Input<CreateGroup>,
) -> Result<Response, Refusal> {
    let id = scim.settle(&allowed, &GROUP, || scim.create_group(&allowed, &body.0)).await?;
    Ok(written(StatusCode::CREATED, scim.group(&allowed, id, &Projection::default()).await?))
}

pub async fn list(
    State(scim): State<Scim>,
    allowed: Allowed<ListGroups>,
    Params(query): Params<ListGroups>,
) -> Result<Response, Refusal> {
    let (shown, total) = scim.groups(&allowed, &query).await?;
    let resources = shown.into_iter().map(|one| one.resource.into()).collect();
    Ok(page(resources, query.start(), total))
}

pub async fn get(
    State(scim): State<Scim>,
    allowed: Allowed<GetGroup>,
    Segment(id): Segment<GroupId>,
    Params(query): Params<GetGroup>,
    only: Preconditions,
) -> Result<Response, Refusal> {
    Ok(found(scim.group(&allowed, id, &query.projection(&GROUP)).await?, &only))
}

pub async fn replace(
    State(scim): State<Scim>,
    allowed: Allowed<ReplaceGroup>,
    Segment(id): Segment<GroupId>,
    only: Preconditions,
    Input(body): Input<ReplaceGroup>,
) -> Result<Response, Refusal> {
    let how = Write::Whole(&body.0);
    scim.settle(&allowed, &GROUP, || async {
        scim.write_group(&allowed, id, &how, &only).await.map(|change| (change, ()))
    })
    .await?;
    Ok(written(StatusCode::OK, scim.group(&allowed, id, &Projection::default()).await?))
}

pub async fn patch(
    State(scim): State<Scim>,
    allowed: Allowed<PatchGroup>,
    Segment(id): Segment<GroupId>,
    Params(query): Params<PatchGroup>,
    only: Preconditions,
    Input(body): Input<PatchGroup>,
) -> Result<Response, Refusal> {
    let how = Write::Patch(&body.0);
    scim.settle(&allowed, &GROUP, || async {
        scim.write_group(&allowed, id, &how, &only).await.map(|change| (change, ()))
    })
    .await?;
    Ok(written(StatusCode::OK, scim.group(&allowed, id, &query.projection(&GROUP)).await?))
}

pub async fn delete(
    State(scim): State<Scim>,
    allowed: Allowed<DeleteGroup>,
    Segment(id): Segment<GroupId>,
    only: Preconditions,
) -> Result<Response, Refusal> {
    scim.settle(&allowed, &GROUP, || async {
        scim.delete_group(&allowed, id, &only).await.map(|change| (change, ()))
    })
    .await?;
    Ok(gone())
}
