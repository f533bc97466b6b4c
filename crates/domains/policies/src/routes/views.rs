//! What callers see of policies.

use serde::Serialize;
use types::{PolicyId, Timestamp};
use utoipa::ToSchema;

use crate::model::{PolicyBundle, Version};
use crate::service::Shown;

/// A version of the organization's policy.
#[derive(Serialize, ToSchema)]
pub struct PolicyView {
    pub id: PolicyId,
    /// 1, 2, 3 … within the organization.
    pub number: i64,
    pub description: String,
    /// Whether its rules are asked.
    pub active: bool,
    /// SHA-256 of modules and data.
    pub sha256: String,
    pub modules: i64,
    pub rules: i64,
    /// Who wrote it.
    pub author: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A version with its text.
#[derive(Serialize, ToSchema)]
pub struct PolicyDetail {
    #[serde(flatten)]
    pub policy: PolicyView,
    pub bundle: PolicyBundle,
}

impl PolicyView {
    pub(crate) fn new(version: Version, active: bool) -> Self {
        Self {
            id: version.id,
            number: version.number,
            description: version.description,
            active,
            sha256: hex::encode(version.sha256),
            modules: version.modules,
            rules: version.rules,
            author: version.author,
            created_at: version.created_at,
        }
    }
}

impl From<Shown> for PolicyView {
    fn from(shown: Shown) -> Self {
        Self::new(shown.version, shown.active)
    }
}
