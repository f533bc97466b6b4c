//! Bodies of protocol endpoints: `application/x-www-form-urlencoded` (RFC 6749 §3.2, appendix B). Unknown parameters are
//! ignored, empty ones count as left out, repeated ones are refused.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};

use crate::error::{OAuthError, invalid_request};

/// Nothing that we read is longer; keeps a flood of parameters cheap.
const LONGEST: usize = 64 * 1024;
const MOST: usize = 64;

#[derive(Debug)]
pub(crate) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    pub(crate) fn parse(headers: &HeaderMap, body: &'a [u8]) -> Result<Self, OAuthError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(invalid_request("send the parameters as application/x-www-form-urlencoded"));
        }
        if body.len() > LONGEST {
            return Err(invalid_request("the body is longer than 64 KB"));
        }
        let mut parameters: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::with_capacity(8);
        for (name, value) in form_urlencoded::parse(body) {
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(match &*name {
                    // RFC 8707 lets clients ask for several; a token of ours has exactly one audience.
                    "resource" => {
                        OAuthError::InvalidTarget("name one resource; ask again for the next".into())
                    }
                    _ => invalid_request("a parameter is repeated"),
                });
            }
            if parameters.len() == MOST {
                return Err(invalid_request("too many parameters"));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The parameter's value, if it was sent and is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| &**value).filter(|value| !value.is_empty())
    }

    pub(crate) fn need(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| OAuthError::InvalidRequest(format!("the parameter {name} is missing").into()))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(kind: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))])
    }

    fn parse(body: &str) -> Result<Form<'_>, OAuthError> {
        Form::parse(&headers("application/x-www-form-urlencoded"), body.as_bytes())
    }

    #[test]
    fn reads_escapes_ignores_the_unknown_and_treats_empty_as_left_out() {
        let form =
            parse("grant_type=client_credentials&scope=agents%3Aread+runs:read&state=&colour=blue").unwrap();
        assert_eq!(form.get("grant_type"), Some("client_credentials"));
        assert_eq!(form.get("scope"), Some("agents:read runs:read"));
        assert_eq!(form.get("state"), None);
        assert_eq!(form.get("client_id"), None);
        assert!(
            matches!(form.need("client_id"), Err(OAuthError::InvalidRequest(text)) if text.contains("client_id"))
        );
    }

    #[test]
    fn refuses_repetition_of_anything() {
        for body in ["a=1&a=1", "scope=&scope=x", "%73cope=x&scope=y", "unknown=1&unknown=2"] {
            assert!(matches!(parse(body), Err(OAuthError::InvalidRequest(_))), "{body}");
        }
        assert!(matches!(parse("resource=a&resource=b"), Err(OAuthError::InvalidTarget(_))));
    }

    #[test]
    fn reads_only_forms_of_a_sane_size() {
        for kind in ["application/json", "text/plain", "", "multipart/form-data"] {
            assert!(
                matches!(Form::parse(&headers(kind), b"a=1"), Err(OAuthError::InvalidRequest(_))),
                "{kind}"
            );
        }
        assert!(Form::parse(&headers("Application/X-WWW-form-urlencoded; charset=utf-8"), b"a=1").is_ok());
        assert!(parse(&format!("a={}", "x".repeat(LONGEST))).is_err());
        let many: String = (0..=MOST).map(|number| format!("p{number}=1&")).collect();
        assert!(parse(&many).is_err());
    }

    proptest! {
        #[test]
        fn parsing_is_total(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let headers = headers("application/x-www-form-urlencoded");
            if let Ok(form) = Form::parse(&headers, &body) {
                prop_assert!(form.0.len() <= MOST);
            }
        }
    }
}
