//! Hooks in files of configuration, told apart by methods and path. Their secrets come by reference and are never told again;
//! hooks that ask for no proof are made by hand, since nobody knows their path before.

use authority::Permission;
use manifest::{Refers, Section};
use problem::{Problem, VALIDATION_FAILED};
use serde::{Deserialize, Serialize};
use types::{HookId, Secret};
use utoipa::ToSchema;
use web::{Errand, Patched, Undone};

use super::manage::{CONCURRENCY, Patch, Wanted, networks, ordered, usual_rate};
use super::model::{Authentication, AuthenticationKind, Deduplication, Hook, InputSettings, ResponseMode};
use super::routes::hooks::{CreateHook, DeleteHook, ListHooks, UpdateHook};
use super::routing::Route;
use super::store::{self, Filter};
use super::words::{HookMethod, HookPath};
use crate::Triggers;

/// Hooks of one organization at the most that a file deals with.
const MOST: i64 = 10_000;

/// The section `hooks`.
pub struct HooksSection(pub Triggers);

/// A hook.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigHook)]
pub struct HookEntry {
    /// Segments between slashes, each a word or a `{parameter}`.
    path: HookPath,
    #[serde(default = "post")]
    #[schema(min_items = 1, max_items = 5)]
    methods: Vec<HookMethod>,
    #[serde(default)]
    #[schema(max_length = 4000)]
    description: String,
    #[serde(default = "yes")]
    active: bool,
    /// `namespace/name`
    #[schema(max_length = 130, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*/[a-zA-Z_][a-zA-Z0-9_]*$")]
    function: String,
    /// What its runs may do besides executing the function.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    permissions: Vec<Permission>,
    /// Any kind but `none`.
    authentication: Authentication,
    /// `${NAME}` or `${file:path}`; needed where `hmac` or `basic` is new. Rotated by hand from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 16, max_length = 512)]
    secret: Option<String>,
    #[serde(default)]
    #[schema(max_items = 100)]
    allowed_ips: Vec<String>,
    #[serde(default)]
    input: InputSettings,
    /// The first whose tests all hold says what the function is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    routes: Vec<Route>,
    #[serde(default)]
    response: ResponseMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deduplication: Option<Deduplication>,
    /// 600 if left out.
    #[schema(minimum = 1, maximum = 100000)]
    rate_per_minute: Option<i64>,
    #[serde(default = "concurrency")]
    #[schema(minimum = 1, maximum = 1000)]
    concurrency: i64,
    /// A megabyte if left out, and at most what the server reads.
    #[schema(minimum = 1, maximum = 1073741824)]
    max_body_bytes: Option<i64>,
}

fn post() -> Vec<HookMethod> {
    vec![HookMethod::Post]
}

fn yes() -> bool {
    true
}

fn concurrency() -> i64 {
    CONCURRENCY
}

impl Section for HooksSection {
    type Entry = HookEntry;

