//! A file gets a version: sent whole, uploaded in parts, or an older one put in front again.

use db::{Change, Statement};
use ledger::Fact;
use serde_json::{Value, json};
use types::{FileVersionId, GroupId};
use web::{Allowance, Decided, Precondition};

use crate::model::{Chunk, Collection, Content, File, Upload, Visibility, Wish};
use crate::service::{HOLDER, may};
use crate::words::{CollectionRef, ContentType, FileName};
use crate::{Files, FilesError, facts, store};

/// A version to be.
#[derive(Clone, Debug)]
pub(crate) struct NewContent {
    pub(crate) version: FileVersionId,
    pub(crate) content_type: ContentType,
    pub(crate) size: i64,
    pub(crate) sha256: [u8; 32],
    pub(crate) source: Source,
}

/// Where its chunks come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// They are blobs that nothing refers to yet.
    Sent(Vec<Chunk>),
    /// They stand under the version's id already, and their room was set aside.
    Uploaded(Box<Upload>),
    /// They are those of an older version.
    Older(FileVersionId),
}

/// What became of a file: as it is now, or as it was before it was removed.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) collection: Collection,
    pub(crate) file: File,
}

/// Everything that could refuse the write has been asked.
pub(crate) struct Plan {
    pub(crate) collection: Collection,
    pub(crate) before: Option<File>,
    pub(crate) after: File,
    /// The group that the file is newly put into, as it stands now.
    pub(crate) group: Option<(GroupId, i64)>,
}

impl Files {
    /// What the write comes to, before anything of the content has to be there.
    pub(crate) async fn plan(
        &self,
        by: &Allowance,
        of: &CollectionRef,
        name: &FileName,
        precondition: Precondition,
        wish: &Wish,
        content: &Content,
    ) -> Result<Plan, FilesError> {
        let (db, scope) = (&self.inner().db, by.scope());
        let collection = self.collection(by, of).await?;
        let before = store::file(db, &scope, collection.id, name).await?;
        // After the file: what was removed before it was looked for had no revision above this.
        let base = store::usage(db, &scope, collection.id).await?;
        if let Some(file) = &before {
            may(by, &collection, file)?;
        }
        precondition.hold(before.as_ref().map(|file| file.revision))?;
        let mut after = match &before {
            Some(file) => File { revision: file.revision + 1, ..file.clone() },
            None => self.blank(by, &collection, base, name.clone(), content),
        };
        let number = before.as_ref().map_or(0, |file| file.content.number) + 1;
        after.content = Content { number, ..content.clone() };
        let group = self.say(by, &collection, before.as_ref(), &mut after, wish).await?;
        fits(&collection, &after.content)?;
        after.updated_at = self.inner().world.now();
        after.updated_by = by.caller().principal().to_string();
        // Who gives a file another group or visibility must be allowed to write that, too.
        may(by, &collection, &after)?;
        Ok(Plan { collection, before, after, group })
    }

    /// What is said of the file, held against the collection and its schema.
    pub(crate) async fn say(
        &self,
        by: &Allowance,
        collection: &Collection,
        before: Option<&File>,
        file: &mut File,
        wish: &Wish,
    ) -> Result<Option<(GroupId, i64)>, FilesError> {
        let Wish { description, tags, visibility, group, metadata } = wish.clone();
        let says_metadata = metadata.is_some();
        file.description = description.unwrap_or(std::mem::take(&mut file.description));
        file.tags = tags.unwrap_or(std::mem::take(&mut file.tags));
        file.metadata = metadata.unwrap_or(std::mem::take(&mut file.metadata));
        file.visibility = visibility.unwrap_or(file.visibility);
        file.group = group.or(file.group);
        fitting_tags(&file.tags)?;
        if says_metadata || before.is_none() {
            file.is_valid = self.inner().schemas.judge(collection, &file.metadata)?;
        }
        self.group_of(by, before, file).await
    }

    /// The group that the file is newly put into; it must be there.
    pub(crate) async fn group_of(
        &self,
        by: &Allowance,
        before: Option<&File>,
        file: &File,
    ) -> Result<Option<(GroupId, i64)>, FilesError> {
        match file.group {
            None if file.visibility == Visibility::Group => {
                Err(FilesError::invalid("group", "is needed for what a group may see"))
            }
            Some(group) if before.is_none_or(|before| before.group != Some(group)) => {
                match store::group(&self.inner().db, &by.scope(), group).await? {
                    Some(revision) => Ok(Some((group, revision))),
                    None => Err(FilesError::invalid("group", "there is no such group here")),
                }
            }
            _ => Ok(None),
        }
    }

    fn blank(
        &self,
        by: &Allowance,
        collection: &Collection,
        base: i64,
        name: FileName,
        content: &Content,
    ) -> File {
        let now = self.inner().world.now();
        File {
            id: self.inner().world.id(),
            name,
            description: String::new(),
            metadata: json!({}),
            tags: Vec::new(),
            is_valid: true,
            visibility: collection.default_visibility,
            owner: by.caller().principal(),
            group: None,
            content: content.clone(),
            created_at: now,
            updated_at: now,
            updated_by: String::new(),
            // Above whatever the name had before, so that an old ETag never fits a new file.
            revision: base + 1,
        }
    }

