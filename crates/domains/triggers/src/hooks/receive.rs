//! Somebody knocks at a hook: found, believed, read, run, answered – in this order, and each step may refuse.
//!
//! Who is not believed learns nothing but that; why it was so is kept for whoever looks after the hook. A hook that is not
//! there, is switched off, or belongs to an organization that is leaving answers like a path that never was.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::HeaderMap;
use axum::response::Response;
use crypto::hash::{sha256, sha256_concat};
use db::{Bookkeeping, CommitError, OrgScope, Statement};
use functions::{CallFunction, FunctionRef, TriggerCall};
use futures::StreamExt;
use ledger::{Actor, Fact};
use problem::{
    BODY_TOO_LARGE, HOOK_FAILED, HOOK_UNAUTHENTICATED, IDEMPOTENCY_IN_FLIGHT, MALFORMED_REQUEST, NOT_FOUND,
    OVERLOADED, PERMISSION_DENIED, Problem, RATE_LIMITED, TRIGGER_ORPHANED,
};
use runs::{Contents, Run, RunState, Trigger};
use serde_json::{Value, json};
use types::{DeliveryId, RunId, Timestamp};
use web::{Contact, PrincipalId};

use super::answer::{Answer, accepted, answer, ignored};
use super::input::{Read, Received, read, redacted};
use super::model::{AuthenticationKind, Deduplication, Delivery, Hook, Outcome, ResponseMode};
use super::routing::Way;
use super::settings::Source;
use super::store::{self, Mark};
use super::unproven::{Full, Share};
use super::verify::{Doubt, Proof, Sent, verify};
use super::words::{HookMethod, segments_of};
use crate::{TriggerError, Triggers, facts};

/// Of one path that nobody answers, of all such paths, and of deliveries that are not believed: from one source, a minute.
const MISSES: i64 = 60;
const ALL_MISSES: i64 = 3_000;
const FAILURES: i64 = 60;
/// How long a body may take.
const READING: Duration = Duration::from_secs(30);
/// How often a delivery asks anew whether it was the first under its key.
const TRIES: usize = 4;

/// What came to the door.
pub(crate) struct Knock {
    pub(crate) contact: Contact,
    pub(crate) slug: String,
    /// As it was sent, without what stands before it.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// Why nothing was run: a word for whoever looks after the hook, and what the sender is told.
struct Refused {
    reason: &'static str,
    problem: Problem,
}

impl Refused {
    fn unbelieved(reason: &'static str) -> Self {
        let detail =
            "The delivery does not prove where it comes from. Whoever looks after the hook sees why.";
        Self { reason, problem: Problem::new(&HOOK_UNAUTHENTICATED, detail) }
    }
}

impl From<Doubt> for Refused {
    fn from(doubt: Doubt) -> Self {
        Self::unbelieved(doubt.word())
    }
}

impl<E: Into<Problem>> From<E> for Refused {
    fn from(error: E) -> Self {
        let problem = error.into();
        Self { reason: problem.code().name, problem }
    }
}

/// A delivery that was believed and read.
pub(crate) struct Ready<'a> {
    pub(crate) hook: &'a Hook,
    pub(crate) scope: OrgScope,
    pub(crate) contact: Contact,
    pub(crate) input: Value,
    pub(crate) delivery: Delivery,
    pub(crate) message: Option<([u8; 32], Timestamp)>,
    pub(crate) key: Option<([u8; 32], Timestamp)>,
}

/// A delivery that was believed.
struct Believed {
    proof: Proof,
    body: Vec<u8>,
    /// Who showed a token.
    sender: Option<PrincipalId>,
}

/// What came of it.
struct Done {
    answer: Answer,
    outcome: Outcome,
}

/// What an earlier delivery under the same key came to.
enum Earlier {
    Answer(Answer),
    /// It had come to nothing before this one was sent.
    Failed,
}

