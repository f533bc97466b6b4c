//! An operation: one unit type next to its handler that says everything about it once.
//!
//! Mounting, OpenAPI, the admission check, `every_route`, CLI names and docs all read the same [`Spec`].

use authority::Required;
use ledger::FactKind;
use problem::Code;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::form::{Form, HOUSE};

/// HTTP methods that operations use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub const fn writes(self) -> bool {
        !matches!(self, Self::Get)
    }
}

/// Who may knock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody; what they may learn or do is decided by the operation.
    Open,
    /// Any principal, about itself.
    SignedIn,
    /// A principal that holds this permission for some object; the service checks the object.
    Holding(&'static str),
}

/// Which budget a request is counted against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    Read,
    Write,
    /// Guessable secrets: sign-in, links.
    SignIn,
    /// The token endpoint and introspection.
    Token,
    /// Expensive work: exports, verification, kills.
    Heavy,
    /// Nothing here: the operation counts by itself what its senders ask.
    Own,
}

/// Everything about an operation that is not its code.
#[derive(Clone, Debug)]
pub struct Spec {
    /// `noun.verb`: the OpenAPI operation id, the CLI command and the docs anchor.
    pub id: &'static str,
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    /// The facts that a success leaves; `every_route` holds them against the ledger.
    pub facts: &'static [&'static FactKind],
    /// Facts that a success may leave besides, depending on what it found.
    pub further_facts: &'static [&'static FactKind],
    /// Refusals beyond those that every operation shares.
    pub errors: &'static [&'static Code],
    pub rate: Rate,
    /// Whether a repeat with the same Idempotency-Key replays the first answer.
    pub idempotent: bool,
    pub reveals_secret: bool,
    pub step_up: StepUp,
    /// Does other operations' work ([`crate::Errand`]) and leaves their facts beside its own.
    pub stands_for_others: bool,
    /// Only for the principal itself: no run does it on its caller's behalf.
    pub in_person: bool,
    /// Status of success.
    pub status: u16,
    /// A body that succeeds, used by the docs and by `every_route`.
    pub example: &'static str,
    /// Protocol endpoints follow their RFC instead of our JSON conventions.
    pub form: &'static Form,
    /// Pages of any origin may ask, without cookies; others may not even try.
    pub any_origin: bool,
}

/// Whether an act needs a fresh confirmation (people) or the permission spelled out without wildcards (tokens).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUp {
    Never,
    Sometimes,
    Always,
}

impl Spec {
    const fn new(id: &'static str, method: Method, path: &'static str, status: u16) -> Self {
        Self {
            id,
            method,
            path,
            access: Access::SignedIn,
            facts: &[],
            further_facts: &[],
            errors: &[],
            rate: if method.writes() { Rate::Write } else { Rate::Read },
            idempotent: matches!(method, Method::Post),
            reveals_secret: false,
            step_up: StepUp::Never,
            stands_for_others: false,
            in_person: false,
            status,
            example: "",
            form: HOUSE,
            any_origin: false,
        }
    }

