//! Making, changing and removing collections.

use db::Change;
use ledger::Fact;
use schema::Schema;
use serde_json::{Value, json};
use web::{Allowance, Decided, Patched};

use crate::model::{Collection, Usage, Visibility};
use crate::words::{CollectionName, CollectionRef, TypePattern};
use crate::{Files, FilesError, facts, store};

pub(crate) const QUOTA_FILES: i64 = 10_000;
pub(crate) const QUOTA_BYTES: i64 = 1024 * 1024 * 1024;
pub(crate) const VERSIONS_KEPT: i64 = 10;

/// A collection to be; checked by the schema of its operation.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: CollectionName,
    pub(crate) description: String,
    pub(crate) default_visibility: Visibility,
    pub(crate) schema: Option<Value>,
    pub(crate) strict: bool,
    pub(crate) quota_files: i64,
    pub(crate) quota_bytes: i64,
    pub(crate) versions_kept: i64,
    pub(crate) largest_file: Option<i64>,
    pub(crate) content_types: Vec<TypePattern>,
}

/// A merge patch (RFC 7396).
#[derive(Clone, Debug, Default)]
pub(crate) struct Patch {
    pub(crate) description: Patched<String>,
    pub(crate) default_visibility: Patched<Visibility>,
    pub(crate) schema: Patched<Value>,
    pub(crate) strict: Patched<bool>,
    pub(crate) quota_files: Patched<i64>,
    pub(crate) quota_bytes: Patched<i64>,
    pub(crate) versions_kept: Patched<i64>,
    pub(crate) largest_file: Patched<i64>,
    pub(crate) content_types: Patched<Vec<TypePattern>>,
}

impl Files {
    pub(crate) async fn create_collection(
        &self,
        by: &Allowance,
        wanted: &Wanted,
    ) -> Result<Decided<Collection>, FilesError> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        if let Some(schema) = &wanted.schema {
            Schema::compile(schema, "/schema").map_err(FilesError::Schema)?;
        }
        let collection = Collection {
            id: inner.world.id(),
            org: by.org(),
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            owner: by.caller().principal(),
            default_visibility: wanted.default_visibility,
            schema: wanted.schema.clone(),
            strict: wanted.strict,
            quota_files: wanted.quota_files,
            quota_bytes: wanted.quota_bytes,
            versions_kept: wanted.versions_kept,
            largest_file: wanted.largest_file,
            content_types: wanted.content_types.clone(),
            created_at: now,
            updated_at: now,
            revision: 1,
            usage: Usage::default(),
        };
        by.check(&collection.object())?;
        let data = json!({
            "collection": collection.name,
            "default_visibility": collection.default_visibility.name(),
        });
        let fact = target(by.fact(&facts::COLLECTION_CREATED), &collection).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::insert_collection(&collection))
            .statement(store::insert_usage(&collection));
        Ok(Decided::new(change, collection))
    }

    pub(crate) async fn update_collection(
        &self,
        by: &Allowance,
        of: &CollectionRef,
        patch: &Patch,
    ) -> Result<Decided<Collection>, FilesError> {
        let inner = self.inner();
        let mut collection = self.find_collection(by, of).await?;
        by.expect_revision(collection.revision)?;
        let fields = apply(&mut collection, patch);
        if let Some(schema) = &collection.schema {
            Schema::compile(schema, "/schema").map_err(FilesError::Schema)?;
        }
        collection.updated_at = inner.world.now();
        collection.revision += 1;
        let data = json!({ "collection": collection.name, "fields": fields });
        let fact = target(by.fact(&facts::COLLECTION_UPDATED), &collection).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::update_collection(&collection));
        Ok(Decided::new(change, collection))
    }

    /// Only an empty one goes: what it holds may belong to people who know nothing of this.
    pub(crate) async fn delete_collection(
        &self,
        by: &Allowance,
        of: &CollectionRef,
    ) -> Result<Decided<Collection>, FilesError> {
        let inner = self.inner();
        let collection = self.find_collection(by, of).await?;
        by.expect_revision(collection.revision)?;
        let Usage { files, uploads, .. } = collection.usage;
        if files > 0 || uploads > 0 {
            return Err(FilesError::NotEmpty { files, uploads });
        }
        let fact = target(by.fact(&facts::COLLECTION_DELETED), &collection);
        let fact = fact.data(json!({ "collection": collection.name }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard_count("file_collections", collection.id, collection.revision)
            .statements(store::remove_collection(&collection));
        Ok(Decided::new(change, collection))
    }
}

fn target(fact: Fact, collection: &Collection) -> Fact {
    fact.target("file_collection", collection.id, collection.name.as_str())
}

/// Writes what the patch says into the collection; answers the names of the fields. What is unset stands as if it had not
/// been given when the collection was made.
fn apply(collection: &mut Collection, patch: &Patch) -> Vec<&'static str> {
    let mut fields = Vec::new();
    macro_rules! take {
        ($($field:ident or $unset:expr;)+) => {$(
            if patch.$field.write(&mut collection.$field, || $unset) {
                fields.push(stringify!($field));
            }
        )+};
    }
    take! {
        description or String::new();
        default_visibility or Visibility::Private;
        strict or false;
        quota_files or QUOTA_FILES;
        quota_bytes or QUOTA_BYTES;
        versions_kept or VERSIONS_KEPT;
        content_types or Vec::new();
    }
    if !patch.schema.is_kept() {
        fields.push("schema");
        collection.schema = patch.schema.set().cloned();
    }
    if !patch.largest_file.is_kept() {
        fields.push("max_file_bytes");
        collection.largest_file = patch.largest_file.set().copied();
    }
    fields
}
