//! The claims of our access tokens (RFC 9068, with the actor chain of RFC 8693 §4.1).
//!
//! Reading is strict: a claim that this version does not know may narrow the token, so such a token is refused.

use std::sync::Arc;

use authority::Authority;
use cluster::Kin;
use crypto::jws::{JwsError, SigningKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use types::{
    AgentId, ApiKeyId, ClientId, CredentialId, FunctionId, Id, OrgId, RunId, SessionId, TokenId, TxnId, Uuid,
};
use web::{PrincipalId, TriggerId};

/// `typ` of the header (RFC 9068 §2.1).
pub(crate) const TYPE: &str = "at+jwt";
/// Longest token that is read; scopes are at most 4 KB.
pub(crate) const LONGEST: usize = 12 * 1024;
/// Actors in a chain at most.
pub(crate) const DEEPEST: usize = 5;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub iss: Arc<str>,
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub sub: PrincipalId,
    pub sub_type: SubjectType,
    /// Exactly one.
    pub aud: Arc<str>,
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub client_id: Client,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub jti: TokenId,
    pub scope: Arc<str>,
    pub org: OrgId,
    /// The authority revision that the token is not older than.
    pub rev: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crd: Option<CredentialId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The API key that a run was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ApiKeyId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Which lease of the run: the token of an earlier attempt is worth nothing in a later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<i64>,
    pub txn: TxnId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Act>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    User,
    Agent,
}

/// Who asked for a token: an agent is its own client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    Agent(AgentId),
    Registered(ClientId),
}

/// Our own console and command line, a public client: the same in every installation.
pub fn first_party() -> Client {
    Client::Registered(ClientId::from_uuid(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001)))
}

/// One actor, outermost first; inside it whoever it acts for in turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub sub: ActorId,
    /// Of a function: who wrote the version that runs, and so bounds what it may do. Missing only where the token lets
    /// nothing through.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_some",
        deserialize_with = "read_some"
    )]
    pub author: Option<PrincipalId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Act>>,
}

/// Who acts: a principal with grants of its own; a function, which has none; or the trigger that began it all, whose grant
/// bounds the scope already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorId {
    Principal(PrincipalId),
    Function(FunctionId),
    Trigger(TriggerId),
}

impl Claims {
    /// The compact token.
    pub(crate) fn sign(&self, key: &SigningKey) -> Result<String, serde_json::Error> {
        Ok(key.compact(TYPE, &serde_json::to_vec(self)?))
    }

    pub(crate) fn read(payload: &[u8]) -> Result<Self, Unreadable> {
        let claims: Self = serde_json::from_slice(payload).map_err(|_| Unreadable)?;
        let typed = claims.sub_type == SubjectType::of(claims.sub);
        let timely = claims.iat <= claims.exp && claims.nbf <= claims.exp;
        let deep = claims.chain().count() > DEEPEST;
        let answered_for = claims.scope.is_empty() || claims.chain().all(Act::is_answered_for);
        if typed && timely && !deep && answered_for { Ok(claims) } else { Err(Unreadable) }
    }

    /// The actors, outermost first.
    pub fn chain(&self) -> impl Iterator<Item = &Act> {
        Act::chain(self.act.as_deref())
    }

    /// What began it all, where no request of a principal did.
    pub(crate) fn trigger(&self) -> Option<TriggerId> {
        self.chain().find_map(|act| match act.sub {
            ActorId::Trigger(trigger) => Some(trigger),
            ActorId::Principal(_) | ActorId::Function(_) => None,
        })
    }

    /// Every principal whose rights bound the token, each once: the subject, who acts for it, who wrote the code that acts.
    pub(crate) fn principals(&self) -> Vec<PrincipalId> {
        let mut principals = vec![self.sub];
        for principal in self.chain().filter_map(Act::principal) {
            if !principals.contains(&principal) {
                principals.push(principal);
            }
        }
        principals
    }

