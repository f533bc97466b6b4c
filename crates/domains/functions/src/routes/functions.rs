//! `/api/v1/functions`: create, list, read, delete.

use authority::Permission;
use axum::extract::State;
use named_secrets::SecretName;
use problem::{
    AUTHORITY_EXCEEDED, CONFLICT, ENVIRONMENT_BUILDING, ENVIRONMENT_FAILED, FUNCTION_EXISTS, INVALID_CURSOR,
    INVALID_SCHEMA, PACKAGE_NOT_APPROVED, PACKAGES_UNAVAILABLE, SANDBOX_UNAVAILABLE, STALE_REVISION,
    SYNTAX_ERROR,
};
use serde::Deserialize;
use serde_json::{Value, json};
use types::FunctionId;
use utoipa::ToSchema;
use web::{
    Allowed, Columns, Input, Page, Params, Refusal, Reply, Segment, SelectorColumn, Spec, leaves, operation,
    page, page_size, refuses,
};

use super::views::{FunctionSummary, FunctionView};
use crate::model::{Function, FunctionRef, Mode, Runtime, Visibility};
use crate::outgoing::EgressRule;
use crate::rate::Rate;
use crate::retry::Retry;
use crate::service::{Versioned, Wanted, WantedVersion};
use crate::store::{self, Filter};
use crate::{FunctionError, Functions, facts};

operation! {
    /// Creates a function with its first version.
    pub CreateFunction(NewFunction) -> FunctionView = Spec::create("functions.create", "/api/v1/functions")
        .needs("functions:create").in_person().facts(leaves![facts::FUNCTION_CREATED])
        .errors(refuses![FUNCTION_EXISTS, SYNTAX_ERROR, INVALID_SCHEMA, AUTHORITY_EXCEEDED, SANDBOX_UNAVAILABLE,
            PACKAGE_NOT_APPROVED, ENVIRONMENT_FAILED, ENVIRONMENT_BUILDING, PACKAGES_UNAVAILABLE])
        .example(r#"{"namespace": "ops", "name": "greet", "code": "def handler(input, context):\n    return {\"hello\": input[\"name\"]}\n", "input_schema": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}"#);

    /// Lists functions, newest first.
    pub ListFunctions[FunctionFilter] -> Page<FunctionSummary> = Spec::get("functions.list", "/api/v1/functions")
        .needs("functions:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a function with the version that calls run; by id or as `namespace:name`.
    pub GetFunction -> FunctionView = Spec::get("functions.get", "/api/v1/functions/{function}")
        .needs("functions:read");

    /// Deletes a function: nothing runs it any more; its versions and runs stay on record.
    pub DeleteFunction -> FunctionView = Spec::delete("functions.delete", "/api/v1/functions/{function}")
        .needs("functions:delete").facts(leaves![facts::FUNCTION_DELETED])
        .errors(refuses![CONFLICT, STALE_REVISION]);
}

/// A function and its first version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFunction {
    /// `default` if left out.
    #[schema(max_length = 63, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$")]
    pub namespace: Option<String>,
    #[schema(max_length = 63, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$")]
    pub name: String,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    pub runtime: Option<Runtime>,
    /// `fork` if left out.
    pub mode: Option<Mode>,
    /// `def handler(input, context)`, or a function of the function's own name.
    #[schema(min_length = 1, max_length = 524288)]
    pub code: String,
    /// Which function of the code to call, if neither of those.
    #[schema(max_length = 63, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$")]
    pub entrypoint: Option<String>,
    /// JSON Schema 2020-12; refers to itself only.
    #[schema(value_type = Option<Object>)]
    pub input_schema: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub output_schema: Option<Value>,
    /// At most what the server allows, which is also the default.
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
    /// What a run's token may do at the most, beyond its own run; must be held by the author.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    pub permissions: Vec<Permission>,
    /// Secrets that its runs are given, or have put into their requests; the author must hold `secrets:use` for each.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 50)]
    pub secrets: Vec<SecretName>,
    /// What `context.http` may call; nothing without.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub egress: Vec<EgressRule>,
    /// Python packages that it imports, as `requests==2.32.3` or `pandas>=2`.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub requirements: Vec<String>,
    #[serde(default)]
    #[schema(max_items = 50)]
    pub tags: Vec<String>,
    pub visibility: Option<Visibility>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionFilter {
    pub namespace: Option<String>,
    pub tag: Option<String>,
    /// Part of the name or description.
    pub q: Option<String>,
    /// A package that the version that calls run names.
    pub package: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

/// Where the table keeps what rights depend on.
pub(crate) const COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("namespace || '/' || name"),
    owner: Some("owner"),
    is: None,
    named: None,
    group: None,
    visible: None,
};

pub async fn create(
    State(functions): State<Functions>,
    allowed: Allowed<CreateFunction>,
    Input(new): Input<CreateFunction>,
) -> Result<Reply, Refusal> {
    let wanted = Wanted {
        namespace: new.namespace.unwrap_or_else(|| "default".into()),
        name: new.name,
        description: new.description.unwrap_or_default(),
        tags: new.tags,
        visibility: new.visibility.unwrap_or(Visibility::Organization),
        version: WantedVersion {
            runtime: new.runtime,
            mode: new.mode,
            code: Some(new.code),
            entrypoint: new.entrypoint,
            input_schema: new.input_schema,
            output_schema: new.output_schema,
            timeout_seconds: new.timeout_seconds,
            memory_mb: new.memory_mb,
            retry: new.retry,
            concurrency: new.concurrency,
            rate: new.rate,
            permissions: Some(new.permissions),
            secrets: Some(new.secrets),
            egress: Some(new.egress),
            requirements: Some(new.requirements),
        },
    };
    let reply = allowed.settle::<CreateFunction, _, _, _>(|| functions.create(&allowed, &wanted)).await?;
    let made = FunctionRef::Named { namespace: wanted.namespace, name: wanted.name };
    functions.warm_up_live(&allowed.scope(), &made).await;
    Ok(reply)
}

pub async fn list(
    State(functions): State<Functions>,
    allowed: Allowed<ListFunctions>,
    Params(filter): Params<ListFunctions>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<FunctionId>(filter.cursor.as_deref())?;
    let package = filter.package.as_deref().map(str::parse).transpose();
    let package = package.map_err(|refusal: packages::Refusal| FunctionError::Invalid {
        field: "/package",
        reason: refusal.to_string(),
    })?;
    let wanted = Filter { namespace: filter.namespace, tag: filter.tag, q: filter.q, package };
    let narrow = |select| allowed.narrow(select, &COLUMNS);
    let db = &functions.inner().db;
    let rows = store::list(db, &allowed.scope(), &wanted, narrow, before, limit + 1).await?;
    let cursor = |function: &Function| allowed.cursor(&[json!(function.id)]);
    Ok(Reply::of::<ListFunctions>(&page(rows, limit, cursor, FunctionSummary::from))?)
}

pub async fn get(
    State(functions): State<Functions>,
    allowed: Allowed<GetFunction>,
    Segment(of): Segment<FunctionRef>,
) -> Result<Reply, Refusal> {
    let function = functions.find(&allowed, &of).await?;
    let live = functions.inner().versions.get(&allowed.scope(), function.live_version).await?;
    let both = Versioned { function, version: live.version.clone() };
    Ok(Reply::of::<GetFunction>(&both.into())?)
}

pub async fn delete(
    State(functions): State<Functions>,
    allowed: Allowed<DeleteFunction>,
    Segment(of): Segment<FunctionRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteFunction, _, _, _>(|| functions.delete(&allowed, &of)).await
}
