//! `/api/v1/functions/{function}/versions`: publish, list, read. Versions never change.

use authority::Permission;
use axum::extract::State;
use named_secrets::SecretName;
use problem::{
    AUTHORITY_EXCEEDED, CONFLICT, ENVIRONMENT_BUILDING, ENVIRONMENT_FAILED, INVALID_CURSOR, INVALID_SCHEMA,
    PACKAGE_NOT_APPROVED, PACKAGES_UNAVAILABLE, SANDBOX_UNAVAILABLE, STALE_REVISION, SYNTAX_ERROR,
    VERSION_LIVE,
};
use serde::Deserialize;
use serde_json::{Value, json};
use types::FunctionVersionId;
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Refusal, Reply, Segment, Segments, Spec, leaves, operation, page,
    page_size, refuses,
};

use super::views::{FunctionView, VersionView};
use crate::model::{FunctionRef, Mode, Version};
use crate::outgoing::EgressRule;
use crate::rate::Rate;
use crate::retry::Retry;
use crate::service::WantedVersion;
use crate::{FunctionError, Functions, facts, store};

operation! {
    /// Publishes a new version, which calls run from now on. What is left out is as in the version before.
    pub PublishVersion(NewVersion) -> FunctionView = Spec::create("functions.publish", "/api/v1/functions/{function}/versions")
        .needs("functions:update").in_person().facts(leaves![facts::FUNCTION_PUBLISHED])
        .errors(refuses![SYNTAX_ERROR, INVALID_SCHEMA, AUTHORITY_EXCEEDED, CONFLICT, STALE_REVISION, SANDBOX_UNAVAILABLE,
            PACKAGE_NOT_APPROVED, ENVIRONMENT_FAILED, ENVIRONMENT_BUILDING, PACKAGES_UNAVAILABLE])
        .example(r#"{"code": "def handler(input, context):\n    return {\"hello\": input}\n"}"#);

    /// Lets calls run this version from now on: a roll back, or the way forward again. Runs that were accepted keep theirs.
    pub MakeLive -> FunctionView = Spec::post("functions.make_live", "/api/v1/functions/{function}/versions/{version}/live")
        .needs("functions:update").in_person().facts(leaves![facts::FUNCTION_MADE_LIVE])
        .errors(refuses![VERSION_LIVE, AUTHORITY_EXCEEDED, CONFLICT, STALE_REVISION, PACKAGE_NOT_APPROVED]);

    /// Lists the versions of a function, newest first.
    pub ListVersions[VersionFilter] -> Page<VersionView> = Spec::get("functions.versions", "/api/v1/functions/{function}/versions")
        .needs("functions:read").errors(refuses![INVALID_CURSOR]);

    /// Shows one version.
    pub GetVersion -> VersionView = Spec::get("functions.version", "/api/v1/functions/{function}/versions/{version}")
        .needs("functions:read");
}

/// A version to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    #[schema(min_length = 1, max_length = 524288)]
    pub code: Option<String>,
    #[schema(max_length = 63, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$")]
    pub entrypoint: Option<String>,
    pub mode: Option<Mode>,
    /// JSON Schema 2020-12; `{}` to accept everything again.
    #[schema(value_type = Option<Object>)]
    pub input_schema: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub output_schema: Option<Value>,
    #[schema(minimum = 1)]
    pub timeout_seconds: Option<i64>,
    #[schema(minimum = 16)]
    pub memory_mb: Option<i64>,
    /// One attempt if left out.
    pub retry: Option<Retry>,
    /// Runs of it at a time, on all servers together; 0 for no limit.
    #[schema(minimum = 0, maximum = 10000)]
    pub concurrency: Option<i64>,
    /// Starts in any span of time, on all servers together; 0 starts for no limit.
    pub rate: Option<Rate>,
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    pub permissions: Option<Vec<Permission>>,
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub secrets: Option<Vec<SecretName>>,
    #[schema(max_items = 100)]
    pub egress: Option<Vec<EgressRule>>,
    /// Python packages, as `requests==2.32.3` or `pandas>=2`; the same as before keep their lock.
    #[schema(max_items = 50)]
    pub requirements: Option<Vec<String>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn publish(
    State(functions): State<Functions>,
    allowed: Allowed<PublishVersion>,
    Segment(of): Segment<FunctionRef>,
    Input(new): Input<PublishVersion>,
) -> Result<Reply, Refusal> {
    let wanted = WantedVersion {
        runtime: None,
        mode: new.mode,
        code: new.code,
        entrypoint: new.entrypoint,
        input_schema: new.input_schema,
        output_schema: new.output_schema,
        timeout_seconds: new.timeout_seconds,
        memory_mb: new.memory_mb,
        retry: new.retry,
        concurrency: new.concurrency,
        rate: new.rate,
        permissions: new.permissions,
        secrets: new.secrets,
        egress: new.egress,
        requirements: new.requirements,
    };
    let reply =
        allowed.settle::<PublishVersion, _, _, _>(|| functions.publish(&allowed, &of, &wanted)).await?;
    functions.warm_up_live(&allowed.scope(), &of).await;
    Ok(reply)
}

pub async fn make_live(
    State(functions): State<Functions>,
    allowed: Allowed<MakeLive>,
    Segments(path): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let (of, version) = named(path)?;
    let reply = allowed.settle::<MakeLive, _, _, _>(|| functions.make_live(&allowed, &of, version)).await?;
    functions.warm_up_live(&allowed.scope(), &of).await;
    Ok(reply)
}

fn named((of, version): (String, String)) -> Result<(FunctionRef, FunctionVersionId), FunctionError> {
    let of = of.parse().map_err(|_| FunctionError::Unknown)?;
    Ok((of, version.parse().map_err(|_| FunctionError::Unknown)?))
}

pub async fn list(
    State(functions): State<Functions>,
    allowed: Allowed<ListVersions>,
    Segment(of): Segment<FunctionRef>,
    Params(filter): Params<ListVersions>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<FunctionVersionId>(filter.cursor.as_deref())?;
    let function = functions.find(&allowed, &of).await?;
    let inner = functions.inner();
    let rows = store::versions(&inner.db, &allowed.scope(), function.id, before, limit + 1).await?;
    let mut versions = Vec::with_capacity(rows.len());
    for stored in rows {
        versions.push(inner.versions.open(stored).await?);
    }
    let cursor = |version: &Version| allowed.cursor(&[json!(version.id)]);
    Ok(Reply::of::<ListVersions>(&page(versions, limit, cursor, VersionView::from))?)
}

pub async fn get(
    State(functions): State<Functions>,
    allowed: Allowed<GetVersion>,
    Segments(path): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let (of, version) = named(path)?;
    let function = functions.find(&allowed, &of).await?;
    let ready = functions.inner().versions.get(&allowed.scope(), version).await?;
    if ready.version.function != function.id {
        return Err(FunctionError::Unknown.into());
    }
    Ok(Reply::of::<GetVersion>(&ready.version.clone().into())?)
}
