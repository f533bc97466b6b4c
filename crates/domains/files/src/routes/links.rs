//! Links to versions of files: made, listed and ended under `/api/v1`, opened by anybody under `/files/`.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use problem::{CONFLICT, INVALID_CURSOR, NOT_FOUND, RANGE_UNSATISFIABLE, STALE_REVISION};
use serde::Deserialize;
use serde_json::json;
use types::{FileLinkId, FileVersionId};
use utoipa::ToSchema;
use web::{
    Allowed, Input, OCTETS_OUT, Octets, Page, Params, Refusal, Reply, Segment, Segments, Spec, leaves,
    operation, page_size, refuses,
};

use super::content::answer;
use super::files::named;
use super::views::{LinkShown, LinkView};
use crate::model::Link;
use crate::{Files, facts, store};

operation! {
    /// Makes a link that opens one version to whoever has it, until it expires or its maker may not read the file any more.
    pub MakeLink(NewLink) -> LinkShown = Spec::create("files.link", "/api/v1/collections/{collection}/links/{*name}")
        .needs("files:update").facts(leaves![facts::LINK_CREATED]).errors(refuses![CONFLICT])
        .reveals_secret().example(r#"{"expires_in": 3600}"#);

    /// Lists the links to a file that still open, newest first; not what they are.
    pub ListLinks[LinkFilter] -> Page<LinkView> =
        Spec::get("files.links", "/api/v1/collections/{collection}/links/{*name}")
        .needs("files:update").errors(refuses![INVALID_CURSOR]);

    /// Ends a link: whoever made it, or may change the file.
    pub RevokeLink -> LinkShown = Spec::delete("files.revoke_link", "/api/v1/file-links/{link}")
        .needs("files:update").facts(leaves![facts::LINK_REVOKED]).errors(refuses![CONFLICT]);

    /// Reads what a link opens, without signing in; `Range` reads a part.
    pub OpenLink -> Octets = Spec::get("files.open_link", "/files/{link}").open().form(OCTETS_OUT)
        .errors(refuses![NOT_FOUND, RANGE_UNSATISFIABLE, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFileLink)]
pub struct NewLink {
    /// Seconds that it opens; at most seven days.
    #[schema(minimum = 1, maximum = 604800)]
    pub expires_in: u32,
    /// The present one, if left out.
    pub version: Option<FileVersionId>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FileLinkFilter)]
pub struct LinkFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn make(
    State(files): State<Files>,
    allowed: Allowed<MakeLink>,
    Segments(path): Segments<(String, String)>,
    Input(new): Input<MakeLink>,
) -> Result<Reply, Refusal> {
    let (of, name) = named(path)?;
    let lasts = Duration::from_secs(new.expires_in.into());
    let decide = || files.make_link(&allowed, &of, &name, new.version, lasts);
    allowed.settle::<MakeLink, _, _, _>(decide).await
}

pub async fn list(
    State(files): State<Files>,
    allowed: Allowed<ListLinks>,
    Segments(path): Segments<(String, String)>,
    Params(query): Params<ListLinks>,
) -> Result<Reply, Refusal> {
    let (of, name) = named(path)?;
    let limit = page_size(query.limit)?;
    let before = allowed.after::<FileLinkId>(query.cursor.as_deref())?;
    let (_, file) = files.find(&allowed, &of, &name).await?;
    let inner = files.inner();
    let rows = store::links(&inner.db, &allowed.scope(), &file, inner.world.now(), before, limit + 1).await?;
    let cursor = |link: &Link| allowed.cursor(&[json!(link.id)]);
    Ok(Reply::of::<ListLinks>(&web::page(rows, limit, cursor, LinkView::from))?)
}

pub async fn revoke(
    State(files): State<Files>,
    allowed: Allowed<RevokeLink>,
    Segment(id): Segment<FileLinkId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RevokeLink, _, _, _>(|| files.revoke_link(&allowed, id)).await
}

pub async fn open(
    State(files): State<Files>,
    Segment(link): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let opened = files.open_link(&link).await?;
    Ok(answer(&files, opened.scope, &opened.name, &opened.content, &headers))
}
