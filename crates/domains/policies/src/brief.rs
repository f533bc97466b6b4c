//! The policy's part in a request: who is asking is put together once, each question is answered as it comes, and what was
//! decided goes on record before the request is answered.

use std::sync::Arc;

use futures::future::BoxFuture;
use ledger::{Fact, FactKind, Outcome as FactOutcome};
use parking_lot::Mutex;
use problem::{APPROVAL_REQUIRED, POLICY_DENIED, POLICY_FAILED, Problem};
use rego::Term;
use serde_json::json;
use types::PolicyId;
use web::{Brief, Caller, Contact, Object, Policy, Question, Spec};

use crate::in_force::{Layers, Own, ask, is_spared};
use crate::input::{Asked, Setting, context, document, token};
use crate::model::{Answer, Outcome};
use crate::record::{Decision, sha256_of};
use crate::service::{Inner, Policies};
use crate::{PolicyError, facts};

pub(crate) struct Counsel {
    inner: Arc<Inner>,
    caller: Arc<Caller>,
    contact: Contact,
    layers: Layers,
    /// Why the organization's own rules cannot be asked, if they cannot.
    broken: Option<Arc<str>>,
    setting: Setting,
    decided: Mutex<Vec<Decided>>,
}

/// What was asked and what came of it; written down when the request is over.
struct Decided {
    operation: &'static str,
    permission: Option<String>,
    selector: Option<String>,
    slice: String,
    input: Term,
    answer: Answer,
}

impl Policy for Policies {
    fn brief<'a>(
        &'a self,
        _spec: &'static Spec,
        caller: &'a Arc<Caller>,
        contact: &'a Contact,
    ) -> BoxFuture<'a, Result<Option<Arc<dyn Brief>>, Problem>> {
        Box::pin(async move {
            let inner = self.inner();
            let (files, own) = (inner.files.layer(), inner.own(caller.org).await?);
            let (own, broken) = match own {
                Own::None => (None, None),
                Own::Rules(layer) => (Some(layer), None),
                Own::Broken(why) => (None, Some(why)),
            };
            if files.is_none() && own.is_none() && broken.is_none() {
                return Ok(None);
            }
            let counsel = Counsel {
                inner: inner.clone(),
                caller: caller.clone(),
                contact: contact.clone(),
                layers: Layers { files, own },
                broken,
                setting: setting(inner, caller, contact).await?,
                decided: Mutex::default(),
            };
            Ok(Some(Arc::new(counsel) as Arc<dyn Brief>))
        })
    }

    fn used(&self, caller: &Caller, required: &authority::Required, object: Option<&Object<'_>>) {
        self.inner().uses.note(caller, required, object, self.inner().world.now());
    }
}

async fn setting(inner: &Inner, caller: &Caller, contact: &Contact) -> Result<Setting, Problem> {
    let now = inner.world.now();
    let principal = inner.portrait(caller.org, caller.principal()).await?.term.clone();
    let mut chain = Vec::new();
    for link in caller.links().skip(1) {
        chain.push(inner.portrait(caller.org, link.principal).await?.term.clone());
    }
    Ok(Setting {
        principal,
        chain: Term::list(chain),
        token: token(&caller.means, caller.scope.as_deref(), now),
        context: context(now, contact.ip, inner.settings.env),
        links: caller.links().map(|link| link.principal.uuid()).collect(),
    })
}

impl Brief for Counsel {
    fn decide(&self, question: &Question<'_>) -> Result<(), Problem> {
        let asked = Asked {
            operation: question.operation,
            required: question.required,
            object: question.object,
            attributes: question.attributes,
            arguments: question.arguments,
        };
        let slice = asked.slice();
        let (input, answer) = match document(&self.setting, &asked) {
            Some(input) => {
                let answer = self.answer(&slice, &input);
                (input, answer)
            }
            None => (Term::NULL, too_large()),
        };
        let refused = refusal(&answer);
        let mut decided = self.decided.lock();
        // A decision that is taken again after a race is one decision.
        let selector = asked.object.map(|object| object.selector.to_string());
        decided.retain(|before| before.selector != selector || before.input != input);
        let (operation, permission) = (question.operation, asked.permission());
        decided.push(Decided { operation, permission, selector, slice, input, answer });
        refused.map_or(Ok(()), Err)
    }

