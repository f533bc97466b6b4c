//! Versions of an organization's policy, and what a decision came to.

use rego::{Bundle, Module};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{Id, OrgId, PolicyId, Timestamp};
use utoipa::ToSchema;
use web::Object;

/// A version without its text.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: PolicyId,
    pub(crate) org: OrgId,
    pub(crate) number: i64,
    pub(crate) description: String,
    pub(crate) sha256: [u8; 32],
    pub(crate) modules: i64,
    pub(crate) rules: i64,
    pub(crate) author: String,
    pub(crate) created_at: Timestamp,
}

impl Version {
    pub(crate) fn object(&self) -> Object<'static> {
        Object { selector: self.id.to_string().into(), ..Object::default() }
    }

    pub(crate) fn name(&self) -> String {
        format!("version {}", self.number)
    }
}

/// Which version is in force.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) active: Option<PolicyId>,
    pub(crate) last_number: i64,
    pub(crate) revision: i64,
}

/// Modules and data as they are sent, kept and shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyBundle {
    /// Rego version 1; what decides stands in `package safeconduct` or `package safeconduct.<resource>`.
    #[schema(min_items = 1, max_items = 64)]
    pub modules: Vec<PolicyModule>,
    /// What the rules read as `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyModule {
    /// How messages call it.
    #[schema(min_length = 1, max_length = 200)]
    pub path: String,
    #[schema(max_length = 524288)]
    pub text: String,
}

impl PolicyBundle {
    pub(crate) fn bundle(&self) -> Bundle {
        let module = |module: &PolicyModule| Module { path: module.path.clone(), text: module.text.clone() };
        Bundle {
            modules: self.modules.iter().map(module).collect(),
            data: self.data.clone().unwrap_or_default(),
        }
    }
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DecisionOutcome)]
pub enum Outcome {
    Allowed,
    Denied,
    ApprovalRequired,
    /// The policy could not decide; refused.
    Failed,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::ApprovalRequired => "approval_required",
            Self::Failed => "failed",
        }
    }
}

impl std::str::FromStr for Outcome {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Allowed, Self::Denied, Self::ApprovalRequired, Self::Failed]
            .into_iter()
            .find(|outcome| outcome.name() == text)
            .ok_or(())
    }
}

/// The answer to one question: what all rules in force say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) denials: Vec<String>,
    pub(crate) approvers: Vec<String>,
    pub(crate) failure: Option<String>,
}

impl Answer {
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self { failure: Some(_), .. } => Outcome::Failed,
            Self { denials, .. } if !denials.is_empty() => Outcome::Denied,
            Self { approvers, .. } if !approvers.is_empty() => Outcome::ApprovalRequired,
            Self { .. } => Outcome::Allowed,
        }
    }
}

/// A question that was kept in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Which package of the rules was asked beside the root.
    pub(crate) slice: String,
    pub(crate) input: Value,
    pub(crate) reasons: Vec<String>,
}

/// A row of `decisions` whose question is still sealed.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) id: types::DecisionId,
    pub(crate) at: Timestamp,
    pub(crate) principal: String,
    pub(crate) operation: String,
    pub(crate) permission: String,
    pub(crate) outcome: Outcome,
    pub(crate) question: Vec<u8>,
}

/// Where `column` of a row is sealed to.
pub(crate) fn place<'a>(
    org: OrgId,
    table: &'static str,
    column: &'static str,
    row: &'a [u8],
) -> crypto::seal::Aad<'a> {
    crypto::seal::Aad { table, column, org: Some(org), row }
}

pub(crate) fn row_of(id: impl Id) -> [u8; 16] {
    *id.uuid().as_bytes()
}
