//! From a run to what its sender is answered: always foreign content, never as us.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use problem::{HOOK_FAILED, Problem};
use runs::{Contents, Run, RunState};
use serde_json::Value;
use types::{DeliveryId, RunId};
use web::foreign_content;

use super::model::ResponseMode;

/// What is answered, before it is a response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// None where nothing was run.
    pub(crate) run: Option<RunId>,
}

/// The run as it stands: its result, if it succeeded; 202 while it is under way; else why there is none.
pub(crate) fn answer(mode: ResponseMode, run: &Run, contents: Option<Contents>) -> Result<Answer, Problem> {
    let (ResponseMode::Sync | ResponseMode::Mapped, Some(contents)) = (mode, contents) else {
        return Ok(accepted(run.id));
    };
    if run.state != RunState::Succeeded {
        let detail = "The function gave no result. Whoever looks after the hook finds out why by the run.";
        return Err(failed(run.id, detail));
    }
    let Some(output) = contents.output else {
        return Err(failed(run.id, "The result has more than a megabyte and is not sent from here."));
    };
    match mode {
        ResponseMode::Mapped => mapped(run.id, &output),
        _ => Ok(json(run.id, StatusCode::OK, output)),
    }
}

pub(crate) fn accepted(run: RunId) -> Answer {
    let body = serde_json::json!({ "run": run, "status": "accepted" });
    json(run, StatusCode::ACCEPTED, body.to_string().into_bytes())
}

/// No route takes it: a success, so that the sender does not try again.
pub(crate) fn ignored() -> Answer {
    let body = serde_json::json!({ "status": "ignored" });
    json(None, StatusCode::OK, body.to_string().into_bytes())
}

fn json(run: impl Into<Option<RunId>>, status: StatusCode, body: Vec<u8>) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Answer { status, headers, body, run: run.into() }
}

/// `{status?, headers?, body?}`; text is sent as it is, anything else as JSON.
fn mapped(run: RunId, output: &[u8]) -> Result<Answer, Problem> {
    let unfit = || failed(run, "The result is no answer: an object of `status`, `headers` and `body`.");
    let Ok(Value::Object(mut result)) = serde_json::from_slice(output) else { return Err(unfit()) };
    let status = match result.remove("status") {
        None => StatusCode::OK,
        Some(status) => status
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| (200..=599).contains(status))
            .and_then(|status| StatusCode::from_u16(status).ok())
            .ok_or_else(unfit)?,
    };
    let headers = match result.remove("headers") {
        None => HeaderMap::new(),
        Some(Value::Object(headers)) => {
            let pair = |(name, value): (String, Value)| {
                let name = HeaderName::try_from(name).ok()?;
                Some((name, HeaderValue::try_from(value.as_str()?).ok()?))
            };
            headers.into_iter().map(pair).collect::<Option<HeaderMap>>().ok_or_else(unfit)?
        }
        Some(_) => return Err(unfit()),
    };
    let body = result.remove("body");
    if !result.is_empty() {
        return Err(unfit());
    }
    let mut answer = match body {
        None | Some(Value::Null) => {
            Answer { status, headers: HeaderMap::new(), body: Vec::new(), run: Some(run) }
        }
        Some(Value::String(text)) => {
            let mut plain = HeaderMap::new();
            plain.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            Answer { status, headers: plain, body: text.into_bytes(), run: Some(run) }
        }
        Some(body) => json(run, status, body.to_string().into_bytes()),
    };
    answer.headers.extend(headers);
    // How long it is, is seen by itself; what a function says of it could only be wrong.
    answer.headers.remove(header::CONTENT_LENGTH);
    Ok(answer)
}

fn failed(run: RunId, detail: &str) -> Problem {
    Problem::new(&HOOK_FAILED, detail).with_member("run", run.to_string())
}

impl Answer {
    /// With what is ours to say about it.
    pub(crate) fn sent(self, delivery: DeliveryId, is_repeat: bool) -> Response {
        let mut response = foreign_content(self.status, &self.headers, Body::from(self.body));
        let mut say = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        };
        if let Some(run) = self.run {
            say("safeconduct-run", run.to_string());
        }
        say("safeconduct-delivery", delivery.to_string());
        if is_repeat {
            say("safeconduct-duplicate", "true".to_owned());
        }
        response.into_response()
    }
}

#[cfg(test)]
mod tests {
    use types::World;

    use super::*;

    fn tried(output: &str) -> Result<Answer, Problem> {
        mapped(World::system().id(), output.as_bytes())
    }

    #[test]
    fn a_result_says_what_is_answered() {
        let answer = tried(r#"{"status": 418, "headers": {"ETag": "\"x\""}, "body": {"a": 1}}"#).unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (418, b"{\"a\":1}".as_slice()));
        assert_eq!(answer.headers["etag"], "\"x\"");
        let text = tried(r#"{"body": "hi"}"#).unwrap();
        assert_eq!((text.status.as_u16(), text.body.as_slice()), (200, b"hi".as_slice()));
        assert_eq!(text.headers["content-type"], "text/plain; charset=utf-8");
        let html = tried(r#"{"headers": {"Content-Type": "text/html"}, "body": "<b>"}"#).unwrap();
        assert_eq!(html.headers.get_all("content-type").iter().collect::<Vec<_>>(), ["text/html"]);
        assert_eq!(tried(r#"{"status": 204}"#).unwrap().body, b"");
    }

    #[test]
    fn what_would_break_the_protocol_is_no_answer() {
        for bad in [
            "[]",
            "\"x\"",
            r#"{"status": 101}"#,
            r#"{"status": 600}"#,
            r#"{"status": "200"}"#,
            r#"{"status": 200.5}"#,
            r#"{"headers": {"x": "a\r\nSet-Cookie: b=c"}}"#,
            r#"{"headers": {"x\r\ny": "a"}}"#,
            r#"{"headers": {"x": 1}}"#,
            r#"{"headers": ["x"]}"#,
            r#"{"data": 1}"#,
        ] {
            assert_eq!(tried(bad).unwrap_err().code().name, "hook_failed", "{bad}");
        }
        let answer = tried(r#"{"headers": {"Content-Length": "1"}, "body": "long"}"#).unwrap();
        assert!(!answer.headers.contains_key("content-length"));
    }
}
