//! A fact as a domain states it: what happened, who did it on whose behalf, to what, and what came of it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{ApiKeyId, CredentialId, FactId, OrgId, RequestId, RunId, TokenId, TxnId};

use crate::kind::{FactKind, Outcome, UnknownWord, words};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    User,
    Agent,
    /// Code that acts for a principal; stands in chains only.
    Function,
    /// An incoming webhook or a schedule, which act for their owner.
    Hook,
    Schedule,
    /// The platform itself: jobs, sweeps, the sequencer.
    System,
    /// Nobody that we know.
    Anonymous,
}

words! {
    ActorKind {
        User = "user", Agent = "agent", Function = "function", Hook = "hook", Schedule = "schedule", System = "system",
        Anonymous = "anonymous",
    }
}

/// Who did it. `display` is private: it is sealed, and erased with the fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub kind: ActorKind,
    /// Typed id; none for the platform itself and for anonymous callers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub display: String,
}

impl Actor {
    pub fn user(id: types::UserId, display: impl Into<String>) -> Self {
        Self { kind: ActorKind::User, id: Some(id.to_string()), display: display.into() }
    }

    pub fn agent(id: types::AgentId, display: impl Into<String>) -> Self {
        Self { kind: ActorKind::Agent, id: Some(id.to_string()), display: display.into() }
    }

    pub fn function(id: types::FunctionId, display: impl Into<String>) -> Self {
        Self { kind: ActorKind::Function, id: Some(id.to_string()), display: display.into() }
    }

    pub fn hook(id: types::HookId) -> Self {
        Self { kind: ActorKind::Hook, id: Some(id.to_string()), display: "hook".into() }
    }

    pub fn schedule(id: types::ScheduleId) -> Self {
        Self { kind: ActorKind::Schedule, id: Some(id.to_string()), display: "schedule".into() }
    }

    /// A part of the platform, by its name.
    pub fn system(part: impl Into<String>) -> Self {
        Self { kind: ActorKind::System, id: None, display: part.into() }
    }

    /// A caller who proved nothing; `display` is at most what they claimed.
    pub fn anonymous(claim: impl Into<String>) -> Self {
        Self { kind: ActorKind::Anonymous, id: None, display: claim.into() }
    }
}

/// Where an act came from: the same for all facts of one request.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub request: Option<RequestId>,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub jti: Option<TokenId>,
    pub txn: Option<TxnId>,
    pub credential: Option<CredentialId>,
    pub api_key: Option<ApiKeyId>,
    pub run: Option<RunId>,
    /// The delegation chain, outermost first.
    pub act: Vec<Actor>,
    pub on_behalf_of: Option<Actor>,
}

#[derive(Clone, Debug)]
pub struct Target {
    pub kind: &'static str,
    pub id: String,
    /// Private, as an actor's display name.
    pub name: String,
}

/// A fact that is not sealed yet.
#[derive(Clone, Debug)]
pub struct Fact {
    pub(crate) kind: &'static FactKind,
    pub(crate) org: OrgId,
    pub(crate) actor: Actor,
    pub(crate) outcome: Outcome,
    pub(crate) origin: Origin,
    pub(crate) target: Option<Target>,
    pub(crate) data: Map<String, Value>,
    pub(crate) malformed: bool,
    pub(crate) cause: Option<FactId>,
    pub(crate) repeated: Option<Repeated>,
}

/// What one fact stands for when it sums up many of the same kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    pub count: u64,
    /// Prefix of the addresses (`192.0.2.0/24`), or the subject that was counted.
    pub source: String,
}

impl Fact {
    /// A success of this kind; [`Fact::outcome`] says otherwise.
    pub fn new(kind: &'static FactKind, org: OrgId, actor: Actor) -> Self {
        Self {
            kind,
            org,
            actor,
            outcome: Outcome::Success,
            origin: Origin::default(),
            target: None,
            data: Map::new(),
            malformed: false,
            cause: None,
            repeated: None,
        }
    }

    #[must_use]
    pub fn origin(mut self, origin: &Origin) -> Self {
        self.origin.clone_from(origin);
        self
    }

    /// What was acted upon: the type (`agent`), its id, its name as people know it.
    #[must_use]
    pub fn target(mut self, kind: &'static str, id: impl ToString, name: impl Into<String>) -> Self {
        self.target = Some(Target { kind, id: id.to_string(), name: name.into() });
        self
    }

    /// The object that the kind's schema describes; anything else is refused when the fact is sealed.
    #[must_use]
    pub fn data(mut self, data: Value) -> Self {
        match data {
            Value::Object(members) => self.data = members,
            _ => self.malformed = true,
        }
        self
    }

    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The fact that this one follows from (a cascade).
    #[must_use]
    pub fn cause(mut self, fact: FactId) -> Self {
        self.cause = Some(fact);
        self
    }

    pub fn kind(&self) -> &'static FactKind {
        self.kind
    }

    pub fn org(&self) -> OrgId {
        self.org
    }
}
