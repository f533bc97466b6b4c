//! What the protocol stands on: the domains that decide.

use access::Access;
use agents::Agents;
use people::People;
use serde_json::{Map, Value, json};
use types::GroupId;

use crate::PREFIX;
use crate::resources::{GROUP, location};

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
