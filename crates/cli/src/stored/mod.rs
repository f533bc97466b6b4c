//! `safeconduct files …`

mod collections;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use client::{
    Expected, FileAbout, FileFilter, FileLink, FileUpload, FileVersion, Files, NewFileUpload, StoredFile,
};
use crypto::hash::Sha256;
use serde_json::{Map, Value, json};
use tokio::io::AsyncReadExt;

use collections::CollectionsCommand;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum FilesCommand {
    /// Make, list, show, change and remove collections.
    #[command(subcommand)]
    Collections(CollectionsCommand),
    /// Keep a file; a large one goes up in parts and goes on after a cut.
    Put(Box<Put>),
    /// Write what a file holds into a file here.
    Get(Get),
    /// List the files of a collection, by name.
    List(Box<List>),
    /// Show what is said of a file.
    Show(Named),
    /// Change what is said of a file; what is not named stays.
    Update(Box<Update>),
    /// List the versions of a file, newest first.
    Versions(Paged),
    /// Make an older version the present one again.
    Restore(Restore),
    /// Make a link that opens a file to whoever has it.
    Link(Link),
    /// List the links to a file that still open.
    Links(Paged),
    /// End a link.
    Unlink(Unlink),
    /// Remove a file with every version and every link to it.
    Delete(Delete),
    /// End an upload that was begun and left.
    Cancel(Cancel),
}

