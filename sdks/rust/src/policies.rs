//! Policies: rules in Rego that stand behind the permissions, and what can be asked of them.

use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Client, Error, FieldError, Page, Time, page};

/// A version of the organization's policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub id: String,
    /// 1, 2, 3 … within the organization.
    pub number: i64,
    pub description: String,
    /// Whether its rules are asked.
    pub active: bool,
    pub sha256: String,
    pub modules: i64,
    pub rules: i64,
    pub author: String,
    pub created_at: Time,
}

/// A version with its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyDetail {
    #[serde(flatten)]
    pub policy: Policy,
    pub bundle: PolicyBundle,
}

/// Modules and data that are put in force together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyBundle {
    pub modules: Vec<PolicyModule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// One file of Rego.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyModule {
    pub path: String,
    pub text: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct PolicyFilter {
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyValidity {
    pub valid: bool,
    pub rules: i64,
    /// `field` is the module with line and column.
    pub errors: Vec<FieldError>,
}

/// Would this be allowed?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Simulation {
    /// Who would do it; the caller if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// `agents:delete`
    pub permission: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<SimulatedResource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// Members that stand in for those of `context`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    /// A version to ask; what is in force if neither this nor a bundle is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<PolicyBundle>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SimulatedResource {
    /// `namespace/name` or the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimulationAnswer {
    /// Whether permissions and policy together would let it happen.
    pub allowed: bool,
    /// Whether the permissions alone would.
    pub permitted: bool,
    /// `allowed`, `denied`, `approval_required` or `failed`.
    pub outcome: String,
    pub reasons: Vec<String>,
    pub approvers: Vec<String>,
    pub failure: Option<String>,
    /// The rules that spoke.
    pub rules: Vec<FiredRule>,
    pub input: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiredRule {
    pub package: String,
    pub rule: String,
    pub path: String,
    pub line: u64,
    pub says: Vec<String>,
}

/// What would have been decided otherwise?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WhatIf {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<PolicyBundle>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIfAnswer {
    pub examined: u64,
    pub changed: u64,
    pub more: bool,
    pub items: Vec<ChangedDecision>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedDecision {
    pub id: String,
    pub at: Time,
    pub principal: String,
    pub operation: String,
    pub permission: String,
    pub object: Option<String>,
    pub before: String,
    pub after: String,
    pub reasons_before: Vec<String>,
    pub reasons_after: Vec<String>,
}

/// The agents that reach a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessGraph {
    pub permission: String,
    pub items: Vec<ReachingAgent>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachingAgent {
    pub agent: String,
    /// `namespace/name`
    pub path: String,
    pub owner: Option<String>,
    pub active: bool,
    /// `own`, `group` or `all`.
    pub reach: String,
    pub grants: Vec<String>,
    pub roles: Vec<String>,
}

/// What an agent was given and does not use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessAdvice {
    pub agent: String,
    pub since: Time,
    pub granted: Vec<String>,
    pub used: Vec<PermissionUse>,
    pub unused: Vec<String>,
    /// Covers every use; never more than was granted.
    pub suggested: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionUse {
    pub permission: String,
    pub selector: String,
    pub reach: String,
    pub count: i64,
    pub last_at: Time,
}

/// `client.policies()`.
#[derive(Clone, Copy)]
pub struct Policies<'a>(&'a Client);

/// `client.access()`.
#[derive(Clone, Copy)]
pub struct Access<'a>(&'a Client);

impl Client {
    pub fn policies(&self) -> Policies<'_> {
        Policies(self)
    }

    pub fn access(&self) -> Access<'_> {
        Access(self)
    }
}

impl Policies<'_> {
    /// Writes a version; it is in force once it is activated.
    pub async fn create(&self, bundle: &PolicyBundle, description: Option<&str>) -> Result<Policy, Error> {
        let new = NewPolicy { description, bundle };
        self.0.post(&["api", "v1", "policies"]).json(&new).once().answer().await
    }

    /// Newest first.
    pub async fn list(&self, filter: &PolicyFilter) -> Result<Page<Policy>, Error> {
        self.0.get(&["api", "v1", "policies"]).query(filter).answer().await
    }

    pub fn all(&self, filter: &PolicyFilter) -> impl Stream<Item = Result<Policy, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&PolicyFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, policy: &str) -> Result<PolicyDetail, Error> {
        self.0.get(&["api", "v1", "policies", policy]).answer().await
    }

    /// Says what is wrong; keeps nothing.
    pub async fn validate(&self, bundle: &PolicyBundle) -> Result<PolicyValidity, Error> {
        self.0.post(&["api", "v1", "policies", "validate"]).json(bundle).answer().await
    }

    pub async fn activate(&self, policy: &str) -> Result<Policy, Error> {
        self.0.post(&["api", "v1", "policies", policy, "activate"]).once().answer().await
    }

    pub async fn deactivate(&self, policy: &str) -> Result<Policy, Error> {
        self.0.post(&["api", "v1", "policies", policy, "deactivate"]).once().answer().await
    }

    pub async fn simulate(&self, question: &Simulation) -> Result<SimulationAnswer, Error> {
        self.0.post(&["api", "v1", "policies", "simulate"]).json(question).answer().await
    }

    pub async fn what_if(&self, question: &WhatIf) -> Result<WhatIfAnswer, Error> {
        self.0.post(&["api", "v1", "policies", "what-if"]).json(question).answer().await
    }
}

impl Access<'_> {
    /// `permission` with or without an object: `functions/ops/greet:execute`.
    pub async fn graph(&self, permission: &str) -> Result<AccessGraph, Error> {
        let query = GraphQuery { permission };
        self.0.get(&["api", "v1", "access", "graph"]).query(&query).answer().await
    }

    /// AuthZEN 1.0: one question as that specification has it, and its answer.
    pub async fn evaluate(&self, question: &Value) -> Result<Value, Error> {
        self.0.post(&["access", "v1", "evaluation"]).json(question).answer().await
    }

    /// AuthZEN 1.0: many questions at once.
    pub async fn evaluate_many(&self, questions: &Value) -> Result<Value, Error> {
        self.0.post(&["access", "v1", "evaluations"]).json(questions).answer().await
    }

    /// AuthZEN 1.0: `kind` is `subject`, `resource` or `action`.
    pub async fn search(&self, kind: &str, question: &Value) -> Result<Value, Error> {
        self.0.post(&["access", "v1", "search", kind]).json(question).answer().await
    }

    /// The agent by id or as `namespace:name`.
    pub async fn advice(&self, agent: &str, days: Option<u32>) -> Result<AccessAdvice, Error> {
        let query = AdviceQuery { days };
        self.0.get(&["api", "v1", "agents", agent, "access-advice"]).query(&query).answer().await
    }
}

#[derive(Serialize)]
struct NewPolicy<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    bundle: &'a PolicyBundle,
}

#[derive(Serialize)]
struct GraphQuery<'a> {
    permission: &'a str,
}

#[derive(Serialize)]
struct AdviceQuery {
    days: Option<u32>,
}