impl Triggers {
    pub(crate) async fn receive(&self, method: HookMethod, knock: Knock) -> Result<Response, Problem> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        let Knock { contact, slug, path, query, headers, body } = knock;
        let source = source_of(contact.ip);
        let missed = (sha256_concat(&[slug.as_bytes(), b"/", path.as_bytes()]), source);
        let hooks = &inner.hooks;
        if hooks.misses.is_spent(&missed, MISSES, now) || hooks.strangers.is_spent(&source, ALL_MISSES, now) {
            return Err(too_many(60));
        }
        let found = match segments_of(&path) {
            Some(segments) => {
                store::answering(&inner.db, &slug, method, &segments).await?.map(|hook| (hook, segments))
            }
            None => None,
        };
        let Some((hook, segments)) = found.filter(|(hook, _)| hook.active) else {
            if hooks.misses.take(missed, MISSES, now).is_ok() {
                // Which of them is spent does not matter: the next one asks both.
                let _ = hooks.strangers.take(source, ALL_MISSES, now);
            }
            count("unknown");
            return Err(Problem::new(&NOT_FOUND, "There is no hook here that takes this."));
        };
        let parts = Parts {
            method,
            path_params: hook.path.matched(&segments).unwrap_or_default(),
            path,
            query,
            headers,
            contact,
        };
        let id: DeliveryId = inner.world.id();
        match self.take(&hook, id, &parts, body).await {
            Ok(Done { answer, outcome }) => {
                count(outcome.name());
                Ok(answer.sent(id, outcome == Outcome::Duplicate))
            }
            // A run there was; it is no refusal.
            Err(Refused { problem, .. }) if *problem.code() == HOOK_FAILED => {
                count("accepted");
                Err(problem)
            }
            Err(refused) => {
                count("refused");
                self.note_refusal(&hook, id, &parts, refused.reason).await;
                Err(refused.problem)
            }
        }
    }

    async fn take(&self, hook: &Hook, id: DeliveryId, parts: &Parts, body: Body) -> Result<Done, Refused> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        let source = source_of(parts.contact.ip);
        let failing = (hook.id, source);
        let guessed = inner.hooks.failures.is_spent(&failing, FAILURES, now);
        let refused = || Refused { reason: "too_many_failures", problem: too_many(60) };
        // A password can be guessed; a signature cannot, and its sender may share the address with somebody who tries.
        if guessed && hook.authentication.kind != AuthenticationKind::Hmac {
            return Err(refused());
        }
        let mut share = inner.hooks.unproven.share(source);
        let believed = self.believe(hook, parts, body, &mut share).await;
        drop(share);
        let Believed { proof, body, sender } = believed.map_err(|doubt| {
            if doubt.problem.status() != 401 {
                return doubt;
            }
            // How many are left is asked before the next one is read.
            let _ = inner.hooks.failures.take(failing, FAILURES, now);
            metrics::counter!("safeconduct_hook_verification_failures_total", "reason" => doubt.reason)
                .increment(1);
            if guessed { refused() } else { doubt }
        })?;
        if let Err(seconds) = inner.hooks.rates.take(hook.id, hook.limits.per_minute, now) {
            return Err(too_many(seconds).into());
        }
        let Some(_place) = inner.hooks.places.take(hook.id, hook.limits.concurrency) else {
            let problem =
                Problem::new(&RATE_LIMITED, "As many deliveries as the hook takes are under way. Try again.");
            return Err(Refused { reason: "concurrency", problem: problem.with_retry_after(1) });
        };
        let received = Received {
            method: parts.method.name().to_owned(),
            path: parts.path.clone(),
            path_params: parts.path_params.clone(),
            // Nobody signs a query: it must not be all that a signed delivery says.
            query: match hook.authentication.kind {
                AuthenticationKind::Hmac if body.is_empty() => String::new(),
                _ => parts.query.clone(),
            },
            headers: redacted(&parts.headers),
            body,
        };
        let Read { body: said, way } = read(&hook.input, &hook.routes, &received)?;
        let request = self.seal_request(hook, id, &received).await?;
        let blank = Delivery { request, ..self.blank(hook, id, parts, received.body.len()) };
        let Some(Way { input, .. }) = way else {
            let reason = Some("no_route".to_owned());
            self.keep(hook, &Delivery { outcome: Outcome::Ignored, reason, ..blank }).await?;
            return Ok(Done { answer: ignored(), outcome: Outcome::Ignored });
        };
        let key = hook.deduplication.as_ref().and_then(|by| key_of(by, &parts.headers, &said));
        let until = |by: &Deduplication| {
            now.plus(Duration::from_secs(u64::try_from(by.ttl_seconds).unwrap_or_default()))
        };
        let ready = Ready {
            hook,
            scope: OrgScope::proven(hook.org),
            contact: parts.contact.clone(),
            input,
            delivery: Delivery { outcome: Outcome::Accepted, ..blank },
            message: match proof {
                Proof::Plain => None,
                Proof::Timed { message, until } => Some((message, until)),
            },
            key: key.map(|key| whose(sender, key)).zip(hook.deduplication.as_ref().map(until)),
        };
        self.act(&ready).await
    }

    /// Whether the delivery proves where it comes from. What the head proves is asked before the body is read.
    async fn believe(
        &self,
        hook: &Hook,
        parts: &Parts,
        body: Body,
        share: &mut Share<'_>,
    ) -> Result<Believed, Refused> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        if !hook.is_open_to(parts.contact.ip) {
            return Err(Refused::unbelieved("address"));
        }
        let by = &hook.authentication;
        let sender = match by.kind {
            AuthenticationKind::Token => Some(self.may_execute(hook, parts).await?),
            _ => None,
        };
        let secrets = inner.good_secrets(hook, now).await?;
        let holds = |body: &[u8]| {
            let sent = Sent { headers: &parts.headers, body, now, tolerance: hook.tolerance() };
            verify(by, &secrets, &sent)
        };
        if by.kind != AuthenticationKind::Hmac {
            holds(&[])?;
        }
        let body = whole(body, hook.limits.body_bytes, share).await?;
        Ok(Believed { proof: holds(&body)?, body, sender })
    }

    /// Whose token it is may execute the function, as if they asked for it themselves.
    async fn may_execute(&self, hook: &Hook, parts: &Parts) -> Result<PrincipalId, Refused> {
        let inner = self.inner();
        let caller = inner.door.bearer(&parts.headers, &parts.contact).await?;
        let sender = caller.principal();
        if caller.org != hook.org {
            return Err(Refused::unbelieved("other_organization"));
        }
        let of = FunctionRef::Id(hook.function);
        let asked = inner
            .door
            .stand_in::<CallFunction, _, _>(caller, parts.contact.clone(), |by| async move {
                inner.functions.callable(&by, &of).await.map(drop)
            })
            .await;
        asked.map(|()| sender).map_err(|problem| match *problem.code() == NOT_FOUND {
            true => {
                let detail = "You do not hold functions:execute for what the hook runs.";
                Problem::new(&PERMISSION_DENIED, detail).into()
            }
            false => problem.into(),
        })
    }

    /// Runs it – unless an earlier delivery under its key did.
    async fn act(&self, ready: &Ready<'_>) -> Result<Done, Refused> {
        let (inner, hook) = (self.inner(), ready.hook);
        for _ in 0..TRIES {
            let mut instead_of = None;
            if let Some((key, _)) = ready.key
                && let Some(run) =
                    store::marked(&inner.db, &ready.scope, hook, key, inner.world.now()).await?
            {
                match self.earlier(ready, run).await? {
                    Earlier::Answer(answer) => {
                        self.note_repeat(ready, run).await?;
                        return Ok(Done { answer, outcome: Outcome::Duplicate });
                    }
                    Earlier::Failed => instead_of = Some(run),
                }
            }
            match self.set_off(ready, instead_of).await {
                // Somebody was faster, by a moment: theirs is the run.
                Err(Refused { problem, .. })
                    if ready.key.is_some() && *problem.code() == IDEMPOTENCY_IN_FLIGHT => {}
                set_off => return Ok(Done { answer: set_off?, outcome: Outcome::Accepted }),
            }
        }
        let detail = "Others send under the same key all the time. Try again in a moment.";
        Err(Problem::new(&IDEMPOTENCY_IN_FLIGHT, detail).with_retry_after(1).into())
    }

    /// A run of the hook's function, for its owner and within its grant.
    async fn set_off(&self, ready: &Ready<'_>, instead_of: Option<RunId>) -> Result<Answer, Refused> {
        let (inner, hook) = (self.inner(), ready.hook);
        let caller = self.caller(&hook.standing()).await?;
        let trigger_id = hook.id.to_string();
        let call = TriggerCall {
            function: hook.function,
            input: &ready.input,
            trigger: Trigger::Webhook,
            trigger_id,
            deduplication_key: None,
            in_turn: None,
        };
        let now = inner.world.now();
        let note = |run: &Run| noted(ready, run.id, instead_of, now);
        let patience = inner.hooks.settings.patience;
        let begun = inner
            .door
            .stand_in::<CallFunction, _, _>(caller, ready.contact.clone(), |by| async move {
                let prepared = inner.functions.prepared(&by, &call).await?;
                match hook.response {
                    ResponseMode::Async => {
                        let run = inner.functions.accept(&by, prepared, note).await?;
                        Ok((run, None))
                    }
                    ResponseMode::Sync | ResponseMode::Mapped => {
                        inner.functions.accept_and_wait(&by, prepared, patience, note).await
                    }
                }
            })
            .await;
        let (run, contents): (Run, Option<Contents>) = begun.map_err(refused_by_owner)?;
        Ok(answer(hook.response, &run, contents)?)
    }

    /// What the run of an earlier delivery says; waited for, if it is under way and this one would have waited, too.
    async fn earlier(&self, ready: &Ready<'_>, run: RunId) -> Result<Earlier, Refused> {
        let (inner, mode) = (self.inner(), ready.hook.response);
        let runs = inner.functions.runs();
        let Some(found) = runs.get(&ready.scope, run).await.map_err(Problem::from)? else {
            return Ok(Earlier::Failed);
        };
        let had_ended = found.state.has_ended();
        if mode == ResponseMode::Async {
            let failed = had_ended && found.state != RunState::Succeeded;
            return Ok(if failed { Earlier::Failed } else { Earlier::Answer(accepted(run)) });
        }
        let patience = inner.hooks.settings.patience;
        let (found, contents) = inner.functions.ended(&ready.scope, found, patience).await?;
        match answer(mode, &found, contents) {
            Ok(answer) => Ok(Earlier::Answer(answer)),
            Err(_) if had_ended => Ok(Earlier::Failed),
            Err(problem) => Err(problem.into()),
        }
    }

    /// A stored delivery once more, for the hook's owner of today: the run, and the statements that accept it.
    pub(crate) async fn set_off_again(
        &self,
        ready: &Ready<'_>,
    ) -> Result<(RunId, Vec<Statement>), TriggerError> {
        let (inner, hook) = (self.inner(), ready.hook);
        let caller = self.caller(&hook.standing()).await?;
        let call = TriggerCall {
            function: hook.function,
            input: &ready.input,
            trigger: Trigger::Webhook,
            trigger_id: hook.id.to_string(),
            deduplication_key: None,
            in_turn: None,
        };
        let now = inner.world.now();
        let prepared = inner
            .door
            .stand_in::<CallFunction, _, _>(caller, ready.contact.clone(), |by| async move {
                inner.functions.prepared(&by, &call).await
            })
            .await;
        let prepared = prepared.map_err(refused_by_owner)?;
        let run = prepared.run().id;
        let mut statements = noted(ready, run, None, now);
        statements.extend(prepared.statements());
        Ok((run, statements))
    }

    async fn note_repeat(&self, ready: &Ready<'_>, run: RunId) -> Result<(), Refused> {
        let repeat =
            Delivery { outcome: Outcome::Duplicate, run: Some(run), request: None, ..ready.delivery.clone() };
        let books = Bookkeeping::new(ready.scope).statement(store::insert_delivery(ready.hook.org, &repeat));
        self.inner().db.keep(books).await?;
        Ok(())
    }

    /// Kept and told, but a flood of them is a row a minute and a fact a minute. What cannot be written down is no reason
    /// to answer anything else.
    async fn note_refusal(&self, hook: &Hook, id: DeliveryId, parts: &Parts, reason: &'static str) {
        let (inner, now) = (self.inner(), self.inner().world.now());
        let (is_new, lacking) = inner.hooks.refusals.note((hook.org, hook.id), reason, id, now);
        let kept = async {
            if is_new {
                let delivery = Delivery { reason: Some(reason.to_owned()), ..self.blank(hook, id, parts, 0) };
                self.keep(hook, &delivery).await?;
            }
            if let Some(more) = &lacking {
                self.add(more).await?;
            }
            let fact = Fact::new(&facts::HOOK_REFUSED, hook.org, Actor::anonymous(""))
                .outcome(ledger::Outcome::Denied)
                .origin(&parts.contact.origin())
                .target("hook", hook.id, hook.told_path().as_str())
                .data(json!({ "reason": reason }));
            let source = parts.contact.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            inner.ledger.refuse(fact, source).await?;
            Ok::<_, TriggerError>(())
        };
        if let Err(error) = kept.await {
            tracing::warn!(hook = %hook.id, reason, %error, "a refused delivery was not written down");
        }
    }

    async fn keep(&self, hook: &Hook, delivery: &Delivery) -> Result<(), CommitError> {
        let books = Bookkeeping::new(OrgScope::proven(hook.org));
        self.inner().db.keep(books.statement(store::insert_delivery(hook.org, delivery))).await?;
        Ok(())
    }

    fn blank(&self, hook: &Hook, id: DeliveryId, parts: &Parts, size: usize) -> Delivery {
        Delivery {
            id,
            hook: hook.id,
            received_at: self.inner().world.now(),
            method: parts.method.name().to_owned(),
            ip: parts.contact.ip.map(|ip| ip.to_canonical().to_string()),
            outcome: Outcome::Refused,
            reason: None,
            count: 1,
            run: None,
            replay_of: None,
            size: i64::try_from(size).unwrap_or(i64::MAX),
            request: None,
        }
    }
}