#[derive(Args, Clone, Debug)]
pub struct Named {
    /// Name or id of the collection.
    collection: String,
    /// May have slashes.
    name: String,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct files put reports monday.pdf
  safeconduct files put reports backup.tar 2026/backup.tar --metadata '{\"status\": \"final\"}'
  safeconduct files put reports backup.tar 2026/backup.tar --resume upl_…")]
pub struct Put {
    /// Name or id of the collection.
    collection: String,
    /// The file here.
    file: PathBuf,
    /// What it is called there; as here, if left out.
    name: Option<String>,
    /// By the file's ending, if left out.
    #[arg(long = "type", value_name = "TYPE")]
    content_type: Option<String>,
    #[arg(long)]
    description: Option<String>,
    /// May be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// private, group or organization.
    #[arg(long)]
    visibility: Option<String>,
    /// Id of the group that the file belongs to.
    #[arg(long)]
    group: Option<String>,
    /// A JSON object, @FILE or `-`.
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Refuse if the file there has another revision by now.
    #[arg(long, value_name = "N", conflicts_with = "if_absent")]
    if_revision: Option<i64>,
    /// Refuse if there is such a file.
    #[arg(long)]
    if_absent: bool,
    /// Send it in parts, however small it is.
    #[arg(long)]
    in_parts: bool,
    /// Go on with an upload that was cut off.
    #[arg(long, value_name = "UPLOAD", conflicts_with_all = ["if_revision", "if_absent", "in_parts"])]
    resume: Option<String>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct files get reports 2026/backup.tar
  safeconduct files get reports notes.txt -")]
pub struct Get {
    #[command(flatten)]
    named: Named,
    /// Where to; `-` for standard output. Here, under the last part of the name, if left out.
    to: Option<PathBuf>,
    /// Id of an older version.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Write over what is there.
    #[arg(long)]
    force: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct files list reports --prefix 2026/ --tag final
  safeconduct files list reports --at /status --equals '\"final\"'")]
pub struct List {
    /// Name or id of the collection.
    collection: String,
    /// What names begin with.
    #[arg(long)]
    prefix: Option<String>,
    /// May be repeated; a file must have all of them.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Part of name, description or metadata.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    /// Id of a user or an agent.
    #[arg(long)]
    owner: Option<String>,
    /// private, group or organization.
    #[arg(long)]
    visibility: Option<String>,
    /// JSON pointer into the metadata at which something must stand.
    #[arg(long, value_name = "POINTER")]
    at: Option<String>,
    /// The JSON that must stand there.
    #[arg(long, value_name = "JSON", requires = "at")]
    equals: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Update {
    #[command(flatten)]
    named: Named,
    #[arg(long)]
    description: Option<String>,
    /// May be repeated; in place of those that are there.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// private, group or organization.
    #[arg(long)]
    visibility: Option<String>,
    /// Id of the group that the file belongs to.
    #[arg(long)]
    group: Option<String>,
    /// A JSON object whose members are merged: JSON, @FILE or `-`.
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Refuse if the file has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct Paged {
    #[command(flatten)]
    named: Named,
    /// Where to go on: the `next_cursor` of the page before.
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    cursor: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Restore {
    #[command(flatten)]
    named: Named,
    /// Id of the version.
    version: String,
}

#[derive(Args, Clone, Debug)]
pub struct Link {
    #[command(flatten)]
    named: Named,
    /// Seconds that it opens; at most seven days.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    expires_in: u32,
    /// Id of an older version.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Unlink {
    /// Id of the link.
    link: String,
}

#[derive(Args, Clone, Debug)]
pub struct Delete {
    #[command(flatten)]
    named: Named,
    /// Refuse if the file has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct Cancel {
    /// Id of the upload.
    upload: String,
}

/// What is larger goes up in parts.
const WHOLE: u64 = 1024 * 1024;

pub(crate) async fn run(desk: &mut Desk<'_>, command: FilesCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let stored = client.files();
    match command {
        FilesCommand::Collections(command) => collections::run(desk, stored, command).await,
        FilesCommand::Put(put) => {
            let kept = put.send(desk, stored).await?;
            file_shown(desk, &kept)
        }
        FilesCommand::Get(get) => get.fetch(desk, stored).await,
        FilesCommand::List(list) => {
            let filter = list.filter();
            match list.listing.all {
                true => show_all(&mut desk.screen, stored.all(&list.collection, &filter), &FILES).await,
                false => show(&mut desk.screen, &stored.list(&list.collection, &filter).await?, &FILES),
            }
        }
        FilesCommand::Show(Named { collection, name }) => {
            file_shown(desk, &stored.get(&collection, &name).await?)
        }
        FilesCommand::Update(update) => {
            let patch = update.patch(desk)?;
            let Named { collection, name } = &update.named;
            file_shown(desk, &stored.update(collection, name, &patch, update.if_revision).await?)
        }
        FilesCommand::Versions(Paged { named: Named { collection, name }, cursor }) => {
            let page = stored.versions(&collection, &name, Some(200), cursor.as_deref()).await?;
            show(&mut desk.screen, &page, &VERSIONS)
        }
        FilesCommand::Restore(Restore { named: Named { collection, name }, version }) => {
            file_shown(desk, &stored.restore(&collection, &name, &version).await?)
        }
        FilesCommand::Link(Link { named: Named { collection, name }, expires_in, version }) => {
            let link = stored.link(&collection, &name, expires_in, version.as_deref()).await?;
            let url = link.url.clone().unwrap_or_default();
            let rows = [
                ("link", Cell::toned(&url, Tone::Strong)),
                ("opens", Cell::from(format!("{}/{}", link.collection, link.name))),
                ("until", Cell::from(link.expires_at.as_str())),
                ("id", Cell::from(&link.id)),
            ];
            desk.screen.record(&link, &url, &rows)
        }
        FilesCommand::Links(Paged { named: Named { collection, name }, cursor }) => {
            let page = stored.links(&collection, &name, Some(200), cursor.as_deref()).await?;
            show(&mut desk.screen, &page, &LINKS)
        }
        FilesCommand::Unlink(Unlink { link }) => {
            let ended = stored.revoke_link(&link).await?;
            let rows = [
                ("ended", Cell::toned(&ended.id, Tone::Strong)),
                ("opened", Cell::from(format!("{}/{}", ended.collection, ended.name))),
            ];
            desk.screen.record(&ended, &ended.id, &rows)
        }
        FilesCommand::Delete(Delete { named: Named { collection, name }, if_revision }) => {
            desk.screen.confirm(&format!("Remove {name} from {collection}, with every version?"))?;
            file_shown(desk, &stored.delete(&collection, &name, if_revision).await?)
        }
        FilesCommand::Cancel(Cancel { upload }) => {
            let ended = stored.cancel_upload(&upload).await?;
            let rows = [
                ("ended", Cell::toned(&ended.id, Tone::Strong)),
                ("file", Cell::from(format!("{}/{}", ended.collection, ended.name))),
                ("thrown away", Cell::from(format!("{} bytes", ended.offset))),
            ];
            desk.screen.record(&ended, &ended.id, &rows)
        }
    }
}

impl Update {
    fn patch(&self, desk: &mut Desk<'_>) -> Result<Value, Failure> {
        let metadata = self.metadata.as_deref().map(|given| files::read_json(&mut desk.screen, given));
        Ok(members([
            ("description", self.description.as_ref().map(|text| json!(text))),
            ("tags", (!self.tags.is_empty()).then(|| json!(self.tags))),
            ("visibility", self.visibility.as_ref().map(|text| json!(text))),
            ("group", self.group.as_ref().map(|text| json!(text))),
            ("metadata", metadata.transpose()?),
        ]))
    }
}

/// Those that have a value.
fn members<const N: usize>(given: [(&str, Option<Value>); N]) -> Value {
    let members = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect::<Map<_, _>>())
}

impl Put {
    async fn send(&self, desk: &mut Desk<'_>, stored: Files<'_>) -> Result<StoredFile, Failure> {
        let path = &self.file;
        let mut file = tokio::fs::File::open(path).await.map_err(|error| Failure::file(path, error))?;
        let size = file.metadata().await.map_err(|error| Failure::file(path, error))?.len();
        let sha256 = hashed(path, &mut file).await?;
        if let Some(upload) = &self.resume {
            let upload = stored.upload_status(upload).await?;
            return self.go_on(desk, stored, &upload, &sha256, &mut file).await;
        }
        let expected = match (self.if_absent, self.if_revision) {
            (true, _) => Expected::Absent,
            (false, Some(revision)) => Expected::Revision(revision),
            (false, None) => Expected::Anything,
        };
        let name = self.name()?;
        let content_type = self.content_type.clone().unwrap_or_else(|| type_of(path).to_owned());
        let metadata = self.metadata.as_deref().map(|given| files::read_json(&mut desk.screen, given));
        let metadata = metadata.transpose()?;
        if size <= WHOLE && !self.in_parts {
            let about = FileAbout {
                description: self.description.clone(),
                tags: (!self.tags.is_empty()).then(|| self.tags.join(",")),
                visibility: self.visibility.clone(),
                group: self.group.clone(),
                metadata: metadata.map(|metadata| metadata.to_string()),
                sha256: Some(sha256),
            };
            let content = std::fs::read(path).map_err(|error| Failure::file(path, error))?;
            let sent =
                stored.put(&self.collection, &name, &content_type, content.into(), &about, expected).await;
            return Ok(sent?);
        }
        let new = NewFileUpload {
            name,
            size: i64::try_from(size).unwrap_or(i64::MAX),
            content_type: Some(content_type),
            sha256: Some(sha256.clone()),
            description: self.description.clone(),
            tags: (!self.tags.is_empty()).then(|| self.tags.clone()),
            visibility: self.visibility.clone(),
            group: self.group.clone(),
            metadata,
        };
        let upload = stored.begin_upload(&self.collection, &new, expected).await?;
        desk.screen.note(&format!("if it is cut off, go on with --resume {}", upload.id))?;
        self.go_on(desk, stored, &upload, &sha256, &mut file).await
    }

    async fn go_on(
        &self,
        desk: &mut Desk<'_>,
        stored: Files<'_>,
        upload: &FileUpload,
        sha256: &str,
        file: &mut tokio::fs::File,
    ) -> Result<StoredFile, Failure> {
        let mut told = 0;
        let progress = |offset: i64| {
            let percent = if upload.size == 0 { 100 } else { offset * 100 / upload.size };
            // One line for every tenth; who looks on is told, who does not reads little.
            if percent >= told + 10 {
                told = percent / 10 * 10;
                // A note that cannot be written is none.
                let _ = desk.screen.note(&format!("{told} % of {} bytes", upload.size));
            }
        };
        Ok(stored.go_on(upload, Some(sha256), file, progress).await?)
    }

    fn name(&self) -> Result<String, Failure> {
        match &self.name {
            Some(name) => Ok(name.clone()),
            None => {
                self.file.file_name().and_then(|name| name.to_str()).map(str::to_owned).ok_or_else(|| {
                    Failure::usage(format!(
                        "Say what {} is called there: a third argument.",
                        self.file.display()
                    ))
                })
            }
        }
    }
}

async fn hashed(path: &Path, file: &mut tokio::fs::File) -> Result<String, Failure> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1024 * 1024]);
    loop {
        let read = file.read(&mut piece).await.map_err(|error| Failure::file(path, error))?;
        match piece.get(..read) {
            Some(read) if !read.is_empty() => hash.update(read),
            _ => return Ok(hex::encode(hash.finish())),
        }
    }
}

/// By the file's ending; what nobody knows is bytes.
fn type_of(path: &Path) -> &'static str {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "txt" | "log" => "text/plain; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "html" | "htm" => "text/html; charset=utf-8",
        "json" => "application/json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "tar" => "application/x-tar",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}

impl Get {
    async fn fetch(&self, desk: &mut Desk<'_>, stored: Files<'_>) -> Result<(), Failure> {
        let Named { collection, name } = &self.named;
        let version = self.version.as_deref();
        // The server lets no name end in a slash, nor its last part be `.` or `..`.
        let last = name.rsplit('/').next().unwrap_or(name);
        let to = self.to.clone().unwrap_or_else(|| PathBuf::from(last));
        if to == Path::new("-") {
            let mut pieces = stored.download(collection, name, version).await?;
            while let Some(piece) = pieces.next().await? {
                desk.screen.raw(&piece)?;
            }
            return Ok(());
        }
        if to.exists() && !self.force {
            let said = format!("{} is there already. Name another file, or add --force.", to.display());
            return Err(Failure::usage(said));
        }
        // Beside it first, so that half a file never looks like a whole one.
        let mut beside = to.clone().into_os_string();
        beside.push(".part");
        let beside = PathBuf::from(beside);
        let mut file =
            tokio::fs::File::create(&beside).await.map_err(|error| Failure::file(&beside, error))?;
        let fetched = stored.download_to(collection, name, version, &mut file).await;
        drop(file);
        let bytes = match fetched {
            Ok(bytes) => bytes,
            Err(error) => {
                // What is left of it is of no use; the error is what is told.
                let _ = std::fs::remove_file(&beside);
                return Err(error.into());
            }
        };
        std::fs::rename(&beside, &to).map_err(|error| Failure::file(&to, error))?;
        desk.screen.note(&format!("{bytes} bytes in {}", to.display()))
    }
}

impl List {
    fn filter(&self) -> FileFilter {
        FileFilter {
            prefix: self.prefix.clone(),
            tags: (!self.tags.is_empty()).then(|| self.tags.join(",")),
            q: self.search.clone(),
            owner: self.owner.clone(),
            group: None,
            visibility: self.visibility.clone(),
            pointer: self.at.clone(),
            equals: self.equals.clone(),
            limit: Some(if self.listing.all { 200 } else { self.listing.limit }),
            cursor: self.listing.cursor.clone(),
            count: None,
        }
    }
}

fn file_shown(desk: &mut Desk<'_>, file: &StoredFile) -> Result<(), Failure> {
    let metadata = match file.metadata.as_object() {
        Some(members) if members.is_empty() => String::new(),
        _ => file.metadata.to_string(),
    };
    let rows = [
        ("name", Cell::toned(&file.name, Tone::Strong)),
        ("about", Cell::from(&file.description)),
        ("type", Cell::from(&file.content_type)),
        ("size", Cell::from(format!("{} bytes", file.size))),
        ("sha256", Cell::from(&file.sha256)),
        ("metadata", Cell::from(metadata)),
        ("tags", Cell::from(file.tags.join(", "))),
        ("visibility", Cell::from(&file.visibility)),
        ("owner", Cell::from(&file.owner)),
        ("number", Cell::from(file.number.to_string())),
        ("version", Cell::from(&file.version)),
        ("revision", Cell::from(file.revision.to_string())),
    ];
    desk.screen.record(file, &file.name, &rows)
}

static FILES: Columns<StoredFile> = Columns {
    id: |file| &file.name,
    columns: &[
        ("file", |file| Cell::from(&file.name)),
        ("size", |file| Cell::from(file.size.to_string())),
        ("type", |file| Cell::from(&file.content_type)),
        ("number", |file| Cell::from(file.number.to_string())),
        ("visibility", |file| Cell::from(&file.visibility)),
        ("tags", |file| Cell::from(file.tags.join(", "))),
    ],
};

static VERSIONS: Columns<FileVersion> = Columns {
    id: |version| &version.id,
    columns: &[
        ("number", |version| Cell::from(version.number.to_string())),
        ("written", |version| Cell::from(version.written_at.as_str())),
        ("by", |version| Cell::from(&version.written_by)),
        ("size", |version| Cell::from(version.size.to_string())),
        ("version", |version| Cell::from(&version.id)),
    ],
};

static LINKS: Columns<FileLink> = Columns {
    id: |link| &link.id,
    columns: &[
        ("link", |link| Cell::from(&link.id)),
        ("until", |link| Cell::from(link.expires_at.as_str())),
        ("by", |link| Cell::from(&link.made_by)),
        ("opened", |link| Cell::from(link.uses.to_string())),
        ("version", |link| Cell::from(&link.version)),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_name_types() {
        for (path, kind) in [
            ("a.TXT", "text/plain; charset=utf-8"),
            ("a/b.tar.gz", "application/gzip"),
            ("a.exe", "application/octet-stream"),
            ("README", "application/octet-stream"),
        ] {
            assert_eq!(type_of(Path::new(path)), kind, "{path}");
        }
    }
}