    pub(crate) async fn write(
        &self,
        by: &Allowance,
        of: &CollectionRef,
        name: &FileName,
        precondition: Precondition,
        wish: &Wish,
        new: &NewContent,
    ) -> Result<Decided<Outcome>, FilesError> {
        let content = Content {
            version: new.version,
            number: 0,
            content_type: new.content_type.clone(),
            size: new.size,
            sha256: new.sha256,
        };
        let Plan { collection, before, after, group } =
            self.plan(by, of, name, precondition, wish, &content).await?;
        let inner = self.inner();
        let surplus = match &before {
            Some(file) => {
                store::surplus(&inner.db, &by.scope(), file.id, collection.versions_kept - 1).await?
            }
            None => Vec::new(),
        };
        let freed: i64 = surplus.iter().map(|(_, size)| size).sum();
        let (bytes, uploads) = match &new.source {
            Source::Uploaded(_) => (-freed, -1),
            Source::Sent(_) | Source::Older(_) => (new.size - freed, 0),
        };
        let fact = told_of(by.fact(&facts::FILE_WRITTEN), &collection, &after, |data| {
            data["version"] = json!(after.content.version);
            data["number"] = json!(after.content.number);
            data["size"] = json!(after.content.size);
            data["sha256"] = json!(hex::encode(after.content.sha256));
            data["content_type"] = json!(after.content.content_type);
        });
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard("file_collections", collection.id, collection.revision)
            .statement(store::fill(&collection, (i64::from(before.is_none()), bytes, uploads)));
        let change = match group {
            Some((group, revision)) => change.guard("groups", group, revision),
            None => change,
        };
        let change = change
            .statement(match &before {
                Some(_) => store::update_file(collection.org, &after),
                None => store::insert_file(&collection, &after),
            })
            .statement(store::insert_version(collection.org, &after))
            .statements(self.sourced(by, new))
            .statements(surplus.iter().flat_map(|(version, _)| self.gone(&collection, *version)));
        Ok(Decided::new(change, Outcome { collection, file: after }))
    }

    fn sourced(&self, by: &Allowance, new: &NewContent) -> Vec<Statement> {
        let (inner, scope) = (self.inner(), by.scope());
        match &new.source {
            Source::Sent(chunks) => {
                let refer = |chunk: &Chunk| {
                    let blob = blobs::BlobReference { sha256: chunk.sha256, size: chunk.size.unsigned_abs() };
                    inner.blobs.refer(&scope, &blob, HOLDER, new.version)
                };
                let insert = |chunk| store::insert_chunk(scope.org(), new.version, chunk);
                chunks.iter().flat_map(|chunk| [refer(chunk), insert(chunk)]).collect()
            }
            Source::Uploaded(upload) => vec![store::end_upload(scope.org(), upload)],
            Source::Older(version) => vec![
                inner.blobs.share(&scope, HOLDER, *version, new.version),
                store::copy_chunks(scope.org(), *version, new.version),
            ],
        }
    }

    /// A version goes, with its chunks and the links to it.
    pub(crate) fn gone(&self, collection: &Collection, version: FileVersionId) -> Vec<Statement> {
        let released = self.inner().blobs.release_all(collection.org, HOLDER, version);
        store::remove_version(collection.org, version).into_iter().chain(released).collect()
    }
}

/// Whether the collection keeps such a content at all.
fn fits(collection: &Collection, content: &Content) -> Result<(), FilesError> {
    let kept = &collection.content_types;
    if !kept.is_empty() && !kept.iter().any(|pattern| pattern.covers(&content.content_type)) {
        return Err(FilesError::Type(content.content_type.to_string()));
    }
    match collection.largest_file {
        Some(most) if content.size > most => Err(FilesError::TooLarge(most)),
        _ => Ok(()),
    }
}

/// The file and what a fact says of it: everything that decides who may hear of it.
pub(crate) fn told_of(
    fact: Fact,
    collection: &Collection,
    file: &File,
    more: impl FnOnce(&mut Value),
) -> Fact {
    let mut data = json!({
        "collection": collection.name,
        "name": file.name,
        "revision": file.revision,
        "visibility": file.visibility.name(),
        "owner": file.owner.to_string(),
        "group": file.group,
    });
    more(&mut data);
    fact.target("file", file.id, file.path(collection)).data(data)
}

/// Filters name tags with commas between.
pub(crate) fn fitting_tags(tags: &[String]) -> Result<(), FilesError> {
    const MOST: usize = 50;
    let fits = |tag: &String| !tag.is_empty() && tag.len() <= 64 && !tag.contains(',');
    if tags.len() > MOST {
        return Err(FilesError::invalid("tags", format!("are at most {MOST}")));
    }
    match tags.iter().position(|tag| !fits(tag)) {
        Some(index) => {
            Err(FilesError::invalid(format!("tags/{index}"), "must have 1 to 64 bytes and no comma"))
        }
        None => Ok(()),
    }
}