/// A request without its body.
struct Parts {
    method: HookMethod,
    path: String,
    path_params: BTreeMap<String, String>,
    query: String,
    headers: HeaderMap,
    contact: Contact,
}

/// What is stored with the run, or it is not accepted.
fn noted(ready: &Ready<'_>, run: RunId, instead_of: Option<RunId>, now: Timestamp) -> Vec<Statement> {
    let hook = ready.hook;
    let delivery = Delivery { run: Some(run), ..ready.delivery.clone() };
    let mut statements = vec![store::insert_delivery(hook.org, &delivery)];
    if let Some((mark, expires_at)) = ready.message {
        statements.push(store::mark_message(&Mark { hook, mark, run, now, expires_at }));
    }
    if let Some((mark, expires_at)) = ready.key {
        statements.push(store::mark_key(&Mark { hook, mark, run, now, expires_at }, instead_of));
    }
    statements
}

/// What is refused to the owner is told to the sender without the owner's affairs.
fn refused_by_owner(problem: Problem) -> Refused {
    if *problem.code() == HOOK_UNAUTHENTICATED {
        return Refused::unbelieved("signature_repeated");
    }
    if *problem.code() == PERMISSION_DENIED {
        let detail =
            "The hook's owner may not run its function any more. Let somebody else take the hook over.";
        return Problem::new(&PERMISSION_DENIED, detail).into();
    }
    if *problem.code() == NOT_FOUND {
        let detail = "The hook's function is gone, or not its owner's to run any more.";
        return Problem::new(&TRIGGER_ORPHANED, detail).into();
    }
    problem.into()
}

