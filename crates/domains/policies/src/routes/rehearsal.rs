//! `/api/v1/policies/simulate` and `/what-if`: questions to a policy before anybody meets it.

use authority::Permission;
use axum::extract::State;
use problem::{INVALID_POLICY, Problem, VALIDATION_FAILED};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{DecisionId, PolicyId, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Input, PrincipalId, Rate, Refusal, Reply, Spec, operation, refuses};

use crate::Policies;
use crate::hypothesis::Hypothesis;
use crate::model::{Outcome, PolicyBundle};
use crate::simulate::Simulated;
use crate::what_if::{Changed, WhatIf};

operation! {
    /// Answers whether a principal would be allowed something, and which rules say so. Asks the policy in force, a version, or a
    /// bundle that is sent along; nothing happens and nothing is recorded.
    pub SimulatePolicy(Simulation) -> SimulationAnswer = Spec::post("policies.simulate", "/api/v1/policies/simulate")
        .needs("policies:read").not_idempotent().rate(Rate::Heavy).errors(refuses![INVALID_POLICY])
        .example(r#"{"permission": "agents:delete", "resource": {"selector": "prod/billing"}, "bundle": {"modules": [{"path": "agents.rego", "text": "package safeconduct.agents\n\ndeny contains \"production stays\" if input.resource.namespace == \"prod\"\n"}]}}"#);

    /// Puts recorded decisions of the last days to a draft and lists every answer that would change. Needs
    /// `decisions.record = full`; without it there is nothing to replay.
    pub WhatIfPolicy(WhatIfQuestion) -> WhatIfAnswer = Spec::post("policies.what_if", "/api/v1/policies/what-if")
        .needs("policies:read").not_idempotent().rate(Rate::Heavy).errors(refuses![INVALID_POLICY])
        .example(r#"{"days": 7, "bundle": {"modules": [{"path": "agents.rego", "text": "package safeconduct.agents\n\ndeny contains \"production stays\" if input.resource.namespace == \"prod\"\n"}]}}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Simulation {
    /// Who would do it; the caller if left out.
    #[schema(max_length = 64)]
    pub principal: Option<String>,
    /// `agents:delete`
    #[schema(value_type = String)]
    pub permission: Permission,
    /// The operation by name, if rules look at it: `agents.kill`.
    #[schema(max_length = 100)]
    pub operation: Option<String>,
    pub resource: Option<SimulatedResource>,
    /// What the act would be given.
    #[schema(value_type = Option<Object>)]
    pub arguments: Option<Value>,
    /// Members that stand in for those of `context`: `{"time": {"hour": 3}}`.
    #[schema(value_type = Option<Object>)]
    pub context: Option<Value>,
    /// A version to ask.
    pub policy: Option<PolicyId>,
    /// Or a bundle.
    pub bundle: Option<PolicyBundle>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatedResource {
    /// `namespace/name` or the id; some object if left out.
    #[schema(max_length = 300)]
    pub selector: Option<String>,
    /// What is known of it; `owner` says whose it is.
    #[schema(value_type = Option<Object>)]
    pub attributes: Option<Value>,
}

#[derive(Serialize, ToSchema)]
pub struct SimulationAnswer {
    /// Whether permissions and policy together would let it happen.
    pub allowed: bool,
    /// Whether the permissions alone would.
    pub permitted: bool,
    /// What the policy says.
    pub outcome: Outcome,
    pub reasons: Vec<String>,
    pub approvers: Vec<String>,
    /// Why it could not decide, if it could not.
    pub failure: Option<String>,
    /// The rules that spoke.
    pub rules: Vec<FiredRule>,
    /// The document that they were asked about.
    #[schema(value_type = Object)]
    pub input: Value,
}

#[derive(Serialize, ToSchema)]
pub struct FiredRule {
    pub package: String,
    /// `allow`, `deny` or `require_approval`.
    pub rule: &'static str,
    /// The module.
    pub path: String,
    pub line: u64,
    pub says: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfQuestion {
    /// How far back; 7 if left out.
    #[schema(minimum = 1, maximum = 366)]
    pub days: Option<u32>,
    /// Decisions to examine at the most, newest first; 10,000 if left out.
    #[schema(minimum = 1, maximum = 100000)]
    pub limit: Option<u64>,
    /// The version to rehearse.
    pub policy: Option<PolicyId>,
    /// Or a bundle.
    pub bundle: Option<PolicyBundle>,
}

#[derive(Serialize, ToSchema)]
pub struct WhatIfAnswer {
    pub examined: u64,
    pub changed: u64,
    /// There are more recorded decisions than were examined.
    pub more: bool,
    /// The first 500 changed answers, newest first.
    pub items: Vec<ChangedDecision>,
}

#[derive(Serialize, ToSchema)]
pub struct ChangedDecision {
    pub id: DecisionId,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub principal: String,
    pub operation: String,
    pub permission: String,
    pub object: Option<String>,
    pub before: Outcome,
    pub after: Outcome,
    pub reasons_before: Vec<String>,
    pub reasons_after: Vec<String>,
}

pub async fn simulate(
    State(policies): State<Policies>,
    allowed: Allowed<SimulatePolicy>,
    Input(question): Input<SimulatePolicy>,
) -> Result<Reply, Refusal> {
    let who: PrincipalId = match &question.principal {
        None => allowed.caller().principal(),
        Some(text) => text.parse().map_err(|_| {
            Problem::new(&VALIDATION_FAILED, "Mend the fields named in errors.")
                .with_error("/principal", "must be the id of a user or an agent")
        })?,
    };
    let draft = policies.draft(&allowed, question.policy, question.bundle.as_ref()).await?;
    let resource = question.resource.unwrap_or_default();
    let hypothesis = Hypothesis {
        who,
        permission: &question.permission,
        operation: question.operation.as_deref(),
        selector: resource.selector.as_deref(),
        attributes: resource.attributes.as_ref(),
        arguments: question.arguments.as_ref(),
        context: question.context.as_ref(),
    };
    let simulated = policies.simulate(&allowed, &hypothesis, draft.as_ref()).await?;
    Ok(Reply::of::<SimulatePolicy>(&simulated.into())?)
}

impl From<Simulated> for SimulationAnswer {
    fn from(simulated: Simulated) -> Self {
        let Simulated { permitted, answer, fired, input } = simulated;
        let outcome = answer.outcome();
        let rule = |fired: rego::Fired| FiredRule {
            package: fired.package,
            rule: fired.rule,
            path: fired.path,
            line: fired.line as u64,
            says: fired.says,
        };
        Self {
            allowed: permitted && outcome == Outcome::Allowed,
            permitted,
            outcome,
            reasons: answer.denials,
            approvers: answer.approvers,
            failure: answer.failure,
            rules: fired.into_iter().map(rule).collect(),
            input,
        }
    }
}

pub async fn what_if(
    State(policies): State<Policies>,
    allowed: Allowed<WhatIfPolicy>,
    Input(question): Input<WhatIfPolicy>,
) -> Result<Reply, Refusal> {
    let draft = policies.draft(&allowed, question.policy, question.bundle.as_ref()).await?;
    let Some(draft) = draft else {
        return Err(Problem::new(&VALIDATION_FAILED, "Mend the fields named in errors.")
            .with_error("/bundle", "name a version as `policy`, or send a bundle")
            .into());
    };
    let (days, limit) = (question.days.unwrap_or(7), question.limit.unwrap_or(10_000));
    let found = policies.what_if(&allowed, &draft, days, limit).await?;
    Ok(Reply::of::<WhatIfPolicy>(&found.into())?)
}

impl From<WhatIf> for WhatIfAnswer {
    fn from(found: WhatIf) -> Self {
        let WhatIf { examined, changed, items, more } = found;
        Self { examined, changed, more, items: items.into_iter().map(ChangedDecision::from).collect() }
    }
}

impl From<Changed> for ChangedDecision {
    fn from(changed: Changed) -> Self {
        Self {
            id: changed.id,
            at: changed.at,
            principal: changed.principal,
            operation: changed.operation,
            permission: changed.permission,
            object: changed.object,
            before: changed.before,
            after: changed.after,
            reasons_before: changed.reasons_before,
            reasons_after: changed.reasons_after,
        }
    }
}
