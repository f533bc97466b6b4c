//! The door: what every request to an operation passes before its handler runs.
//!
//! Limits by address, recognition, limits by principal, the permission, step-up, idempotency – in this order. Its outcome
//! is an [`Allowance`], without which no service can be called.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crypto::seal::Aad;
use db::Db;
use ledger::Ledger;
use problem::{PERMISSION_DENIED, Problem, STEP_UP_REQUIRED, UNAUTHENTICATED};
use secrets::{Keyring, Purpose};
use types::{OrgId, World};

use crate::allowed::{Allowance, may_try};
use crate::idempotency::{InFlight, Ticket};
use crate::limits::{Counted, Limits};
use crate::policy::{Brief, Policy, Question};
use crate::{
    Access, Authenticator, Caller, Contact, Cursors, Means, Method, Operation, Precondition, Rate,
    RateLimits, Refusal, Spec, StepUp,
};

/// What the door needs of the house. Built once, at boot.
pub struct Door {
    pub db: Db,
    pub ledger: Ledger,
    pub world: World,
    pub cursors: Cursors,
    keyring: Keyring,
    authenticators: Vec<Arc<dyn Authenticator>>,
    limits: Limits,
    in_flight: InFlight,
    pub(crate) policy: Option<Arc<dyn Policy>>,
}

impl Door {
    pub fn new(
        db: Db,
        ledger: Ledger,
        keyring: Keyring,
        world: World,
        authenticators: Vec<Arc<dyn Authenticator>>,
        limits: RateLimits,
    ) -> Self {
        let cursors = Cursors::new(keyring.derive("cursors"));
        let limits = Limits::new(limits);
        Self {
            db,
            ledger,
            world,
            cursors,
            keyring,
            authenticators,
            limits,
            in_flight: InFlight::default(),
            policy: None,
        }
    }

