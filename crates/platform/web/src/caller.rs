//! Who stands at the door: a principal of one organization, with the chain that acts for it.

use std::sync::Arc;

use authority::Authority;
use axum::http::request::Parts;
use futures::future::BoxFuture;
use ledger::{Actor, Origin};
use problem::Problem;
use types::{
    AgentId, ApiKeyId, CredentialId, FunctionId, GroupId, HookId, Id, OrgId, RunId, ScheduleId, SessionId,
    Timestamp, TokenId, TxnId, UserId, Uuid,
};

use crate::Contact;

/// The two kinds of principal; everything else acts for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalId {
    User(UserId),
    Agent(AgentId),
}

impl PrincipalId {
    pub fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.uuid(),
            Self::Agent(id) => id.uuid(),
        }
    }

    /// `user` or `agent`: the `sub_type` of tokens.
    pub fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Agent(_) => "agent",
        }
    }
}

impl std::fmt::Display for PrincipalId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => id.fmt(out),
            Self::Agent(id) => id.fmt(out),
        }
    }
}

impl std::str::FromStr for PrincipalId {
    type Err = types::InvalidId;
    fn from_str(text: &str) -> Result<Self, types::InvalidId> {
        match text.parse::<AgentId>() {
            Ok(id) => Ok(Self::Agent(id)),
            Err(_) => text.parse().map(Self::User),
        }
    }
}

/// What acts for its owner with nobody at the door, when its time comes or when a stranger knocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TriggerId {
    Hook(HookId),
    Schedule(ScheduleId),
}

impl TriggerId {
    pub fn uuid(self) -> Uuid {
        match self {
            Self::Hook(id) => id.uuid(),
            Self::Schedule(id) => id.uuid(),
        }
    }

    /// `hook` or `schedule`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Hook(_) => "hook",
            Self::Schedule(_) => "schedule",
        }
    }

    /// As the ledger knows it.
    pub fn actor(self) -> Actor {
        match self {
            Self::Hook(id) => Actor::hook(id),
            Self::Schedule(id) => Actor::schedule(id),
        }
    }
}

impl std::fmt::Display for TriggerId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hook(id) => id.fmt(out),
            Self::Schedule(id) => id.fmt(out),
        }
    }
}

impl std::str::FromStr for TriggerId {
    type Err = types::InvalidId;
    fn from_str(text: &str) -> Result<Self, types::InvalidId> {
        match text.parse::<HookId>() {
            Ok(id) => Ok(Self::Hook(id)),
            Err(_) => text.parse().map(Self::Schedule),
        }
    }
}

/// One principal of the chain with its live grants; the subject comes first.
#[derive(Clone)]
pub struct Link {
    pub principal: PrincipalId,
    pub display: Arc<str>,
    pub grants: Arc<Authority>,
    /// The groups that it is in: what `group` reaches.
    pub groups: Arc<[GroupId]>,
}

/// A function that acts for the subject: code that somebody else may have written.
#[derive(Clone)]
pub struct ActingFunction {
    pub function: FunctionId,
    /// Who wrote the version that runs. Its code does nothing that its author may not do. `None` where the token lets
    /// nothing through anyway.
    pub author: Option<Link>,
}

/// By what the caller was recognised.
#[derive(Clone, Debug)]
pub enum Means {
    /// A browser session; `stepped_up_until` says how long acts that need step-up are open.
    Session { session: SessionId, stepped_up_until: Timestamp },
    /// An access token of ours.
    Token {
        jti: TokenId,
        client: Uuid,
        credential: Option<CredentialId>,
        /// The session of a person that it was made on.
        session: Option<SessionId>,
        /// The API key that its run was started with.
        key: Option<ApiKeyId>,
        run: Option<RunId>,
        expires_at: Timestamp,
    },
    /// An API key, whose permissions stand as the scope.
    Key { key: ApiKeyId, expires_at: Option<Timestamp> },
    /// Nobody came: the caller's [`Caller::trigger`] acts by itself, and what it was made with stands as the scope.
    Trigger,
}

#[derive(Clone)]
pub struct Caller {
    pub org: OrgId,
    pub subject: Link,
    /// Principals that act for the subject, outermost first.
    pub actors: Vec<Link>,
    /// Functions that act, outermost first.
    pub functions: Vec<ActingFunction>,
    /// The hook or schedule that began all this for the subject.
    pub trigger: Option<TriggerId>,
    /// The token's scope or the key's permissions; `None` for a session.
    pub scope: Option<Arc<Authority>>,
    pub means: Means,
    pub txn: Option<TxnId>,
    /// The authority revision that the caller was recognised at: taken before anything about its rights was read. What
    /// it stands on is dead for work that outlives the request if it died after this.
    pub revision: i64,
}

impl Caller {
    pub fn principal(&self) -> PrincipalId {
        self.subject.principal
    }

    /// Everybody who must be allowed what the caller does: the subject, then the actors, then the authors of the
    /// functions that act.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        let authors = self.functions.iter().filter_map(|acting| acting.author.as_ref());
        std::iter::once(&self.subject).chain(&self.actors).chain(authors)
    }

    /// Does the subject stand here itself? Nobody acts for it, no run does, and no trigger.
    pub fn is_in_person(&self) -> bool {
        let in_run = matches!(self.means, Means::Token { run: Some(_), .. });
        !in_run && self.trigger.is_none() && self.actors.is_empty() && self.functions.is_empty()
    }

    /// Does the subject stand here itself, with everything that it holds? A narrowed token does not speak for the rest.
    pub fn is_whole(&self) -> bool {
        let scope = self.scope.as_deref();
        self.is_in_person() && scope.is_none_or(|scope| self.subject.grants.is_subset_of(scope))
    }

    /// Who acts for the subject, outermost first, as the ledger tells it.
    pub fn chain(&self) -> Vec<Actor> {
        let functions = self.functions.iter().map(|acting| Actor::function(acting.function, "function"));
        let trigger = self.trigger.map(TriggerId::actor);
        functions.chain(self.actors.iter().map(Link::actor)).chain(trigger).collect()
    }

    pub fn actor(&self) -> Actor {
        self.subject.actor()
    }

    /// What the facts of a request of this caller carry.
    pub fn origin(&self, contact: &Contact) -> Origin {
        let mut origin = contact.origin();
        origin.txn = self.txn;
        match &self.means {
            Means::Session { .. } | Means::Trigger => {}
            Means::Token { jti, credential, run, .. } => {
                origin.jti = Some(*jti);
                origin.credential = *credential;
                origin.run = *run;
            }
            Means::Key { key, .. } => origin.api_key = Some(*key),
        }
        origin.act = self.chain();
        origin
    }
}

impl Link {
    /// As the ledger knows it.
    pub fn actor(&self) -> Actor {
        match self.principal {
            PrincipalId::User(id) => Actor::user(id, &*self.display),
            PrincipalId::Agent(id) => Actor::agent(id, &*self.display),
        }
    }
}

/// Recognises callers. Each means of sign-in brings one; the first that finds its own kind of proof decides.
pub trait Authenticator: Send + Sync {
    /// `Ok(None)`: the request carries no proof of this kind. `Err`: it carries one that is not valid.
    fn recognise<'a>(
        &'a self,
        request: &'a Parts,
        contact: &'a Contact,
    ) -> BoxFuture<'a, Result<Option<Caller>, Problem>>;
}
