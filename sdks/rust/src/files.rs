//! Files: bytes under names, in collections. Large ones go up in parts and go on after a cut; so do downloads.

use std::io::SeekFrom;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures::Stream;
use reqwest::header::{ETAG, HeaderName, IF_MATCH, RANGE};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite, AsyncWriteExt};

use crate::audit::Download;
use crate::state::{Expected, expecting};
use crate::{Client, Error, Page, Time, page};

/// Bytes of a part, in memory while it is sent.
const PART: usize = 8 * 1024 * 1024;
/// How long one part may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// Attempts in a row that bring nothing on.
const ATTEMPTS: u32 = 8;
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// A collection: how its files are kept, and how full it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileCollection {
    pub id: String,
    pub name: String,
    pub description: String,
    /// `usr_…` or `agt_…`.
    pub owner: String,
    /// Of files that do not say: `private`, `group` or `organization`.
    pub default_visibility: String,
    /// Of metadata.
    pub schema: Option<Value>,
    pub strict: bool,
    pub quota_files: i64,
    pub quota_bytes: i64,
    pub versions_kept: i64,
    pub max_file_bytes: Option<i64>,
    pub content_types: Vec<String>,
    pub files: i64,
    pub bytes: i64,
    pub uploads: i64,
    pub created_at: Time,
    pub updated_at: Time,
    pub revision: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewFileCollection {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_visibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    pub strict: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_files: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions_kept: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_file_bytes: Option<i64>,
    pub content_types: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct FileCollectionFilter {
    /// Part of the name or description.
    pub q: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// What is said of a file, and which version is the present one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredFile {
    pub id: String,
    pub collection: String,
    pub name: String,
    pub description: String,
    pub metadata: Value,
    pub tags: Vec<String>,
    /// Whether the metadata matched the collection's schema when it was written.
    pub valid: bool,
    pub visibility: String,
    pub owner: String,
    pub group: Option<String>,
    pub version: String,
    pub number: i64,
    pub content_type: String,
    pub size: i64,
    pub sha256: String,
    pub created_at: Time,
    pub updated_at: Time,
    pub updated_by: String,
    pub revision: i64,
}

/// What is to be said of a file that is put; what is left out stays, or has its default.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FileAbout {
    pub description: Option<String>,
    /// With commas between.
    pub tags: Option<String>,
    pub visibility: Option<String>,
    pub group: Option<String>,
    /// A JSON object, as text.
    pub metadata: Option<String>,
    /// A content with another one is refused.
    pub sha256: Option<String>,
}

/// A content to be uploaded in parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewFileUpload {
    pub name: String,
    /// Of the whole.
    pub size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

/// An upload and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileUpload {
    pub id: String,
    pub collection: String,
    pub name: String,
    pub content_type: String,
    pub size: i64,
    /// Where the next part begins.
    pub offset: i64,
    pub complete: bool,
    pub expires_at: Time,
    /// What it became.
    pub file: Option<StoredFile>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct FileFilter {
    /// What names begin with.
    pub prefix: Option<String>,
    /// With commas between; a file must have all of them.
    pub tags: Option<String>,
    /// Part of name, description or metadata.
    pub q: Option<String>,
    pub owner: Option<String>,
    pub group: Option<String>,
    pub visibility: Option<String>,
    /// RFC 6901 pointer into the metadata at which something must stand.
    pub pointer: Option<String>,
    /// The JSON that must stand there.
    pub equals: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    pub count: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileVersion {
    pub id: String,
    pub number: i64,
    pub content_type: String,
    pub size: i64,
    pub sha256: String,
    pub visibility: String,
    pub written_at: Time,
    pub written_by: String,
}

/// A link as it stands in the list: not what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileLink {
    pub id: String,
    pub version: String,
    pub made_by: String,
    pub created_at: Time,
    pub expires_at: Time,
    pub uses: i64,
    pub last_used_at: Option<Time>,
}

/// A link just made, or just ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileLinkShown {
    pub id: String,
    pub collection: String,
    pub name: String,
    pub version: String,
    pub expires_at: Time,
    /// Whoever has it may read the version; `None` of one that was ended.
    pub url: Option<String>,
}

/// `client.files()`. A collection is named by its id or name.
#[derive(Clone, Copy)]
pub struct Files<'a>(&'a Client);

