//! OpenAPI documents of what is there to be called.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use web::{Allowance, Allowed, Nothing, Refusal, Spec, foreign_content, operation};

use crate::hooks::described;
use crate::hooks::model::Hook;
use crate::hooks::store::{self, Filter};
use crate::{TriggerError, Triggers};

/// Hooks in one document.
const HOOKS: usize = 1_000;
/// Functions in one document.
const FUNCTIONS: usize = 200;

operation! {
    /// The active hooks that the caller may read, as an OpenAPI document.
    pub DescribeHooks -> Nothing = Spec::get("hooks.openapi", "/api/v1/hooks/openapi.json").needs("hooks:read");

    /// What the caller may use, as an OpenAPI document: functions that they may execute, each with its own schemas, and
    /// active hooks that they may read; the newest, where there are more than one document holds.
    pub DescribeMine -> Nothing = Spec::get("openapi.mine", "/api/v1/openapi/mine.json");
}

pub async fn hooks(
    State(triggers): State<Triggers>,
    allowed: Allowed<DescribeHooks>,
) -> Result<Response, Refusal> {
    let inner = triggers.inner();
    let (hooks, _) = live(&triggers, &allowed).await?;
    let slug = store::slug(&inner.db, &allowed.scope()).await?;
    Ok(told(&described::document(&inner.hooks.settings.public_url, &slug, &hooks)))
}

pub async fn mine(
    State(triggers): State<Triggers>,
    allowed: Allowed<DescribeMine>,
) -> Result<Response, Refusal> {
    let inner = triggers.inner();
    let (hooks, all_hooks) = live(&triggers, &allowed).await?;
    let found = inner.functions.executable(&allowed, one_more(FUNCTIONS)).await?;
    let (functions, all_functions) = cut(found, FUNCTIONS);
    let slug = store::slug(&inner.db, &allowed.scope()).await?;
    let url = &inner.hooks.settings.public_url;
    Ok(told(&described::mine(url, &slug, &functions, &hooks, all_hooks && all_functions)))
}

/// The active hooks that the caller may read, and whether these are all.
async fn live(triggers: &Triggers, by: &Allowance) -> Result<(Vec<Hook>, bool), TriggerError> {
    let active = Filter { q: None, active: Some(true), function: None, before: None };
    let found = store::hooks(&triggers.inner().db, by, &active, one_more(HOOKS)).await?;
    Ok(cut(found.into_iter().map(|hook| Triggers::seen(by, hook)).collect(), HOOKS))
}

fn one_more(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1)
}

fn cut<T>(mut found: Vec<T>, most: usize) -> (Vec<T>, bool) {
    let is_whole = found.len() <= most;
    found.truncate(most);
    (found, is_whole)
}

/// What others wrote stands in it, so it is foreign.
fn told(document: &Value) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    foreign_content(StatusCode::OK, &headers, Body::from(document.to_string()))
}
