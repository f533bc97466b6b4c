//! `/api/v1/state/{namespace}/watch`: changes of entries as the ledger orders them, by server-sent events. An event says
//! what has changed, never to what; its id is the fact's place in the organization's order, so `Last-Event-ID` resumes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use ledger::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::Timestamp;
use utoipa::ToSchema;
use web::{
    Allowance, Allowed, Nothing, Object, Params, PrincipalId, Rate, Refusal, Segment, Spec, Tether, operation,
};

use crate::model::{Visibility, object};
use crate::words::NamespaceRef;
use crate::{StateStore, facts};

operation! {
    /// Streams changes of entries that the caller may read as they happen: events `written`, `deleted`, `expired`.
    pub WatchEntries[WatchFrom] -> Nothing = Spec::get("state.entries.watch", "/api/v1/state/{namespace}/watch")
        .needs("state:read").rate(Rate::Heavy);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StateWatchFrom)]
pub struct WatchFrom {
    /// What keys begin with.
    pub prefix: Option<String>,
    /// Start behind the event of this id; now, if left out. `Last-Event-ID` wins.
    pub after: Option<u64>,
}

/// What an event says.
#[derive(Serialize)]
struct Told<'a> {
    namespace: &'a str,
    key: &'a str,
    revision: i64,
    at: Timestamp,
}

pub async fn watch(
    State(state): State<StateStore>,
    allowed: Allowed<WatchEntries>,
    Segment(of): Segment<NamespaceRef>,
    headers: HeaderMap,
    Params(from): Params<WatchEntries>,
) -> Result<Response, Refusal> {
    let inner = state.inner();
    let namespace = state.namespace(&allowed, &of).await?;
    let after = match web::last_event(&headers)?.or(from.after) {
        Some(after) => after,
        None => inner.ledger.newest(&allowed.scope()).await?,
    };
    let follow = inner.ledger.follow(&allowed.scope(), after);
    let by: Allowance = Allowance::clone(&allowed);
    let tether = Tether::of(&allowed, &inner.feed, &inner.world);
    let batches = stream::unfold((follow, tether), async |(mut follow, tether)| {
        let events = tether.next(async { follow.next().await.ok() }).await?;
        Some((events, (follow, tether)))
    });
    let (name, prefix) = (namespace.name.to_string(), from.prefix.unwrap_or_default());
    let sent = batches.flat_map(move |events| {
        let told = events.iter().filter_map(|event| told(&by, &name, &prefix, event));
        stream::iter(told.map(Ok::<_, Infallible>).collect::<Vec<_>>())
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    let mut response = Sse::new(sent).keep_alive(alive).into_response();
    // No proxy may hold events back until its buffer is full.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The event, if it is about an entry of this namespace that the caller might read when it was changed.
fn told(by: &Allowance, namespace: &str, prefix: &str, event: &Event) -> Option<Sent> {
    let name = name_of(&event.kind)?;
    let text = |field: &str| event.data.get(field).and_then(Value::as_str);
    let key = text("key").filter(|key| key.starts_with(prefix))?;
    if text("namespace") != Some(namespace) || by.check(&looked_at(event, namespace, key)?).is_err() {
        return None;
    }
    let revision = event.data.get("revision").and_then(Value::as_i64)?;
    let told = Told { namespace, key, revision, at: event.occurred_at };
    // Text and numbers always serialise.
    Sent::default().event(name).id(event.org_seq.to_string()).json_data(told).ok()
}

fn name_of(kind: &str) -> Option<&'static str> {
    [
        (&facts::ENTRY_WRITTEN, "written"),
        (&facts::ENTRY_DELETED, "deleted"),
        (&facts::ENTRY_EXPIRED, "expired"),
    ]
    .into_iter()
    .find(|(known, _)| known.name == kind)
    .map(|(_, name)| name)
}

/// The entry as the fact has it.
fn looked_at(event: &Event, namespace: &str, key: &str) -> Option<Object<'static>> {
    let text = |field: &str| event.data.get(field).and_then(Value::as_str);
    let owner: PrincipalId = text("owner")?.parse().ok()?;
    let visibility: Visibility = text("visibility")?.parse().ok()?;
    let group = text("group").and_then(|group| group.parse().ok());
    Some(object(format!("{namespace}/{key}"), owner.uuid(), group, visibility))
}