impl From<Refused> for TriggerError {
    fn from(refused: Refused) -> Self {
        refused.problem.into()
    }
}

/// Those who prove who they are repeat themselves only: nobody gets the answer to another's delivery.
fn whose(sender: Option<PrincipalId>, key: [u8; 32]) -> [u8; 32] {
    match sender {
        Some(sender) => sha256_concat(&[sender.to_string().as_bytes(), &key]),
        None => key,
    }
}

/// What tells a repeat, as a hash; none where the delivery does not say it.
fn key_of(by: &Deduplication, headers: &HeaderMap, body: &Value) -> Option<[u8; 32]> {
    key_in(by, |name| headers.get(name)?.to_str().ok().map(str::to_owned), body)
}

/// The same of a request whose headers stand elsewhere, by their names in lower case.
pub(crate) fn key_in(
    by: &Deduplication,
    header: impl FnOnce(&str) -> Option<String>,
    body: &Value,
) -> Option<[u8; 32]> {
    let text = match (&by.header, &by.pointer) {
        (Some(name), _) => header(&name.to_ascii_lowercase())?,
        (None, Some(pointer)) => match body.pointer(pointer)? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
        (None, None) => return None,
    };
    (!text.is_empty()).then(|| sha256(text.as_bytes()))
}

/// The body, if it is no larger than that and does not take for ever; it counts until its share is let go of.
async fn whole(body: Body, most: i64, share: &mut Share<'_>) -> Result<Vec<u8>, Refused> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let too_large = || {
        let detail = format!("The hook reads bodies of up to {most} bytes.");
        Problem::new(&BODY_TOO_LARGE, detail)
    };
    if body.size_hint().lower() > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(too_large().into());
    }
    let broke_off = || Problem::new(&MALFORMED_REQUEST, "The body broke off. Send it again.");
    let read = async {
        let (mut arriving, mut bytes) = (body.into_data_stream(), Vec::new());
        while let Some(piece) = arriving.next().await {
            let piece = piece.map_err(|error| if is_limit(&error) { too_large() } else { broke_off() })?;
            if piece.len() > most - bytes.len() {
                return Err(too_large().into());
            }
            share.take(piece.len())?;
            // Copied: a piece may hold on to more of the connection's buffer than it shows.
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    };
    match tokio::time::timeout(READING, read).await {
        Ok(read) => read,
        Err(_) => Err(broke_off().into()),
    }
}

