//! The proof that a caller may do an operation. Handlers take it as an argument; services cannot be called without it.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use authority::{Decision, Hop, Refusal, Relation, Required, Selector};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use db::OrgScope;
use ledger::{Fact, FactKind, Origin};
use problem::{PERMISSION_DENIED, Problem};
use types::{GroupId, OrgId, Uuid};

use crate::door::Door;
use crate::idempotency::Ticket;
use crate::policy::{Brief, Question};
use crate::{Caller, Contact, Link, Operation, Precondition, Rejection, Spec, StepUp};

/// What is asked about, as far as rights depend on it.
#[derive(Clone, Debug, Default)]
pub struct Object<'a> {
    /// `namespace/name` where the resource has both, else the id.
    pub selector: Cow<'a, str>,
    /// The object itself, if it is a principal.
    pub is: Option<Uuid>,
    /// The user or agent that owns it.
    pub owner: Option<Uuid>,
    /// The group that it belongs to.
    pub group: Option<GroupId>,
    /// Who may read it besides.
    pub visible: Visible,
}

/// Widens reading, and nothing else: who holds the permission to read at all may read this one, whatever its reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visible {
    #[default]
    Nobody,
    /// Those in the object's group.
    Group,
    /// Everybody in the organization.
    Organization,
}

/// An admission without the type of its operation: what services take.
#[derive(Clone)]
pub struct Allowance {
    pub(crate) door: Arc<Door>,
    pub(crate) spec: &'static Spec,
    pub(crate) caller: Arc<Caller>,
    pub(crate) contact: Contact,
    pub(crate) precondition: Precondition,
    pub(crate) ticket: Option<Ticket>,
    /// The policy's part, where there is one.
    pub(crate) brief: Option<Arc<dyn Brief>>,
}

/// What a policy may know of an object beyond [`Object`], and of what is to be done with it. Made only where a policy
/// will read it.
#[derive(Clone, Copy, Default)]
pub struct Details<'a> {
    pub attributes: Option<&'a dyn Fn() -> serde_json::Value>,
    pub arguments: Option<&'a serde_json::Value>,
}

impl Allowance {
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    pub fn org(&self) -> OrgId {
        self.caller.org
    }

    /// The one place where a request gets its organization's rows.
    pub fn scope(&self) -> OrgScope {
        OrgScope::proven(self.caller.org)
    }

    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// May the caller do this operation to this object? Otherwise 404 where it may not even read it, else 403.
    pub fn check(&self, object: &Object<'_>) -> Result<(), Problem> {
        self.check_with(object, Details::default())
    }

    /// The same, telling a policy more of the object and of what is to be done with it.
    pub fn check_with(&self, object: &Object<'_>, details: Details<'_>) -> Result<(), Problem> {
        match self.spec.required() {
            Some(required) => self.check_all(&required, object, details),
            None => Ok(()),
        }
    }

    /// The same for another permission than the operation's own.
    pub fn check_for(&self, required: &Required, object: &Object<'_>) -> Result<(), Problem> {
        self.check_all(required, object, Details::default())
    }

    /// Both: another permission, and more for a policy to know.
    pub fn check_for_with(
        &self,
        required: &Required,
        object: &Object<'_>,
        details: Details<'_>,
    ) -> Result<(), Problem> {
        self.check_all(required, object, details)
    }

    fn check_all(
        &self,
        required: &Required,
        object: &Object<'_>,
        details: Details<'_>,
    ) -> Result<(), Problem> {
        let refusal = match self.decide(required, object) {
            Decision::Allowed => return self.ask_policy(required, object, details),
            Decision::Refused(refusal) => refusal,
        };
        let read = Required { resource: required.resource.clone(), action: authority::Action::Read };
        if required.action != authority::Action::Read && self.decide(&read, object).is_allowed() {
            return Err(denied(&self.caller, required, refusal));
        }
        Err(not_found())
    }

    /// After the permission: a policy can only narrow.
    fn ask_policy(
        &self,
        required: &Required,
        object: &Object<'_>,
        details: Details<'_>,
    ) -> Result<(), Problem> {
        if let Some(brief) = &self.brief {
            let attributes = details.attributes.map(|make| make());
            brief.decide(&Question {
                operation: self.spec.id,
                required: Some(required),
                object: Some(object),
                attributes: attributes.as_ref(),
                arguments: details.arguments,
            })?;
        }
        if let Some(policy) = &self.door.policy {
            policy.used(&self.caller, required, Some(object));
        }
        Ok(())
    }

    fn decide(&self, required: &Required, object: &Object<'_>) -> Decision {
        decide(self.caller.links(), self.caller.scope.as_deref(), required, object)
    }

    /// Refuses unless the caller has just confirmed (people) or holds the permission by name (tokens). For acts that
    /// need it only sometimes, which the operation's spec says.
    pub fn confirmed(&self) -> Result<(), Problem> {
        debug_assert!(self.spec.step_up == StepUp::Sometimes, "{} does not say so", self.spec.id);
        self.door.confirmed(self.spec, &self.caller)
    }

    /// Refuses with 412 if the caller's `If-Match` names another revision.
    pub fn expect_revision(&self, current: i64) -> Result<(), Problem> {
        self.precondition.hold(Some(current))
    }

    /// What the request expects, for things that it may also make.
    pub fn precondition(&self) -> Precondition {
        self.precondition
    }

