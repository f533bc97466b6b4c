//! `POST /api/v1/functions/{function}/execute`.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use problem::{CONFLICT, IDEMPOTENCY_MISMATCH, INPUT_INVALID, SANDBOX_UNAVAILABLE, STORAGE_FULL};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use web::{Allowed, Input, Refusal, Reply, Segment, Spec, leaves, operation, refuses};

use super::views::RunView;
use crate::Functions;
use crate::act::{Asked, Wish};
use crate::model::FunctionRef;

operation! {
    /// Runs a function and answers with the run at its end – or, with `Prefer: respond-async` or when it takes long, with
    /// 202 and the run as it stands. A run that failed is an answer, not an error: look at `status`.
    pub ExecuteFunction(Execution) -> RunView = Spec::post("functions.execute", "/api/v1/functions/{function}/execute")
        .needs("functions:execute").facts(leaves![runs::facts::RUN_SUCCEEDED])
        .further_facts(leaves![
            runs::facts::RUN_FAILED, runs::facts::RUN_TIMED_OUT, runs::facts::RUN_CANCELLED, runs::facts::RUN_DEAD
        ])
        .errors(refuses![CONFLICT, INPUT_INVALID, IDEMPOTENCY_MISMATCH, SANDBOX_UNAVAILABLE, STORAGE_FULL])
        .example(r#"{"input": {"name": "world"}}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// Any JSON that the function's input schema admits; an empty object if left out.
    #[serde(default = "nothing")]
    #[schema(value_type = Option<Value>)]
    pub input: Value,
    /// Within your organization: runs of higher priority go first; 0 if left out.
    #[serde(default)]
    #[schema(minimum = -100, maximum = 100)]
    pub priority: i64,
    /// It begins no sooner than after this time.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2592000)]
    pub delay_seconds: i64,
    /// While a run of yours of this function under the same key is open, that one is the answer.
    #[schema(min_length = 1, max_length = 200)]
    pub deduplication_key: Option<String>,
    /// Runs of this function under the same key are worked on one after the other, or as many at a time as the function's
    /// `concurrency` says.
    #[schema(min_length = 1, max_length = 200)]
    pub concurrency_key: Option<String>,
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

pub async fn execute(
    State(functions): State<Functions>,
    allowed: Allowed<ExecuteFunction>,
    Segment(of): Segment<FunctionRef>,
    headers: HeaderMap,
    Input(execution): Input<ExecuteFunction>,
) -> Result<Reply, Refusal> {
    let wish = wish(&headers, functions.inner().settings.sync);
    let asked = Asked {
        input: &execution.input,
        priority: execution.priority,
        delay: Duration::from_secs(u64::try_from(execution.delay_seconds).unwrap_or_default()),
        deduplication_key: execution.deduplication_key.as_deref(),
        concurrency_key: execution.concurrency_key.as_deref(),
        trigger: runs::Trigger::Api,
        trigger_id: None,
    };
    let wish = if asked.delay.is_zero() { wish } else { Wish::Accepted };
    Box::pin(functions.execute(&allowed, &of, &asked, wish, RunView::reply)).await
}

/// `Prefer: respond-async`, `Prefer: wait=10` (RFC 7240).
pub(super) fn wish(headers: &HeaderMap, longest: Duration) -> Wish {
    let mut patience = longest;
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    for preference in values.flat_map(|value| value.split(',')).map(str::trim) {
        if preference.eq_ignore_ascii_case("respond-async") {
            return Wish::Accepted;
        }
        if let Some(seconds) = preference.strip_prefix("wait=").and_then(|text| text.parse().ok()) {
            patience = longest.min(Duration::from_secs(seconds));
        }
    }
    Wish::Ended(patience)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn preferences_are_read_and_never_exceed_the_server() {
        let longest = Duration::from_secs(30);
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_static(text));
            match wish(&headers, longest) {
                Wish::Accepted => None,
                Wish::Ended(patience) => Some(patience.as_secs()),
            }
        };
        assert_eq!(of("respond-async"), None);
        assert_eq!(of("handling=lenient, Respond-Async"), None);
        assert_eq!(of("wait=5"), Some(5));
        assert_eq!(of("wait=500"), Some(30));
        assert_eq!(of("wait=soon"), Some(30));
        assert_eq!(of("return=minimal"), Some(30));
    }
}
