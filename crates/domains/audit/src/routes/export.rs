//! `/api/v1/audit/export`: a run of the organization's record, as lines of JSON, as CSV, or as a bundle that anybody can
//! verify offline.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::{Stream, stream};
use ledger::{BundleRange, Event, LedgerError};
use serde::Deserialize;
use types::Timestamp;
use utoipa::ToSchema;
use web::{Allowance, Allowed, Nothing, Object, Params, Rate, Refusal, Spec, operation};

use super::views::FactView;
use crate::Audit;

operation! {
    /// Exports a contiguous run of the record; `format=bundle` verifies offline with `safeconduct audit verify`.
    pub Export[ExportQuery] -> Nothing =
        Spec::get("audit.export", "/api/v1/audit/export").needs("audit:read").rate(Rate::Heavy);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    #[serde(default)]
    pub format: Format,
    /// First place of the organization's order; 1 if left out.
    pub first: Option<u64>,
    /// Last place; the newest under a checkpoint if left out.
    pub last: Option<u64>,
    /// Size of a checkpoint that the reader keeps: the bundle shows that the log only grew since.
    pub since: Option<u64>,
    /// Leaves names, addresses and data out of a bundle; what is left still verifies.
    #[serde(default)]
    pub withhold_private: bool,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    Jsonl,
    Csv,
    Bundle,
}

pub async fn export(
    State(audit): State<Audit>,
    allowed: Allowed<Export>,
    Params(query): Params<Export>,
) -> Result<Response, Refusal> {
    // A run without gaps is the organization's whole record: reading one's own facts is not enough.
    allowed.check(&Object { selector: allowed.org().to_string().into(), ..Object::default() })?;
    let range = BundleRange {
        first: query.first,
        last: query.last,
        since: query.since,
        withhold_private: query.withhold_private,
    };
    let (kind, name, body) = match query.format {
        Format::Bundle => {
            let bundle = audit.inner().ledger.bundle(&allowed.scope(), range).await?;
            let pieces = stream::unfold(Some(bundle), |bundle| async move {
                let mut bundle = bundle?;
                match bundle.next().await {
                    Ok(Some(bytes)) => Some((Ok(Bytes::from(bytes)), Some(bundle))),
                    Ok(None) => None,
                    Err(error) => Some((Err(error), None)),
                }
            });
            ("application/octet-stream", "safeconduct-ledger.bundle", Body::from_stream(pieces))
        }
        Format::Jsonl => {
            ("application/jsonl", "facts.jsonl", Body::from_stream(lines(&audit, &allowed, &query, json)))
        }
        Format::Csv => {
            ("text/csv; charset=utf-8", "facts.csv", Body::from_stream(lines(&audit, &allowed, &query, csv)))
        }
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

const HEAD: &str = "org_seq,id,occurred_at,kind,outcome,severity,actor_kind,actor_id,actor,target_type,target_id,target,\
                    jti,txn,run,request,ip,data\n";

fn lines(
    audit: &Audit,
    by: &Allowance,
    query: &ExportQuery,
    write: fn(Event) -> String,
) -> impl Stream<Item = Result<Bytes, LedgerError>> + 'static {
    let (ledger, scope) = (audit.inner().ledger.clone(), by.scope());
    let is_csv = query.format == Format::Csv;
    let first = query.first.unwrap_or(1).max(1);
    let wanted = query.last;
    let begin = async move {
        let newest = ledger.newest(&scope).await?;
        Ok::<_, LedgerError>((ledger.follow(&scope, first - 1), wanted.unwrap_or(newest).min(newest)))
    };
    let head = is_csv.then(|| Ok(Bytes::from_static(HEAD.as_bytes())));
    let rows = stream::unfold(Stage::Begin(Box::pin(begin)), move |state| async move {
        let (mut follow, last, at) = match state {
            Stage::Begin(begin) => match begin.await {
                Ok((follow, last)) => (follow, last, first - 1),
                Err(error) => return Some((Err(error), Stage::End)),
            },
            Stage::Going(follow, last, at) => (follow, last, at),
            Stage::End => return None,
        };
        if at >= last {
            return None;
        }
        match follow.next().await {
            Err(error) => Some((Err(error), Stage::End)),
            Ok(events) => {
                let reached = events.last().map_or(last, |event| event.org_seq);
                let text: String =
                    events.into_iter().filter(|event| event.org_seq <= last).map(write).collect();
                Some((Ok(Bytes::from(text)), Stage::Going(follow, last, reached)))
            }
        }
    });
    futures::StreamExt::chain(stream::iter(head), rows)
}

/// Where an export stands.
enum Stage<B> {
    Begin(B),
    Going(ledger::Follow, u64, u64),
    End,
}

fn json(event: Event) -> String {
    // A fact always serialises.
    serde_json::to_string(&FactView::from(event)).unwrap_or_default() + "\n"
}

fn csv(event: Event) -> String {
    let target = event.target.as_ref();
    let text = |value: Option<String>| value.unwrap_or_default();
    let cells = [
        event.org_seq.to_string(),
        event.id.to_string(),
        Timestamp::to_string(&event.occurred_at),
        event.kind.clone(),
        event.outcome.to_string(),
        event.severity.to_string(),
        event.actor.kind.to_string(),
        text(event.actor.id.clone()),
        event.actor.display.clone(),
        text(target.map(|target| target.kind.clone())),
        text(target.map(|target| target.id.clone())),
        text(target.map(|target| target.name.clone())),
        text(event.jti.map(|id| id.to_string())),
        text(event.txn.map(|id| id.to_string())),
        text(event.run.map(|id| id.to_string())),
        text(event.request.map(|id| id.to_string())),
        text(event.ip.map(|ip| ip.to_string())),
        serde_json::to_string(&event.data).unwrap_or_default(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    cells.join(",") + "\n"
}

/// RFC 4180; a leading `=`, `+`, `-` or `@` would be a formula to a spreadsheet.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !cell.contains(['"', ',', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("@name"), "\"'@name\"");
    }
}