    /// A fact of this request: actor, chain, token and request are filled in.
    pub fn fact(&self, kind: &'static FactKind) -> Fact {
        self.fact_in(self.caller.org, kind)
    }

    /// The same in the ledger of another organization, for acts that reach beyond the caller's own.
    pub fn fact_in(&self, org: OrgId, kind: &'static FactKind) -> Fact {
        debug_assert!(
            self.spec.declares(kind),
            "{} records {}, which it does not declare",
            self.spec.id,
            kind.name
        );
        Fact::new(kind, org, self.caller.actor()).origin(&self.origin())
    }

    pub fn origin(&self) -> Origin {
        self.caller.origin(&self.contact)
    }
}

impl Link {
    /// May this principal by itself do that to the object? For what is left behind in its name and used without it.
    pub fn may(&self, required: &Required, object: &Object<'_>) -> bool {
        decide(std::iter::once(self), None, required, object).is_allowed()
    }
}

fn decide<'a>(
    links: impl Iterator<Item = &'a Link>,
    scope: Option<&authority::Authority>,
    required: &Required,
    object: &Object<'_>,
) -> Decision {
    let Ok(selector) = Selector::object(object.selector.split('/')) else {
        return Decision::Refused(Refusal::Nobody);
    };
    let related = |link: &Link| {
        let uuid = link.principal.uuid();
        let group = object.group.is_some_and(|group| link.groups.contains(&group));
        let shown = match object.visible {
            Visible::Nobody => false,
            Visible::Group => group,
            Visible::Organization => true,
        };
        let reads = required.action == authority::Action::Read;
        let own = object.is == Some(uuid) || object.owner == Some(uuid) || (reads && shown);
        Relation { own, group }
    };
    let hops: Vec<Hop<'_>> =
        links.map(|link| Hop { authority: &link.grants, relation: related(link) }).collect();
    authority::decide(&hops, scope, required, &selector)
}

/// `Allowed<CreateAgent>`: this caller may create agents – at least some; which ones is [`Allowance::check`]'s answer.
pub struct Allowed<O: Operation> {
    allowance: Allowance,
    operation: PhantomData<O>,
}

impl<O: Operation> Deref for Allowed<O> {
    type Target = Allowance;
    fn deref(&self) -> &Allowance {
        &self.allowance
    }
}

impl<O: Operation, S: Sync> FromRequestParts<S> for Allowed<O> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let allowance = parts.extensions.get::<Allowance>().cloned();
        let contact = parts.extensions.get::<Contact>().cloned().unwrap_or_default();
        match allowance {
            Some(allowance) if std::ptr::eq(allowance.spec, O::spec()) => {
                Ok(Self { allowance, operation: PhantomData })
            }
            // A route that asks for another operation's proof is a mistake of ours; it stays shut.
            _ => Err(Rejection::new(Problem::internal("no admission for this operation"), &contact)),
        }
    }
}

/// Whether the caller may try at all; objects are checked by the service.
pub(crate) fn may_try(spec: &Spec, caller: &Caller) -> Result<(), Problem> {
    if spec.in_person && !caller.is_in_person() {
        return Err(not_in_person(spec));
    }
    let Some(required) = &spec.required() else { return Ok(()) };
    let holds = |authority: &authority::Authority| authority.grants_for(required).next().is_some();
    if let Some(at) = caller.links().position(|link| !holds(&link.grants)) {
        return Err(denied(caller, required, Refusal::Hop(at)));
    }
    match caller.scope.as_deref() {
        Some(scope) if !holds(scope) => Err(denied(caller, required, Refusal::Scope)),
        _ => Ok(()),
    }
}

/// What outlives a run is made by nobody's code, only by whoever answers for it.
fn not_in_person(spec: &Spec) -> Problem {
    let detail = "A run cannot do this on behalf of its caller. Do it with a token of your own.";
    Problem::new(&PERMISSION_DENIED, detail)
        .with_member("permission", spec.required().map(|required| required.to_string()))
}

fn denied(caller: &Caller, required: &Required, refusal: Refusal) -> Problem {
    let who = match refusal {
        Refusal::Scope => "The token's scope does not hold",
        Refusal::Hop(0) | Refusal::Nobody => "You do not hold",
        Refusal::Hop(at) if at > caller.actors.len() => "The author of the function does not hold",
        Refusal::Hop(_) => "An actor in the chain does not hold",
    };
    let grants = match refusal {
        Refusal::Scope => caller.scope.as_deref(),
        Refusal::Hop(at) => caller.links().nth(at).map(|link| &*link.grants),
        Refusal::Nobody => None,
    };
    let is_held = grants.is_some_and(|grants| grants.grants_for(required).next().is_some());
    let short = if is_held { " What is held does not reach it." } else { "" };
    let detail = format!("{who} {required} for this.{short} Ask an owner of the organization for it.");
    Problem::new(&PERMISSION_DENIED, detail).with_member("permission", required.to_string())
}

pub(crate) fn not_found() -> Problem {
    Problem::new(&problem::NOT_FOUND, "There is no such thing here, or it is not yours to see.")
}

/// `visitor: Visitor<Token>`: an open operation was reached; gives what facts need of the request.
pub struct Visitor<O: Operation> {
    pub contact: Contact,
    operation: PhantomData<O>,
}

impl<O: Operation, S: Sync> FromRequestParts<S> for Visitor<O> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let contact = parts.extensions.get::<Contact>().cloned().unwrap_or_default();
        Ok(Self { contact, operation: PhantomData })
    }
}
