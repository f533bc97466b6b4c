//! Uploads in parts, after the IETF's resumable uploads (draft-ietf-httpbis-resumable-upload): `Upload-Offset` says where
//! a part begins, HEAD or GET tells how far an upload is.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use problem::{
    BODY_TOO_LARGE, COLLECTION_FULL, CONFLICT, HASH_MISMATCH, INPUT_INVALID, MALFORMED_REQUEST, Problem,
    STALE_REVISION, UNSUPPORTED_MEDIA_TYPE, UPLOAD_OFFSET,
};
use serde::Deserialize;
use serde_json::Value;
use types::{GroupId, UploadId};
use utoipa::ToSchema;
use web::{
    Allowance, Allowed, Input, OCTETS_IN, Octets, Refusal, Reply, Segment, Spec, leaves, operation, refuses,
};

use super::content::{length, sha256};
use super::views::UploadView;
use crate::contents::Arriving;
use crate::model::{Visibility, Wish};
use crate::uploads::{Declared, Standing};
use crate::words::{CollectionRef, ContentType, FileName};
use crate::{Files, facts};

operation! {
    /// Begins an upload in parts: sets its whole size aside. `If-Match` and `If-None-Match: *` hold at its end, too.
    pub BeginUpload(NewUpload) -> UploadView =
        Spec::create("uploads.create", "/api/v1/collections/{collection}/uploads")
        .needs("files:write").facts(leaves![facts::UPLOAD_STARTED])
        .errors(refuses![
            INPUT_INVALID, COLLECTION_FULL, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, CONFLICT, STALE_REVISION
        ])
        .example(r#"{"name": "backup.tar", "size": 2, "content_type": "application/x-tar"}"#);

    /// Shows how far an upload of the caller is; HEAD tells it in `Upload-Offset`.
    pub GetUpload -> UploadView = Spec::get("uploads.get", "/api/v1/uploads/{upload}").needs("files:write");

    /// Appends a part that begins at `Upload-Offset`; the one that completes the upload makes the file's version. A part has at least 64 KB, unless it is the last.
    pub AppendToUpload(Octets) -> UploadView = Spec::patch("uploads.append", "/api/v1/uploads/{upload}")
        .needs("files:write").form(OCTETS_IN)
        .further_facts(leaves![facts::FILE_WRITTEN, facts::UPLOAD_ENDED])
        .errors(refuses![UPLOAD_OFFSET, HASH_MISMATCH, INPUT_INVALID, COLLECTION_FULL, CONFLICT, STALE_REVISION]);

    /// Ends an upload of the caller, or of a file that the caller might delete; what has arrived is thrown away.
    pub CancelUpload -> UploadView = Spec::delete("uploads.cancel", "/api/v1/uploads/{upload}")
        .needs("files:write").facts(leaves![facts::UPLOAD_ENDED]).errors(refuses![CONFLICT]);
}

/// What will be uploaded, and what is to be said of it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFileUpload)]
pub struct NewUpload {
    pub name: FileName,
    /// Of the whole.
    #[schema(minimum = 0, maximum = 1099511627776_i64)]
    pub size: i64,
    /// `application/octet-stream` if left out.
    pub content_type: Option<ContentType>,
    /// Of the whole, in hexadecimal; a content with another one is refused at the end.
    #[schema(min_length = 64, max_length = 64)]
    pub sha256: Option<String>,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    #[schema(max_items = 50)]
    pub tags: Option<Vec<String>>,
    pub visibility: Option<Visibility>,
    pub group: Option<GroupId>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Value>,
}

pub async fn begin(
    State(files): State<Files>,
    allowed: Allowed<BeginUpload>,
    Segment(of): Segment<CollectionRef>,
    Input(new): Input<BeginUpload>,
) -> Result<Reply, Refusal> {
    let content_type = new.content_type.map_or_else(|| "application/octet-stream".parse(), Ok);
    let declared = Declared {
        name: new.name,
        content_type: content_type.map_err(Problem::internal)?,
        size: new.size,
        sha256: new.sha256.as_deref().map(sha256).transpose()?,
        wish: Wish {
            description: new.description,
            tags: new.tags,
            visibility: new.visibility,
            group: new.group,
            metadata: new.metadata,
        },
    };
    allowed.settle::<BeginUpload, _, _, _>(|| files.begin_upload(&allowed, &of, &declared)).await
}

pub async fn get(
    State(files): State<Files>,
    allowed: Allowed<GetUpload>,
    Segment(id): Segment<UploadId>,
) -> Result<Response, Refusal> {
    let standing = files.find_upload(&allowed, id).await?;
    let (offset, size) = (standing.upload.received, standing.upload.size);
    let reply = Reply::of::<GetUpload>(&UploadView::from(standing))?;
    Ok(told(reply, offset, size, false))
}

pub async fn append(
    State(files): State<Files>,
    allowed: Allowed<AppendToUpload>,
    Segment(id): Segment<UploadId>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let Some(offset) = offset(&parts.headers) else {
        let detail = "Say in Upload-Offset where the part begins; HEAD tells how far the upload is.";
        return Err(Problem::new(&MALFORMED_REQUEST, detail).into());
    };
    let length = length(&parts.headers);
    let by = Allowance::clone(&allowed);
    let part = {
        let (files, by) = (files.clone(), by.clone());
        // In a task of its own: a caller that hangs up must not take with them what has arrived already.
        telemetry::spawn("upload part", async move {
            let mut arriving = Arriving::new(body);
            let outcome = files.append(&by, id, offset, length, &mut arriving).await;
            if outcome.is_err() {
                arriving.drain().await;
            }
            outcome
        })
    };
    let standing = part.await.map_err(Problem::internal)??;
    let (received, size) = (standing.upload.received, standing.upload.size);
    if received < size {
        let reply = Reply::of::<AppendToUpload>(&UploadView::from(standing))?;
        return Ok(told(reply, received, size, false));
    }
    let reply = finish(&files, &by, id, &standing).await?;
    Ok(told(reply, received, size, true))
}

/// The version is made; a content that is not what was said leaves nothing behind.
async fn finish(files: &Files, by: &Allowance, id: UploadId, standing: &Standing) -> Result<Reply, Refusal> {
    match files.proven(by, &standing.upload).await? {
        Ok(sha256) => {
            let _turn = files.inner().turns.take(by.org(), [&standing.upload.name]).await;
            let reply = by.settle::<AppendToUpload, _, _, _>(|| files.finish_upload(by, id, sha256)).await?;
            files.inner().hashes.forget(id);
            Ok(reply)
        }
        Err((refused, chunks)) => {
            let cancel = || files.cancel_upload(by, id, "hash_mismatch");
            by.settle::<AppendToUpload, _, _, _>(cancel).await?;
            files.discard(&by.scope(), &chunks).await;
            Err(refused.into())
        }
    }
}

pub async fn cancel(
    State(files): State<Files>,
    allowed: Allowed<CancelUpload>,
    Segment(id): Segment<UploadId>,
) -> Result<Reply, Refusal> {
    let standing = files.find_endable(&allowed, id).await?;
    let cancel = || files.cancel_upload(&allowed, id, "cancelled");
    let chunks =
        crate::store::all_chunks(&files.inner().db, &allowed.scope(), standing.upload.version).await?;
    let reply = allowed.settle::<CancelUpload, _, _, _>(cancel).await?;
    files.discard(&allowed.scope(), &chunks).await;
    Ok(reply)
}

fn offset(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get("upload-offset")?.to_str().ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The headers of the draft.
fn told(reply: Reply, offset: i64, size: i64, complete: bool) -> Response {
    let mut response = reply.into_response();
    let headers = response.headers_mut();
    let mut say = |name: &'static str, value: i64| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    };
    say("upload-offset", offset);
    say("upload-length", size);
    let complete = HeaderValue::from_static(if complete { "?1" } else { "?0" });
    headers.insert(HeaderName::from_static("upload-complete"), complete);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
