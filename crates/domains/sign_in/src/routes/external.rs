//! `/api/v1/auth/external`: the token of a trusted issuer becomes a session.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use people::{AUTH_REFUSED, MEMBER_ROLES_CHANGED, SESSION_STARTED, USER_CREATED};
use problem::{
    CROSS_SITE_REQUEST, NOT_FOUND, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED, SIGN_IN_UNAVAILABLE,
};
use serde::Deserialize;
use types::Slug;
use utoipa::ToSchema;
use web::{Input, Rate, Refusal, Spec, Visitor, leaves, operation, refuses};

use super::Rooms;
use super::flow::{LoginView, came_in};
use crate::facts;

operation! {
    /// Signs in by the JWT of an issuer that a provider of kind `external` trusts; the answer sets the session's cookie. A
    /// token works once.
    pub ExternalSignIn(ExternalToken) -> LoginView = Spec::post("auth.external", "/api/v1/auth/external")
        .open().rate(Rate::SignIn).facts(leaves![SESSION_STARTED])
        .further_facts(leaves![facts::IDENTITY_LINKED, USER_CREATED, MEMBER_ROLES_CHANGED, AUTH_REFUSED])
        .errors(refuses![CROSS_SITE_REQUEST, NOT_FOUND, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED, SIGN_IN_UNAVAILABLE])
        .example(r#"{"token": "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.c2lnbmF0dXJl"}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalToken {
    /// A compact JWS; its `iss` says which provider is meant.
    #[schema(min_length = 1, max_length = 65536)]
    pub token: String,
    /// Slug of the organization to sign in to.
    pub org: Option<Slug>,
}

pub async fn external(
    State(rooms): State<Rooms>,
    visitor: Visitor<ExternalSignIn>,
    headers: HeaderMap,
    Input(body): Input<ExternalSignIn>,
) -> Result<Response, Refusal> {
    rooms.form.same_site(&Method::POST, &headers)?;
    let org = rooms.sign_in.asked_org(body.org.as_ref()).await?;
    let entered = rooms.sign_in.complete_external(&body.token, org, &visitor.contact).await?;
    came_in::<ExternalSignIn>(&rooms, entered).await
}
