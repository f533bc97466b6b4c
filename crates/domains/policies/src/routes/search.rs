//! `/access/v1/search/…` of AuthZEN 1.0: who, what, and which actions would be answered yes.

use authority::{Action as Verb, Permission};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use web::{Allowance, Allowed, Rate, Refusal, Spec, operation};

use super::authzen::read;
use crate::authzen::{Action, Entity, Evaluation, Malformed};
use crate::hypothesis::Thing;
use crate::{Policies, PolicyError};

operation! {
    /// Lists the subjects of a type that may do something to a resource (AuthZEN 1.0).
    pub SearchSubjects(Search) -> Found = Spec::post("access.search_subject", "/access/v1/search/subject")
        .needs("permissions:read").not_idempotent().rate(Rate::Heavy)
        .example(r#"{"subject": {"type": "agent"}, "action": {"name": "read"}, "resource": {"type": "agents", "id": "default/reporter"}}"#);

    /// Lists the resources of a type that a subject may do something to (AuthZEN 1.0): `agents`, `functions`, `users`.
    pub SearchResources(Search) -> Found = Spec::post("access.search_resource", "/access/v1/search/resource")
        .needs("permissions:read").not_idempotent().rate(Rate::Heavy)
        .example(r#"{"subject": {"type": "agent", "id": "agt_01h455vb4pex5vsknk084sn02q"}, "action": {"name": "read"}, "resource": {"type": "agents"}}"#);

    /// Lists the actions that a subject may do to a resource (AuthZEN 1.0).
    pub SearchActions(Search) -> Found = Spec::post("access.search_action", "/access/v1/search/action")
        .needs("permissions:read").not_idempotent().rate(Rate::Heavy)
        .example(r#"{"subject": {"type": "agent", "id": "agt_01h455vb4pex5vsknk084sn02q"}, "resource": {"type": "agents", "id": "default/reporter"}}"#);
}

/// What is searched for has a type only.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = AuthzenSearch)]
pub struct Search {
    #[serde(flatten)]
    pub question: Evaluation,
    pub page: Option<Wanted>,
}

#[derive(Default, Deserialize, ToSchema)]
#[schema(as = AuthzenPageWanted)]
pub struct Wanted {
    /// `next_token` of the page before.
    pub token: Option<String>,
    /// 1 to 200; 100 if left out.
    pub limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuthzenFound)]
pub struct Found {
    /// `{type, id}`, or `{name}` for actions.
    #[schema(value_type = Vec<Object>)]
    pub results: Vec<Value>,
    pub page: PageView,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuthzenPage)]
pub struct PageView {
    /// Empty on the last page.
    pub next_token: String,
    pub count: usize,
}

pub async fn subjects(
    State(policies): State<Policies>,
    allowed: Allowed<SearchSubjects>,
    body: Bytes,
) -> Result<Json<Found>, Refusal> {
    let search: Search = read(&body)?;
    let kind = kind_of(search.question.subject.as_ref(), "`subject` has a `type`")?;
    let plural = match kind.as_str() {
        "agent" => "agents",
        "user" => "users",
        _ => "",
    };
    let candidates = things(&policies, &allowed, plural).await?;
    let questions = candidates.into_iter().filter_map(|thing| {
        let id = thing.id?;
        let subject = Entity { kind: kind.clone(), id: Some(id.clone()), properties: None };
        let asked = Evaluation { subject: Some(subject), ..search.question.clone() };
        Some((id.clone(), json!({ "type": kind, "id": id }), asked))
    });
    let questions: Vec<_> = questions.collect();
    answer(&policies, &allowed, search.page, questions).await
}

pub async fn resources(
    State(policies): State<Policies>,
    allowed: Allowed<SearchResources>,
    body: Bytes,
) -> Result<Json<Found>, Refusal> {
    let search: Search = read(&body)?;
    let kind = kind_of(search.question.resource.as_ref(), "`resource` has a `type`")?;
    let candidates = things(&policies, &allowed, &kind).await?;
    let questions = candidates.into_iter().map(|Thing { selector, id, owner }| {
        let mut properties = search.question.resource.as_ref().and_then(|given| given.properties.clone());
        // An agent belongs to itself as much as to its owner.
        let own = [id, owner].into_iter().flatten().find(|one| is_subject(&search.question, one));
        if let Some(own) = own {
            properties.get_or_insert_default().insert("owner".into(), own.into());
        }
        let resource = Entity { kind: kind.clone(), id: Some(selector.clone()), properties };
        let asked = Evaluation { resource: Some(resource), ..search.question.clone() };
        (selector.clone(), json!({ "type": kind, "id": selector }), asked)
    });
    let questions: Vec<_> = questions.collect();
    answer(&policies, &allowed, search.page, questions).await
}

pub async fn actions(
    State(policies): State<Policies>,
    allowed: Allowed<SearchActions>,
    body: Bytes,
) -> Result<Json<Found>, Refusal> {
    let search: Search = read(&body)?;
    let kind = kind_of(search.question.resource.as_ref(), "`resource` has a `type`")?;
    // Those that stand for one act each; `write` and `manage` are names for several.
    let single = Verb::ALL.iter().filter(|verb| !matches!(verb, Verb::Any | Verb::Write | Verb::Manage));
    let questions = single.filter_map(|verb| {
        let name = verb.name().to_owned();
        format!("{kind}:{name}").parse::<Permission>().ok()?;
        let action = Action { name: name.clone(), properties: None };
        let asked = Evaluation { action: Some(action), ..search.question.clone() };
        Some((name.clone(), json!({ "name": name }), asked))
    });
    let questions: Vec<_> = questions.collect();
    answer(&policies, &allowed, search.page, questions).await
}

/// The candidates that would be answered yes, one page of them. The token names the last one that was looked at.
async fn answer(
    policies: &Policies,
    by: &Allowance,
    page: Option<Wanted>,
    questions: Vec<(String, Value, Evaluation)>,
) -> Result<Json<Found>, Refusal> {
    let wanted = page.unwrap_or_default();
    let limit = wanted.limit.unwrap_or(100).clamp(1, 200);
    let token = wanted.token.filter(|token| !token.is_empty());
    let after = by.keys_after(token.as_deref())?;
    let after = after.first().and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut questions = questions;
    questions.sort_by(|left, right| left.0.cmp(&right.0));
    let mut results = Vec::new();
    let mut next_token = String::new();
    let mut last = String::new();
    for (key, result, asked) in questions.into_iter().filter(|(key, ..)| *key > after) {
        if results.len() == limit {
            next_token = by.cursor(&[json!(last)]);
            break;
        }
        asked.check().map_err(Problem::from)?;
        if policies.inner().evaluate(by.org(), &asked).await?.decision {
            results.push(result);
        }
        last = key;
    }
    let count = results.len();
    Ok(Json(Found { results, page: PageView { next_token, count } }))
}

async fn things(policies: &Policies, by: &Allowance, resource: &str) -> Result<Vec<Thing>, PolicyError> {
    Ok(policies.inner().things.all(&by.scope(), resource).await?.unwrap_or_default())
}

fn kind_of(entity: Option<&Entity>, missing: &'static str) -> Result<String, Problem> {
    match entity {
        Some(entity) if !entity.kind.is_empty() => Ok(entity.kind.clone()),
        _ => Err(Malformed(missing).into()),
    }
}

fn is_subject(question: &Evaluation, id: &str) -> bool {
    question.subject.as_ref().and_then(|subject| subject.id.as_deref()) == Some(id)
}
