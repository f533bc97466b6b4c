//! Collections in files of configuration; never what they hold.

use manifest::Section;
use problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::CollectionId;
use utoipa::ToSchema;
use web::{Errand, Patched, Undone};

use crate::collections::{Patch, QUOTA_BYTES, QUOTA_FILES, VERSIONS_KEPT, Wanted};
use crate::model::{Collection, Visibility};
use crate::routes::collections::{CreateCollection, DeleteCollection, ListCollections, UpdateCollection};
use crate::words::{CollectionName, CollectionRef, TypePattern};
use crate::{Files, store};

/// Collections of one organization at the most that a file deals with.
const MOST: i64 = 10_000;

/// The section `collections`.
pub struct CollectionsSection(pub Files);

/// A collection and how it keeps its files.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigCollection)]
pub struct CollectionEntry {
    name: CollectionName,
    #[serde(default)]
    #[schema(max_length = 4000)]
    description: String,
    /// Of files that do not say.
    #[serde(default = "private")]
    default_visibility: Visibility,
    /// JSON Schema 2020-12 of metadata; refers to itself only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
    /// Refuses metadata that does not match the schema.
    #[serde(default)]
    strict: bool,
    #[serde(default = "quota_files")]
    #[schema(minimum = 1, maximum = 10000000)]
    quota_files: i64,
    #[serde(default = "quota_bytes")]
    #[schema(minimum = 1, maximum = 17592186044416_i64)]
    quota_bytes: i64,
    #[serde(default = "versions_kept")]
    #[schema(minimum = 1, maximum = 100)]
    versions_kept: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1099511627776_i64)]
    max_file_bytes: Option<i64>,
    /// Content types that are kept, such as `text/csv` or `image/*`; every one, if empty.
    #[serde(default)]
    #[schema(max_items = 50)]
    content_types: Vec<TypePattern>,
}

fn private() -> Visibility {
    Visibility::Private
}

fn quota_files() -> i64 {
    QUOTA_FILES
}

fn quota_bytes() -> i64 {
    QUOTA_BYTES
}

fn versions_kept() -> i64 {
    VERSIONS_KEPT
}

impl Section for CollectionsSection {
    type Entry = CollectionEntry;

    const NAME: &'static str = "collections";

    fn key(entry: &CollectionEntry) -> String {
        entry.name.to_string()
    }

    async fn standing(&self, errand: &Errand) -> Result<Vec<(String, CollectionEntry)>, Problem> {
        let by = errand.admit::<ListCollections>().await?;
        let collections = store::collections(&self.0.inner().db, &by, None, None, MOST).await?;
        Ok(collections.into_iter().map(told).collect())
    }

    async fn make(&self, errand: &Errand, entry: &CollectionEntry) -> Result<String, Undone> {
        let wanted = Wanted {
            name: entry.name.clone(),
            description: entry.description.clone(),
            default_visibility: entry.default_visibility,
            schema: entry.schema.clone(),
            strict: entry.strict,
            quota_files: entry.quota_files,
            quota_bytes: entry.quota_bytes,
            versions_kept: entry.versions_kept,
            largest_file: entry.max_file_bytes,
            content_types: entry.content_types.clone(),
        };
        let decide = |by| async move { self.0.create_collection(&by, &wanted).await };
        Ok(errand.act::<CreateCollection, _, _, _>(decide).await?.id.to_string())
    }

    async fn alter(
        &self,
        errand: &Errand,
        id: &str,
        before: &CollectionEntry,
        after: &CollectionEntry,
    ) -> Result<(), Undone> {
        let of = named(id)?;
        let patch = Patch {
            description: Patched::between(&before.description, &after.description),
            default_visibility: Patched::between(&before.default_visibility, &after.default_visibility),
            schema: Patched::between_options(&before.schema, &after.schema),
            strict: Patched::between(&before.strict, &after.strict),
            quota_files: Patched::between(&before.quota_files, &after.quota_files),
            quota_bytes: Patched::between(&before.quota_bytes, &after.quota_bytes),
            versions_kept: Patched::between(&before.versions_kept, &after.versions_kept),
            largest_file: Patched::between_options(&before.max_file_bytes, &after.max_file_bytes),
            content_types: Patched::between(&before.content_types, &after.content_types),
        };
        let decide = |by| async move { self.0.update_collection(&by, &of, &patch).await };
        errand.act::<UpdateCollection, _, _, _>(decide).await.map(drop)
    }

    async fn remove(&self, errand: &Errand, id: &str) -> Result<(), Undone> {
        let of = named(id)?;
        let decide = |by| async move { self.0.delete_collection(&by, &of).await };
        errand.act::<DeleteCollection, _, _, _>(decide).await.map(drop)
    }
}

fn told(collection: Collection) -> (String, CollectionEntry) {
    let entry = CollectionEntry {
        name: collection.name,
        description: collection.description,
        default_visibility: collection.default_visibility,
        schema: collection.schema,
        strict: collection.strict,
        quota_files: collection.quota_files,
        quota_bytes: collection.quota_bytes,
        versions_kept: collection.versions_kept,
        max_file_bytes: collection.largest_file,
        content_types: collection.content_types,
    };
    (collection.id.to_string(), entry)
}

fn named(id: &str) -> Result<CollectionRef, Problem> {
    Ok(CollectionRef::Id(id.parse::<CollectionId>().map_err(Problem::internal)?))
}
