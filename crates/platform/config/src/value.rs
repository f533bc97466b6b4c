//! The types of settings: how each is read from text and shown again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use types::Secret;

/// Smallest and largest number allowed; for durations in seconds.
pub(crate) type Bounds = Option<(u64, u64)>;

/// A type that a key may have. Every source speaks text; lists are parted by commas.
pub(crate) trait Setting: Sized {
    const SECRET: bool = false;
    /// The error says what was expected.
    fn read(text: &str, bounds: Bounds) -> Result<Self, String>;
    fn show(&self) -> String;
}

/// Not set is the empty text.
impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;

    fn read(text: &str, bounds: Bounds) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::read(text, bounds).map(Some) }
    }

    fn show(&self) -> String {
        self.as_ref().map(Setting::show).unwrap_or_default()
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(text: &str, bounds: Bounds) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| T::read(part, bounds))
            .collect()
    }

    fn show(&self) -> String {
        self.iter().map(Setting::show).collect::<Vec<_>>().join(", ")
    }
}

impl Setting for Secret<String> {
    const SECRET: bool = true;

    fn read(text: &str, _: Bounds) -> Result<Self, String> {
        Ok(Self::new(required(text)?.to_owned()))
    }

    fn show(&self) -> String {
        "********".to_owned()
    }
}

impl Setting for String {
    fn read(text: &str, _: Bounds) -> Result<Self, String> {
        required(text).map(str::to_owned)
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for PathBuf {
    fn read(text: &str, _: Bounds) -> Result<Self, String> {
        required(text).map(Self::from)
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for bool {
    fn read(text: &str, _: Bounds) -> Result<Self, String> {
        text.parse().map_err(|_| "expected `true` or `false`".to_owned())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u64 {
    fn read(text: &str, bounds: Bounds) -> Result<Self, String> {
        let (least, most) = bounds.unwrap_or((0, Self::MAX));
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| match bounds {
            Some(_) => format!("expected a whole number from {least} to {most}"),
            None => "expected a whole number".to_owned(),
        })
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    fn read(text: &str, bounds: Bounds) -> Result<Self, String> {
        let bounds = bounds.unwrap_or((0, Self::MAX.into()));
        Self::try_from(u64::read(text, Some(bounds))?).map_err(|error| error.to_string())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Whole seconds.
impl Setting for Duration {
    fn read(text: &str, bounds: Bounds) -> Result<Self, String> {
        u64::read(text, bounds).map(Self::from_secs).map_err(|reason| format!("{reason} (seconds)"))
    }

    fn show(&self) -> String {
        self.as_secs().to_string()
    }
}

impl Setting for SocketAddr {
    fn read(text: &str, _: Bounds) -> Result<Self, String> {
        text.parse().map_err(|_| "expected an address and a port such as `127.0.0.1:7717`".to_owned())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A network, or one address.
impl Setting for IpNet {
    fn read(text: &str, _: Bounds) -> Result<Self, String> {
        let address = || text.parse().ok().map(|address: std::net::IpAddr| Self::from(address));
        let network = text.parse().ok().or_else(address);
        network.ok_or_else(|| "expected networks or addresses such as `10.0.0.0/8`".to_owned())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// `http://` or `https://` with a host and perhaps a path; never ends in a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for PublicUrl {
    fn read(text: &str, _: Bounds) -> Result<Self, String> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let clean = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"<>".contains(&byte));
        if host.trim_start_matches(':').is_empty() || host.starts_with(':') || !clean {
            return Err(
                "expected an address such as `https://papers.example.com`, without query or user".to_owned()
            );
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// An e-mail address, as far as an address can be judged without sending to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for Email {
    fn read(text: &str, _: Bounds) -> Result<Self, String> {
        let parts = text.rsplit_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
        if parts.is_none()
            || text.contains(|character: char| character.is_whitespace() || character.is_control())
        {
            return Err("expected an e-mail address such as `owner@example.com`".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// First and last user id of a range of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UidRange {
    pub first: u32,
    pub last: u32,
}

impl Setting for UidRange {
    fn read(text: &str, _: Bounds) -> Result<Self, String> {
        let range =
            text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        match range {
            // Ids below 100000 belong to the host's own accounts.
            Some((first, last)) if first >= 100_000 && first < last => Ok(Self { first, last }),
            _ => Err("expected a range of user ids above 100000 such as `2000000-2065535`".to_owned()),
        }
    }

    fn show(&self) -> String {
        format!("{}-{}", self.first, self.last)
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($variant,)+
        }

        impl Setting for $name {
            fn read(text: &str, _: Bounds) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("expected one of {}", [$(concat!("`", $word, "`")),+].join(", "))),
                }
            }

            fn show(&self) -> String {
                match self { $(Self::$variant => $word,)+ }.to_owned()
            }
        }
    )+};
}

words! {
    /// How strict the start is.
    Mode { Development = "development", Production = "production", }
    /// When a fact's writer is answered.
    Ack { Durable = "durable", Fast = "fast", }
    /// Which decisions of policies are kept.
    DecisionRecord { Denied = "denied", Full = "full", }
    /// Form of log lines.
    LogFormat { Pretty = "pretty", Json = "json", }
    /// How a connection to the mail server is protected.
    MailSecurity { StartTls = "starttls", Tls = "tls", None = "none", }
    /// Which packages functions may name.
    PackagesAllowed { Approved = "approved", All = "all", }
    /// What stands between a function's code and the machine.
    SandboxBackend { Jail = "jail", None = "none", }
    /// Algorithm of new signing keys (RFC 7518, RFC 8037).
    SigningAlgorithm { Es256 = "ES256", EdDsa = "EdDSA", Rs256 = "RS256", }
}

fn required(text: &str) -> Result<&str, String> {
    if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text) }
}
