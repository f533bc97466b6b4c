//! `/oauth2/…`: token, introspection, revocation. These follow their RFCs: forms in, RFC 6749 errors out, nothing stored.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Nothing, OAUTH, Operation, Rate, Spec, Visitor, leaves, operation};

use super::sign_in::{PersonTokens, tokens_of};
use crate::error::{OAuthError, invalid_request, private};
use crate::introspect::Introspection;
use crate::token::{Granted, TokenAnswer};
use crate::{Oauth, facts};

const CREDENTIALS: &str = r#"{"grant_type": "client_credentials", "scope": "agents:read",
    "client_id": "agt_01h455vb4pex5vsknk084sn02q", "client_secret": "sfc_dev_…"}"#;
const TOKEN: &str = r#"{"token": "eyJ…"}"#;

operation! {
    /// Issues an access token: to an agent of the home organization (client credentials), or to a command line that a person
    /// let in (authorization code, device code).
    pub Token(TokenForm) -> TokenReply = Spec::post("oauth.token", "/oauth2/token")
        .open().any_origin().rate(Rate::Token).form(OAUTH).example(CREDENTIALS).facts(leaves![facts::TOKEN_ISSUED])
        .further_facts(leaves![people::SESSION_STARTED, people::AUTH_REFUSED]);

    /// Issues an access token to an agent of an organization (client credentials).
    pub OrgToken(TokenForm) -> TokenReply = Spec::post("oauth.org_token", "/o/{slug}/oauth2/token")
        .open().any_origin().rate(Rate::Token).form(OAUTH).example(CREDENTIALS).facts(leaves![facts::TOKEN_ISSUED])
        .further_facts(leaves![people::SESSION_STARTED, people::AUTH_REFUSED]);

    /// Says what a token of the home organization is worth (RFC 7662).
    pub Introspect(IntrospectForm) -> Introspection = Spec::post("oauth.introspect", "/oauth2/introspect")
        .open().rate(Rate::Token).form(OAUTH).example(TOKEN).facts(leaves![facts::TOKEN_INTROSPECTED]);

    /// Says what a token of an organization is worth.
    pub OrgIntrospect(IntrospectForm) -> Introspection =
        Spec::post("oauth.org_introspect", "/o/{slug}/oauth2/introspect")
            .open().rate(Rate::Token).form(OAUTH).example(TOKEN).facts(leaves![facts::TOKEN_INTROSPECTED]);

    /// Voids a token of the home organization before its time (RFC 7009).
    pub Revoke(RevokeForm) -> Nothing = Spec::post("oauth.revoke", "/oauth2/revoke")
        .open().rate(Rate::Token).form(OAUTH).example(TOKEN).facts(leaves![facts::TOKEN_REVOKED]).further_facts(leaves![people::SESSION_ENDED]);

    /// Voids a token of an organization before its time.
    pub OrgRevoke(RevokeForm) -> Nothing = Spec::post("oauth.org_revoke", "/o/{slug}/oauth2/revoke")
        .open().rate(Rate::Token).form(OAUTH).example(TOKEN).facts(leaves![facts::TOKEN_REVOKED]).further_facts(leaves![people::SESSION_ENDED]);
}

/// What the token endpoint reads. The client may also show itself by HTTP Basic.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct TokenForm {
    /// `client_credentials`, `authorization_code` or `urn:ietf:params:oauth:grant-type:device_code`.
    pub grant_type: String,
    /// Permissions parted by spaces; everything held if left out.
    pub scope: Option<String>,
    /// The audience (RFC 8707); this API if left out.
    pub resource: Option<String>,
    /// The agent's id.
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    pub client_assertion_type: Option<String>,
    /// A JWT that the agent signed (RFC 7523).
    pub client_assertion: Option<String>,
    /// What the browser brought back (`authorization_code`).
    pub code: Option<String>,
    /// Whose SHA-256 the authorization request named (RFC 7636).
    pub code_verifier: Option<String>,
    /// The same as in the authorization request.
    pub redirect_uri: Option<String>,
    /// RFC 8628 §3.4.
    pub device_code: Option<String>,
}

/// An agent's token, or a person's tokens and who they are.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum TokenReply {
    Person(Box<PersonTokens>),
    Agent(TokenAnswer),
}

/// What introspection reads. The caller shows itself like at the token endpoint, or by a bearer token.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct IntrospectForm {
    pub token: String,
    /// Ignored: every token says itself what it is.
    pub token_type_hint: Option<String>,
}

/// What revocation reads. The caller shows itself like at the token endpoint, or by a bearer token; a refresh token needs
/// no further proof.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct RevokeForm {
    pub token: String,
    /// Ignored: every token says itself what it is.
    pub token_type_hint: Option<String>,
}

type Body = Result<Bytes, BytesRejection>;

pub async fn token<O: Operation>(
    State(oauth): State<Oauth>,
    visitor: Visitor<O>,
    slug: Option<Path<String>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OAuthError> {
    let reply = match oauth.token(of(&slug), &headers, &read(body)?, &visitor.contact).await? {
        Granted::Agent(answer) => TokenReply::Agent(answer),
        Granted::Person(signed_in) => TokenReply::Person(Box::new(tokens_of(&oauth, *signed_in).await?)),
    };
    Ok(finished(Json(reply)))
}

pub async fn introspect<O: Operation>(
    State(oauth): State<Oauth>,
    visitor: Visitor<O>,
    slug: Option<Path<String>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OAuthError> {
    let answer = oauth.introspect(of(&slug), &headers, &read(body)?, &visitor.contact).await?;
    Ok(finished(Json(answer)))
}

pub async fn revoke<O: Operation>(
    State(oauth): State<Oauth>,
    visitor: Visitor<O>,
    slug: Option<Path<String>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OAuthError> {
    oauth.revoke(of(&slug), &headers, &read(body)?, &visitor.contact).await?;
    Ok(finished(StatusCode::OK))
}

fn of(slug: &Option<Path<String>>) -> Option<&str> {
    slug.as_ref().map(|Path(slug)| slug.as_str())
}

fn read(body: Body) -> Result<Bytes, OAuthError> {
    body.map_err(|_| invalid_request("the body is too large or broke off"))
}

fn finished(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    private(response.headers_mut());
    response
}
