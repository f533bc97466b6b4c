//! `PUT …/files/{name…}`: a content sent whole. `GET …/content/{name…}`: a content read, whole or a part of it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use db::OrgScope;
use futures::StreamExt;
use problem::{
    BODY_TOO_LARGE, COLLECTION_FULL, CONFLICT, HASH_MISMATCH, INPUT_INVALID, Problem, RANGE_UNSATISFIABLE,
    STALE_REVISION, UNSUPPORTED_MEDIA_TYPE,
};
use serde::Deserialize;
use types::{FileVersionId, GroupId};
use utoipa::ToSchema;
use web::{
    Allowed, OCTETS_IN, OCTETS_OUT, Octets, Params, Rate, Refusal, Reply, Segments, Spec, WantedBytes,
    leaves, operation, refuses,
};

use super::files::{listed, named, wrong};
use super::views::FileView;
use crate::contents::{Arriving, signed};
use crate::model::{Content, Visibility, Wish};
use crate::words::{ContentType, FileName};
use crate::writes::{NewContent, Source};
use crate::{Files, FilesError, facts};

operation! {
    /// Puts a content under a name: the file's next version, or a new file. `If-Match` and `If-None-Match: *` compare before they set.
    pub PutFile(Octets)[PutQuery] -> FileView = Spec::put("files.put", "/api/v1/collections/{collection}/files/{*name}")
        .needs("files:write").form(OCTETS_IN).facts(leaves![facts::FILE_WRITTEN])
        .errors(refuses![
            INPUT_INVALID, COLLECTION_FULL, HASH_MISMATCH, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, CONFLICT, STALE_REVISION
        ]);

    /// Reads what a file holds, as an attachment; `Range` reads a part. The ETag is the SHA-256.
    pub DownloadFile[DownloadQuery] -> Octets =
        Spec::get("files.download", "/api/v1/collections/{collection}/content/{*name}")
        .needs("files:read").form(OCTETS_OUT).rate(Rate::Read)
        .errors(refuses![RANGE_UNSATISFIABLE, STALE_REVISION]);
}

/// What is said of the file; what is left out stays, or has its default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilePutQuery)]
pub struct PutQuery {
    pub description: Option<String>,
    /// With commas between.
    pub tags: Option<String>,
    pub visibility: Option<Visibility>,
    pub group: Option<GroupId>,
    /// A JSON object.
    pub metadata: Option<String>,
    /// In hexadecimal; a body with another one is refused.
    pub sha256: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FileDownloadQuery)]
pub struct DownloadQuery {
    /// The present one, if left out.
    pub version: Option<FileVersionId>,
}

pub async fn put(
    State(files): State<Files>,
    allowed: Allowed<PutFile>,
    Segments(path): Segments<(String, String)>,
    Params(query): Params<PutFile>,
    request: Request,
) -> Result<Reply, Refusal> {
    let (parts, body) = request.into_parts();
    let mut arriving = Arriving::new(body);
    let outcome = keep(&files, &allowed, path, query, &parts.headers, &mut arriving).await;
    if outcome.is_err() {
        arriving.drain().await;
    }
    outcome
}

async fn keep(
    files: &Files,
    allowed: &Allowed<PutFile>,
    path: (String, String),
    query: PutQuery,
    headers: &HeaderMap,
    arriving: &mut Arriving,
) -> Result<Reply, Refusal> {
    let (of, name) = named(path)?;
    let said = query.sha256.as_deref().map(sha256).transpose()?;
    let wish = wish(query)?;
    let (scope, inner) = (allowed.scope(), files.inner());
    let content_type = content_type(headers)?;
    let length = length(headers);
    // What would be refused anyway is refused before it is read.
    let content = Content {
        version: inner.world.id(),
        number: 0,
        content_type: content_type.clone(),
        size: signed(length.unwrap_or(0)),
        sha256: said.unwrap_or_default(),
    };
    let expected = allowed.precondition();
    let plan = files.plan(allowed, &of, &name, expected, &wish, &content).await?;
    let room = plan.collection.quota_bytes - plan.collection.usage.bytes;
    let most = inner.largest_body;
    match length {
        Some(length) if length > most => return Err(FilesError::TooLarge(signed(most)).into()),
        Some(length) if signed(length) > room && !frees(&plan) => return Err(FilesError::Full.into()),
        _ => {}
    }
    let (chunks, found) = files.keep_all(&scope, arriving, most).await?;
    if let Some(said) = said.filter(|said| *said != found) {
        files.discard(&scope, &chunks).await;
        return Err(FilesError::Hash { said, found }.into());
    }
    let new = NewContent {
        version: content.version,
        content_type,
        size: chunks.iter().map(|chunk| chunk.size).sum(),
        sha256: found,
        source: Source::Sent(chunks.clone()),
    };
    let _turn = inner.turns.take(allowed.org(), [&name]).await;
    let decide = || files.write(allowed, &of, &name, expected, &wish, &new);
    let outcome = allowed.settle::<PutFile, _, _, _>(decide).await;
    if outcome.is_err() {
        files.discard(&scope, &chunks).await;
    }
    outcome
}

