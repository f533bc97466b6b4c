//! AuthZEN Authorization API 1.0 (OpenID): the same decisions in the form that enforcement points elsewhere speak.
//!
//! A subject is a `user` or an `agent`; a resource's type is a word of the permission grammar and its id the object's
//! selector; an action is the grammar's action. Unknown members are ignored, as the specification asks.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::OrgId;
use utoipa::ToSchema;
use web::PrincipalId;

use crate::PolicyError;
use crate::hypothesis::Hypothesis;
use crate::model::{Answer, Outcome};
use crate::service::Inner;

/// `{"type": "agent", "id": "agt_…"}`
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = AuthzenEntity)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub properties: Option<Map<String, Value>>,
}

/// `{"name": "read"}`
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = AuthzenAction)]
pub struct Action {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub properties: Option<Map<String, Value>>,
}

/// May this subject do that to this resource?
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenEvaluation)]
pub struct Evaluation {
    pub subject: Option<Entity>,
    pub action: Option<Action>,
    pub resource: Option<Entity>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub context: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuthzenDecision)]
pub struct Decision {
    pub decision: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub context: Option<Value>,
}

/// The question lacks a part, or a part has no sense.
#[derive(Debug)]
pub(crate) struct Malformed(pub(crate) &'static str);

impl Evaluation {
    /// What this one leaves out is as in `defaults`.
    pub(crate) fn over(self, defaults: &Self) -> Self {
        Self {
            subject: self.subject.or_else(|| defaults.subject.clone()),
            action: self.action.or_else(|| defaults.action.clone()),
            resource: self.resource.or_else(|| defaults.resource.clone()),
            context: self.context.or_else(|| defaults.context.clone()),
        }
    }

    pub(crate) fn check(&self) -> Result<(), Malformed> {
        let named = |entity: &Option<Entity>| {
            entity.as_ref().is_some_and(|entity| {
                !entity.kind.is_empty() && entity.id.as_deref().is_some_and(|id| !id.is_empty())
            })
        };
        if !named(&self.subject) {
            return Err(Malformed("`subject` has a `type` and an `id`"));
        }
        if self.action.as_ref().is_none_or(|action| action.name.is_empty()) {
            return Err(Malformed("`action` has a `name`"));
        }
        if !named(&self.resource) {
            return Err(Malformed("`resource` has a `type` and an `id`"));
        }
        Ok(())
    }
}

impl Decision {
    fn no(reason: impl Into<String>) -> Self {
        Self { decision: false, context: Some(json!({ "reason": reason.into() })) }
    }
}

impl Inner {
    /// The permissions, then the rules in force.
    pub(crate) async fn evaluate(&self, org: OrgId, asked: &Evaluation) -> Result<Decision, PolicyError> {
        let (Some(subject), Some(action), Some(resource)) = (&asked.subject, &asked.action, &asked.resource)
        else {
            return Ok(Decision::no("incomplete"));
        };
        let id = subject.id.as_deref().unwrap_or_default();
        let who = match id.parse::<PrincipalId>() {
            Ok(who) if who.kind() == subject.kind => who,
            _ => return Ok(Decision::no("unknown_subject")),
        };
        let permission = match action.name.contains(':') {
            true => action.name.parse(),
            false => format!("{}:{}", resource.kind, action.name).parse(),
        };
        let Ok(permission) = permission else { return Ok(Decision::no("unknown_action")) };
        let attributes = resource.properties.clone().map(Value::Object);
        let context = asked.context.clone().map(Value::Object);
        let arguments = action.properties.clone().map(Value::Object);
        let hypothesis = Hypothesis {
            who,
            permission: &permission,
            operation: None,
            selector: resource.id.as_deref(),
            attributes: attributes.as_ref(),
            arguments: arguments.as_ref(),
            context: context.as_ref(),
        };
        if !self.permits(org, &hypothesis).await? {
            return Ok(Decision::no("permission_denied"));
        }
        Ok(self.rule_on(org, &hypothesis).await?.into())
    }
}

impl From<Answer> for Decision {
    fn from(answer: Answer) -> Self {
        let context = match answer.outcome() {
            Outcome::Allowed => return Self { decision: true, context: None },
            Outcome::Denied => json!({ "reason": "policy_denied", "reasons": answer.denials }),
            Outcome::ApprovalRequired => {
                json!({ "reason": "approval_required", "approvers": answer.approvers })
            }
            Outcome::Failed => json!({ "reason": "policy_failed" }),
        };
        Self { decision: false, context: Some(context) }
    }
}