    pub const fn get(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Method::Get, path, 200)
    }

    /// A POST that creates: 201.
    pub const fn create(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Method::Post, path, 201)
    }

    /// A POST that does something: 200.
    pub const fn post(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Method::Post, path, 200)
    }

    pub const fn patch(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Method::Patch, path, 200)
    }

    /// A PUT that replaces a thing; only protocols that ask for it have one.
    pub const fn put(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Method::Put, path, 200)
    }

    /// A DELETE: 200 with what became of the thing.
    pub const fn delete(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Method::Delete, path, 200)
    }

    #[must_use]
    pub const fn needs(mut self, permission: &'static str) -> Self {
        // Parsed here for its check alone: a misspelt permission stops the build.
        std::mem::forget(Required::parse(permission));
        self.access = Access::Holding(permission);
        self
    }

    #[must_use]
    pub const fn open(mut self) -> Self {
        self.access = Access::Open;
        self.idempotent = false;
        self
    }

    #[must_use]
    pub const fn facts(mut self, facts: &'static [&'static FactKind]) -> Self {
        self.facts = facts;
        self
    }

    #[must_use]
    pub const fn further_facts(mut self, facts: &'static [&'static FactKind]) -> Self {
        self.further_facts = facts;
        self
    }

    #[must_use]
    pub const fn errors(mut self, errors: &'static [&'static Code]) -> Self {
        self.errors = errors;
        self
    }

    #[must_use]
    pub const fn rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// For what every page may read and send (Fetch standard, CORS): its preflight is answered, and the handler says
    /// `Access-Control-Allow-Origin: *`.
    #[must_use]
    pub const fn any_origin(mut self) -> Self {
        self.any_origin = true;
        self
    }

    #[must_use]
    pub const fn not_idempotent(mut self) -> Self {
        self.idempotent = false;
        self
    }

    #[must_use]
    pub const fn reveals_secret(mut self) -> Self {
        self.reveals_secret = true;
        self.in_person = true;
        self
    }

    /// What outlives a run – credentials, code, sessions – is not left to whoever wrote the function.
    #[must_use]
    pub const fn in_person(mut self) -> Self {
        self.in_person = true;
        self
    }

    #[must_use]
    pub const fn stands_for_others(mut self) -> Self {
        self.stands_for_others = true;
        self
    }

    #[must_use]
    pub const fn step_up(mut self) -> Self {
        self.step_up = StepUp::Always;
        self
    }

    /// Its service asks [`Allowance::confirmed`](crate::Allowance::confirmed) where the act turns out to need it.
    #[must_use]
    pub const fn step_up_sometimes(mut self) -> Self {
        self.step_up = StepUp::Sometimes;
        self
    }

    #[must_use]
    pub const fn example(mut self, body: &'static str) -> Self {
        self.example = body;
        self
    }

    #[must_use]
    pub const fn form(mut self, form: &'static Form) -> Self {
        self.form = form;
        self
    }

    /// Whether a success may leave facts of this kind.
    pub fn declares(&self, kind: &FactKind) -> bool {
        self.facts.iter().chain(self.further_facts).any(|declared| declared.name == kind.name)
    }

    pub fn required(&self) -> Option<Required> {
        match self.access {
            Access::Holding(permission) => Some(Required::parse(permission)),
            Access::Open | Access::SignedIn => None,
        }
    }
}

/// Implemented by [`operation!`](crate::operation) only.
pub trait Operation: Send + Sync + 'static {
    const SPEC: Spec;
    const SUMMARY: &'static str;
    type Body: DeserializeOwned + ToSchema + Send + 'static;
    type Query: DeserializeOwned + ToSchema + Send + 'static;
    type Answer: Serialize + ToSchema + Send + 'static;

    /// The one spec of this operation, at one address.
    fn spec() -> &'static Spec;
}

/// No body, no query, no answer.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize, ToSchema)]
pub struct Nothing {}

/// Declares operations:
///
/// ```text
/// operation! {
///     /// Registers an agent.
///     pub CreateAgent(NewAgent) -> AgentView = Spec::create("agents.create", "/api/v1/agents").needs("agents:create");
///     /// Lists agents.
///     pub ListAgents[AgentFilter] -> Page<AgentView> = Spec::get("agents.list", "/api/v1/agents").needs("agents:read");
/// }
/// ```
#[macro_export]
macro_rules! operation {
    ($($(#[doc = $doc:literal])+ $vis:vis $name:ident $(($body:ty))? $([$query:ty])? -> $answer:ty = $spec:expr;)+) => {$(
        $(#[doc = $doc])+
        $vis struct $name;

        impl $crate::Operation for $name {
            const SPEC: $crate::Spec = $spec;
            const SUMMARY: &'static str = $crate::first!($($doc)+).trim_ascii();
            type Body = $crate::or_nothing!($($body)?);
            type Query = $crate::or_nothing!($($query)?);
            type Answer = $answer;

            fn spec() -> &'static $crate::Spec {
                static SPEC: $crate::Spec = <$name as $crate::Operation>::SPEC;
                &SPEC
            }
        }
    )+};
}

#[doc(hidden)]
#[macro_export]
macro_rules! or_nothing {
    () => {
        $crate::Nothing
    };
    ($type:ty) => {
        $type
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! first {
    ($first:literal $($rest:literal)*) => {
        $first
    };
}

/// The fact kinds of a [`Spec`]: `.facts(leaves![facts::AGENT_CREATED])`.
#[macro_export]
macro_rules! leaves {
    ($($kind:expr),+ $(,)?) => {{
        const KINDS: &[&$crate::FactKind] = &[$(&$kind),+];
        KINDS
    }};
}

/// The refusals of a [`Spec`]: `.errors(refuses![problem::AGENT_EXISTS])`.
#[macro_export]
macro_rules! refuses {
    ($($code:expr),+ $(,)?) => {{
        const CODES: &[&$crate::Code] = &[$(&$code),+];
        CODES
    }};
}
