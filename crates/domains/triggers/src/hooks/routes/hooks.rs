//! `/api/v1/hooks`.

use authority::Permission;
use axum::extract::State;
use problem::{AUTHORITY_EXCEEDED, CONFLICT, HOOK_EXISTS, INVALID_CURSOR, STALE_REVISION};
use serde::Deserialize;
use serde_json::json;
use types::{FunctionId, HookId, Secret};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Patched, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size,
    refuses,
};

use super::views::{HookView, Target};
use crate::hooks::manage::{OVERLAP, Patch, Wanted};
use crate::hooks::model::{Authentication, Deduplication, Hook, InputSettings, ResponseMode};
use crate::hooks::routing::Route;
use crate::hooks::store::{self, Filter};
use crate::hooks::words::{HookMethod, HookPath};
use crate::{Triggers, facts};

operation! {
    /// Makes a hook; its secret is shown once.
    pub CreateHook(NewHook) -> HookView = Spec::create("hooks.create", "/api/v1/hooks")
        .needs("hooks:create").reveals_secret().facts(leaves![facts::HOOK_CREATED])
        .errors(refuses![HOOK_EXISTS, AUTHORITY_EXCEEDED, CONFLICT])
        .example(r#"{"path": "github", "target": {"function": "staged:for_hooks"}, "authentication": {"kind": "hmac", "preset": "github"}, "deduplication": {"header": "X-GitHub-Delivery"}}"#);

    /// Lists hooks, newest first.
    pub ListHooks[HookFilter] -> Page<HookView> = Spec::get("hooks.list", "/api/v1/hooks")
        .needs("hooks:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a hook.
    pub GetHook -> HookView = Spec::get("hooks.get", "/api/v1/hooks/{hook}").needs("hooks:read");

    /// Changes a hook (JSON Merge Patch). Whoever changes what it does becomes its owner.
    pub UpdateHook(HookPatch) -> HookView = Spec::patch("hooks.update", "/api/v1/hooks/{hook}")
        .needs("hooks:update").reveals_secret().facts(leaves![facts::HOOK_UPDATED])
        .errors(refuses![HOOK_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, STALE_REVISION])
        .example(r#"{"active": false}"#);

    /// Removes a hook with what was kept of its deliveries; what it set off and still runs ends.
    pub DeleteHook -> HookView = Spec::delete("hooks.delete", "/api/v1/hooks/{hook}")
        .needs("hooks:delete").facts(leaves![facts::HOOK_DELETED]).errors(refuses![CONFLICT, STALE_REVISION]);

    /// Gives a hook another secret, shown once; the one of before stays good for a while. Whoever does it becomes the
    /// hook's owner.
    pub RotateHook(Rotation) -> HookView = Spec::post("hooks.rotate", "/api/v1/hooks/{hook}/rotate")
        .needs("hooks:update").reveals_secret().facts(leaves![facts::HOOK_SECRET_ROTATED])
        .errors(refuses![AUTHORITY_EXCEEDED, CONFLICT, STALE_REVISION])
        .example(r#"{"overlap_seconds": 3600}"#);
}

/// A hook to be. With authentication `none`, which needs `hooks:manage`, a segment that nobody guesses is added to the path.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHook {
    /// Segments between slashes, each a word or a `{parameter}`. No two hooks answer the same request.
    pub path: HookPath,
    /// `POST` alone if left out.
    #[schema(min_items = 1, max_items = 5)]
    pub methods: Option<Vec<HookMethod>>,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    /// True if left out; a hook that is not active answers as if it were not there.
    pub active: Option<bool>,
    pub target: Target,
    /// What its runs may do besides executing the function; must be held by the caller.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    pub permissions: Vec<Permission>,
    pub authentication: Authentication,
    /// For `hmac` and `basic`; one is made if left out.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 512)]
    pub secret: Option<Secret<String>>,
    /// Addresses and networks that may send; everybody if empty.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub allowed_ips: Vec<String>,
    #[serde(default)]
    pub input: InputSettings,
    /// Which deliveries run the function, and what they become: the first whose tests hold. Others are `ignored`. Every one
    /// runs it, if there are no routes.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub routes: Vec<Route>,
    #[serde(default)]
    pub response: ResponseMode,
    pub deduplication: Option<Deduplication>,
    /// Believed deliveries on each node: 600 if left out, 60 without authentication.
    #[schema(minimum = 1, maximum = 100000)]
    pub rate_per_minute: Option<i64>,
    /// Deliveries under way at a time, on each node; 20 if left out.
    #[schema(minimum = 1, maximum = 1000)]
    pub concurrency: Option<i64>,
    /// A megabyte if left out, and at most what the server reads.
    #[schema(minimum = 1, maximum = 1073741824)]
    pub max_body_bytes: Option<i64>,
}

/// RFC 7396: what is left out stays, null gives back the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HookPatch {
    #[serde(default)]
    #[schema(value_type = Option<HookPath>)]
    pub path: Patched<HookPath>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<HookMethod>>, min_items = 1, max_items = 5)]
    pub methods: Patched<Vec<HookMethod>>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub description: Patched<String>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub active: Patched<bool>,
    /// Replaced as a whole.
    pub target: Option<Target>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    pub permissions: Patched<Vec<Permission>>,
    /// Replaced as a whole; with another one comes another secret.
    pub authentication: Option<Authentication>,
    /// Only together with `authentication`.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 512)]
    pub secret: Option<Secret<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    pub allowed_ips: Patched<Vec<String>>,
    /// Replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<InputSettings>)]
    pub input: Patched<InputSettings>,
    /// Replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Route>>, max_items = 20)]
    pub routes: Patched<Vec<Route>>,
    #[serde(default)]
    #[schema(value_type = Option<ResponseMode>)]
    pub response: Patched<ResponseMode>,
    /// Replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<Deduplication>)]
    pub deduplication: Patched<Deduplication>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100000)]
    pub rate_per_minute: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    pub concurrency: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1073741824)]
    pub max_body_bytes: Patched<i64>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HookRotation)]
