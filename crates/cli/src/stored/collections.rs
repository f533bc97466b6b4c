//! `safeconduct files collections …`

use clap::{Args, Subcommand};
use client::{FileCollection, FileCollectionFilter, Files, NewFileCollection};
use serde_json::{Value, json};

use super::members;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum CollectionsCommand {
    /// Make a collection.
    Create(Box<Create>),
    /// List collections, newest first.
    List(ListCollections),
    /// Show a collection and how full it is.
    Show(Collection),
    /// Change how a collection keeps its files; what is not named stays.
    Update(Box<UpdateCollection>),
    /// Remove an empty collection.
    Delete(Collection),
}

#[derive(Args, Clone, Debug)]
pub struct Collection {
    /// Name or id of the collection.
    collection: String,
}

#[derive(Args, Clone, Debug)]
pub struct Keeping {
    #[arg(long)]
    description: Option<String>,
    /// private, group or organization: of files that do not say.
    #[arg(long, value_name = "VISIBILITY")]
    default_visibility: Option<String>,
    /// JSON Schema of metadata: JSON, @FILE or `-`.
    #[arg(long, value_name = "JSON")]
    schema: Option<String>,
    /// How many files there may be.
    #[arg(long, value_name = "N")]
    quota_files: Option<i64>,
    /// How many bytes all versions may have together.
    #[arg(long, value_name = "BYTES")]
    quota_bytes: Option<i64>,
    /// How many versions of a file are kept, 1 to 100.
    #[arg(long, value_name = "N")]
    versions: Option<i64>,
    /// How large a file may be.
    #[arg(long, value_name = "BYTES")]
    max_file_bytes: Option<i64>,
    /// A content type that is kept, such as `text/csv` or `image/*`; may be repeated.
    #[arg(long = "content-type", value_name = "TYPE")]
    content_types: Vec<String>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct files collections create reports --default-visibility organization
  safeconduct files collections create pictures --content-type 'image/*' --max-file-bytes 10000000")]
pub struct Create {
    /// a-z, 0-9, `_`, `.` and `-`.
    name: String,
    #[command(flatten)]
    keeping: Keeping,
    /// Refuse metadata that does not match the schema.
    #[arg(long, requires = "schema")]
    strict: bool,
}

#[derive(Args, Clone, Debug)]
pub struct UpdateCollection {
    /// Name or id of the collection.
    collection: String,
    #[command(flatten)]
    keeping: Keeping,
    /// true or false: refuse metadata that does not match the schema.
    #[arg(long, value_name = "BOOL")]
    strict: Option<bool>,
    /// Refuse if the collection has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct ListCollections {
    /// Part of the name or description.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(super) async fn run(
    desk: &mut Desk<'_>,
    stored: Files<'_>,
    command: CollectionsCommand,
) -> Result<(), Failure> {
    match command {
        CollectionsCommand::Create(create) => {
            let new = create.collection(desk)?;
            collection_shown(desk, &stored.create_collection(&new).await?)
        }
        CollectionsCommand::List(list) => {
            let filter = FileCollectionFilter {
                q: list.search.clone(),
                limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
                cursor: list.listing.cursor.clone(),
            };
            match list.listing.all {
                true => show_all(&mut desk.screen, stored.all_collections(&filter), &COLLECTIONS).await,
                false => show(&mut desk.screen, &stored.collections(&filter).await?, &COLLECTIONS),
            }
        }
        CollectionsCommand::Show(Collection { collection }) => {
            collection_shown(desk, &stored.collection(&collection).await?)
        }
        CollectionsCommand::Update(update) => {
            let patch = update.patch(desk)?;
            let changed = stored.update_collection(&update.collection, &patch, update.if_revision).await?;
            collection_shown(desk, &changed)
        }
        CollectionsCommand::Delete(Collection { collection }) => {
            desk.screen.confirm(&format!("Remove the collection {collection}?"))?;
            collection_shown(desk, &stored.delete_collection(&collection).await?)
        }
    }
}

impl Create {
    fn collection(&self, desk: &mut Desk<'_>) -> Result<NewFileCollection, Failure> {
        let keeping = self.keeping.clone();
        let schema = keeping.schema.map(|given| files::read_json(&mut desk.screen, &given)).transpose()?;
        Ok(NewFileCollection {
            name: self.name.clone(),
            description: keeping.description,
            default_visibility: keeping.default_visibility,
            schema,
            strict: self.strict,
            quota_files: keeping.quota_files,
            quota_bytes: keeping.quota_bytes,
            versions_kept: keeping.versions,
            max_file_bytes: keeping.max_file_bytes,
            content_types: keeping.content_types,
        })
    }
}

impl UpdateCollection {
    fn patch(&self, desk: &mut Desk<'_>) -> Result<Value, Failure> {
        let keeping = &self.keeping;
        let schema = keeping.schema.as_deref().map(|given| files::read_json(&mut desk.screen, given));
        let types = &keeping.content_types;
        Ok(members([
            ("description", keeping.description.as_ref().map(|text| json!(text))),
            ("default_visibility", keeping.default_visibility.as_ref().map(|text| json!(text))),
            ("schema", schema.transpose()?),
            ("strict", self.strict.map(Value::from)),
            ("quota_files", keeping.quota_files.map(Value::from)),
            ("quota_bytes", keeping.quota_bytes.map(Value::from)),
            ("versions_kept", keeping.versions.map(Value::from)),
            ("max_file_bytes", keeping.max_file_bytes.map(Value::from)),
            ("content_types", (!types.is_empty()).then(|| json!(types))),
        ]))
    }
}

fn collection_shown(desk: &mut Desk<'_>, collection: &FileCollection) -> Result<(), Failure> {
    let largest = collection.max_file_bytes.map_or_else(String::new, |most| format!("{most} bytes"));
    let rows = [
        ("name", Cell::toned(&collection.name, Tone::Strong)),
        ("about", Cell::from(&collection.description)),
        ("files", Cell::from(format!("{} of {}", collection.files, collection.quota_files))),
        ("kept", Cell::from(format!("{} of {} bytes", collection.bytes, collection.quota_bytes))),
        ("visibility", Cell::from(&collection.default_visibility)),
        ("metadata", Cell::from(said_of_metadata(collection))),
        ("versions", Cell::from(collection.versions_kept.to_string())),
        ("largest", Cell::from(largest)),
        ("types", Cell::from(collection.content_types.join(", "))),
        ("owner", Cell::from(&collection.owner)),
        ("revision", Cell::from(collection.revision.to_string())),
        ("id", Cell::from(&collection.id)),
    ];
    desk.screen.record(collection, &collection.id, &rows)
}

fn said_of_metadata(collection: &FileCollection) -> &'static str {
    match (&collection.schema, collection.strict) {
        (None, _) => "any",
        (Some(_), true) => "held against a schema",
        (Some(_), false) => "marked by a schema",
    }
}

static COLLECTIONS: Columns<FileCollection> = Columns {
    id: |collection| &collection.name,
    columns: &[
        ("collection", |collection| Cell::from(&collection.name)),
        ("files", |collection| Cell::from(collection.files.to_string())),
        ("bytes", |collection| Cell::from(collection.bytes.to_string())),
        ("visibility", |collection| Cell::from(&collection.default_visibility)),
        ("about", |collection| Cell::from(&collection.description)),
    ],
};
