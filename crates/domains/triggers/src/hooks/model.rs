//! Hooks, and what is kept of their deliveries.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use authority::{Authority, Permission};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::{DeliveryId, FunctionId, HookId, Id, OrgId, RunId, Timestamp, Uuid};
use utoipa::ToSchema;
use web::{Object, PrincipalId, TriggerId};

use super::routing::Route;
use super::words::{HookMethod, HookPath};
use crate::grant::Standing;

/// By what a sender proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookAuthenticationKind)]
pub enum AuthenticationKind {
    /// One of our access tokens or API keys, whose holder may execute the target.
    Token,
    /// A signature over the body under a shared secret.
    Hmac,
    /// User name and password (RFC 7617).
    Basic,
    /// Nothing but a path that nobody guesses.
    None,
}

impl AuthenticationKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Hmac => "hmac",
            Self::Basic => "basic",
            Self::None => "none",
        }
    }

    pub(crate) const fn has_secret(self) -> bool {
        matches!(self, Self::Hmac | Self::Basic)
    }
}

/// Whose form of signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookPreset)]
pub enum Preset {
    Github,
    Stripe,
    Slack,
    StandardWebhooks,
    /// As the further fields say.
    Generic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookHash)]
pub enum Hash {
    Sha256,
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookEncoding)]
pub enum Encoding {
    Hex,
    Base64,
}

/// How a sender proves itself. `preset` belongs to `hmac`, `username` to `basic`; `header` to `timestamp_header` belong to
/// the preset `generic`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HookAuthentication)]
pub struct Authentication {
    pub kind: AuthenticationKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub username: Option<String>,
    /// Where the signature stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub header: Option<String>,
    /// `sha256` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Hash>,
    /// `hex` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What stands before the signature, such as `sha256=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 50)]
    pub prefix: Option<String>,
    /// Where the time of signing stands, in seconds since 1970. With it, `time.body` is what is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub timestamp_header: Option<String>,
    /// How far a signed time may lie from ours; 300 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 10, maximum = 3600)]
    pub tolerance_seconds: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookInputMode)]
pub enum InputMode {
    /// The body is the input.
    #[default]
    Body,
    /// The input holds method, path, path_params, query, headers, body and raw_body.
    Envelope,
}

/// What the function is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HookInput)]
pub struct InputSettings {
    #[serde(default)]
    pub mode: InputMode,
    /// Members that stand where the body's object has none of the name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub defaults: Map<String, Value>,
}

/// What the sender is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookResponse)]
pub enum ResponseMode {
    /// The function's result.
    #[default]
    Sync,
    /// What the result says: an object of `status`, `headers` and `body`.
    Mapped,
    /// 202 with the run's id, at once.
    Async,
}

impl ResponseMode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Mapped => "mapped",
            Self::Async => "async",
        }
    }
}

impl FromStr for ResponseMode {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Sync, Self::Mapped, Self::Async].into_iter().find(|mode| mode.name() == text).ok_or(())
    }
}

/// What tells a repeat: a header or a place in the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HookDeduplication)]
pub struct Deduplication {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub header: Option<String>,
    /// RFC 6901, into the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub pointer: Option<String>,
    /// How long a key is remembered; a day if left out.
    #[serde(default = "a_day")]
    #[schema(minimum = 60, maximum = 604800)]
    pub ttl_seconds: i64,
}

fn a_day() -> i64 {
    86_400
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) per_minute: i64,
    pub(crate) concurrency: i64,
    pub(crate) body_bytes: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) id: HookId,
    pub(crate) org: OrgId,
    /// The organization's, as paths name it.
    pub(crate) slug: String,
    pub(crate) path: HookPath,
    pub(crate) methods: Vec<HookMethod>,
    pub(crate) description: String,
    pub(crate) active: bool,
    pub(crate) function: FunctionId,
    /// `namespace/name`.
    pub(crate) function_name: String,
    /// For whom it acts.
    pub(crate) owner: PrincipalId,
    /// What its runs may do besides executing the function.
    pub(crate) permissions: Vec<Permission>,
    pub(crate) execute: Permission,
    pub(crate) authentication: Authentication,
    pub(crate) allowed_ips: Vec<IpNet>,
    pub(crate) input: InputSettings,
    /// Every delivery runs the function, if there are none.
    pub(crate) routes: Vec<Route>,
    pub(crate) response: ResponseMode,
    pub(crate) deduplication: Option<Deduplication>,
    pub(crate) limits: Limits,
    pub(crate) secrets: Secrets,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) revision: i64,
}

/// As the row has them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    pub(crate) current: Option<Vec<u8>>,
    pub(crate) previous: Option<Vec<u8>>,
    pub(crate) previous_until: Option<Timestamp>,
}

impl Hook {
    /// The path as the ledger and those who only look have it: where everybody is believed, it is all that is secret.
    pub(crate) fn told_path(&self) -> HookPath {
        match self.authentication.kind {
            AuthenticationKind::None => self.path.masked(),
            _ => self.path.clone(),
        }
    }

    pub(crate) fn object(&self) -> Object<'static> {
        Object { selector: self.id.to_string().into(), owner: Some(self.owner.uuid()), ..Object::default() }
    }

    /// What policies may know of it.
    pub(crate) fn attributes(&self) -> Value {
        json!({
            "path": self.told_path(),
            "methods": self.methods,
            "function": self.function_name,
            "owner": self.owner.to_string(),
            "authentication": self.authentication.kind.name(),
        })
    }

    pub(crate) fn standing(&self) -> Standing {
        let grant: Authority = self.permissions.iter().cloned().chain([self.execute.clone()]).collect();
        Standing {
            trigger: TriggerId::Hook(self.id),
            org: self.org,
            owner: self.owner,
            grant: Arc::new(grant),
        }
    }

    pub(crate) fn is_open_to(&self, ip: Option<IpAddr>) -> bool {
        let within = |ip: IpAddr| self.allowed_ips.iter().any(|net| net.contains(&ip.to_canonical()));
        self.allowed_ips.is_empty() || ip.is_some_and(within)
    }

    pub(crate) fn tolerance(&self) -> Duration {
        let seconds = self.authentication.tolerance_seconds.unwrap_or(300);
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookOutcome)]
pub enum Outcome {
    /// A run was accepted.
    Accepted,
    /// Nothing was run.
    Refused,
    /// An earlier delivery's run was the answer.
    Duplicate,
    /// It was believed, and no route takes it.
    Ignored,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }
}

impl FromStr for Outcome {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Accepted, Self::Refused, Self::Duplicate, Self::Ignored]
            .into_iter()
            .find(|outcome| outcome.name() == text)
            .ok_or(())
    }
}

/// One row of what came in.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) id: DeliveryId,
    pub(crate) hook: HookId,
    pub(crate) received_at: Timestamp,
    pub(crate) method: String,
    pub(crate) ip: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<String>,
    /// How many of one kind the row stands for.
    pub(crate) count: i64,
    pub(crate) run: Option<RunId>,
    pub(crate) replay_of: Option<DeliveryId>,
    /// Bytes of the body.
    pub(crate) size: i64,
    /// Sealed; none for refusals and for bodies that are too large to keep.
    pub(crate) request: Option<Vec<u8>>,
}

/// `user` or `agent` with its UUID, as two columns keep it.
pub(crate) fn principal(kind: &str, id: Uuid) -> PrincipalId {
    match kind {
        "agent" => PrincipalId::Agent(Id::from_uuid(id)),
        _ => PrincipalId::User(Id::from_uuid(id)),
    }
}