pub struct Rotation {
    /// One is made if left out.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 512)]
    pub secret: Option<Secret<String>>,
    /// How long the secret of before stays good; a day if left out, 0 for not at all.
    #[schema(minimum = 0, maximum = 2592000)]
    pub overlap_seconds: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HookFilter {
    /// Part of the path or description; the path of an open hook is a secret and not looked through.
    pub q: Option<String>,
    pub active: Option<bool>,
    /// Id of the function that it runs.
    pub function: Option<FunctionId>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn create(
    State(triggers): State<Triggers>,
    allowed: Allowed<CreateHook>,
    Input(new): Input<CreateHook>,
) -> Result<Reply, Refusal> {
    let wanted = Wanted {
        path: new.path,
        methods: new.methods.unwrap_or_else(|| vec![HookMethod::Post]),
        description: new.description.unwrap_or_default(),
        active: new.active.unwrap_or(true),
        function: new.target.function,
        permissions: new.permissions,
        authentication: new.authentication,
        secret: new.secret,
        allowed_ips: new.allowed_ips,
        input: new.input,
        routes: new.routes,
        response: new.response,
        deduplication: new.deduplication,
        per_minute: new.rate_per_minute,
        concurrency: new.concurrency,
        body_bytes: new.max_body_bytes,
    };
    allowed.settle::<CreateHook, _, _, _>(|| triggers.create_hook(&allowed, &wanted)).await
}

pub async fn list(
    State(triggers): State<Triggers>,
    allowed: Allowed<ListHooks>,
    Params(filter): Params<ListHooks>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<HookId>(filter.cursor.as_deref())?;
    let wanted = Filter { q: filter.q.as_deref(), active: filter.active, function: filter.function, before };
    let inner = triggers.inner();
    let rows = store::hooks(&inner.db, &allowed, &wanted, limit + 1).await?;
    let cursor = |hook: &Hook| allowed.cursor(&[json!(hook.id)]);
    let view = |hook| HookView::of(Triggers::seen(&allowed, hook), &inner.hooks.settings.public_url);
    Ok(Reply::of::<ListHooks>(&page(rows, limit, cursor, view))?)
}

pub async fn get(
    State(triggers): State<Triggers>,
    allowed: Allowed<GetHook>,
    Segment(id): Segment<HookId>,
) -> Result<Reply, Refusal> {
    let hook = triggers.find_hook(&allowed, id).await?;
    let hook = Triggers::seen(&allowed, hook);
    Ok(Reply::of::<GetHook>(&HookView::from(triggers.shown(hook, None)))?)
}

pub async fn update(
    State(triggers): State<Triggers>,
    allowed: Allowed<UpdateHook>,
    Segment(id): Segment<HookId>,
    Input(patch): Input<UpdateHook>,
) -> Result<Reply, Refusal> {
    let patch = Patch {
        path: patch.path,
        methods: patch.methods,
        description: patch.description,
        active: patch.active,
        function: patch.target.map(|target| target.function),
        permissions: patch.permissions,
        authentication: patch.authentication,
        secret: patch.secret,
        allowed_ips: patch.allowed_ips,
        input: patch.input,
        routes: patch.routes,
        response: patch.response,
        deduplication: patch.deduplication,
        per_minute: patch.rate_per_minute,
        concurrency: patch.concurrency,
        body_bytes: patch.max_body_bytes,
    };
    allowed.settle::<UpdateHook, _, _, _>(|| triggers.update_hook(&allowed, id, &patch)).await
}

pub async fn delete(
    State(triggers): State<Triggers>,
    allowed: Allowed<DeleteHook>,
    Segment(id): Segment<HookId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteHook, _, _, _>(|| triggers.delete_hook(&allowed, id)).await
}

pub async fn rotate(
    State(triggers): State<Triggers>,
    allowed: Allowed<RotateHook>,
    Segment(id): Segment<HookId>,
    Input(rotation): Input<RotateHook>,
) -> Result<Reply, Refusal> {
    let overlap = rotation.overlap_seconds.unwrap_or(OVERLAP);
    let secret = rotation.secret.as_ref();
    allowed.settle::<RotateHook, _, _, _>(|| triggers.rotate_hook(&allowed, id, secret, overlap)).await
}
