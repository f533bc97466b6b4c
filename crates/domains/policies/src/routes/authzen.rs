//! `/access/v1/evaluation(s)` and the well-known document of AuthZEN 1.0.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use problem::{MALFORMED_JSON, MALFORMED_REQUEST, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Allowed, Rate, Refusal, Spec, Visitor, operation};

use crate::Policies;
use crate::authzen::{Decision, Evaluation, Malformed};

operation! {
    /// Describes this decision point (AuthZEN 1.0 §9).
    pub Metadata -> DecisionPoint = Spec::get("access.metadata", "/.well-known/authzen-configuration").open().rate(Rate::Token);

    /// Answers whether a subject may do something to a resource (AuthZEN 1.0).
    pub Evaluate(Evaluation) -> Decision = Spec::post("access.evaluation", "/access/v1/evaluation")
        .needs("permissions:read").not_idempotent().rate(Rate::Token)
        .example(r#"{"subject": {"type": "agent", "id": "agt_01h455vb4pex5vsknk084sn02q"}, "action": {"name": "read"}, "resource": {"type": "agents", "id": "default/reporter"}}"#);

    /// Answers many questions at once; what one leaves out is as in the request (AuthZEN 1.0).
    pub EvaluateMany(Evaluations) -> Decisions = Spec::post("access.evaluations", "/access/v1/evaluations")
        .needs("permissions:read").not_idempotent().rate(Rate::Token)
        .example(r#"{"subject": {"type": "agent", "id": "agt_01h455vb4pex5vsknk084sn02q"}, "action": {"name": "read"}, "evaluations": [{"resource": {"type": "agents", "id": "default/reporter"}}, {"resource": {"type": "functions", "id": "ops/greet"}}]}"#);
}

/// Questions of one request at the most.
const MOST: usize = 1_000;

#[derive(Serialize, ToSchema)]
#[schema(as = AuthzenConfiguration)]
pub struct DecisionPoint {
    pub policy_decision_point: String,
    pub access_evaluation_endpoint: String,
    pub access_evaluations_endpoint: String,
    pub search_subject_endpoint: String,
    pub search_resource_endpoint: String,
    pub search_action_endpoint: String,
}

#[derive(Default, Deserialize, ToSchema)]
#[schema(as = AuthzenEvaluations)]
pub struct Evaluations {
    #[serde(flatten)]
    pub defaults: Evaluation,
    #[serde(default)]
    pub evaluations: Vec<Evaluation>,
    #[serde(default)]
    pub options: Options,
}

#[derive(Default, Deserialize, ToSchema)]
#[schema(as = AuthzenOptions)]
pub struct Options {
    #[serde(default)]
    pub evaluations_semantic: Semantic,
}

/// When to stop.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuthzenSemantic)]
pub enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

/// Without questions of its own a request is one question, and this holds its answer.
#[derive(Serialize, ToSchema)]
#[schema(as = AuthzenDecisions)]
pub struct Decisions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub context: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<Decision>,
}

impl From<Malformed> for Problem {
    fn from(Malformed(what): Malformed) -> Self {
        Self::new(&MALFORMED_REQUEST, format!("{what}. Mend the request."))
    }
}

/// As the specification has it: what is not known is ignored, what is missing is a bad request.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        let code = if error.is_data() { &MALFORMED_REQUEST } else { &MALFORMED_JSON };
        Problem::new(code, format!("The body is no question of AuthZEN: {error}."))
    })
}

pub async fn metadata(State(policies): State<Policies>, _: Visitor<Metadata>) -> Response {
    let url = &policies.inner().settings.public_url;
    Json(DecisionPoint {
        policy_decision_point: url.clone(),
        access_evaluation_endpoint: format!("{url}/access/v1/evaluation"),
        access_evaluations_endpoint: format!("{url}/access/v1/evaluations"),
        search_subject_endpoint: format!("{url}/access/v1/search/subject"),
        search_resource_endpoint: format!("{url}/access/v1/search/resource"),
        search_action_endpoint: format!("{url}/access/v1/search/action"),
    })
    .into_response()
}

pub async fn evaluation(
    State(policies): State<Policies>,
    allowed: Allowed<Evaluate>,
    body: Bytes,
) -> Result<Json<Decision>, Refusal> {
    let asked: Evaluation = read(&body)?;
    asked.check().map_err(Problem::from)?;
    Ok(Json(policies.inner().evaluate(allowed.org(), &asked).await?))
}

pub async fn evaluations(
    State(policies): State<Policies>,
    allowed: Allowed<EvaluateMany>,
    body: Bytes,
) -> Result<Json<Decisions>, Refusal> {
    let Evaluations { defaults, evaluations, options } = read(&body)?;
    let inner = policies.inner();
    if evaluations.is_empty() {
        defaults.check().map_err(Problem::from)?;
        let Decision { decision, context } = inner.evaluate(allowed.org(), &defaults).await?;
        return Ok(Json(Decisions { decision: Some(decision), context, evaluations: Vec::new() }));
    }
    if evaluations.len() > MOST {
        return Err(Problem::from(Malformed("`evaluations` holds at most 1000 questions")).into());
    }
    let mut answers = Vec::with_capacity(evaluations.len());
    for asked in evaluations {
        let asked = asked.over(&defaults);
        // One bad question does not take the others' answers.
        let answer = match asked.check() {
            Ok(()) => inner.evaluate(allowed.org(), &asked).await?,
            Err(Malformed(what)) => Decision {
                decision: false,
                context: Some(serde_json::json!({ "error": { "status": 400, "message": what } })),
            },
        };
        let stop = match options.evaluations_semantic {
            Semantic::ExecuteAll => false,
            Semantic::DenyOnFirstDeny => !answer.decision,
            Semantic::PermitOnFirstPermit => answer.decision,
        };
        answers.push(answer);
        if stop {
            break;
        }
    }
    Ok(Json(Decisions { decision: None, context: None, evaluations: answers }))
}