    fn close(&self) -> BoxFuture<'_, Result<(), Problem>> {
        let decided = std::mem::take(&mut *self.decided.lock());
        Box::pin(async move {
            for one in decided {
                self.record(one).await?;
            }
            Ok(())
        })
    }
}

impl Counsel {
    fn answer(&self, slice: &str, input: &Term) -> Answer {
        match &self.broken {
            Some(why) if !is_spared(slice) => Answer { failure: Some(why.to_string()), ..Answer::default() },
            _ => ask(self.layers.about(slice), slice, input),
        }
    }

    fn version(&self) -> Option<PolicyId> {
        self.layers.own.as_ref().and_then(|layer| layer.version)
    }

    async fn record(&self, decided: Decided) -> Result<(), PolicyError> {
        let (outcome, policy) = (decided.answer.outcome(), self.version());
        if outcome == Outcome::Allowed && !self.inner.recorder.keeps() {
            self.count(&decided);
            return Ok(());
        }
        let input = decided.input.to_json();
        let sha256 = sha256_of(&input);
        if outcome == Outcome::Allowed {
            self.count(&decided);
        } else {
            self.inner.ledger.append(self.fact(&decided, policy, &sha256)).await?;
        }
        let Decided { operation, permission, slice, answer, .. } = decided;
        let decision = Decision {
            org: self.caller.org,
            at: self.inner.world.now(),
            principal: self.caller.principal().to_string(),
            operation,
            permission: permission.unwrap_or_default(),
            outcome,
            policy,
            sha256,
            slice,
            input,
            reasons: answer.denials.into_iter().chain(answer.approvers).chain(answer.failure).collect(),
        };
        self.inner.keep(decision).await
    }

    fn count(&self, decided: &Decided) {
        let data = json!({ "operation": decided.operation });
        let fact = Fact::new(&facts::DECISION_ALLOWED, self.caller.org, self.caller.actor())
            .target("operation", decided.operation, "")
            .data(data);
        self.inner.ledger.tally(&fact, &self.caller.principal().to_string());
    }

    fn fact(&self, decided: &Decided, policy: Option<PolicyId>, sha256: &[u8; 32]) -> Fact {
        let Answer { denials, approvers, failure } = &decided.answer;
        let mut data = json!({
            "operation": decided.operation,
            "permission": decided.permission,
            "policy": policy,
            "input_sha256": hex::encode(sha256),
        });
        let (kind, name, value): (&'static FactKind, _, _) = match decided.answer.outcome() {
            Outcome::Failed => (&facts::DECISION_FAILED, "failure", json!(failure)),
            Outcome::ApprovalRequired => (&facts::DECISION_APPROVAL_REQUIRED, "approvers", json!(approvers)),
            Outcome::Denied | Outcome::Allowed => (&facts::DECISION_DENIED, "reasons", json!(denials)),
        };
        data[name] = value;
        let target = decided.selector.clone().unwrap_or_else(|| decided.slice.clone());
        Fact::new(kind, self.caller.org, self.caller.actor())
            .origin(&self.caller.origin(&self.contact))
            .outcome(FactOutcome::Denied)
            .target("object", target, "")
            .data(data)
    }
}

fn too_large() -> Answer {
    Answer {
        failure: Some("what was asked is larger than policies are asked about".into()),
        ..Answer::default()
    }
}

/// What a caller is told.
fn refusal(answer: &Answer) -> Option<Problem> {
    let Answer { denials, approvers, failure } = answer;
    match answer.outcome() {
        Outcome::Allowed => None,
        Outcome::Denied => {
            let detail = format!("A policy refuses this: {}.", denials.join("; "));
            Some(Problem::new(&POLICY_DENIED, detail).with_member("reasons", denials.clone()))
        }
        Outcome::ApprovalRequired => {
            let detail = format!(
                "This needs the approval of {}. Ask them to do it, or to change the policy.",
                approvers.join(", ")
            );
            Some(Problem::new(&APPROVAL_REQUIRED, detail).with_member("approvers", approvers.clone()))
        }
        Outcome::Failed => {
            let detail = "The policy in force could not decide, so the answer is no. Who keeps the policy finds the \
                          reason in the ledger (`decision.failed`).";
            Some(Problem::new(&POLICY_FAILED, detail).with_context(failure.clone().unwrap_or_default()))
        }
    }
}