    /// Everything whose death is the token's.
    pub(crate) fn kin(&self) -> Box<[Kin]> {
        let mut kin = Vec::with_capacity(6);
        kin.push(Kin { kind: "org", key: self.org.uuid() });
        kin.extend(self.principals().into_iter().map(principal_kin));
        kin.push(Kin { kind: "token", key: self.jti.uuid() });
        match self.client_id {
            Client::Agent(agent) => {
                let own = principal_kin(PrincipalId::Agent(agent));
                if !kin.contains(&own) {
                    kin.push(own);
                }
            }
            Client::Registered(client) => kin.push(Kin { kind: "client", key: client.uuid() }),
        }
        kin.extend(self.crd.map(|credential| Kin { kind: "credential", key: credential.uuid() }));
        kin.extend(self.sid.map(|session| Kin { kind: "session", key: session.uuid() }));
        kin.extend(self.key.map(|key| Kin { kind: "api_key", key: key.uuid() }));
        kin.extend(self.run.map(|run| Kin { kind: "run", key: run.uuid() }));
        kin.extend(self.trigger().map(|trigger| Kin { kind: trigger.kind(), key: trigger.uuid() }));
        kin.into_boxed_slice()
    }
}

/// The payload is not what we write.
#[derive(Debug, thiserror::Error)]
#[error("the claims are not those of an access token of ours")]
pub(crate) struct Unreadable;

impl From<Unreadable> for JwsError {
    fn from(_: Unreadable) -> Self {
        Self::Form
    }
}

pub(crate) fn principal_kin(principal: PrincipalId) -> Kin {
    Kin { kind: principal.kind(), key: principal.uuid() }
}

/// A scope that was written by us.
pub(crate) fn parse_scope(text: &str) -> Result<Arc<Authority>, Unreadable> {
    text.parse().map(Arc::new).map_err(|_| Unreadable)
}

impl Act {
    /// A principal that acts for `inner`, or for the subject itself.
    pub(crate) fn by(principal: PrincipalId, inner: Option<Box<Self>>) -> Box<Self> {
        Box::new(Self { sub: ActorId::Principal(principal), author: None, act: inner })
    }

    /// A function that acts for `inner`, or for the subject itself.
    pub(crate) fn by_function(
        function: FunctionId,
        author: Option<PrincipalId>,
        inner: Option<Box<Self>>,
    ) -> Box<Self> {
        Box::new(Self { sub: ActorId::Function(function), author, act: inner })
    }

    /// A trigger that acts for the subject: nobody acts inside of it.
    pub(crate) fn by_trigger(trigger: TriggerId) -> Box<Self> {
        Box::new(Self { sub: ActorId::Trigger(trigger), author: None, act: None })
    }

    /// From the outermost inwards.
    pub(crate) fn chain(outermost: Option<&Self>) -> impl Iterator<Item = &Self> {
        std::iter::successors(outermost, |act| act.act.as_deref())
    }

    /// Whose rights bound it: the actor's own, or its author's.
    pub(crate) fn principal(&self) -> Option<PrincipalId> {
        match self.sub {
            ActorId::Principal(principal) => Some(principal),
            ActorId::Function(_) => self.author,
            ActorId::Trigger(_) => None,
        }
    }

    fn is_answered_for(&self) -> bool {
        matches!(self.sub, ActorId::Trigger(_)) || self.principal().is_some()
    }
}

impl SubjectType {
    pub(crate) fn of(principal: PrincipalId) -> Self {
        match principal {
            PrincipalId::User(_) => Self::User,
            PrincipalId::Agent(_) => Self::Agent,
        }
    }
}

impl Client {
    pub fn uuid(self) -> Uuid {
        match self {
            Self::Agent(agent) => agent.uuid(),
            Self::Registered(client) => client.uuid(),
        }
    }
}

/// One of several kinds of id, told apart by its prefix.
macro_rules! either {
    ($name:ident: $($first:ident($First:ty)),+; or $second:ident($Second:ty)) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$first(id) => id.fmt(out),)+
                    Self::$second(id) => id.fmt(out),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = types::InvalidId;
            fn from_str(text: &str) -> Result<Self, types::InvalidId> {
                $(if let Ok(id) = text.parse::<$First>() {
                    return Ok(Self::$first(id));
                })+
                text.parse().map(Self::$second)
            }
        }
    };
}

either!(Client: Agent(AgentId); or Registered(ClientId));
either!(ActorId: Function(FunctionId), Trigger(TriggerId); or Principal(PrincipalId));

fn write<T: std::fmt::Display, S: Serializer>(id: &T, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(id)
}

fn read<'de, T: std::str::FromStr<Err: std::fmt::Display>, D: Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn write_some<S: Serializer>(id: &Option<PrincipalId>, out: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => out.collect_str(id),
        None => out.serialize_none(),
    }
}

fn read_some<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PrincipalId>, D::Error> {
    read(from).map(Some)
}

#[cfg(test)]
pub(crate) mod tests;