    /// Rules that stand behind the permissions.
    #[must_use]
    pub fn with_policy(mut self, policy: Arc<dyn Policy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The policy's part in a request, asked once before anything about the object is known.
    async fn brief(
        &self,
        spec: &'static Spec,
        caller: &Arc<Caller>,
        contact: &Contact,
    ) -> Result<Option<Arc<dyn Brief>>, Problem> {
        let (brief, decided) = self.briefed(spec, caller, contact).await?;
        if let Err(refused) = decided {
            if let Some(brief) = brief {
                brief.close().await?;
            }
            return Err(refused);
        }
        Ok(brief)
    }

    /// The same with what it decided; whoever asks puts it on record, refused or not.
    pub(crate) async fn briefed(
        &self,
        spec: &'static Spec,
        caller: &Arc<Caller>,
        contact: &Contact,
    ) -> Result<(Option<Arc<dyn Brief>>, Result<(), Problem>), Problem> {
        let Some(policy) = &self.policy else { return Ok((None, Ok(()))) };
        let required = spec.required();
        let note = || {
            if let Some(required) = &required {
                policy.used(caller, required, None);
            }
        };
        if let Some(brief) = policy.brief(spec, caller, contact).await? {
            let question = Question {
                operation: spec.id,
                required: required.as_ref(),
                object: None,
                attributes: None,
                arguments: None,
            };
            let decided = brief.decide(&question);
            if decided.is_ok() {
                note();
            }
            return Ok((Some(brief), decided));
        }
        note();
        Ok((None, Ok(())))
    }

    /// Admits what no request asks for – a trigger's act for its owner – as if it were one for `O`: permission, step-up and
    /// policy, but no budget. `act` gets the allowance; what the policy decided is on record when this returns.
    pub async fn stand_in<O: Operation, T, F>(
        self: &Arc<Self>,
        caller: Caller,
        contact: Contact,
        act: impl FnOnce(Allowance) -> F,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let (spec, caller) = (O::spec(), Arc::new(caller));
        may_try(spec, &caller)?;
        if spec.step_up == StepUp::Always {
            self.confirmed(spec, &caller)?;
        }
        let brief = self.brief(spec, &caller, &contact).await?;
        let allowance = Allowance {
            door: self.clone(),
            spec,
            caller,
            contact,
            precondition: Precondition::Nothing,
            ticket: None,
            brief: brief.clone(),
        };
        let outcome = act(allowance).await;
        if let Some(brief) = brief {
            brief.close().await?;
        }
        outcome
    }

    /// Housekeeping; called by the sweeper now and then.
    pub fn sweep(&self) {
        self.limits.sweep();
    }

    pub(crate) async fn seal(&self, org: OrgId, row: &[u8], plain: &[u8]) -> Result<Vec<u8>, Problem> {
        Ok(self.keyring.seal(Purpose::Idempotency, &answer(org, row), plain).await?)
    }

    pub(crate) async fn open(&self, org: OrgId, row: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Problem> {
        let plain = self.keyring.open_sealed(Purpose::Idempotency, &answer(org, row), sealed).await;
        plain.map_err(Problem::internal)
    }

    /// Whose token or API key a request of an open operation shows. A cookie is none: it is for our own pages.
    pub async fn bearer(
        &self,
        headers: &axum::http::HeaderMap,
        contact: &Contact,
    ) -> Result<Caller, Problem> {
        let (mut parts, ()) = Request::new(()).into_parts();
        for name in [axum::http::header::AUTHORIZATION, axum::http::HeaderName::from_static("x-api-key")] {
            for value in headers.get_all(&name) {
                parts.headers.append(name.clone(), value.clone());
            }
        }
        self.recognise(&parts, contact).await
    }

    async fn recognise(
        &self,
        parts: &axum::http::request::Parts,
        contact: &Contact,
    ) -> Result<Caller, Problem> {
        for authenticator in &self.authenticators {
            if let Some(caller) = authenticator.recognise(parts, contact).await? {
                return Ok(caller);
            }
        }
        let detail = "Send `Authorization: Bearer` with a token or an API key, or sign in to the console.";
        Err(Problem::new(&UNAUTHENTICATED, detail))
    }

    pub(crate) fn confirmed(&self, spec: &Spec, caller: &Caller) -> Result<(), Problem> {
        let fresh = match (&caller.means, spec.required()) {
            (Means::Session { stepped_up_until, .. }, _) => *stepped_up_until > self.world.now(),
            // A run's token spells out what its function names; nobody confirmed that.
            (Means::Token { run: Some(_), .. } | Means::Trigger, _) => false,
            (Means::Token { .. } | Means::Key { .. }, Some(required)) => {
                caller.scope.as_deref().is_some_and(|scope| scope.spells_out(&required))
            }
            (Means::Token { .. } | Means::Key { .. }, None) => true,
        };
        if fresh {
            return Ok(());
        }
        let detail = match caller.means {
            Means::Session { .. } => {
                "Confirm that it is you: sign in again, then repeat this within five minutes."
            }
            Means::Token { run: Some(_), .. } | Means::Trigger => {
                "A run cannot confirm anything. Do it with a session or a token of your own."
            }
            Means::Key { .. } => {
                "An API key must hold this permission by name, without wildcards. Make one that does."
            }
            Means::Token { .. } => {
                "A token must hold this permission by name, without wildcards. Ask for it as a scope."
            }
        };
        Err(Problem::new(&STEP_UP_REQUIRED, detail)
            .with_member("permission", spec.required().map(|required| required.to_string())))
    }
}

/// Where a stored answer is sealed to.
fn answer(org: OrgId, row: &[u8]) -> Aad<'_> {
    Aad { table: "idempotency", column: "answer", org: Some(org), row }
}

/// The layer of one operation's route.
pub(crate) async fn pass(door: Arc<Door>, spec: &'static Spec, request: Request, next: Next) -> Response {
    match admit(door, spec, request, next).await {
        Ok(response) => response,
        Err(problem) => Refusal(problem).into_response(),
    }
}

async fn admit(
    door: Arc<Door>,
    spec: &'static Spec,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let contact = request.extensions().get::<Contact>().cloned().unwrap_or_default();
    if spec.access == Access::Open {
        if contact.run.is_some() && !(spec.any_origin && spec.method == Method::Get) {
            let detail =
                "Code in a jail acts with its run's token alone: it neither signs in nor asks for tokens.";
            return Err(Problem::new(&PERMISSION_DENIED, detail));
        }
        let left = door.limits.take(spec.rate, Counted::stranger(&contact))?;
        let mut response = next.run(request).await;
        if let Some(left) = left {
            left.write(response.headers_mut());
        }
        return Ok(response);
    }
    let (parts, body) = request.into_parts();
    let caller = match door.recognise(&parts, &contact).await {
        Ok(caller) => Arc::new(caller),
        Err(problem) => {
            // Guesses cost whoever sends them, by address.
            door.limits.take(Rate::Read, Counted::stranger(&contact))?;
            return Err(problem);
        }
    };
    let left = door.limits.take(spec.rate, Counted::Principal(caller.principal().uuid()))?;
    may_try(spec, &caller)?;
    if spec.step_up == StepUp::Always {
        door.confirmed(spec, &caller)?;
    }
    let brief = door.brief(spec, &caller, &contact).await?;
    let precondition = match spec.form.etags_are_revisions {
        true => Precondition::of(&parts.headers, spec.method.writes())?,
        false => Precondition::Nothing,
    };
    let keyed = spec.idempotent && parts.headers.contains_key("idempotency-key");
    let allowance = Allowance {
        door: door.clone(),
        spec,
        caller,
        contact,
        precondition,
        ticket: None,
        brief: brief.clone(),
    };
    let request = Request::from_parts(parts, body);
    let outcome = if keyed {
        run_keyed(&door, allowance, request, next).await
    } else {
        Ok(run(allowance, request, next).await)
    };
    if let Some(brief) = brief {
        brief.close().await?;
    }
    let mut response = outcome?;
    if let Some(left) = left {
        left.write(response.headers_mut());
    }
    Ok(response)
}

async fn run(allowance: Allowance, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(allowance);
    next.run(request).await
}

async fn run_keyed(
    door: &Arc<Door>,
    mut allowance: Allowance,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = crate::input::bytes(Request::from_parts(parts.clone(), body), &()).await?;
    let ticket = Ticket::of(&parts, allowance.spec, &allowance.caller, &body)?;
    let Some(ticket) = ticket else {
        return Ok(run(allowance, Request::from_parts(parts, Body::from(body)), next).await);
    };
    // Kept in the door, not borrowed from the ticket: it must outlive the handler.
    let _held = ticket.hold(&door.in_flight)?;
    if let Some(reply) = ticket.look_up(door).await? {
        return Ok(reply.into_response());
    }
    allowance.ticket = Some(ticket);
    Ok(run(allowance, Request::from_parts(parts, Body::from(body)), next).await)
}