impl From<Full> for Refused {
    fn from(full: Full) -> Self {
        let problem = match full {
            Full::Source => {
                let detail =
                    "Too much from your address is under way and not believed yet. Send less at a time.";
                Problem::new(&RATE_LIMITED, detail)
            }
            Full::Server => {
                let detail = "Too much is under way that is not believed yet. Try again in a moment.";
                Problem::new(&OVERLOADED, detail)
            }
        };
        Self { reason: "unproven_bytes", problem: problem.with_retry_after(1) }
    }
}

/// Whether reading stopped at the server's limit (http-body-util's own error, somewhere below axum's).
fn is_limit(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "length limit exceeded" {
            return true;
        }
        cause = error.source();
    }
    false
}

fn too_many(seconds: u64) -> Problem {
    let detail = format!("Too many deliveries. Try again in {seconds} s.");
    Problem::new(&RATE_LIMITED, detail).with_retry_after(seconds)
}

/// An IPv4 address, or the network of an IPv6 address.
fn source_of(ip: Option<IpAddr>) -> Source {
    match ip.map(|ip| ip.to_canonical()) {
        None => 0,
        Some(IpAddr::V4(ip)) => ip.to_bits().into(),
        Some(IpAddr::V6(ip)) => u64::try_from(ip.to_bits() >> 64).unwrap_or_default(),
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("safeconduct_hook_deliveries_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::hooks::unproven::{Measure, Unproven};

    #[test]
    fn a_repeat_is_told_by_a_header_or_a_place_in_the_body() {
        let by = |text: &str| serde_json::from_str::<Deduplication>(text).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-id", HeaderValue::from_static("1"));
        let body =
            json!({ "id": "1", "n": 1, "deep": { "list": [{ "x": "1" }] }, "nothing": null, "empty": "" });
        let known = Some(sha256(b"1"));
        for (told, expected) in [
            (r#"{"header": "X-Id"}"#, known),
            (r#"{"pointer": "/id"}"#, known),
            (r#"{"pointer": "/n"}"#, known),
            (r#"{"pointer": "/deep/list/0/x"}"#, known),
            (r#"{"header": "X-Other"}"#, None),
            (r#"{"pointer": "/other"}"#, None),
            (r#"{"pointer": "/nothing"}"#, None),
            (r#"{"pointer": "/empty"}"#, None),
        ] {
            assert_eq!(key_of(&by(told), &headers, &body), expected, "{told}");
        }
        assert_eq!(by(r#"{"header": "X-Id"}"#).ttl_seconds, 86_400);
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one_source() {
        let source = |text: &str| source_of(Some(text.parse().unwrap()));
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    }

    #[tokio::test]
    async fn bodies_are_read_up_to_the_hooks_limit() {
        let unproven = Unproven::new(Measure { source: 7, server: 8 });
        let read = async |body: Body, most| {
            let read = whole(body, most, &mut unproven.share(1)).await;
            read.map_err(|refused| refused.problem.code().name)
        };
        let pieces = || Body::from_stream(futures::stream::iter(["123", "456"].map(Ok::<_, std::io::Error>)));
        assert_eq!(read(Body::from("12345"), 5).await, Ok(b"12345".to_vec()));
        assert_eq!(read(pieces(), 6).await, Ok(b"123456".to_vec()));
        assert_eq!(read(Body::from("123456"), 5).await, Err("body_too_large"));
        assert_eq!(read(pieces(), 5).await, Err("body_too_large"));
        let broken = futures::stream::iter([Err::<&str, _>(std::io::Error::other("gone"))]);
        assert_eq!(read(Body::from_stream(broken), 5).await, Err("malformed_request"));
        let mut held = unproven.share(1);
        held.take(2).unwrap();
        assert_eq!(read(pieces(), 6).await, Err("rate_limited"));
        drop(held);
        let mut held = unproven.share(2);
        held.take(3).unwrap();
        assert_eq!(read(pieces(), 6).await, Err("overloaded"));
        drop(held);
        assert_eq!(read(pieces(), 6).await, Ok(b"123456".to_vec()), "what was refused is given back");
    }
}
