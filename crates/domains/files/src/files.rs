//! What is said of a file is changed, an older version is put in front, a file goes.

use db::Change;
use serde_json::{Value, json};
use types::{FileVersionId, GroupId};
use web::{Allowance, Decided, Patched};

use crate::model::{File, Visibility, Wish};
use crate::service::may;
use crate::words::{CollectionRef, FileName};
use crate::writes::{NewContent, Outcome, Source, fitting_tags, told_of};
use crate::{Files, FilesError, facts, store};

/// A merge patch (RFC 7396) of what is said of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct FilePatch {
    pub(crate) description: Patched<String>,
    pub(crate) tags: Patched<Vec<String>>,
    pub(crate) visibility: Patched<Visibility>,
    pub(crate) group: Patched<GroupId>,
    pub(crate) metadata: Patched<Value>,
}

impl Files {
    pub(crate) async fn update(
        &self,
        by: &Allowance,
        of: &CollectionRef,
        name: &FileName,
        patch: &FilePatch,
    ) -> Result<Decided<Outcome>, FilesError> {
        let inner = self.inner();
        let (collection, before) = self.find(by, of, name).await?;
        by.expect_revision(before.revision)?;
        let mut after = File { revision: before.revision + 1, ..before.clone() };
        let mut fields = Vec::new();
        if patch.description.write(&mut after.description, String::new) {
            fields.push("description");
        }
        if patch.tags.write(&mut after.tags, Vec::new) {
            fields.push("tags");
            fitting_tags(&after.tags)?;
        }
        if patch.visibility.write(&mut after.visibility, || collection.default_visibility) {
            fields.push("visibility");
        }
        if !patch.group.is_kept() {
            fields.push("group");
            after.group = patch.group.set().copied();
        }
        if !patch.metadata.is_kept() {
            fields.push("metadata");
            after.metadata = merged(before.metadata.clone(), &patch.metadata)?;
            after.is_valid = inner.schemas.judge(&collection, &after.metadata)?;
        }
        let group = self.group_of(by, Some(&before), &after).await?;
        after.updated_at = inner.world.now();
        after.updated_by = by.caller().principal().to_string();
        may(by, &collection, &after)?;
        let fact = told_of(by.fact(&facts::FILE_UPDATED), &collection, &after, |data| {
            data["fields"] = json!(fields);
        });
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard("file_collections", collection.id, collection.revision)
            .statement(store::fill(&collection, (0, 0, 0)))
            .statement(store::update_file(collection.org, &after))
            .statement(store::update_version(collection.org, &after));
        let change = match group {
            Some((group, revision)) => change.guard("groups", group, revision),
            None => change,
        };
        Ok(Decided::new(change, Outcome { collection, file: after }))
    }

    /// With every version, and every link to one.
    pub(crate) async fn delete(
        &self,
        by: &Allowance,
        of: &CollectionRef,
        name: &FileName,
    ) -> Result<Decided<Outcome>, FilesError> {
        let inner = self.inner();
        let (collection, file) = self.find(by, of, name).await?;
        by.expect_revision(file.revision)?;
        let versions = store::surplus(&inner.db, &by.scope(), file.id, 0).await?;
        let freed: i64 = versions.iter().map(|(_, size)| size).sum();
        let fact = told_of(by.fact(&facts::FILE_DELETED), &collection, &file, |data| {
            data["versions"] = json!(versions.len());
        });
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard("file_collections", collection.id, collection.revision)
            .statement(store::fill(&collection, (-1, -freed, 0)))
            .statements(versions.iter().flat_map(|(version, _)| self.gone(&collection, *version)))
            .statement(store::remove_file(collection.org, &file));
        Ok(Decided::new(change, Outcome { collection, file }))
    }

    /// An older version becomes the present one, as a version of its own: what came between is not lost. What may be read
    /// may be restored by whoever may write.
    pub(crate) async fn restore(
        &self,
        by: &Allowance,
        of: &CollectionRef,
        name: &FileName,
        version: FileVersionId,
        fresh: FileVersionId,
    ) -> Result<Decided<Outcome>, FilesError> {
        let (collection, file) = self.find(by, of, name).await?;
        let older = self.content(by, &collection, &file, Some(version)).await?;
        let new = NewContent {
            version: fresh,
            content_type: older.content_type,
            size: older.size,
            sha256: older.sha256,
            source: Source::Older(version),
        };
        let expected = web::Precondition::Revision(file.revision);
        by.expect_revision(file.revision)?;
        self.write(by, of, name, expected, &Wish::default(), &new).await
    }
}

fn merged(old: Value, patch: &Patched<Value>) -> Result<Value, FilesError> {
    match patch {
        Patched::Kept => Ok(old),
        Patched::Unset => Ok(json!({})),
        Patched::Set(Value::Object(members)) => {
            let mut target = match old {
                Value::Object(old) => old,
                _ => serde_json::Map::new(),
            };
            web::merge_patch(&mut target, members);
            Ok(Value::Object(target))
        }
        Patched::Set(_) => Err(FilesError::invalid("metadata", "must be an object")),
    }
}
