//! `{{secret:NAME}}` in header values, the query and the body of a request: there the host puts the secret.

use std::borrow::Cow;
use std::collections::BTreeMap;

use named_secrets::SecretName;
use serde_json::Value;
use types::Secret;
use url::Url;

const OPEN: &str = "{{secret:";
const CLOSE: &str = "}}";

/// Values by name, as far as the request names them.
pub(crate) type Values = BTreeMap<SecretName, Secret<String>>;

/// How a body takes a text in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Form,
    Other,
}

impl Kind {
    pub(crate) fn of(content_type: Option<&str>) -> Self {
        let media = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
        match media.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            media if media == "application/json" || media.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

/// The names in a text; text that is not quite a placeholder is text.
pub(crate) fn names(text: &str) -> Vec<SecretName> {
    pieces(text).into_iter().filter_map(|piece| piece.err()).collect()
}

/// The names in the query of an address.
pub(crate) fn names_in_query(url: &Url) -> Vec<SecretName> {
    url.query_pairs().flat_map(|(_, value)| names(&value)).collect()
}

/// The names in a body.
pub(crate) fn names_in_body(kind: Kind, body: &[u8]) -> Vec<SecretName> {
    match kind {
        Kind::Form => form_urlencoded::parse(body).flat_map(|(_, value)| names(&value)).collect(),
        Kind::Json | Kind::Other => std::str::from_utf8(body).map(names).unwrap_or_default(),
    }
}

pub(crate) fn fill(text: &str, values: &Values) -> String {
    filled(text, values, |value| Cow::Borrowed(value))
}

/// Only where there is something to fill in: otherwise the query stays as it was written.
pub(crate) fn fill_query(url: &mut Url, values: &Values) {
    if names_in_query(url).is_empty() {
        return;
    }
    let pairs: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), fill(&value, values))).collect();
    url.query_pairs_mut().clear().extend_pairs(pairs);
}

pub(crate) fn fill_body(kind: Kind, body: Vec<u8>, values: &Values) -> Vec<u8> {
    if names_in_body(kind, &body).is_empty() {
        return body;
    }
    match (kind, std::str::from_utf8(&body)) {
        (Kind::Form, _) => {
            let pairs = form_urlencoded::parse(&body).map(|(name, value)| (name, fill(&value, values)));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
        }
        (Kind::Json, Ok(text)) => filled(text, values, |value| {
            let quoted = Value::String(value.to_owned()).to_string();
            Cow::Owned(quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned())
        })
        .into_bytes(),
        (Kind::Other, Ok(text)) => fill(text, values).into_bytes(),
        (_, Err(_)) => body,
    }
}

fn filled(text: &str, values: &Values, write: impl Fn(&str) -> Cow<'_, str>) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Ok(plain) => out.push_str(plain),
            // Every name was looked up before.
            Err(name) => {
                out.push_str(&values.get(&name).map_or(Cow::default(), |value| write(value.reveal())))
            }
        }
    }
    out
}

/// Text and names in turn.
fn pieces(text: &str) -> Vec<Result<&str, SecretName>> {
    let (mut pieces, mut from) = (Vec::new(), 0);
    let mut look = 0;
    while let Some(at) = text.get(look..).and_then(|rest| rest.find(OPEN)).map(|found| look + found) {
        let name_at = at + OPEN.len();
        look = name_at;
        let Some(rest) = text.get(name_at..) else { break };
        let Some(length) = rest.find(CLOSE) else { break };
        let Some(Ok(name)) = rest.get(..length).map(str::parse) else { continue };
        pieces.push(Ok(text.get(from..at).unwrap_or_default()));
        pieces.push(Err(name));
        from = name_at + length + CLOSE.len();
        look = from;
    }
    pieces.push(Ok(text.get(from..).unwrap_or_default()));
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> Values {
        [("A", "one"), ("Q", "a\"b\\c&d e{{secret:A}}")]
            .map(|(name, value)| (name.parse().unwrap(), Secret::new(value.to_owned())))
            .into()
    }

    #[test]
    fn a_placeholder_becomes_the_value_once() {
        assert_eq!(fill("Bearer {{secret:A}}{{secret:A}}.", &values()), "Bearer oneone.");
        assert_eq!(
            fill("{{secret:Q}}", &values()),
            "a\"b\\c&d e{{secret:A}}",
            "a value is not looked through again"
        );
    }

    #[test]
    fn what_is_not_quite_one_is_text() {
        for text in [
            "{{secret:}}",
            "{{secret:a b}}",
            "{{secret:A}",
            "{secret:A}}",
            "{{ secret:A }}",
            "{{secret:",
            "{{secret:é}}",
        ] {
            assert!(names(text).is_empty(), "{text}");
            assert_eq!(fill(text, &values()), text);
        }
        assert_eq!(fill("{{secret:{{secret:A}}", &values()), "{{secret:one");
    }

    #[test]
    fn bodies_take_a_value_in_as_they_write_texts() {
        let body = |kind, text: &str| String::from_utf8(fill_body(kind, text.into(), &values())).unwrap();
        assert_eq!(body(Kind::Json, r#"{"k":"{{secret:Q}}"}"#), r#"{"k":"a\"b\\c&d e{{secret:A}}"}"#);
        assert_eq!(
            body(Kind::Form, "k=%7B%7Bsecret%3AQ%7D%7D&x=1"),
            "k=a%22b%5Cc%26d+e%7B%7Bsecret%3AA%7D%7D&x=1"
        );
        assert_eq!(body(Kind::Other, "k={{secret:A}}"), "k=one");
        assert_eq!(fill_body(Kind::Other, b"\xff{{secret:A}}".to_vec(), &values()), b"\xff{{secret:A}}");
        let mut url = Url::parse("https://a.example/?k=%7B%7Bsecret:A%7D%7D&b=%20").unwrap();
        fill_query(&mut url, &values());
        assert_eq!(url.as_str(), "https://a.example/?k=one&b=+");
        let mut url = Url::parse("https://a.example/?b=%20~").unwrap();
        fill_query(&mut url, &values());
        assert_eq!(url.as_str(), "https://a.example/?b=%20~", "what names nothing stays as it is");
    }

    proptest! {
        #[test]
        fn any_text_is_filled_without_losing_the_rest(text in "[{}secret:A-C é]{0,60}") {
            let plain = fill(&text, &values());
            if names(&text).is_empty() {
                prop_assert_eq!(plain, text);
            }
        }
    }
}
