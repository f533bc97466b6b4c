//! What the protocol stands on: the domains that decide.

use access::Access;
use agents::Agents;
use db::Change;
use people::People;
use problem::Problem;
use serde_json::{Map, Value, json};
use types::GroupId;
use web::Allowance;

use crate::PREFIX;
use crate::resources::{GROUP, location};
use crate::schema::ResourceType;

/// Another face of people, access and agents; clones share it.
#[derive(Clone)]
pub struct Scim {
    pub(crate) access: Access,
    pub(crate) agents: Agents,
    pub(crate) people: People,
    /// `https://host/scim/v2`
    pub(crate) base: String,
}

impl Scim {
    /// `public_url` is without trailing slash.
    pub fn new(access: Access, agents: Agents, people: People, public_url: &str) -> Self {
        Self { access, agents, people, base: format!("{public_url}{PREFIX}") }
    }

    /// Makes what was decided, and counts it.
    pub(crate) async fn settle<T, F>(
        &self,
        by: &Allowance,
        of: &'static ResourceType,
        decide: impl Fn() -> F,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<(Option<Change>, T), Problem>>,
    {
        let noting = || async {
            let (change, answer) = decide().await?;
            let outcome = if change.is_some() { "changed" } else { "unchanged" };
            Ok::<_, Problem>((change, (answer, outcome)))
        };
        let settled = by.settled(noting).await;
        let outcome = settled.as_ref().map_or("refused", |(_, outcome)| outcome);
        metrics::counter!("safeconduct_scim_writes_total", "resource" => of.name, "outcome" => outcome)
            .increment(1);
        settled.map(|(answer, _)| answer)
    }

    pub(crate) fn put_groups(&self, resource: &mut Map<String, Value>, groups: &[(GroupId, &str)]) {
        if groups.is_empty() {
            return;
        }
        let shown = |(group, name): &(GroupId, &str)| {
            let id = group.to_string();
            json!({ "value": id, "$ref": location(&GROUP, &self.base, &id), "display": name })
        };
        resource.insert("groups".into(), groups.iter().map(shown).collect());
    }
}