impl Client {
    pub fn files(&self) -> Files<'_> {
        Files(self)
    }
}

impl Files<'_> {
    pub async fn create_collection(&self, new: &NewFileCollection) -> Result<FileCollection, Error> {
        self.0.post(&path(&[])).json(new).once().answer().await
    }

    pub async fn collections(&self, filter: &FileCollectionFilter) -> Result<Page<FileCollection>, Error> {
        self.0.get(&path(&[])).query(filter).answer().await
    }

    pub fn all_collections(
        &self,
        filter: &FileCollectionFilter,
    ) -> impl Stream<Item = Result<FileCollection, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.collections(&FileCollectionFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn collection(&self, collection: &str) -> Result<FileCollection, Error> {
        self.0.get(&path(&[collection])).answer().await
    }

    /// A merge patch (RFC 7396).
    pub async fn update_collection(
        &self,
        collection: &str,
        patch: &Value,
        revision: Option<i64>,
    ) -> Result<FileCollection, Error> {
        self.0.patch(&path(&[collection])).json(patch).if_revision(revision).answer().await
    }

    /// Only an empty one goes.
    pub async fn delete_collection(&self, collection: &str) -> Result<FileCollection, Error> {
        self.0.delete(&path(&[collection])).answer().await
    }

    /// By name.
    pub async fn list(&self, collection: &str, filter: &FileFilter) -> Result<Page<StoredFile>, Error> {
        self.0.get(&path(&[collection, "files"])).query(filter).answer().await
    }

    pub fn all(
        &self,
        collection: &str,
        filter: &FileFilter,
    ) -> impl Stream<Item = Result<StoredFile, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(collection, &FileFilter { cursor, ..filter.clone() }).await
        })
    }

    /// What is said of a file, not what it holds.
    pub async fn get(&self, collection: &str, name: &str) -> Result<StoredFile, Error> {
        self.0.get(&of(collection, "files", name)).answer().await
    }

    /// Sends a content whole, up to the server's limit of a body: the file's next version, or a new file.
    pub async fn put(
        &self,
        collection: &str,
        name: &str,
        content_type: &str,
        content: Bytes,
        about: &FileAbout,
        expected: Expected,
    ) -> Result<StoredFile, Error> {
        let call = self.0.put(&of(collection, "files", name)).query(about).bytes(content_type, content);
        expecting(call, expected).timeout(Some(PATIENCE)).answer().await
    }

    /// A merge patch (RFC 7396) of what is said of a file.
    pub async fn update(
        &self,
        collection: &str,
        name: &str,
        patch: &Value,
        revision: Option<i64>,
    ) -> Result<StoredFile, Error> {
        self.0.patch(&of(collection, "files", name)).json(patch).if_revision(revision).answer().await
    }

    /// With every version and every link to it.
    pub async fn delete(
        &self,
        collection: &str,
        name: &str,
        revision: Option<i64>,
    ) -> Result<StoredFile, Error> {
        self.0.delete(&of(collection, "files", name)).if_revision(revision).answer().await
    }

    /// Newest first.
    pub async fn versions(
        &self,
        collection: &str,
        name: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<FileVersion>, Error> {
        self.0.get(&of(collection, "versions", name)).query(&part_of(limit, cursor)).answer().await
    }

    /// Makes an older version the present one again, as a version of its own.
    pub async fn restore(&self, collection: &str, name: &str, version: &str) -> Result<StoredFile, Error> {
        let body = json!({ "version": version });
        self.0.post(&of(collection, "restore", name)).json(&body).once().answer().await
    }

    /// What a file holds, piece by piece.
    pub async fn download(
        &self,
        collection: &str,
        name: &str,
        version: Option<&str>,
    ) -> Result<Download, Error> {
        self.read(collection, name, version, 0, None).await
    }

    /// Writes what a file holds into `to`; goes on where the connection was cut, and holds the whole against its hash.
    /// Answers how many bytes there were.
    pub async fn download_to(
        &self,
        collection: &str,
        name: &str,
        version: Option<&str>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64, Error> {
        let (mut hash, mut at, mut tag, mut failures) = (Context::new(&SHA256), 0, None, 0);
        loop {
            let cut = match self.read(collection, name, version, at, tag.as_deref()).await {
                Ok(mut pieces) => {
                    tag = pieces.0.headers().get(ETAG).and_then(|tag| Some(tag.to_str().ok()?.to_owned()));
                    loop {
                        match pieces.next().await {
                            Ok(Some(piece)) => {
                                hash.update(&piece);
                                to.write_all(&piece).await.map_err(unwritten)?;
                                at += piece.len() as u64;
                                failures = 0;
                            }
                            Ok(None) => {
                                to.flush().await.map_err(unwritten)?;
                                return whole(&hash, tag.as_deref()).map(|()| at);
                            }
                            Err(error) => break error,
                        }
                    }
                }
                // Cut right behind the last byte.
                Err(error) if error.code() == "range_unsatisfiable" && at > 0 => {
                    to.flush().await.map_err(unwritten)?;
                    return whole(&hash, tag.as_deref()).map(|()| at);
                }
                Err(error) if at > 0 && passes(&error) => error,
                Err(error) => return Err(error),
            };
            failures += 1;
            wait(failures, cut).await?;
        }
    }

    async fn read(
        &self,
        collection: &str,
        name: &str,
        version: Option<&str>,
        at: u64,
        tag: Option<&str>,
    ) -> Result<Download, Error> {
        let query: Vec<_> = version.map(|version| ("version", version)).into_iter().collect();
        let mut call = self.0.get(&of(collection, "content", name)).query(&query).timeout(None);
        if let Some(tag) = tag {
            call = call.header(IF_MATCH, tag).header(RANGE, &format!("bytes={at}-"));
        }
        call.send().await.map(Download)
    }

    /// Sets room aside for a content that will be sent in parts.
    pub async fn begin_upload(
        &self,
        collection: &str,
        new: &NewFileUpload,
        expected: Expected,
    ) -> Result<FileUpload, Error> {
        let call = self.0.post(&path(&[collection, "uploads"])).json(new).once();
        expecting(call, expected).answer().await
    }

    /// How far an upload is.
    pub async fn upload_status(&self, upload: &str) -> Result<FileUpload, Error> {
        self.0.get(&uploads(upload)).answer().await
    }

    /// Sends one part.
    pub async fn append(&self, upload: &str, offset: i64, part: Bytes) -> Result<FileUpload, Error> {
        let call = self.0.patch(&uploads(upload)).bytes("application/octet-stream", part);
        call.header(UPLOAD_OFFSET, &offset.to_string()).timeout(Some(PATIENCE)).answer().await
    }

    /// Ends an upload of the caller, or of a file that the caller might delete; what has arrived is thrown away.
    pub async fn cancel_upload(&self, upload: &str) -> Result<FileUpload, Error> {
        self.0.delete(&uploads(upload)).answer().await
    }

    /// Sends a content of any size in parts, and goes on where the connection was cut.
    pub async fn upload(
        &self,
        collection: &str,
        new: &NewFileUpload,
        from: &mut (impl AsyncRead + AsyncSeek + Unpin),
        expected: Expected,
    ) -> Result<StoredFile, Error> {
        let upload = self.begin_upload(collection, new, expected).await?;
        self.go_on(&upload, new.sha256.as_deref(), from, |_| ()).await
    }

    /// Goes on with an upload from where it stands, in this program's life or a later one; `told` hears how far it is.
    pub async fn go_on(
        &self,
        upload: &FileUpload,
        sha256: Option<&str>,
        from: &mut (impl AsyncRead + AsyncSeek + Unpin),
        mut told: impl FnMut(i64),
    ) -> Result<StoredFile, Error> {
        let (mut offset, mut failures) = (upload.offset, 0);
        let mut part = Vec::new();
        loop {
            told(offset);
            let place = u64::try_from(offset).unwrap_or_default();
            from.seek(SeekFrom::Start(place)).await.map_err(unread)?;
            part.clear();
            let left = u64::try_from(upload.size - offset).unwrap_or_default().min(PART as u64);
            (&mut *from).take(left).read_to_end(&mut part).await.map_err(unread)?;
            if (part.len() as u64) < left {
                let detail = "It is shorter than it was when the upload began. Begin a new one.";
                return Err(Error::new("content_changed", "The content has changed", detail));
            }
            let sent = offset + i64::try_from(part.len()).unwrap_or(i64::MAX);
            match self.append(&upload.id, offset, Bytes::copy_from_slice(&part)).await {
                Ok(FileUpload { file: Some(file), .. }) => {
                    told(upload.size);
                    return Ok(file);
                }
                Ok(standing) if standing.offset > offset => (offset, failures) = (standing.offset, 0),
                Ok(_) => {
                    let detail = "The server keeps nothing of what is sent.";
                    return Err(Error::new("unreadable_answer", "The upload does not go on", detail));
                }
                Err(error) if passes(&error) || error.code() == "upload_offset" => {
                    failures += 1;
                    wait(failures, error).await?;
                    match self.upload_status(&upload.id).await {
                        Ok(standing) => offset = standing.offset,
                        // The answer to the last part was lost: perhaps the file is there.
                        Err(error) if error.status() == Some(404) && sent == upload.size => {
                            let file = self.get(&upload.collection, &upload.name).await?;
                            let same = sha256.is_some_and(|sha256| sha256.eq_ignore_ascii_case(&file.sha256));
                            return if same { Ok(file) } else { Err(error) };
                        }
                        Err(error) if passes(&error) => {}
                        Err(error) => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes a link that opens a version – the present one, if none is named – to whoever has it, for so many seconds.
    pub async fn link(
        &self,
        collection: &str,
        name: &str,
        expires_in: u32,
        version: Option<&str>,
    ) -> Result<FileLinkShown, Error> {
        let body = match version {
            Some(version) => json!({ "expires_in": expires_in, "version": version }),
            None => json!({ "expires_in": expires_in }),
        };
        self.0.post(&of(collection, "links", name)).json(&body).once().answer().await
    }

    /// Newest first.
    pub async fn links(
        &self,
        collection: &str,
        name: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<FileLink>, Error> {
        self.0.get(&of(collection, "links", name)).query(&part_of(limit, cursor)).answer().await
    }

    pub async fn revoke_link(&self, link: &str) -> Result<FileLinkShown, Error> {
        self.0.delete(&["api", "v1", "file-links", link]).answer().await
    }
}

/// Worth another attempt: nobody answered, or somebody who is busy.
fn passes(error: &Error) -> bool {
    error.is_unreachable() || error.code() == "timed_out" || matches!(error.status(), Some(429 | 502..=504))
}

/// Before the next attempt; the error stands if there were enough in a row.
async fn wait(failures: u32, error: Error) -> Result<(), Error> {
    if failures >= ATTEMPTS {
        return Err(error);
    }
    let backoff = Duration::from_millis(100) * 2_u32.saturating_pow(failures - 1);
    tokio::time::sleep(error.retry_after().unwrap_or(backoff)).await;
    Ok(())
}

/// The ETag of a content is its SHA-256.
fn whole(hash: &Context, tag: Option<&str>) -> Result<(), Error> {
    let digest = hash.clone().finish();
    let found: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    match tag.map(|tag| tag.trim_matches('"')) {
        Some(said) if said == found => Ok(()),
        _ => {
            let detail = "What arrived is not what the server says that it holds. Read it again.";
            Err(Error::new("unreadable_answer", "The content was damaged on the way", detail))
        }
    }
}

fn unread(error: std::io::Error) -> Error {
    let detail = format!("The content cannot be read: {error}.");
    Error::new("invalid_request", "The request cannot be made", detail).because(error)
}

fn unwritten(error: std::io::Error) -> Error {
    let detail = format!("The content cannot be written down: {error}.");
    Error::new("not_written", "The content cannot be kept", detail).because(error)
}

fn part_of(limit: Option<u32>, cursor: Option<&str>) -> Vec<(&'static str, String)> {
    let limit = limit.map(|limit| limit.to_string());
    let query = [("limit", limit), ("cursor", cursor.map(str::to_owned))];
    query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn path<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["api", "v1", "collections"], rest].concat()
}

fn uploads(upload: &str) -> [&str; 4] {
    ["api", "v1", "uploads", upload]
}

/// Slashes of a name are slashes of the path.
fn of<'a>(collection: &'a str, what: &'a str, name: &'a str) -> Vec<&'a str> {
    path(&[collection, what]).into_iter().chain(name.split('/')).collect()
}
