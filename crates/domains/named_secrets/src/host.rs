//! Hosts as rules write them: one, or all below a name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Host;

/// `api.example.com`, `*.example.com` (everything below, not the name itself), or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPattern(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is a host such as api.example.com or *.example.com, in lower case and without port or path")]
pub struct NoHost;

impl HostPattern {
    /// `host` as [`canonical`] writes it.
    pub fn covers(&self, host: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some(below) => host.len() > below.len() && host.ends_with(below),
            None => self.0 == host,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A host in the one form that is compared: lower case, international names as `xn--…`, every spelling of an address as the
/// usual one, no dot at the end. `None` for what is no host.
pub fn canonical(host: &str) -> Option<String> {
    let written = Host::parse(host).ok()?.to_string();
    let written = written.strip_suffix('.').unwrap_or(&written);
    (!written.is_empty() && !written.ends_with('.')).then(|| written.to_owned())
}

impl FromStr for HostPattern {
    type Err = NoHost;

    /// Only the canonical form: what is shown is what is compared.
    fn from_str(text: &str) -> Result<Self, NoHost> {
        let host = text.strip_prefix("*.").unwrap_or(text);
        let is_wild = host.len() != text.len();
        let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
        // Below a bare top-level name, or below an address, is not what anybody means.
        let is_narrow = !is_wild || (host.contains('.') && matches!(Host::parse(host), Ok(Host::Domain(_))));
        if text.len() <= 253 && is_plain && is_narrow && canonical(host).as_deref() == Some(host) {
            return Ok(Self(text.to_owned()));
        }
        Err(NoHost)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for HostPattern {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_one_host_or_all_below_a_name() {
        let pattern = |text: &str| text.parse::<HostPattern>().unwrap();
        assert!(pattern("api.example.com").covers("api.example.com"));
        assert!(!pattern("api.example.com").covers("xapi.example.com"));
        assert!(pattern("*.example.com").covers("a.b.example.com"));
        for other in ["example.com", ".example.com", "badexample.com", "example.com.evil.org", "a.example.co"]
        {
            assert!(!pattern("*.example.com").covers(other), "{other}");
        }
        assert!(pattern("[2001:db8::1]").covers("[2001:db8::1]"));
    }

    #[test]
    fn only_the_one_form_is_a_pattern() {
        for good in
            ["localhost", "a.example.com", "*.example.com", "xn--bcher-kva.example", "192.0.2.1", "[::1]"]
        {
            assert!(good.parse::<HostPattern>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "*.",
            "*.com",
            "*.*.com",
            "a.*.com",
            "*a.example.com",
            "A.example.com",
            "bücher.example",
            "a.example.com.",
            "a.example.com:443",
            "a/b",
            "user@a.com",
            "0x7f.1",
            "2130706433",
            "0177.0.0.1",
            "[::ffff:7f00:1%1]",
            "*.192.0.2.1",
            "::1",
            "a b",
            "*.[::1]",
            "http://a.com",
        ] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_spelling_of_a_host_becomes_one() {
        for (spelt, plain) in [
            ("API.Example.COM", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("0x7f.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(canonical(spelt).as_deref(), Some(plain), "{spelt}");
        }
        for no_host in ["", ".", "a b", "[::1", "a..", "999.999.999.999"] {
            assert!(canonical(no_host).is_none(), "{no_host}");
        }
    }
}
