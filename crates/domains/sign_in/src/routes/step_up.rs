//! `/api/v1/auth/step-up`: confirming a session; `/api/v1/auth/second-factor`: the second step of a sign-in.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use people::{AUTH_REFUSED, SESSION_STARTED, SESSION_STEPPED_UP};
use problem::{
    CROSS_SITE_REQUEST, NOT_FOUND, PERMISSION_DENIED, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED,
    SIGN_IN_UNAVAILABLE,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{SessionId, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Input, Rate, Refusal, Reply, Spec, Visitor, leaves, operation, refuses};

use super::Rooms;
use super::flow::{BegunView, LoginView, came_in, opened, private};
use crate::step_up::Way;

operation! {
    /// Says by what the caller's session can be confirmed: another factor than its first, where the person has one.
    pub StepUpWays -> WaysView = Spec::get("auth.step_up_ways", "/api/v1/auth/step-up").errors(refuses![PERMISSION_DENIED]);

    /// Begins a confirmation that something must be sent for: a code by e-mail, the options of a passkey.
    pub BeginStepUp(Chosen) -> BegunView = Spec::post("auth.begin_step_up", "/api/v1/auth/step-up/begin")
        .not_idempotent().rate(Rate::SignIn)
        .errors(refuses![NOT_FOUND, PERMISSION_DENIED, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_UNAVAILABLE])
        .example(r#"{"way": "otp"}"#);

    /// Confirms the caller's session for five minutes. Its cookie changes; the old one is dead.
    pub StepUp(Proof) -> StepUpView = Spec::post("auth.step_up", "/api/v1/auth/step-up")
        .not_idempotent().rate(Rate::SignIn).facts(leaves![SESSION_STEPPED_UP]).further_facts(leaves![AUTH_REFUSED])
        .errors(refuses![NOT_FOUND, PERMISSION_DENIED, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED])
        .example(r#"{"way": "password", "input": {"password": "tangerine-submarine-4"}}"#);

    /// Completes a sign-in whose first step asked for a second factor; the answer sets the session's cookie.
    pub SecondFactor(Second) -> LoginView = Spec::post("auth.second_factor", "/api/v1/auth/second-factor")
        .open().rate(Rate::SignIn).facts(leaves![SESSION_STARTED]).further_facts(leaves![AUTH_REFUSED])
        .errors(refuses![CROSS_SITE_REQUEST, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED])
        .example(r#"{"state": "0000000000000000000000000000000000000000000", "way": "totp", "code": "123456"}"#);
}

#[derive(Serialize, ToSchema)]
pub struct WaysView {
    pub ways: Vec<Way>,
    /// Until when acts that need a confirmation are open.
    pub stepped_up_until: Timestamp,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    pub way: Way,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    pub way: Way,
    /// From `begin`, where there was something to begin.
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub state: Option<String>,
    /// `code`, `password` or what the passkey answered.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub input: Map<String, Value>,
}

#[derive(Serialize, ToSchema)]
pub struct StepUpView {
    pub session: SessionId,
    pub stepped_up_until: Timestamp,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Second {
    /// From the answer to the first step.
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub state: String,
    /// `totp` or `recovery`.
    pub way: Way,
    #[schema(min_length = 6, max_length = 20)]
    pub code: String,
}

pub async fn ways(State(rooms): State<Rooms>, allowed: Allowed<StepUpWays>) -> Result<Reply, Refusal> {
    let ways = rooms.sign_in.step_up_ways(&allowed).await?;
    let session = rooms.sign_in.inner().people.session_at_browser(&allowed).await?;
    let view = WaysView { ways, stepped_up_until: session.stepped_up_until };
    Ok(Reply::of::<StepUpWays>(&view)?)
}

pub async fn begin(
    State(rooms): State<Rooms>,
    allowed: Allowed<BeginStepUp>,
    Input(body): Input<BeginStepUp>,
) -> Result<Response, Refusal> {
    let opening = rooms.sign_in.begin_step_up(&allowed, body.way).await?;
    opened::<BeginStepUp>(&rooms.form, opening)
}

pub async fn step_up(
    State(rooms): State<Rooms>,
    allowed: Allowed<StepUp>,
    Input(body): Input<StepUp>,
) -> Result<Response, Refusal> {
    let stepping = rooms.sign_in.step_up(&allowed, body.way, body.state.as_deref(), &body.input);
    let stepped = stepping.await?;
    let session = &stepped.session;
    let view = StepUpView { session: session.id, stepped_up_until: session.stepped_up_until };
    let mut response = private(Reply::of::<StepUp>(&view)?.into_response());
    let now = rooms.sign_in.inner().world.now();
    if let Some(cookie) = rooms.form.set(stepped.secret.reveal(), session, now) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

pub async fn second_factor(
    State(rooms): State<Rooms>,
    visitor: Visitor<SecondFactor>,
    headers: HeaderMap,
    Input(body): Input<SecondFactor>,
) -> Result<Response, Refusal> {
    rooms.form.same_site(&Method::POST, &headers)?;
    let input = Map::from_iter([("code".to_owned(), Value::String(body.code))]);
    let entering = rooms.sign_in.complete_second(&body.state, body.way, &input, &visitor.contact);
    let entered = entering.await?;
    came_in::<SecondFactor>(&rooms, entered).await
}
