//! Resources of outside applications. An organization makes a prefix known (`titan`), and from then on permissions about
//! what stands below it (`titan.courses:enrol:own`) can be given, asked for in tokens and checked like any other.

use std::collections::BTreeSet;

use authority::{Permission, Resource};
use db::{Change, OrgScope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{Name, OrgId, PrefixId, Timestamp};
use utoipa::ToSchema;
use web::{Allowance, Decided, Object};

use crate::error::AccessError;
use crate::{Access, facts, store};

/// A prefix and what is said of the resources below it.
#[derive(Clone, Debug)]
pub struct Prefix {
    pub id: PrefixId,
    pub org: OrgId,
    pub prefix: Name,
    pub description: String,
    pub resources: Vec<OutsideResource>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

/// One resource of an outside application, for the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutsideResource {
    /// The word behind the prefix: `courses`.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$")]
    pub name: String,
    #[schema(max_length = 200)]
    pub meaning: String,
    /// What can be done with it, such as `read` or `enrol`.
    #[schema(max_items = 50)]
    #[serde(default)]
    pub actions: Vec<String>,
}

/// A merge patch: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct PrefixPatch {
    pub description: Option<String>,
    pub resources: Option<Vec<OutsideResource>>,
}

impl Prefix {
    pub(crate) fn object(&self) -> Object<'_> {
        Object { selector: self.prefix.as_str().into(), ..Object::default() }
    }
}

impl Access {
    /// Refuses permissions about resources that no application made known here. `field` names the list.
    pub(crate) async fn known_resources(
        &self,
        scope: &OrgScope,
        field: &str,
        permissions: &[Permission],
    ) -> Result<(), AccessError> {
        if permissions.iter().all(|one| prefix_of(one).is_none()) {
            return Ok(());
        }
        let known = store::all_prefixes(&self.inner().db, scope).await?;
        let known: BTreeSet<&str> = known.iter().map(|one| one.prefix.as_str()).collect();
        for (at, permission) in permissions.iter().enumerate() {
            if let Some(prefix) = prefix_of(permission).filter(|prefix| !known.contains(prefix)) {
                let reason = format!("no application with the prefix `{prefix}` is known here");
                return Err(AccessError::invalid(format!("{field}/{at}"), reason));
            }
        }
        Ok(())
    }

    /// Every prefix that the caller may see.
    pub(crate) async fn prefixes(&self, by: &Allowance) -> Result<Vec<Prefix>, AccessError> {
        let all = store::all_prefixes(&self.inner().db, &by.scope()).await?;
        Ok(all.into_iter().filter(|prefix| by.check(&prefix.object()).is_ok()).collect())
    }

    /// Named by its prefix.
    pub(crate) async fn prefix(&self, by: &Allowance, name: &Name) -> Result<Prefix, AccessError> {
        let all = store::all_prefixes(&self.inner().db, &by.scope()).await?;
        let found = all.into_iter().find(|prefix| prefix.prefix == *name);
        let prefix = found.ok_or(AccessError::Unknown("prefix"))?;
        by.check(&prefix.object())?;
        Ok(prefix)
    }

    pub(crate) async fn create_prefix(
        &self,
        by: &Allowance,
        name: &Name,
        description: &str,
        resources: &[OutsideResource],
    ) -> Result<Decided<Prefix>, AccessError> {
        let inner = self.inner();
        let now = inner.world.now();
        let prefix = Prefix {
            id: inner.world.id(),
            org: by.org(),
            prefix: name.clone(),
            description: description.to_owned(),
            resources: resources.to_vec(),
            created_by: by.caller().principal().to_string(),
            created_at: now,
            updated_at: now,
            revision: 1,
        };
        by.check(&prefix.object())?;
        let fact =
            by.fact(&facts::PREFIX_CREATED).target("resource_prefix", prefix.id, prefix.prefix.as_str());
        let fact = fact.data(json!({ "prefix": prefix.prefix }));
        let change =
            Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::insert_prefix(&prefix));
        Ok(Decided::new(change, prefix))
    }

    pub(crate) async fn update_prefix(
        &self,
        by: &Allowance,
        name: &Name,
        patch: &PrefixPatch,
    ) -> Result<Decided<Prefix>, AccessError> {
        let inner = self.inner();
        let mut prefix = self.prefix(by, name).await?;
        by.expect_revision(prefix.revision)?;
        let mut fields = Vec::new();
        if let Some(description) = &patch.description {
            prefix.description.clone_from(description);
            fields.push("description");
        }
        if let Some(resources) = &patch.resources {
            prefix.resources.clone_from(resources);
            fields.push("resources");
        }
        prefix.updated_at = inner.world.now();
        prefix.revision += 1;
        let fact =
            by.fact(&facts::PREFIX_UPDATED).target("resource_prefix", prefix.id, prefix.prefix.as_str());
        let fact = fact.data(json!({ "prefix": prefix.prefix, "fields": fields }));
        let change =
            Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::update_prefix(&prefix));
        Ok(Decided::new(change, prefix))
    }

    /// Only while nothing names a resource below it: what was given must not come back to life under another owner.
    pub(crate) async fn delete_prefix(
        &self,
        by: &Allowance,
        name: &Name,
    ) -> Result<Decided<Prefix>, AccessError> {
        let inner = self.inner();
        let head = self.head(&by.scope()).await?;
        let prefix = self.prefix(by, name).await?;
        by.expect_revision(prefix.revision)?;
        let uses = store::uses_of_prefix(&inner.db, &by.scope(), name.as_str()).await?;
        if uses > 0 {
            return Err(AccessError::PrefixInUse(uses));
        }
        let fact =
            by.fact(&facts::PREFIX_DELETED).target("resource_prefix", prefix.id, prefix.prefix.as_str());
        let fact = fact.data(json!({ "prefix": prefix.prefix }));
        let change =
            Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::delete_prefix(&prefix));
        Ok(Decided::new(head.advanced(change), prefix))
    }
}

fn prefix_of(permission: &Permission) -> Option<&str> {
    match &permission.resource {
        Resource::Custom(name) => name.split('.').next(),
        Resource::Any | Resource::Known(_) => None,
    }
}
