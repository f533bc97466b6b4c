//! `/api/v1/signing-keys`: the organization's ring, and turning it by hand.

use axum::extract::State;
use crypto::jws::Algorithm;
use problem::{CONFLICT, Problem};
use serde::{Deserialize, Serialize};
use types::{SigningKeyId, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Decided, Input, Page, Refusal, Reply, Spec, leaves, operation, refuses};

use crate::ring::KeyStatus;
use crate::store::KeyRow;
use crate::{Oauth, facts};

operation! {
    /// Lists the organization's signing keys.
    pub ListKeys -> Page<SigningKeyView> =
        Spec::get("signing_keys.list", "/api/v1/signing-keys").needs("tokens:read");

    /// Lets the staged key sign from now on; tokens under the old one stay valid until they expire.
    pub RotateKeys(Rotation) -> RotatedView = Spec::post("signing_keys.rotate", "/api/v1/signing-keys/rotate")
        .needs("tokens:rotate_keys").step_up()
        .facts(leaves![facts::KEY_ROTATED, facts::KEY_CREATED]).errors(refuses![CONFLICT])
        .example(r#"{"reason": "rotation drill"}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyRotation)]
pub struct Rotation {
    /// Stands on the fact.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SigningKeyView {
    pub id: SigningKeyId,
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// `ES256`, `EdDSA` or `RS256`.
    pub algorithm: String,
    pub status: KeyStatus,
    /// `generated` or `imported`.
    pub source: String,
    pub created_at: Timestamp,
    /// When it got its status.
    pub changed_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub struct RotatedView {
    pub algorithm: String,
    /// Signs now.
    pub active_kid: String,
}

impl From<KeyRow> for SigningKeyView {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            kid: row.kid,
            algorithm: row.algorithm,
            status: row.status,
            source: row.source,
            created_at: row.created_at,
            changed_at: row.changed_at,
        }
    }
}

pub async fn list(State(oauth): State<Oauth>, allowed: Allowed<ListKeys>) -> Result<Reply, Refusal> {
    let rows = oauth.keys().rows(allowed.org()).await?;
    let items = rows.into_iter().map(SigningKeyView::from).collect();
    Ok(Reply::of::<ListKeys>(&Page { items, next_cursor: None, total: None })?)
}

pub async fn rotate(
    State(oauth): State<Oauth>,
    allowed: Allowed<RotateKeys>,
    Input(rotation): Input<RotateKeys>,
) -> Result<Reply, Refusal> {
    let algorithm = oauth.inner().settings.algorithm;
    // A ring that was never used has nothing to turn yet.
    oauth.keys().ring(allowed.org(), algorithm).await?;
    let reason = rotation.reason.as_deref().unwrap_or("by hand");
    allowed.settle::<RotateKeys, _, _, _>(|| turn(&oauth, &allowed, algorithm, reason)).await
}

async fn turn(
    oauth: &Oauth,
    by: &web::Allowance,
    algorithm: Algorithm,
    reason: &str,
) -> Result<Decided<RotatedView>, Problem> {
    let fact = by.fact(&facts::KEY_ROTATED);
    let turning = oauth.keys().turning(by.org(), algorithm, fact, reason).await?;
    let turning = turning.ok_or_else(|| Problem::new(&CONFLICT, "The ring has no staged key. Try again."))?;
    let answer = RotatedView { algorithm: algorithm.name().to_owned(), active_kid: turning.active_kid };
    Ok(Decided::new(turning.change, answer))
}
