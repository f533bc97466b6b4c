//! The policy in force, in files of configuration. Versions that are not in force stay with whoever wrote them.

use manifest::Section;
use problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::PolicyId;
use utoipa::ToSchema;
use web::{Errand, Undone};

use crate::model::{PolicyBundle, PolicyModule};
use crate::routes::policies::{ActivatePolicy, CreatePolicy, DeactivatePolicy, GetPolicy};
use crate::{Policies, PolicyError, store};

/// The section `policies`: one entry at the most.
pub struct PoliciesSection(pub Policies);

/// What the organization has only one of, as its plan calls it.
const KEY: &str = "in-force";

/// The organization's rules. Another text is another version, which is put in force.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigPolicy)]
pub struct PolicyEntry {
    /// What changed, for people.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: String,
    /// Rego version 1; what decides stands in `package safeconduct` or `package safeconduct.<resource>`.
    #[schema(min_items = 1, max_items = 64)]
    modules: Vec<PolicyModule>,
    /// What the rules read as `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

impl Section for PoliciesSection {
    type Entry = PolicyEntry;

    const NAME: &'static str = "policies";

    fn key(_: &PolicyEntry) -> String {
        KEY.to_owned()
    }

    async fn standing(&self, errand: &Errand) -> Result<Vec<(String, PolicyEntry)>, Problem> {
        let by = errand.admit::<GetPolicy>().await?;
        let Some(active) = self.active(errand).await? else { return Ok(Vec::new()) };
        let Ok(found) = self.0.find(&by, active).await else { return Ok(Vec::new()) };
        let (version, PolicyBundle { modules, data }) = self.0.inner().open(found).await?;
        let entry = PolicyEntry { description: version.description, modules, data };
        Ok(vec![(by.org().to_string(), entry)])
    }

    /// The thing is the organization's: its id stays while versions come and go.
    async fn make(&self, errand: &Errand, entry: &PolicyEntry) -> Result<String, Undone> {
        self.put_in_force(errand, entry).await?;
        Ok(errand.allowance().org().to_string())
    }

    async fn alter(
        &self,
        errand: &Errand,
        _: &str,
        _: &PolicyEntry,
        after: &PolicyEntry,
    ) -> Result<(), Undone> {
        self.put_in_force(errand, after).await
    }

    async fn remove(&self, errand: &Errand, _: &str) -> Result<(), Undone> {
        let Some(active) = self.active(errand).await? else { return Ok(()) };
        let decide = |by| async move { self.0.deactivate(&by, active).await };
        errand.act::<DeactivatePolicy, _, _, _>(decide).await.map(drop)
    }
}

impl PoliciesSection {
    async fn active(&self, errand: &Errand) -> Result<Option<PolicyId>, Problem> {
        let head = store::head(&self.0.inner().db, &errand.allowance().scope()).await;
        Ok(head.map_err(PolicyError::from)?.and_then(|head| head.active))
    }

    async fn put_in_force(&self, errand: &Errand, entry: &PolicyEntry) -> Result<(), Undone> {
        let bundle = PolicyBundle { modules: entry.modules.clone(), data: entry.data.clone() };
        let decide = |by| async move { self.0.create(&by, &entry.description, &bundle).await };
        let written = errand.act::<CreatePolicy, _, _, _>(decide).await?.version.id;
        let decide = |by| async move { self.0.activate(&by, written).await };
        errand.act::<ActivatePolicy, _, _, _>(decide).await.map(drop)
    }
}