/// Whether the write lets go of older versions, so that it may fit though it seems too large.
fn frees(plan: &crate::writes::Plan) -> bool {
    plan.before.as_ref().is_some_and(|file| file.content.number >= plan.collection.versions_kept)
}

pub async fn download(
    State(files): State<Files>,
    allowed: Allowed<DownloadFile>,
    Segments(path): Segments<(String, String)>,
    Params(query): Params<DownloadFile>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (of, name) = named(path)?;
    let (collection, file) = files.find(&allowed, &of, &name).await?;
    let content = files.content(&allowed, &collection, &file, query.version).await?;
    Ok(answer(&files, allowed.scope(), &file.name, &content, &headers))
}

/// The content, or the part of it that is asked for.
pub(super) fn answer(
    files: &Files,
    scope: OrgScope,
    name: &FileName,
    content: &Content,
    headers: &HeaderMap,
) -> Response {
    let tag = format!("\"{}\"", hex::encode(content.sha256));
    let size = content.size.unsigned_abs();
    let mut ours = HeaderMap::new();
    let mut say = |name: HeaderName, text: String| {
        // Hashes, numbers and checked types are always header values.
        if let Ok(value) = HeaderValue::try_from(text) {
            ours.insert(name, value);
        }
    };
    say(header::ETAG, tag.clone());
    say(header::CONTENT_TYPE, content.content_type.to_string());
    say(header::ACCEPT_RANGES, "bytes".to_owned());
    let (status, start, end) = match web::wanted_bytes(headers, &tag, size) {
        WantedBytes::Whole => (StatusCode::OK, 0, size),
        WantedBytes::Part { start, end } => {
            say(header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1));
            (StatusCode::PARTIAL_CONTENT, start, end)
        }
        WantedBytes::Nothing => {
            return web::foreign_file(StatusCode::NOT_MODIFIED, &ours, name.as_str(), Body::empty());
        }
        WantedBytes::Another => {
            let detail = "The file holds something else by now. Read it again from the start.";
            return Refusal::from(Problem::new(&STALE_REVISION, detail)).into_response();
        }
        WantedBytes::Beyond => {
            let detail = format!("The content has {size} bytes. Ask for a part of it.");
            let problem = Problem::new(&RANGE_UNSATISFIABLE, detail).with_member("size", size);
            let mut response = Refusal::from(problem).into_response();
            if let Ok(value) = HeaderValue::try_from(format!("bytes */{size}")) {
                response.headers_mut().insert(header::CONTENT_RANGE, value);
            }
            return response;
        }
    };
    say(header::CONTENT_LENGTH, (end - start).to_string());
    let pieces = files.read(scope, content.version, start, end);
    let body = Body::from_stream(pieces.map(|piece| piece.map_err(std::io::Error::other)));
    web::foreign_file(status, &ours, name.as_str(), body)
}

fn wish(query: PutQuery) -> Result<Wish, Problem> {
    let metadata = query.metadata.as_deref().map(|text| types::json::strict(text.as_bytes())).transpose();
    Ok(Wish {
        description: query.description.map(described).transpose()?,
        tags: query.tags.as_deref().map(|tags| listed(Some(tags))),
        visibility: query.visibility,
        group: query.group,
        metadata: metadata.map_err(|error| wrong("metadata", format!("must be a JSON object: {error}")))?,
    })
}

fn described(text: String) -> Result<String, Problem> {
    match text.chars().count() {
        ..=4000 => Ok(text),
        _ => Err(wrong("description", "has at most 4000 characters")),
    }
}

/// Hexadecimal of 32 bytes.
pub(super) fn sha256(text: &str) -> Result<[u8; 32], FilesError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| FilesError::invalid("sha256", "must be 64 hexadecimal digits"))?;
    Ok(bytes)
}

fn content_type(headers: &HeaderMap) -> Result<ContentType, FilesError> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        let detail = "Send the body as it is, without a Content-Encoding.";
        return Err(Problem::new(&UNSUPPORTED_MEDIA_TYPE, detail).into());
    }
    let text = match headers.get(header::CONTENT_TYPE) {
        None => "application/octet-stream",
        Some(value) => value.to_str().unwrap_or_default(),
    };
    text.parse().map_err(|error: crate::words::Unfit| FilesError::invalid("Content-Type", error.to_string()))
}

pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
