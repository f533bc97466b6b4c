//! Small bodies are read before anything else. A refusal that left one unread would make the server close the connection
//! right when its caller takes it for the next request.

use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use problem::Problem;

use crate::input::broke_off;

/// Larger bodies may cost a refused caller the connection, but nobody else the memory. In bytes.
const SMALL: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// The request with its body in memory, if its head says that it is small.
pub(crate) async fn with_small_body(request: Request) -> Result<Request, Problem> {
    let length = request.body().size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let Some(length @ 1..=SMALL) = length else { return Ok(request) };
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(PATIENCE, to_bytes(body, length)).await;
    let bytes = read.map_err(|_late| broke_off())?.map_err(|error| broke_off().with_context(error))?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}
