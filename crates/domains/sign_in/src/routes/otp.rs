//! `/api/v1/auth/otp`: the short way through the one provider that sends codes.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use people::{AUTH_REFUSED, SESSION_STARTED, USER_CREATED};
use problem::{
    CROSS_SITE_REQUEST, NOT_FOUND, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED, SIGN_IN_UNAVAILABLE,
};
use serde::Deserialize;
use serde_json::json;
use types::Slug;
use utoipa::ToSchema;
use web::{Input, Rate, Refusal, Spec, Visitor, leaves, operation, refuses};

use super::Rooms;
use super::flow::{BegunView, LoginView, came_in, opened};
use crate::facts;

operation! {
    /// Sends a sign-in code to an address. The answer is the same whether anybody has it.
    pub SendCode(CodeRequest) -> BegunView = Spec::post("auth.send_code", "/api/v1/auth/otp")
        .open().rate(Rate::SignIn).status(202).facts(leaves![facts::SIGN_IN_BEGUN])
        .errors(refuses![CROSS_SITE_REQUEST, NOT_FOUND, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_UNAVAILABLE])
        .example(r#"{"email": "ada@example.com"}"#);

    /// Signs in by the code; the answer sets the session's cookie.
    pub VerifyCode(Code) -> LoginView = Spec::post("auth.verify_code", "/api/v1/auth/otp/verify")
        .open().rate(Rate::SignIn).facts(leaves![SESSION_STARTED])
        .further_facts(leaves![USER_CREATED, AUTH_REFUSED])
        .errors(refuses![CROSS_SITE_REQUEST, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED])
        .example(r#"{"state": "0000000000000000000000000000000000000000000", "code": "123456"}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    #[schema(min_length = 3, max_length = 320)]
    pub email: String,
    /// Slug of the organization to sign in to.
    pub org: Option<Slug>,
    /// Where to go afterwards: a path of this server, or an address that the operator listed.
    #[schema(max_length = 2048)]
    pub return_to: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// From the answer to the request for a code.
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub state: String,
    /// Six digits; spaces between do not matter.
    #[schema(min_length = 6, max_length = 12)]
    pub code: String,
}

pub async fn send(
    State(rooms): State<Rooms>,
    visitor: Visitor<SendCode>,
    headers: HeaderMap,
    Input(body): Input<SendCode>,
) -> Result<Response, Refusal> {
    rooms.form.same_site(&Method::POST, &headers)?;
    let org = rooms.sign_in.asked_org(body.org.as_ref()).await?;
    let provider = rooms.sign_in.enabled_of_kind("otp", org).await?;
    let input = serde_json::Map::from_iter([("email".to_owned(), json!(body.email))]);
    let begun = rooms.sign_in.begin(&provider, org, body.return_to.as_deref(), &input, &visitor.contact);
    opened::<SendCode>(&rooms.form, begun.await?)
}

pub async fn verify(
    State(rooms): State<Rooms>,
    visitor: Visitor<VerifyCode>,
    headers: HeaderMap,
    Input(body): Input<VerifyCode>,
) -> Result<Response, Refusal> {
    rooms.form.same_site(&Method::POST, &headers)?;
    let input = serde_json::Map::from_iter([("code".to_owned(), json!(body.code))]);
    let entered = rooms.sign_in.complete_code(&body.state, &input, &visitor.contact).await?;
    came_in::<VerifyCode>(&rooms, entered).await
}
