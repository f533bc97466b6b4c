//! `/api/v1/audit/stream`: facts as they are sequenced, by server-sent events. The event's id is the place in the
//! organization's order; `Last-Event-ID` resumes behind it.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Allowance, Allowed, Nothing, Params, Rate, Refusal, Spec, Tether, operation};

use super::views::FactView;
use crate::Audit;
use crate::service::object;

operation! {
    /// Streams facts as they happen (server-sent events named `fact`).
    pub StreamEvents[StreamFrom] -> Nothing =
        Spec::get("audit.stream", "/api/v1/audit/stream").needs("audit:read").rate(Rate::Heavy);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamFrom {
    /// Start behind this place of the organization's order; now, if left out. `Last-Event-ID` wins.
    pub after: Option<u64>,
}

pub async fn stream(
    State(audit): State<Audit>,
    allowed: Allowed<StreamEvents>,
    headers: HeaderMap,
    Params(from): Params<StreamEvents>,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Refusal> {
    let ledger = &audit.inner().ledger;
    let resumed = web::last_event(&headers)?;
    let after = match resumed.or(from.after) {
        Some(after) => after,
        None => ledger.newest(&allowed.scope()).await?,
    };
    let follow = ledger.follow(&allowed.scope(), after);
    let by: Allowance = Allowance::clone(&allowed);
    let tether = Tether::of(&allowed, &audit.inner().feed, &audit.inner().world);
    let batches = stream::unfold((follow, tether), async |(mut follow, tether)| {
        let events = tether.next(async { follow.next().await.ok() }).await?;
        Some((events, (follow, tether)))
    });
    let sent = batches.flat_map(move |events| {
        let seen: Vec<_> = events.into_iter().filter(|event| by.check(&object(event)).is_ok()).collect();
        stream::iter(seen.into_iter().map(|event| {
            let id = event.org_seq.to_string();
            let sent = Sent::default().event("fact").id(id).json_data(FactView::from(event));
            // A fact always serialises.
            Ok(sent.unwrap_or_default())
        }))
    });
    Ok(Sse::new(sent).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}
