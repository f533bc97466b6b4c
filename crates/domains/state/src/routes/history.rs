//! `/api/v1/state/{namespace}/history/{key…}`: what an entry was.

use axum::extract::State;
use problem::INVALID_CURSOR;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::Timestamp;
use utoipa::ToSchema;
use web::{Allowed, Page, Params, Refusal, Reply, Segments, Spec, operation, page_size, refuses};

use super::entries::named;
use crate::model::{Kept, Visibility};
use crate::store::Past;
use crate::{StateStore, store, values};

operation! {
    /// Lists the revisions of an entry that are kept and that the caller might read when they were written, newest first.
    pub EntryHistory[HistoryFilter] -> Page<PastView> =
        Spec::get("state.entries.history", "/api/v1/state/{namespace}/history/{*key}")
        .needs("state:read").errors(refuses![INVALID_CURSOR]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StateHistoryFilter)]
pub struct HistoryFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StateRevisionView)]
pub struct PastView {
    pub revision: i64,
    /// Left out where the namespace is secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    pub value: Option<Value>,
    pub size: i64,
    /// Null where the namespace is secret.
    pub sha256: Option<String>,
    pub visibility: Visibility,
    pub written_at: Timestamp,
    /// `usr_…` or `agt_…`.
    pub written_by: String,
}

pub async fn list(
    State(state): State<StateStore>,
    allowed: Allowed<EntryHistory>,
    Segments(path): Segments<(String, String)>,
    Params(filter): Params<EntryHistory>,
) -> Result<Reply, Refusal> {
    let (of, key) = named(path)?;
    let limit = page_size(filter.limit)?;
    let keys = allowed.keys_after(filter.cursor.as_deref())?;
    let before = keys.first().and_then(Value::as_i64);
    let (namespace, entry, _) = state.find(&allowed, &of, &key).await?;
    let rows = store::history(&state.inner().db, &allowed, &entry, before, limit + 1).await?;
    let cursor = |past: &Past| allowed.cursor(&[json!(past.revision)]);
    let mut cut = web::page(rows, limit, cursor, |past| past);
    let mut items = Vec::with_capacity(cut.items.len());
    for past in std::mem::take(&mut cut.items) {
        items.push(view(past, namespace.secret)?);
    }
    Ok(Reply::of::<EntryHistory>(&Page { items, next_cursor: cut.next_cursor, total: None })?)
}

fn view(past: Past, secret: bool) -> Result<PastView, crate::StateError> {
    let value = match &past.kept {
        Kept::Plain(json) => Some(values::read(json.as_bytes())?),
        Kept::Sealed(_) | Kept::Unread => None,
    };
    Ok(PastView {
        revision: past.revision,
        value,
        size: past.size,
        sha256: (!secret).then(|| hex::encode(past.sha256)),
        visibility: past.visibility,
        written_at: past.written_at,
        written_by: past.written_by,
    })
}
