//! What a version may call.

use std::fmt;

use named_secrets::{HostPattern, canonical};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

/// Requests that `context.http` makes: with one of these methods, to this host, below this path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EgressRule {
    /// `GET` and `HEAD` if left out.
    #[serde(default = "reading")]
    #[schema(min_items = 1, max_items = 7)]
    pub methods: Vec<HttpMethod>,
    /// `api.example.com`, or `*.example.com` for all below.
    #[schema(value_type = String, min_length = 1, max_length = 253)]
    pub host: HostPattern,
    /// The path itself, and everything below it; `/` if left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1000, pattern = "^/[^?#\\s]*$")]
    pub path: PathPrefix,
    #[serde(default)]
    #[schema(value_type = Option<HttpScheme>)]
    pub scheme: HttpScheme,
    /// The scheme's own if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 65535)]
    pub port: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

/// `https` if left out. Secrets are put into requests over `https` only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HttpScheme {
    #[default]
    Https,
    Http,
}

/// Begins with `/` and is written as addresses are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathPrefix(String);

impl Default for PathPrefix {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl<'de> Deserialize<'de> for PathPrefix {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let shown = Url::parse("https://host.example").and_then(|base| base.join(&text));
        let is_itself =
            shown.is_ok_and(|url| url.path() == text && url.query().is_none() && url.fragment().is_none());
        if text.starts_with('/') && !text.starts_with("//") && is_itself && !is_ambiguous(&text) {
            return Ok(Self(text));
        }
        Err(serde::de::Error::custom("is a path such as /v1/orders, without `..`, query or encoded slashes"))
    }
}

impl PathPrefix {
    fn covers(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(self.0.as_str()) else { return false };
        let at_boundary = self.0.ends_with('/') || rest.is_empty() || rest.starts_with('/');
        // What servers behind may read as another path than we do is none of a narrow rule's.
        at_boundary && (self.0 == "/" || !is_ambiguous(path))
    }
}

/// Encoded slashes, encoded percent signs and `..;` lead out of a path on some servers.
fn is_ambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ["%2f", "%5c", "%25", "%00", "//", "\\"].iter().any(|part| lower.contains(part))
        || lower.split('/').any(|segment| segment.starts_with("..") || segment.starts_with("%2e"))
}

fn reading() -> Vec<HttpMethod> {
    vec![HttpMethod::Get, HttpMethod::Head]
}

/// Whether one of the rules allows the request.
pub(crate) fn allowed(rules: &[EgressRule], method: HttpMethod, url: &Url) -> bool {
    rules.iter().any(|rule| rule.allows(method, url))
}

impl EgressRule {
    fn allows(&self, method: HttpMethod, url: &Url) -> bool {
        let Some(host) = url.host_str().and_then(canonical) else { return false };
        let port = self.port.unwrap_or(self.scheme.port());
        self.methods.contains(&method)
            && url.scheme() == self.scheme.name()
            && self.host.covers(&host)
            && url.port_or_known_default() == Some(port)
            && self.path.covers(url.path())
    }
}

impl HttpScheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

impl HttpMethod {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// As facts tell it: `GET,HEAD https://api.example.com:443/v1`.
impl fmt::Display for EgressRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<&str> = self.methods.iter().map(|method| method.name()).collect();
        let port = self.port.unwrap_or(self.scheme.port());
        write!(out, "{} {}://{}:{port}{}", methods.join(","), self.scheme.name(), self.host, self.path.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(value: Value) -> EgressRule {
        serde_json::from_value(value).unwrap()
    }

    fn allows(rule: &EgressRule, method: HttpMethod, url: &str) -> bool {
        allowed(std::slice::from_ref(rule), method, &Url::parse(url).unwrap())
    }

    #[test]
    fn nothing_is_allowed_without_a_rule() {
        assert!(!allowed(&[], HttpMethod::Get, &Url::parse("https://a.example/").unwrap()));
    }

    #[test]
    fn method_scheme_host_port_and_path_must_all_fit() {
        let api = rule(json!({"methods": ["GET", "POST"], "host": "api.example.com", "path": "/v1"}));
        for good in [
            "https://api.example.com/v1",
            "https://API.example.com:443/v1/a?b=/x",
            "https://api.example.com./v1/",
        ] {
            assert!(allows(&api, HttpMethod::Post, good), "{good}");
        }
        for bad in [
            "http://api.example.com/v1",
            "https://api.example.com:8443/v1",
            "https://api.example.com/v10",
            "https://api.example.com/",
            "https://api.example.com/v2/../v1x",
            "https://api.example.com/v1/../v2",
            "https://api.example.com/v1/%2e%2e/v2",
            "https://api.example.com/v1/..%2fv2",
            "https://api.example.com/v1/..;/v2",
            "https://api.example.com/v1/%252e%252e/v2",
            "https://api.example.com//v1",
            "https://x.api.example.com/v1",
            "https://example.com/v1",
            "https://api.example.com@evil.example/v1",
        ] {
            assert!(!allows(&api, HttpMethod::Get, bad), "{bad}");
        }
        assert!(!allows(&api, HttpMethod::Delete, "https://api.example.com/v1"));
        let inside = rule(json!({"host": "127.0.0.1", "scheme": "http", "port": 8080}));
        for spelt in [
            "http://127.0.0.1:8080/x",
            "http://0x7f.1:8080/",
            "http://2130706433:8080/",
            "http://0177.0.0.1:8080/",
        ] {
            assert!(allows(&inside, HttpMethod::Get, spelt), "one address, however it is spelt: {spelt}");
        }
    }

    #[test]
    fn a_rule_is_written_in_one_way() {
        let plain = rule(json!({"host": "a.example"}));
        assert_eq!(plain.to_string(), "GET,HEAD https://a.example:443/");
        let told = serde_json::to_value(&plain).unwrap();
        assert_eq!(
            told,
            json!({"methods": ["GET", "HEAD"], "host": "a.example", "path": "/", "scheme": "https"})
        );
        for bad in [
            json!({"host": "A.example"}),
            json!({"host": "a.example", "path": "v1"}),
            json!({"host": "a.example", "path": "/a/../b"}),
            json!({"host": "a.example", "path": "/a?b"}),
            json!({"host": "a.example", "path": "/a%2fb"}),
            json!({"host": "a.example", "path": "//b"}),
            json!({"host": "a.example", "methods": ["get"]}),
            json!({"host": "a.example", "methods": ["CONNECT"]}),
            json!({"host": "a.example", "port": 70000}),
            json!({"host": "a.example", "more": 1}),
        ] {
            assert!(serde_json::from_value::<EgressRule>(bad.clone()).is_err(), "{bad}");
        }
    }
}
