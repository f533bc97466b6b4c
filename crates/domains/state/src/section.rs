//! Namespaces in files of configuration; never what they hold.

use manifest::Section;
use problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::NamespaceId;
use utoipa::ToSchema;
use web::{Errand, Patched, Undone};

use crate::model::{Namespace, Visibility};
use crate::namespaces::{Patch, QUOTA_BYTES, QUOTA_ENTRIES, Wanted};
use crate::routes::namespaces::{CreateNamespace, DeleteNamespace, ListNamespaces, UpdateNamespace};
use crate::words::{NamespaceName, NamespaceRef};
use crate::{StateStore, store};

/// Namespaces of one organization at the most that a file deals with.
const MOST: i64 = 10_000;

/// The section `state_namespaces`.
pub struct NamespacesSection(pub StateStore);

/// A namespace and how it keeps its entries.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigStateNamespace)]
pub struct NamespaceEntry {
    name: NamespaceName,
    #[serde(default)]
    #[schema(max_length = 4000)]
    description: String,
    /// Of entries that do not say.
    #[serde(default = "private")]
    default_visibility: Visibility,
    /// JSON Schema 2020-12 of values; refers to itself only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
    /// Refuses values that do not match the schema.
    #[serde(default)]
    strict: bool,
    /// Seals values. Never changes.
    #[serde(default)]
    secret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 315360000)]
    ttl_seconds: Option<i64>,
    #[serde(default = "quota_entries")]
    #[schema(minimum = 1, maximum = 10000000)]
    quota_entries: i64,
    #[serde(default = "quota_bytes")]
    #[schema(minimum = 1, maximum = 1073741824)]
    quota_bytes: i64,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100)]
    history_depth: i64,
}

fn private() -> Visibility {
    Visibility::Private
}

fn quota_entries() -> i64 {
    QUOTA_ENTRIES
}

fn quota_bytes() -> i64 {
    QUOTA_BYTES
}

impl Section for NamespacesSection {
    type Entry = NamespaceEntry;

    const NAME: &'static str = "state_namespaces";
    const FIXED: &'static [&'static str] = &["secret"];

    fn key(entry: &NamespaceEntry) -> String {
        entry.name.to_string()
    }

    async fn standing(&self, errand: &Errand) -> Result<Vec<(String, NamespaceEntry)>, Problem> {
        let by = errand.admit::<ListNamespaces>().await?;
        let namespaces = store::namespaces(&self.0.inner().db, &by, None, None, MOST).await?;
        Ok(namespaces.into_iter().map(told).collect())
    }

    async fn make(&self, errand: &Errand, entry: &NamespaceEntry) -> Result<String, Undone> {
        let wanted = Wanted {
            name: entry.name.clone(),
            description: entry.description.clone(),
            default_visibility: entry.default_visibility,
            schema: entry.schema.clone(),
            strict: entry.strict,
            secret: entry.secret,
            ttl_seconds: entry.ttl_seconds,
            quota_entries: entry.quota_entries,
            quota_bytes: entry.quota_bytes,
            history_depth: entry.history_depth,
        };
        let decide = |by| async move { self.0.create_namespace(&by, &wanted).await };
        Ok(errand.act::<CreateNamespace, _, _, _>(decide).await?.id.to_string())
    }

    async fn alter(
        &self,
        errand: &Errand,
        id: &str,
        before: &NamespaceEntry,
        after: &NamespaceEntry,
    ) -> Result<(), Undone> {
        let of = named(id)?;
        let patch = Patch {
            description: Patched::between(&before.description, &after.description),
            default_visibility: Patched::between(&before.default_visibility, &after.default_visibility),
            schema: Patched::between_options(&before.schema, &after.schema),
            strict: Patched::between(&before.strict, &after.strict),
            ttl_seconds: Patched::between_options(&before.ttl_seconds, &after.ttl_seconds),
            quota_entries: Patched::between(&before.quota_entries, &after.quota_entries),
            quota_bytes: Patched::between(&before.quota_bytes, &after.quota_bytes),
            history_depth: Patched::between(&before.history_depth, &after.history_depth),
        };
        let decide = |by| async move { self.0.update_namespace(&by, &of, &patch).await };
        errand.act::<UpdateNamespace, _, _, _>(decide).await.map(drop)
    }

    async fn remove(&self, errand: &Errand, id: &str) -> Result<(), Undone> {
        let of = named(id)?;
        let decide = |by| async move { self.0.delete_namespace(&by, &of).await };
        errand.act::<DeleteNamespace, _, _, _>(decide).await.map(drop)
    }
}

fn told(namespace: Namespace) -> (String, NamespaceEntry) {
    let entry = NamespaceEntry {
        name: namespace.name,
        description: namespace.description,
        default_visibility: namespace.default_visibility,
        schema: namespace.schema,
        strict: namespace.strict,
        secret: namespace.secret,
        ttl_seconds: namespace.ttl_seconds,
        quota_entries: namespace.quota_entries,
        quota_bytes: namespace.quota_bytes,
        history_depth: namespace.history_depth,
    };
    (namespace.id.to_string(), entry)
}

fn named(id: &str) -> Result<NamespaceRef, Problem> {
    Ok(NamespaceRef::Id(id.parse::<NamespaceId>().map_err(Problem::internal)?))
}
