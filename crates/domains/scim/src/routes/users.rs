//! `/scim/v2/Users`: the members of the organization.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use problem::{
    ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, INVALID_FILTER, INVALID_PATH, INVALID_SYNTAX,
    INVALID_VALUE, LAST_OWNER, NO_TARGET, ORGANIZATION_LEAVING, OUTSIDE_DOMAINS, OWN_ACCOUNT, READ_ONLY,
    STALE_REVISION,
};
use types::UserId;
use web::{Allowed, Input, Nothing, Params, Refusal, Segment, Spec, leaves, operation, refuses};

use super::messages::{Listed, PatchMessage, UserResource};
use crate::Scim;
use crate::form::SCIM;
use crate::query::{Projection, Query};
use crate::reply::{Preconditions, found, gone, list as page, written};
use crate::resources::{USER, Write};

operation! {
    /// Brings a member in whose address lies in a domain that the organization has proved.
    pub CreateUser(UserResource) -> UserResource = Spec::create("scim.users.create", "/scim/v2/Users")
        .form(SCIM).not_idempotent().needs("users:create").step_up().facts(leaves![people::USER_CREATED])
        .further_facts(leaves![
            people::MEMBER_JOINED, people::MEMBER_LINKED, people::USER_UPDATED, people::USER_REACTIVATED,
        ])
        .errors(refuses![
            ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, INVALID_SYNTAX, INVALID_VALUE, ORGANIZATION_LEAVING, OUTSIDE_DOMAINS,
        ])
        .example(r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "hedy@proved.example",
            "externalId": "00u1", "name": {"givenName": "Hedy", "familyName": "Lamarr"},
            "emails": [{"value": "hedy@proved.example", "type": "work", "primary": true}], "active": true}"#);

    /// Lists members.
    pub ListUsers[Query] -> Listed = Spec::get("scim.users.list", "/scim/v2/Users")
        .form(SCIM).needs("members:read").errors(refuses![INVALID_FILTER, INVALID_VALUE]);

    /// Shows a member.
    pub GetUser[Query] -> UserResource = Spec::get("scim.users.get", "/scim/v2/Users/{user}")
        .form(SCIM).needs("members:read");

    /// Makes a member what is sent; roles that are not mentioned stay.
    pub ReplaceUser(UserResource) -> UserResource = Spec::put("scim.users.replace", "/scim/v2/Users/{user}")
        .form(SCIM).needs("members:update").step_up().facts(leaves![people::MEMBER_UPDATED])
        .further_facts(leaves![
            people::MEMBER_ROLES_CHANGED, people::MEMBER_SUSPENDED, people::MEMBER_RESTORED, people::USER_UPDATED,
            people::USER_SUSPENDED, people::USER_REACTIVATED,
        ])
        .errors(refuses![
            ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, INVALID_SYNTAX, INVALID_VALUE, LAST_OWNER, OUTSIDE_DOMAINS,
            OWN_ACCOUNT, READ_ONLY, STALE_REVISION,
        ])
        .example(r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "staged", "externalId": "00u2"}"#);

    /// Changes a member. `active: false` ends every session and token at once: everywhere inside a proved domain, else here.
    pub PatchUser(PatchMessage)[Query] -> UserResource = Spec::patch("scim.users.patch", "/scim/v2/Users/{user}")
        .form(SCIM).needs("members:update").step_up().facts(leaves![people::MEMBER_UPDATED])
        .further_facts(leaves![
            people::MEMBER_ROLES_CHANGED, people::MEMBER_SUSPENDED, people::MEMBER_RESTORED, people::USER_UPDATED,
            people::USER_SUSPENDED, people::USER_REACTIVATED,
        ])
        .errors(refuses![
            ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, INVALID_PATH, INVALID_SYNTAX, INVALID_VALUE, LAST_OWNER, NO_TARGET,
            OUTSIDE_DOMAINS, OWN_ACCOUNT, READ_ONLY, STALE_REVISION,
        ])
        .example(r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": false}]}"#);

    /// Removes a member: its sessions here end, its rights go, its agents are suspended.
    pub DeleteUser -> Nothing = Spec::delete("scim.users.delete", "/scim/v2/Users/{user}")
        .form(SCIM).status(204).needs("members:delete").facts(leaves![people::MEMBER_REMOVED])
        .further_facts(leaves![people::AGENT_OWNER_LEFT])
        .errors(refuses![AUTHORITY_EXCEEDED, CONFLICT, LAST_OWNER, STALE_REVISION]);
}

pub async fn create(
    State(scim): State<Scim>,
    allowed: Allowed<CreateUser>,
    Input(body): Input<CreateUser>,
) -> Result<Response, Refusal> {
    let id = scim.settle(&allowed, &USER, || scim.create_user(&allowed, &body.0)).await?;
    Ok(written(StatusCode::CREATED, scim.user(&allowed, id, &Projection::default()).await?))
}

pub async fn list(
    State(scim): State<Scim>,
    allowed: Allowed<ListUsers>,
    Params(query): Params<ListUsers>,
) -> Result<Response, Refusal> {
    let (shown, total) = scim.users(&allowed, &query).await?;
    let resources = shown.into_iter().map(|one| one.resource.into()).collect();
    Ok(page(resources, query.start(), total))
}

pub async fn get(
    State(scim): State<Scim>,
    allowed: Allowed<GetUser>,
    Segment(id): Segment<UserId>,
    Params(query): Params<GetUser>,
    only: Preconditions,
) -> Result<Response, Refusal> {
    Ok(found(scim.user(&allowed, id, &query.projection(&USER)).await?, &only))
}

pub async fn replace(
    State(scim): State<Scim>,
    allowed: Allowed<ReplaceUser>,
    Segment(id): Segment<UserId>,
    only: Preconditions,
    Input(body): Input<ReplaceUser>,
) -> Result<Response, Refusal> {
    let how = Write::Whole(&body.0);
    scim.settle(&allowed, &USER, || async {
        scim.write_user(&allowed, id, &how, &only).await.map(|change| (change, ()))
    })
    .await?;
    Ok(written(StatusCode::OK, scim.user(&allowed, id, &Projection::default()).await?))
}

pub async fn patch(
    State(scim): State<Scim>,
    allowed: Allowed<PatchUser>,
    Segment(id): Segment<UserId>,
    Params(query): Params<PatchUser>,
    only: Preconditions,
    Input(body): Input<PatchUser>,
) -> Result<Response, Refusal> {
    let how = Write::Patch(&body.0);
    scim.settle(&allowed, &USER, || async {
        scim.write_user(&allowed, id, &how, &only).await.map(|change| (change, ()))
    })
    .await?;
    Ok(written(StatusCode::OK, scim.user(&allowed, id, &query.projection(&USER)).await?))
}

pub async fn delete(
    State(scim): State<Scim>,
    allowed: Allowed<DeleteUser>,
    Segment(id): Segment<UserId>,
    only: Preconditions,
) -> Result<Response, Refusal> {
    scim.settle(&allowed, &USER, || async {
        scim.delete_user(&allowed, id, &only).await.map(|change| (change, ()))
    })
    .await?;
    Ok(gone())
}