    const NAME: &'static str = "hooks";
    const UNTOLD: &'static [&'static str] = &["secret"];

    fn key(entry: &HookEntry) -> String {
        let methods: Vec<&str> = entry.methods.iter().map(|method| method.name()).collect();
        format!("{} {}", methods.join(","), entry.path)
    }

    fn settled(&self, mut entry: HookEntry) -> HookEntry {
        entry.methods = ordered(&entry.methods);
        if let Ok(networks) = networks(&entry.allowed_ips) {
            entry.allowed_ips = networks.iter().map(ToString::to_string).collect();
        }
        entry.rate_per_minute = entry.rate_per_minute.or_else(|| Some(usual_rate(&entry.authentication)));
        entry.max_body_bytes = entry.max_body_bytes.or_else(|| Some(self.0.usual_body()));
        entry
    }

    fn refers(entry: &HookEntry) -> Vec<Refers> {
        vec![Refers { field: "/function".into(), section: "functions", key: entry.function.clone() }]
    }

    async fn standing(&self, errand: &Errand) -> Result<Vec<(String, HookEntry)>, Problem> {
        let by = errand.admit::<ListHooks>().await?;
        let all = Filter { q: None, active: None, function: None, before: None };
        let hooks = store::hooks(&self.0.inner().db, &by, &all, MOST).await?;
        let is_told = |hook: &Hook| hook.authentication.kind != AuthenticationKind::None;
        Ok(hooks.into_iter().filter(is_told).map(told).collect())
    }

    async fn make(&self, errand: &Errand, entry: &HookEntry) -> Result<String, Undone> {
        proves_something(entry)?;
        let wanted = Wanted {
            path: entry.path.clone(),
            methods: entry.methods.clone(),
            description: entry.description.clone(),
            active: entry.active,
            function: target(entry),
            permissions: entry.permissions.clone(),
            authentication: entry.authentication.clone(),
            secret: entry.secret.clone().map(Secret::new),
            allowed_ips: entry.allowed_ips.clone(),
            input: entry.input.clone(),
            routes: entry.routes.clone(),
            response: entry.response,
            deduplication: entry.deduplication.clone(),
            per_minute: entry.rate_per_minute,
            concurrency: Some(entry.concurrency),
            body_bytes: entry.max_body_bytes,
        };
        let decide = |by| async move { self.0.create_hook(&by, &wanted).await };
        Ok(errand.act::<CreateHook, _, _, _>(decide).await?.hook.id.to_string())
    }

    async fn alter(
        &self,
        errand: &Errand,
        id: &str,
        before: &HookEntry,
        after: &HookEntry,
    ) -> Result<(), Undone> {
        let id = parsed(id)?;
        let anew = before.authentication != after.authentication;
        if anew {
            proves_something(after)?;
        }
        let patch = Patch {
            path: Patched::Kept,
            methods: Patched::Kept,
            description: Patched::between(&before.description, &after.description),
            active: Patched::between(&before.active, &after.active),
            function: (before.function != after.function).then(|| target(after)),
            permissions: Patched::between(&before.permissions, &after.permissions),
            authentication: anew.then(|| after.authentication.clone()),
            // The one that is there may have been rotated since.
            secret: after.secret.clone().filter(|_| anew).map(Secret::new),
            allowed_ips: Patched::between(&before.allowed_ips, &after.allowed_ips),
            input: Patched::between(&before.input, &after.input),
            routes: Patched::between(&before.routes, &after.routes),
            response: Patched::between(&before.response, &after.response),
            deduplication: Patched::between_options(&before.deduplication, &after.deduplication),
            per_minute: Patched::between_options(&before.rate_per_minute, &after.rate_per_minute),
            concurrency: Patched::between(&before.concurrency, &after.concurrency),
            body_bytes: Patched::between_options(&before.max_body_bytes, &after.max_body_bytes),
        };
        let decide = |by| async move { self.0.update_hook(&by, id, &patch).await };
        errand.act::<UpdateHook, _, _, _>(decide).await.map(drop)
    }

    async fn remove(&self, errand: &Errand, id: &str) -> Result<(), Undone> {
        let id = parsed(id)?;
        let decide = |by| async move { self.0.delete_hook(&by, id).await };
        errand.act::<DeleteHook, _, _, _>(decide).await.map(drop)
    }
}

/// A secret that the server made would be shown to nobody, and an open hook's path is not known before it is made.
fn proves_something(entry: &HookEntry) -> Result<(), Problem> {
    let kind = entry.authentication.kind;
    let (field, reason) = match (kind, &entry.secret) {
        (AuthenticationKind::None, _) => {
            ("/authentication/kind", "must prove something; make an open hook by hand")
        }
        (kind, None) if kind.has_secret() => ("/secret", "is missing; write `secret: ${NAME}`"),
        _ => return Ok(()),
    };
    Err(Problem::new(&VALIDATION_FAILED, "Mend the fields named in errors.").with_error(field, reason))
}

fn target(entry: &HookEntry) -> String {
    entry.function.replacen('/', ":", 1)
}

fn told(hook: Hook) -> (String, HookEntry) {
    let entry = HookEntry {
        path: hook.path,
        methods: hook.methods,
        description: hook.description,
        active: hook.active,
        function: hook.function_name,
        permissions: hook.permissions,
        authentication: hook.authentication,
        secret: None,
        allowed_ips: hook.allowed_ips.iter().map(ToString::to_string).collect(),
        input: hook.input,
        routes: hook.routes,
        response: hook.response,
        deduplication: hook.deduplication,
        rate_per_minute: Some(hook.limits.per_minute),
        concurrency: hook.limits.concurrency,
        max_body_bytes: Some(hook.limits.body_bytes),
    };
    (hook.id.to_string(), entry)
}

fn parsed(id: &str) -> Result<HookId, Problem> {
    id.parse().map_err(Problem::internal)
}
