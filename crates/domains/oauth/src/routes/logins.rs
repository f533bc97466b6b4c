//! A command line signs in by way of a browser: `/oauth2/device_authorization`, `/oauth2/authorize`, and what the console's
//! pages for them call.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use problem::{NOT_FOUND, PERMISSION_DENIED, VALIDATION_FAILED};
use serde::{Deserialize, Serialize};
use types::Timestamp;
use utoipa::ToSchema;
use web::{
    Allowed, Input, Nothing, OAUTH, Rate, Refusal, Reply, Spec, Visitor, leaves, operation, query, refuses,
};

use crate::error::{OAuthError, invalid_request, private};
use crate::form::Form;
use crate::logins::{Authorization, LoginGrant};
use crate::{Oauth, facts};

operation! {
    /// Starts to sign a device in that has no browser of its own (RFC 8628).
    pub BeginDevice(DeviceForm) -> DeviceAnswer = Spec::post("oauth.device_authorization", "/oauth2/device_authorization")
        .open().rate(Rate::SignIn).form(OAUTH).example(r#"{"client_id": "cli_01jc000000e008000000000001"}"#)
        .further_facts(leaves![facts::LOGIN_APPROVED]);

    /// Where a command line sends the browser (RFC 6749 with PKCE); leads on to the console's page, which asks the person.
    pub Authorize[AuthorizeQuery] -> Nothing = Spec::get("oauth.authorize", "/oauth2/authorize")
        .open().rate(Rate::SignIn).form(OAUTH).status(303).errors(refuses![VALIDATION_FAILED]);

    /// Shows which device waits under a code, before anybody lets it in.
    pub ShowDevice(UserCode) -> WaitingDevice = Spec::post("auth.show_device", "/api/v1/auth/device")
        .not_idempotent().rate(Rate::SignIn).errors(refuses![NOT_FOUND])
        .example(r#"{"user_code": "BCDF-GHJK"}"#);

    /// Lets the device in as the caller, in the caller's organization; it gets a session of its own.
    pub ApproveDevice(UserCode) -> WaitingDevice = Spec::post("auth.approve_device", "/api/v1/auth/device/approve")
        .not_idempotent().rate(Rate::SignIn).step_up().facts(leaves![facts::LOGIN_APPROVED])
        .errors(refuses![NOT_FOUND, PERMISSION_DENIED])
        .example(r#"{"user_code": "BCDF-GHJK"}"#);

    /// Turns the device away.
    pub DenyDevice(UserCode) -> WaitingDevice = Spec::post("auth.deny_device", "/api/v1/auth/device/deny")
        .not_idempotent().rate(Rate::SignIn).facts(leaves![facts::LOGIN_DENIED])
        .errors(refuses![NOT_FOUND, PERMISSION_DENIED])
        .example(r#"{"user_code": "BCDF-GHJK"}"#);

    /// Lets a command line in that waits on a loopback address; the answer says where the browser goes.
    pub ApproveLogin(LoginRequest) -> LoginApproved = Spec::post("auth.authorize", "/api/v1/auth/authorize")
        .not_idempotent().rate(Rate::SignIn).step_up().reveals_secret().facts(leaves![facts::LOGIN_APPROVED])
        .errors(refuses![PERMISSION_DENIED])
        .example(r#"{"client_id": "cli_01jc000000e008000000000001", "redirect_uri": "http://127.0.0.1:40000/callback",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "state": "x"}"#);
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct DeviceForm {
    pub client_id: String,
}

/// RFC 8628 §3.2.
#[derive(Serialize, ToSchema)]
pub struct DeviceAnswer {
    pub device_code: String,
    /// To be typed at `verification_uri`.
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: String,
    /// Seconds.
    pub expires_in: u64,
    /// Seconds between two polls.
    pub interval: u64,
}

#[derive(Deserialize, ToSchema)]
pub struct AuthorizeQuery {
    /// `code`.
    pub response_type: String,
    pub client_id: String,
    /// `http://127.0.0.1:<port>/callback`.
    pub redirect_uri: String,
    pub code_challenge: String,
    /// `S256`.
    pub code_challenge_method: String,
    pub state: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserCode {
    /// As the device shows it; case and dash do not matter.
    #[schema(min_length = 8, max_length = 16)]
    pub user_code: String,
}

#[derive(Serialize, ToSchema)]
pub struct WaitingDevice {
    /// What the device says of itself.
    pub user_agent: Option<String>,
    /// From where it asked.
    pub ip: Option<String>,
    /// `pending`, `approved` or `denied`.
    pub status: &'static str,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl From<LoginGrant> for WaitingDevice {
    fn from(grant: LoginGrant) -> Self {
        Self {
            user_agent: grant.user_agent,
            ip: grant.ip,
            status: grant.status.name(),
            created_at: grant.created_at,
            expires_at: grant.expires_at,
        }
    }
}

/// What stood in the query of `/oauth2/authorize`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    pub client_id: String,
    #[schema(max_length = 200)]
    pub redirect_uri: String,
    pub code_challenge: String,
    #[schema(max_length = 512)]
    pub state: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct LoginApproved {
    /// Go there at once: the code in it lives one minute.
    pub redirect_to: String,
}

impl From<String> for LoginApproved {
    fn from(redirect_to: String) -> Self {
        Self { redirect_to }
    }
}

pub async fn begin_device(
    State(oauth): State<Oauth>,
    visitor: Visitor<BeginDevice>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, OAuthError> {
    let body = body.map_err(|_| invalid_request("the body is too large or broke off"))?;
    let codes = oauth.begin_device(&Form::parse(&headers, &body)?, &visitor.contact).await?;
    let answer = DeviceAnswer {
        device_code: codes.device_code,
        user_code: codes.user_code,
        verification_uri: codes.verification_uri,
        verification_uri_complete: codes.verification_uri_complete,
        expires_in: codes.expires_in,
        interval: codes.interval,
    };
    let mut response = Json(answer).into_response();
    private(response.headers_mut());
    Ok(response)
}

/// Never sends the browser anywhere but to our own console: what asks is checked first, and again when it is approved.
pub async fn authorize(
    State(oauth): State<Oauth>,
    _: Visitor<Authorize>,
    RawQuery(text): RawQuery,
) -> Result<Response, Refusal> {
    let text = text.unwrap_or_default();
    let asked: AuthorizeQuery = query(&text)?;
    let is_code = asked.response_type == "code" && asked.code_challenge_method == "S256";
    if !is_code {
        let detail = "Ask for response_type=code with code_challenge_method=S256.";
        return Err(problem::Problem::new(&VALIDATION_FAILED, detail).into());
    }
    let authorization = Authorization {
        client_id: &asked.client_id,
        redirect_uri: &asked.redirect_uri,
        challenge: &asked.code_challenge,
        state: asked.state.as_deref(),
    };
    authorization.check()?;
    let target = format!("{}/console/authorize?{text}", oauth.inner().settings.public_url);
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(location) = HeaderValue::try_from(target) {
        headers.insert(header::LOCATION, location);
    }
    Ok(response)
}

pub async fn show_device(
    State(oauth): State<Oauth>,
    _: Allowed<ShowDevice>,
    Input(body): Input<ShowDevice>,
) -> Result<Reply, Refusal> {
    let grant = oauth.waiting_device(&body.user_code).await?;
    Ok(Reply::of::<ShowDevice>(&grant.into())?)
}

pub async fn approve_device(
    State(oauth): State<Oauth>,
    allowed: Allowed<ApproveDevice>,
    Input(body): Input<ApproveDevice>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ApproveDevice, _, _, _>(|| oauth.decide_device(&allowed, &body.user_code, true)).await
}

pub async fn deny_device(
    State(oauth): State<Oauth>,
    allowed: Allowed<DenyDevice>,
    Input(body): Input<DenyDevice>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DenyDevice, _, _, _>(|| oauth.decide_device(&allowed, &body.user_code, false)).await
}

pub async fn approve_login(
    State(oauth): State<Oauth>,
    allowed: Allowed<ApproveLogin>,
    Input(body): Input<ApproveLogin>,
) -> Result<Response, Refusal> {
    let asked = Authorization {
        client_id: &body.client_id,
        redirect_uri: &body.redirect_uri,
        challenge: &body.code_challenge,
        state: body.state.as_deref(),
    };
    let reply = allowed.settle::<ApproveLogin, _, _, _>(|| oauth.authorize(&allowed, &asked)).await?;
    let mut response = reply.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
