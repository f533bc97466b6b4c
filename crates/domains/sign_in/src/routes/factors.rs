//! `/api/v1/auth/factors`, `…/recovery-codes`, `…/password`: what a person proves themselves by.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use problem::{
    ALREADY_EXISTS, CONFLICT, CROSS_SITE_REQUEST, NOT_FOUND, OVERLOADED, PERMISSION_DENIED,
    PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED, SIGN_IN_UNAVAILABLE, VALIDATION_FAILED,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{FactorId, Secret, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Decided, Input, Nothing, Rate, Refusal, Reply, Segment, Spec, Visitor, leaves, operation,
    refuses,
};

use super::Rooms;
use crate::factors::{Factor, NewFactor};
use crate::{SignInError, facts};

operation! {
    /// Lists the caller's factors besides the first: authenticator apps, passkeys, recovery codes that are left.
    pub ListFactors -> FactorsView = Spec::get("auth.factors", "/api/v1/auth/factors").errors(refuses![PERMISSION_DENIED]);

    /// Begins to set an authenticator app up; nothing counts until its first code came back.
    pub BeginTotp -> NewAppView = Spec::post("auth.begin_totp", "/api/v1/auth/factors/totp")
        .not_idempotent().step_up().reveals_secret().errors(refuses![CONFLICT, PERMISSION_DENIED]);

    /// Sets the authenticator app up. The first factor brings recovery codes, shown once.
    pub ConfirmTotp(AppCode) -> NewFactorView = Spec::create("auth.confirm_totp", "/api/v1/auth/factors/totp/confirm")
        .not_idempotent().step_up().reveals_secret()
        .facts(leaves![facts::FACTOR_ADDED]).further_facts(leaves![facts::RECOVERY_CODES_MADE])
        .errors(refuses![PERMISSION_DENIED, SIGN_IN_REFUSED])
        .example(r#"{"state": "0000000000000000000000000000000000000000000", "code": "123456", "label": "Phone"}"#);

    /// Begins to set a passkey up.
    pub BeginPasskey -> NewPasskeyView = Spec::post("auth.begin_passkey", "/api/v1/auth/factors/passkey")
        .not_idempotent().step_up().errors(refuses![CONFLICT, PERMISSION_DENIED]);

    /// Sets the passkey up with what the browser made. The first factor brings recovery codes, shown once.
    pub ConfirmPasskey(MadePasskey) -> NewFactorView =
        Spec::create("auth.confirm_passkey", "/api/v1/auth/factors/passkey/confirm")
            .not_idempotent().step_up().reveals_secret()
            .facts(leaves![facts::FACTOR_ADDED]).further_facts(leaves![facts::RECOVERY_CODES_MADE])
            .errors(refuses![ALREADY_EXISTS, PERMISSION_DENIED, SIGN_IN_REFUSED])
            .example(r#"{"state": "0000000000000000000000000000000000000000000", "label": "Key ring",
                "credential": {"id": "AQ", "response": {"clientDataJSON": "e30", "attestationObject": "oA"}}}"#);

    /// Gives one of the caller's factors another name.
    pub RenameFactor(FactorName) -> FactorView = Spec::patch("auth.rename_factor", "/api/v1/auth/factors/{factor}")
        .facts(leaves![facts::FACTOR_RENAMED]).errors(refuses![PERMISSION_DENIED]).example(r#"{"label": "Work phone"}"#);

    /// Removes one of the caller's factors.
    pub RemoveFactor -> FactorView = Spec::delete("auth.remove_factor", "/api/v1/auth/factors/{factor}")
        .step_up().facts(leaves![facts::FACTOR_REMOVED]).errors(refuses![PERMISSION_DENIED]);

    /// Makes new recovery codes, shown once; the old ones are void.
    pub RenewCodes -> CodesView = Spec::create("auth.renew_recovery_codes", "/api/v1/auth/recovery-codes")
        .not_idempotent().step_up().reveals_secret().facts(leaves![facts::RECOVERY_CODES_MADE])
        .errors(refuses![PERMISSION_DENIED]);

    /// Sets the caller's own password; their other sessions end.
    pub SetPassword(NewPassword) -> PasswordView = Spec::post("auth.set_password", "/api/v1/auth/password")
        .not_idempotent().step_up().facts(leaves![facts::PASSWORD_SET])
        .further_facts(leaves![people::SESSION_ENDED]).errors(refuses![OVERLOADED, PERMISSION_DENIED])
        .example(r#"{"password": "tangerine-submarine-4"}"#);

    /// Sends a link for a new password to an address. The answer is the same whether anybody has it.
    pub ForgotPassword(Address) -> Nothing = Spec::post("auth.forgot_password", "/api/v1/auth/password/forgot")
        .open().rate(Rate::SignIn).status(202).facts(leaves![facts::RESET_ASKED])
        .errors(refuses![CROSS_SITE_REQUEST, NOT_FOUND, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_UNAVAILABLE])
        .example(r#"{"email": "ada@example.com"}"#);

    /// Sets a new password by the link's token; all sessions of its owner end.
    pub ResetPassword(Reset) -> PasswordView = Spec::post("auth.reset_password", "/api/v1/auth/password/reset")
        .open().rate(Rate::SignIn).facts(leaves![facts::PASSWORD_SET])
        .further_facts(leaves![people::SESSION_ENDED, people::AUTH_REFUSED])
        .errors(refuses![CROSS_SITE_REQUEST, OVERLOADED, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED, VALIDATION_FAILED])
        .example(r#"{"token": "0000000000000000000000000000000000000000000", "password": "tangerine-submarine-4"}"#);
}

#[derive(Serialize, ToSchema)]
pub struct FactorsView {
    pub items: Vec<FactorView>,
    pub recovery_codes_left: i64,
}

#[derive(Serialize, ToSchema)]
pub struct FactorView {
    pub id: FactorId,
    /// `totp` or `passkey`.
    pub kind: &'static str,
    pub label: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

impl From<Factor> for FactorView {
    fn from(factor: Factor) -> Self {
        Self {
            id: factor.id,
            kind: factor.kind.name(),
            label: factor.label,
            created_at: factor.created_at,
            last_used_at: factor.last_used_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct NewAppView {
    /// To be sent back with the first code.
    pub state: String,
    /// For typing in; base32.
    pub secret: String,
    /// For a QR code.
    pub uri: String,
    pub expires_at: Timestamp,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppCode {
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub state: String,
    #[schema(min_length = 6, max_length = 12)]
    pub code: String,
    /// What the person calls it.
    #[schema(min_length = 1, max_length = 100)]
    pub label: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorName {
    /// What the person calls it.
    #[schema(min_length = 1, max_length = 100)]
    pub label: String,
}

#[derive(Serialize, ToSchema)]
pub struct NewPasskeyView {
    /// To be sent back with what the browser made.
    pub state: String,
    /// For `navigator.credentials.create`, as `PublicKeyCredential.parseCreationOptionsFromJSON` reads it.
    #[schema(value_type = Object)]
    pub options: Value,
    pub expires_at: Timestamp,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MadePasskey {
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub state: String,
    /// What `PublicKeyCredential.toJSON` gives.
    #[schema(value_type = Object)]
    pub credential: Map<String, Value>,
    #[schema(min_length = 1, max_length = 100)]
    pub label: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct NewFactorView {
    pub factor: FactorView,
    /// Each signs in once where the factor is lost; empty if there were codes already. Shown this once.
    pub recovery_codes: Vec<String>,
}

impl From<NewFactor> for NewFactorView {
    fn from(new: NewFactor) -> Self {
        Self { factor: new.factor.into(), recovery_codes: new.codes }
    }
}

#[derive(Serialize, ToSchema)]
pub struct CodesView {
    pub recovery_codes: Vec<String>,
}

impl From<Vec<String>> for CodesView {
    fn from(recovery_codes: Vec<String>) -> Self {
        Self { recovery_codes }
    }
}

/// At least 12 characters, none that stood in a breach.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[schema(value_type = String, max_length = 1024)]
    pub password: Secret<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PasswordView {
    pub changed_at: Timestamp,
}

impl From<Timestamp> for PasswordView {
    fn from(changed_at: Timestamp) -> Self {
        Self { changed_at }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    #[schema(min_length = 3, max_length = 320)]
    pub email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// What stands behind `#` in the link.
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub token: String,
    #[schema(value_type = String, max_length = 1024)]
    pub password: Secret<String>,
}

pub async fn list(State(rooms): State<Rooms>, allowed: Allowed<ListFactors>) -> Result<Reply, Refusal> {
    let (factors, left) = rooms.sign_in.factors(&allowed).await?;
    let items = factors.into_iter().map(FactorView::from).collect();
    Ok(Reply::of::<ListFactors>(&FactorsView { items, recovery_codes_left: left })?)
}

pub async fn begin_totp(
    State(rooms): State<Rooms>,
    allowed: Allowed<BeginTotp>,
) -> Result<Response, Refusal> {
    let app = rooms.sign_in.begin_app(&allowed).await?;
    let view = NewAppView {
        state: app.state.reveal().clone(),
        secret: app.secret.reveal().clone(),
        uri: app.uri.reveal().clone(),
        expires_at: app.expires_at,
    };
    Ok(super::flow::private(Reply::of::<BeginTotp>(&view)?.into_response()))
}

pub async fn confirm_totp(
    State(rooms): State<Rooms>,
    allowed: Allowed<ConfirmTotp>,
    Input(body): Input<ConfirmTotp>,
) -> Result<Response, Refusal> {
    let adding = rooms.sign_in.confirm_app(&allowed, &body.state, &body.code, body.label.as_deref());
    let Decided { change, answer } = adding.await?;
    rooms.sign_in.commit_proof(change).await?;
    Ok(super::flow::private(Reply::of::<ConfirmTotp>(&answer.into())?.into_response()))
}

pub async fn begin_passkey(
    State(rooms): State<Rooms>,
    allowed: Allowed<BeginPasskey>,
) -> Result<Response, Refusal> {
    let new = rooms.sign_in.begin_passkey(&allowed).await?;
    let view = NewPasskeyView {
        state: new.state.reveal().clone(),
        options: new.options,
        expires_at: new.expires_at,
    };
    Ok(super::flow::private(Reply::of::<BeginPasskey>(&view)?.into_response()))
}

pub async fn confirm_passkey(
    State(rooms): State<Rooms>,
    allowed: Allowed<ConfirmPasskey>,
    Input(body): Input<ConfirmPasskey>,
) -> Result<Response, Refusal> {
    let adding =
        rooms.sign_in.confirm_passkey(&allowed, &body.state, &body.credential, body.label.as_deref());
    let Decided { change, answer } = adding.await?;
    rooms.sign_in.commit_proof(change).await?;
    Ok(super::flow::private(Reply::of::<ConfirmPasskey>(&answer.into())?.into_response()))
}

pub async fn rename(
    State(rooms): State<Rooms>,
    allowed: Allowed<RenameFactor>,
    Segment(id): Segment<FactorId>,
    Input(new): Input<RenameFactor>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RenameFactor, _, _, _>(|| rooms.sign_in.rename_factor(&allowed, id, &new.label)).await
}

pub async fn remove(
    State(rooms): State<Rooms>,
    allowed: Allowed<RemoveFactor>,
    Segment(id): Segment<FactorId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RemoveFactor, _, _, _>(|| rooms.sign_in.remove_factor(&allowed, id)).await
}

pub async fn renew_codes(
    State(rooms): State<Rooms>,
    allowed: Allowed<RenewCodes>,
) -> Result<Response, Refusal> {
    let reply = allowed.settle::<RenewCodes, _, _, _>(|| rooms.sign_in.renew_codes(&allowed)).await?;
    Ok(super::flow::private(reply.into_response()))
}

pub async fn set_password(
    State(rooms): State<Rooms>,
    allowed: Allowed<SetPassword>,
    Input(body): Input<SetPassword>,
) -> Result<Reply, Refusal> {
    let decide = async || {
        let change = rooms.sign_in.set_password(&allowed, &body.password).await?;
        Ok::<_, SignInError>(Decided::new(change, rooms.sign_in.inner().world.now()))
    };
    allowed.settle::<SetPassword, _, _, _>(decide).await
}

pub async fn forgot(
    State(rooms): State<Rooms>,
    visitor: Visitor<ForgotPassword>,
    headers: HeaderMap,
    Input(body): Input<ForgotPassword>,
) -> Result<Response, Refusal> {
    rooms.form.same_site(&Method::POST, &headers)?;
    rooms.sign_in.forgot_password(&body.email, &visitor.contact).await?;
    let reply = Reply::of::<ForgotPassword>(&Nothing {})?;
    let mut response = reply.into_response();
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

pub async fn reset(
    State(rooms): State<Rooms>,
    visitor: Visitor<ResetPassword>,
    headers: HeaderMap,
    Input(body): Input<ResetPassword>,
) -> Result<Reply, Refusal> {
    rooms.form.same_site(&Method::POST, &headers)?;
    let reset = rooms.sign_in.reset_password(&body.token, &body.password, &visitor.contact);
    Box::pin(reset).await?;
    Ok(Reply::of::<ResetPassword>(&rooms.sign_in.inner().world.now().into())?)
}
