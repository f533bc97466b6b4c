//! From a request to what the function is given.

mod multipart;

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use problem::{MALFORMED_JSON, MALFORMED_REQUEST, Problem, UNSUPPORTED_MEDIA_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::model::{InputMode, InputSettings};
use super::routing::{self, Declined, Route, Way, way};

/// As deep as what functions are given elsewhere.
const DEEPEST: usize = 100;
/// Fields of one form, or of one query.
const FIELDS: usize = 1_000;
const NAMELESS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
];

/// A request as it is kept and as functions see it: without what proves who sent it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) path_params: BTreeMap<String, String>,
    pub(crate) query: String,
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(with = "as_base64")]
    pub(crate) body: Vec<u8>,
}

mod as_base64 {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// The headers by their names in lower case, repeated ones joined; never our authorization nor a cookie.
pub(crate) fn redacted(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| !NAMELESS.contains(name)) {
        let value = String::from_utf8_lossy(value.as_bytes());
        kept.entry(name.as_str().to_owned())
            .and_modify(|known| {
                known.push_str(", ");
                known.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    kept
}

/// What the body says, and the way that the delivery goes with it; none where no route takes it.
pub(crate) struct Read {
    pub(crate) body: Value,
    pub(crate) way: Option<Way>,
}

pub(crate) fn read(settings: &InputSettings, routes: &[Route], received: &Received) -> Result<Read, Problem> {
    let body = body_of(received)?;
    if types::json::depth(&body) > DEEPEST {
        let detail = format!("The body has arrays and objects more than {DEEPEST} deep in each other.");
        return Err(Problem::new(&MALFORMED_JSON, detail));
    }
    let filled = under(&settings.defaults, body.clone());
    let size = received.body.len() + received.query.len();
    let way = match settings.mode {
        InputMode::Body if routes.is_empty() => Some(Way { route: None, input: filled }),
        InputMode::Body => way(routes, &envelope(received, filled.clone())?, filled, size)?,
        InputMode::Envelope => {
            let request = envelope(received, filled)?;
            let mut input = request.clone();
            input["raw_body"] = STANDARD.encode(&received.body).into();
            way(routes, &request, input, size)?
        }
    };
    Ok(Read { body, way })
}

/// Which routes decline it before one takes it, and by which test.
pub(crate) fn declined(
    settings: &InputSettings,
    routes: &[Route],
    received: &Received,
) -> Result<Vec<Declined>, Problem> {
    let filled = under(&settings.defaults, body_of(received)?);
    Ok(routing::declined(routes, &envelope(received, filled)?))
}

/// The request as routes see it, and envelopes but for the raw body.
fn envelope(received: &Received, body: Value) -> Result<Value, Problem> {
    Ok(json!({
        "method": received.method,
        "path": received.path,
        "path_params": received.path_params,
        "query": pairs(received.query.as_bytes())?,
        "headers": received.headers,
        "body": body,
    }))
}

/// What is missing in an object, from the defaults; what is no object stays as it is.
fn under(defaults: &Map<String, Value>, value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let mut filled = defaults.clone();
    for (name, value) in members {
        let value = match (filled.remove(&name), value) {
            (Some(Value::Object(inner)), value @ Value::Object(_)) => under(&inner, value),
            (_, value) => value,
        };
        filled.insert(name, value);
    }
    Value::Object(filled)
}

/// JSON, a form, several parts, text – or bytes in base64, whatever they are. A request without a body says by its query
/// what it has to say.
fn body_of(received: &Received) -> Result<Value, Problem> {
    if received.body.is_empty() {
        return pairs(received.query.as_bytes());
    }
    if received.headers.get("content-encoding").is_some_and(|coding| coding != "identity") {
        let detail = "Send the body as it is, without a Content-Encoding.";
        return Err(Problem::new(&UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let kind = received.headers.get("content-type").map(String::as_str).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => json_of(&received.body),
        json if json.ends_with("+json") => json_of(&received.body),
        "application/x-www-form-urlencoded" => pairs(&received.body),
        "multipart/form-data" => multipart::fields(kind, &received.body),
        text if text.starts_with("text/") => {
            let text = std::str::from_utf8(&received.body)
                .map_err(|_| Problem::new(&MALFORMED_REQUEST, "The text is not UTF-8."))?;
            Ok(json!({ "text": text }))
        }
        _ => Ok(json!({ "base64": STANDARD.encode(&received.body), "content_type": kind })),
    }
}

fn json_of(body: &[u8]) -> Result<Value, Problem> {
    let read = types::json::strict(body);
    read.map_err(|error| Problem::new(&MALFORMED_JSON, format!("The body cannot be read: {error}.")))
}

/// A name that stands more than once has a list of values.
fn pairs(text: &[u8]) -> Result<Value, Problem> {
    let mut fields = Map::new();
    for (count, (name, value)) in form_urlencoded::parse(text).enumerate() {
        if count >= FIELDS {
            return Err(too_many());
        }
        add(&mut fields, name.into_owned(), Value::String(value.into_owned()));
    }
    Ok(Value::Object(fields))
}

fn add(fields: &mut Map<String, Value>, name: String, value: Value) {
    match fields.get_mut(&name) {
        None => {
            fields.insert(name, value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = json!([first.take(), value]),
    }
}

fn too_many() -> Problem {
    Problem::new(&MALFORMED_REQUEST, format!("The form has more than {FIELDS} fields."))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn received(kind: &str, body: &[u8]) -> Received {
        Received {
            method: "POST".into(),
            path: "a/b".into(),
            path_params: [("x".to_owned(), "b".to_owned())].into(),
            query: "q=1&q=2&r=%C3%A9".into(),
            headers: [("content-type".to_owned(), kind.to_owned())].into(),
            body: body.to_vec(),
        }
    }

    fn input(kind: &str, body: &[u8]) -> Result<Value, &'static str> {
        let read = read(&InputSettings::default(), &[], &received(kind, body));
        read.map(|read| read.way.unwrap().input).map_err(|problem| problem.code().name)
    }

    #[test]
    fn a_body_is_read_by_its_type() {
        for (kind, body, expected) in [
            ("application/json", "{\"a\": 1}", json!({"a": 1})),
            ("application/cloudevents+json; charset=utf-8", "[1]", json!([1])),
            ("application/x-www-form-urlencoded", "a=1&b=x+y&a=%26", json!({"a": ["1", "&"], "b": "x y"})),
            ("text/plain", "hello", json!({"text": "hello"})),
            ("image/png", "\u{1}", json!({"base64": "AQ==", "content_type": "image/png"})),
            ("", "x", json!({"base64": "eA==", "content_type": ""})),
            ("application/json", "", json!({"q": ["1", "2"], "r": "é"})),
        ] {
            assert_eq!(input(kind, body.as_bytes()), Ok(expected), "{kind}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let deep = "[".repeat(101) + &"]".repeat(101);
        let bomb = "[".repeat(200_000);
        let many = "a=1&".repeat(1_001);
        for (kind, body, code) in [
            ("application/json", "{", "malformed_json"),
            ("application/json", "{\"a\": 1, \"a\": 2}", "malformed_json"),
            ("application/json", "\u{feff}{}", "malformed_json"),
            ("application/json", &deep, "malformed_json"),
            ("application/json", &bomb, "malformed_json"),
            ("application/x-www-form-urlencoded", &many, "malformed_request"),
        ] {
            assert_eq!(input(kind, body.as_bytes()), Err(code), "{kind} {}", body.get(..20).unwrap_or(body));
        }
        assert_eq!(input("text/plain", b"\xff"), Err("malformed_request"));
        let mut packed = received("application/json", b"{}");
        packed.headers.insert("content-encoding".into(), "gzip".into());
        let refused = read(&InputSettings::default(), &[], &packed).err().map(|problem| problem.code().name);
        assert_eq!(refused, Some("unsupported_media_type"));
    }

    #[test]
    fn defaults_stand_where_the_body_says_nothing() {
        let defaults = json!({"a": 1, "deep": {"x": 1, "y": {"z": 1}}, "b": {"c": 1}});
        let settings =
            InputSettings { mode: InputMode::Body, defaults: defaults.as_object().unwrap().clone() };
        let read = |body: &str| {
            let read = read(&settings, &[], &received("application/json", body.as_bytes())).unwrap();
            read.way.unwrap().input
        };
        let merged = json!({"a": null, "deep": {"x": 2, "y": {"z": 1}}, "b": [1], "n": 0});
        assert_eq!(read(r#"{"a": null, "deep": {"x": 2}, "b": [1], "n": 0}"#), merged);
        assert_eq!(read("[1]"), json!([1]));
    }

    #[test]
    fn an_envelope_tells_the_whole_request() {
        let settings = InputSettings { mode: InputMode::Envelope, defaults: Map::new() };
        let read = read(&settings, &[], &received("application/json", b"{\"a\": 1}")).unwrap();
        let expected = json!({
            "method": "POST", "path": "a/b", "path_params": {"x": "b"}, "query": {"q": ["1", "2"], "r": "é"},
            "headers": {"content-type": "application/json"}, "body": {"a": 1}, "raw_body": "eyJhIjogMX0=",
        });
        assert_eq!(read.way.unwrap().input, expected);
    }

    #[test]
    fn what_proves_the_sender_is_left_out() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "cookie", "proxy-authorization", "x-api-key", "x-kept"] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("a"));
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("b"));
        }
        assert_eq!(redacted(&headers), BTreeMap::from([("x-kept".to_owned(), "a, b".to_owned())]));
    }
}
