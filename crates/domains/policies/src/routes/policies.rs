//! `/api/v1/policies`: versions of the organization's policy.

use axum::extract::State;
use problem::{
    CONFLICT, FieldError, INVALID_CURSOR, INVALID_POLICY, POLICY_ACTIVE, POLICY_NOT_ACTIVE, STEP_UP_REQUIRED,
};
use rego::Limits;
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::PolicyId;
use utoipa::ToSchema;
use web::{
    Allowed, Columns, Input, Page, Params, Refusal, Reply, Segment, SelectorColumn, Spec, leaves, operation,
    page, page_size, refuses,
};

use super::views::{PolicyDetail, PolicyView};
use crate::error::errors;
use crate::in_force::compile;
use crate::model::PolicyBundle;
use crate::store::{self, Stored};
use crate::{Policies, PolicyError, facts};

const EXAMPLE: &str = r#"{"description": "Kills need the on-call group", "bundle": {"modules": [{"path": "agents.rego", "text": "package safeconduct.agents\n\nrequire_approval contains \"on-call\" if {\n\tinput.operation == \"agents.kill\"\n\tinput.resource.namespace == \"prod\"\n}\n"}]}}"#;
const BUNDLE: &str = r#"{"modules": [{"path": "agents.rego", "text": "package safeconduct.agents\n\ndeny contains \"nobody\" if input.operation == \"agents.nothing\"\n"}]}"#;

operation! {
    /// Writes a version of the organization's policy. It compiles, or it is refused; it is not in force until it is activated.
    pub CreatePolicy(NewPolicy) -> PolicyView = Spec::create("policies.create", "/api/v1/policies")
        .needs("policies:create").facts(leaves![facts::POLICY_CREATED]).errors(refuses![INVALID_POLICY, CONFLICT])
        .example(EXAMPLE);

    /// Lists versions, newest first.
    pub ListPolicies[PolicyFilter] -> Page<PolicyView> = Spec::get("policies.list", "/api/v1/policies")
        .needs("policies:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a version with its modules and data.
    pub GetPolicy -> PolicyDetail = Spec::get("policies.get", "/api/v1/policies/{policy}").needs("policies:read");

    /// Says whether a bundle would be accepted, and what is wrong with it. Keeps nothing.
    pub ValidatePolicy(PolicyBundle) -> PolicyValidity = Spec::post("policies.validate", "/api/v1/policies/validate")
        .needs("policies:read").not_idempotent().rate(web::Rate::Heavy).example(BUNDLE);

    /// Puts a version in force, in the place of the one that is. In force when it is answered, on other nodes within a second.
    pub ActivatePolicy -> PolicyView = Spec::post("policies.activate", "/api/v1/policies/{policy}/activate")
        .needs("policies:update").step_up().facts(leaves![facts::POLICY_ACTIVATED])
        .errors(refuses![POLICY_ACTIVE, INVALID_POLICY, CONFLICT, STEP_UP_REQUIRED]);

    /// Takes the version out of force: only the operator's rules are left.
    pub DeactivatePolicy -> PolicyView = Spec::post("policies.deactivate", "/api/v1/policies/{policy}/deactivate")
        .needs("policies:update").step_up().facts(leaves![facts::POLICY_DEACTIVATED])
        .errors(refuses![POLICY_NOT_ACTIVE, CONFLICT, STEP_UP_REQUIRED]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicy {
    /// What changed, for people.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    pub bundle: PolicyBundle,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PolicyValidity {
    pub valid: bool,
    pub rules: i64,
    /// What to mend; `field` is the module with line and column.
    pub errors: Vec<FieldError>,
}

const COLUMNS: Columns = Columns {
    selector: SelectorColumn::id::<PolicyId>("id"),
    owner: None,
    is: None,
    named: None,
    group: None,
    visible: None,
};

pub async fn create(
    State(policies): State<Policies>,
    allowed: Allowed<CreatePolicy>,
    Input(new): Input<CreatePolicy>,
) -> Result<Reply, Refusal> {
    let description = new.description.unwrap_or_default();
    allowed.settle::<CreatePolicy, _, _, _>(|| policies.create(&allowed, &description, &new.bundle)).await
}

pub async fn list(
    State(policies): State<Policies>,
    allowed: Allowed<ListPolicies>,
    Params(filter): Params<ListPolicies>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<PolicyId>(filter.cursor.as_deref())?;
    let db = &policies.inner().db;
    let narrow = |select| allowed.narrow(select, &COLUMNS);
    let rows = store::list(db, &allowed.scope(), narrow, before, limit + 1).await?;
    let active = store::head(db, &allowed.scope()).await?.and_then(|head| head.active);
    let cursor = |stored: &Stored| allowed.cursor(&[json!(stored.id)]);
    let view = |stored: Stored| {
        let is_active = active == Some(stored.id);
        PolicyView::new(stored.version, is_active)
    };
    Ok(Reply::of::<ListPolicies>(&page(rows, limit, cursor, view))?)
}

pub async fn get(
    State(policies): State<Policies>,
    allowed: Allowed<GetPolicy>,
    Segment(id): Segment<PolicyId>,
) -> Result<Reply, Refusal> {
    let found = policies.find(&allowed, id).await?;
    let inner = policies.inner();
    let active = store::head(&inner.db, &allowed.scope()).await?.and_then(|head| head.active) == Some(id);
    let (version, bundle) = inner.open(found).await?;
    Ok(Reply::of::<GetPolicy>(&PolicyDetail { policy: PolicyView::new(version, active), bundle })?)
}

pub async fn validate(
    _allowed: Allowed<ValidatePolicy>,
    Input(bundle): Input<ValidatePolicy>,
) -> Result<Reply, Refusal> {
    let validity = match compile(bundle.bundle(), Limits::TENANT).await {
        Ok(compiled) => PolicyValidity {
            valid: true,
            rules: i64::try_from(compiled.rules()).unwrap_or(i64::MAX),
            errors: Vec::new(),
        },
        Err(PolicyError::Invalid(faults)) => {
            PolicyValidity { valid: false, rules: 0, errors: errors(&faults) }
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Reply::of::<ValidatePolicy>(&validity)?)
}

pub async fn activate(
    State(policies): State<Policies>,
    allowed: Allowed<ActivatePolicy>,
    Segment(id): Segment<PolicyId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ActivatePolicy, _, _, _>(|| policies.activate(&allowed, id)).await
}

pub async fn deactivate(
    State(policies): State<Policies>,
    allowed: Allowed<DeactivatePolicy>,
    Segment(id): Segment<PolicyId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeactivatePolicy, _, _, _>(|| policies.deactivate(&allowed, id)).await
}
