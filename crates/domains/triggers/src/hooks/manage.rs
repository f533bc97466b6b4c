//! Making, changing and removing hooks. Whoever changes what a hook does becomes its owner, so that nobody lets another's
//! rights work for them.

use std::net::IpAddr;
use std::time::Duration;

use authority::{Permission, Required};
use db::{AuthorityEntry, Change};
use functions::{Callable, FunctionRef};
use ipnet::IpNet;
use ledger::{Fact, FactKind};
use problem::{HOOK_EXISTS, NOT_FOUND, Problem};
use serde_json::{Value, json};
use types::{HookId, Id, Secret};
use web::{Allowance, Decided, Details, Patched};

use super::model::{
    Authentication, AuthenticationKind, Deduplication, Hook, InputSettings, Limits, Preset, ResponseMode,
    Secrets,
};
use super::routing::{self, Route};
use super::words::{HookMethod, HookPath, overlap};
use super::{secret, store};
use crate::grant::grant;
use crate::{TriggerError, Triggers, facts};

const MANAGE: Required = Required::parse("hooks:manage");
const UPDATE: Required = Required::parse("hooks:update");

const PER_MINUTE: i64 = 600;
/// Where nothing but the path is secret.
const PER_MINUTE_OPEN: i64 = 60;
pub(crate) const CONCURRENCY: i64 = 20;
const BODY_BYTES: i64 = 1_048_576;
/// How long a secret that was rotated out stays good, if nobody says.
pub(crate) const OVERLAP: i64 = 86_400;

/// A hook to be; checked by the schema of its operation.
pub(crate) struct Wanted {
    pub(crate) path: HookPath,
    pub(crate) methods: Vec<HookMethod>,
    pub(crate) description: String,
    pub(crate) active: bool,
    pub(crate) function: String,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) authentication: Authentication,
    pub(crate) secret: Option<Secret<String>>,
    pub(crate) allowed_ips: Vec<String>,
    pub(crate) input: InputSettings,
    pub(crate) routes: Vec<Route>,
    pub(crate) response: ResponseMode,
    pub(crate) deduplication: Option<Deduplication>,
    pub(crate) per_minute: Option<i64>,
    pub(crate) concurrency: Option<i64>,
    pub(crate) body_bytes: Option<i64>,
}

/// A merge patch (RFC 7396).
pub(crate) struct Patch {
    pub(crate) path: Patched<HookPath>,
    pub(crate) methods: Patched<Vec<HookMethod>>,
    pub(crate) description: Patched<String>,
    pub(crate) active: Patched<bool>,
    pub(crate) function: Option<String>,
    pub(crate) permissions: Patched<Vec<Permission>>,
    pub(crate) authentication: Option<Authentication>,
    pub(crate) secret: Option<Secret<String>>,
    pub(crate) allowed_ips: Patched<Vec<String>>,
    pub(crate) input: Patched<InputSettings>,
    pub(crate) routes: Patched<Vec<Route>>,
    pub(crate) response: Patched<ResponseMode>,
    pub(crate) deduplication: Patched<Deduplication>,
    pub(crate) per_minute: Patched<i64>,
    pub(crate) concurrency: Patched<i64>,
    pub(crate) body_bytes: Patched<i64>,
}

/// A hook, and its secret where it is to be shown.
pub(crate) struct Shown {
    pub(crate) hook: Hook,
    pub(crate) secret: Option<Secret<String>>,
    pub(crate) public_url: String,
}

impl Triggers {
    /// The hook, if the caller may do its operation to it.
    pub(crate) async fn find_hook(&self, by: &Allowance, id: HookId) -> Result<Hook, TriggerError> {
        let found = store::hook(&self.inner().db, &by.scope(), id).await?.ok_or(TriggerError::UnknownHook)?;
        let attributes = || found.attributes();
        by.check_with(&found.object(), Details { attributes: Some(&attributes), arguments: None })?;
        Ok(found)
    }

    /// As the caller may see it: the secret path of an open hook is for those who may change it.
    pub(crate) fn seen(by: &Allowance, hook: Hook) -> Hook {
        match by.check_for(&UPDATE, &hook.object()) {
            Ok(()) => hook,
            Err(_) => Hook { path: hook.told_path(), ..hook },
        }
    }

    pub(crate) fn shown(&self, hook: Hook, secret: Option<Secret<String>>) -> Shown {
        Shown { hook, secret, public_url: self.inner().hooks.settings.public_url.clone() }
    }

    pub(crate) async fn create_hook(
        &self,
        by: &Allowance,
        wanted: &Wanted,
    ) -> Result<Decided<Shown>, TriggerError> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        let authentication = fit(&wanted.authentication)?;
        let target = self.target(by, &wanted.function).await?;
        grant(by, &target, &wanted.permissions)?;
        let is_open = authentication.kind == AuthenticationKind::None;
        let per_minute = usual_rate(&authentication);
        let slug = store::slug(&inner.db, &by.scope()).await?;
        let mut hook = Hook {
            id: inner.world.id(),
            org: by.org(),
            slug,
            path: wanted.path.clone(),
            methods: ordered(&wanted.methods),
            description: wanted.description.clone(),
            active: wanted.active,
            function: target.id,
            function_name: target.name,
            owner: by.caller().principal(),
            permissions: wanted.permissions.clone(),
            execute: target.permission,
            authentication,
            allowed_ips: networks(&wanted.allowed_ips)?,
            input: wanted.input.clone(),
            routes: wanted.routes.clone(),
            response: wanted.response,
            deduplication: wanted.deduplication.clone(),
            limits: Limits {
                per_minute: wanted.per_minute.unwrap_or(per_minute),
                concurrency: wanted.concurrency.unwrap_or(CONCURRENCY),
                body_bytes: wanted.body_bytes.unwrap_or(self.usual_body()),
            },
            secrets: Secrets::default(),
            created_at: now,
            updated_at: now,
            revision: 1,
        };
        let attributes = || hook.attributes();
        by.check_with(&hook.object(), Details { attributes: Some(&attributes), arguments: None })?;
        if is_open {
            self.open(by, &mut hook)?;
        }
        self.check_bounds(&hook)?;
        let secret = secret::fitting(inner, &hook.authentication, wanted.secret.as_ref())?;
        if let Some(secret) = &secret {
            hook.secrets.current = Some(inner.seal_secret(hook.org, hook.id, secret).await?);
        }
        let board = self.look_over(by, &hook).await?;
        let data = json!({
            "path": hook.told_path(),
            "methods": hook.methods,
            "function": hook.function.to_string(),
            "authentication": hook.authentication.kind.name(),
            "permissions": named(&hook.permissions),
        });
        let change =
            Change::new(by.scope(), inner.ledger.seal(told(by, &facts::HOOK_CREATED, &hook, data)).await?)
                .statement(store::advance_board(hook.org, board))
                .statement(store::insert_hook(&hook)?)
                .statements(store::insert_routes(&hook));
        Ok(Decided::new(change, self.shown(hook, secret)))
    }

    pub(crate) async fn update_hook(
        &self,
        by: &Allowance,
        id: HookId,
        patch: &Patch,
    ) -> Result<Decided<Shown>, TriggerError> {
        let inner = self.inner();
        let before = self.find_hook(by, id).await?;
        by.expect_revision(before.revision)?;
        let mut hook = before.clone();
        let mut fields = self.apply(&mut hook, patch)?;
        let secret = self.authenticate_anew(&mut hook, &before, patch).await?;
        let does_other = fields.iter().any(|field| DEEDS.contains(field));
        if let Some(function) = &patch.function
            && let target = self.target(by, function).await?
            && target.id != hook.function
        {
            (hook.function, hook.function_name, hook.execute) = (target.id, target.name, target.permission);
            fields.push("function");
        }
        if does_other || hook.function != before.function {
            self.take_over(by, &mut hook).await?;
        }
        let opened = hook.authentication.kind == AuthenticationKind::None
            && (before.authentication.kind != AuthenticationKind::None || hook.path != before.path);
        if opened {
            self.open(by, &mut hook)?;
        }
        self.check_bounds(&hook)?;
        hook.updated_at = inner.world.now();
        hook.revision += 1;
        let data = json!({
            "fields": fields, "owner": hook.owner.to_string(), "permissions": named(&hook.permissions)
        });
        let fact = told(by, &facts::HOOK_UPDATED, &hook, data);
        let mut change = Change::new(by.scope(), inner.ledger.seal(fact).await?);
        if hook.path != before.path || hook.methods != before.methods {
            let board = self.look_over(by, &hook).await?;
            change = change
                .statement(store::advance_board(hook.org, board))
                .statement(store::remove_routes(&hook))
                .statements(store::insert_routes(&hook));
        }
        change = change.statement(store::update_hook(&hook)?);
        let holds_other = hook.owner != before.owner
            || hook.function != before.function
            || named(&hook.permissions) != named(&before.permissions);
        if holds_other {
            // What still runs does so with what it held.
            change = change
                .authority(AuthorityEntry::changed(hook.org, "hook", hook.id.uuid()).died())
                .wake_queue();
        }
        Ok(Decided::new(change, self.shown(hook, secret)))
    }

    pub(crate) async fn delete_hook(
        &self,
        by: &Allowance,
        id: HookId,
    ) -> Result<Decided<Shown>, TriggerError> {
        let inner = self.inner();
        let hook = self.find_hook(by, id).await?;
        by.expect_revision(hook.revision)?;
        let fact = told(by, &facts::HOOK_DELETED, &hook, json!({ "path": hook.told_path() }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statements(store::remove_hook(&hook))
            .authority(AuthorityEntry::changed(hook.org, "hook", hook.id.uuid()).died())
            .wake_queue();
        Ok(Decided::new(change, self.shown(hook, None)))
    }

    /// Another secret; the one of before stays good for a while. Who sees the secret can send what they like, so it becomes
    /// their hook.
    pub(crate) async fn rotate_hook(
        &self,
        by: &Allowance,
        id: HookId,
        given: Option<&Secret<String>>,
        overlap: i64,
    ) -> Result<Decided<Shown>, TriggerError> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        let mut hook = self.find_hook(by, id).await?;
        by.expect_revision(hook.revision)?;
        let before = hook.owner;
        let Some(secret) = secret::fitting(inner, &hook.authentication, given)? else {
            let reason = format!("is `{}`, which has no secret", hook.authentication.kind.name());
            return Err(TriggerError::invalid("/authentication/kind", reason));
        };
        self.take_over(by, &mut hook).await?;
        let overlap_for = Duration::from_secs(u64::try_from(overlap).unwrap_or_default());
        let sealed = inner.seal_secret(hook.org, hook.id, &secret).await?;
        hook.secrets = Secrets {
            previous: hook.secrets.current.take().filter(|_| overlap > 0),
            previous_until: (overlap > 0).then(|| now.plus(overlap_for)),
            current: Some(sealed),
        };
        hook.updated_at = now;
        hook.revision += 1;
        let data = json!({ "overlap_seconds": overlap, "owner": hook.owner.to_string() });
        let fact = told(by, &facts::HOOK_SECRET_ROTATED, &hook, data);
        let mut change =
            Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::update_hook(&hook)?);
        if hook.owner != before {
            change = change
                .authority(AuthorityEntry::changed(hook.org, "hook", hook.id.uuid()).died())
                .wake_queue();
        }
        Ok(Decided::new(change, self.shown(hook, Some(secret))))
    }

    /// The function, if the caller may execute it.
    async fn target(&self, by: &Allowance, function: &str) -> Result<Callable, TriggerError> {
        let unknown = || {
            TriggerError::invalid(
                "/target/function",
                "is no function here that is yours to execute; name it by id or as namespace:name",
            )
        };
        let of: FunctionRef = function.parse().map_err(|_| unknown())?;
        match self.inner().functions.callable(by, &of).await {
            Err(problem) if *problem.code() == NOT_FOUND => Err(unknown()),
            found => Ok(found?),
        }
    }

    /// From now on it acts for the caller, who must be able to give all that it holds.
    async fn take_over(&self, by: &Allowance, hook: &mut Hook) -> Result<(), TriggerError> {
        let target = self.target(by, &hook.function.to_string()).await?;
        grant(by, &target, &hook.permissions)?;
        hook.owner = by.caller().principal();
        Ok(())
    }

    /// A hook that believes everybody has a path that nobody guesses.
    fn open(&self, by: &Allowance, hook: &mut Hook) -> Result<(), TriggerError> {
        by.check_for(&MANAGE, &hook.object())?;
        let segment = crypto::base62::encode(&self.inner().world.bytes::<16>());
        hook.path =
            hook.path.joined(&segment).map_err(|unfit| TriggerError::invalid("/path", unfit.to_string()))?;
        Ok(())
    }

    pub(crate) fn usual_body(&self) -> i64 {
        BODY_BYTES.min(self.largest_body())
    }

    fn largest_body(&self) -> i64 {
        i64::try_from(self.inner().hooks.settings.body_bytes).unwrap_or(i64::MAX)
    }

    fn check_bounds(&self, hook: &Hook) -> Result<(), TriggerError> {
        let largest = self.largest_body();
        if hook.limits.body_bytes > largest {
            let reason = format!("is more than this server reads: {largest}");
            return Err(TriggerError::invalid("/max_body_bytes", reason));
        }
        if hook.authentication.kind == AuthenticationKind::None && hook.limits.per_minute > PER_MINUTE {
            let reason = format!("is at most {PER_MINUTE} where senders prove nothing");
            return Err(TriggerError::invalid("/rate_per_minute", reason));
        }
        routing::check(&hook.routes)?;
        match &hook.deduplication {
            Some(by) if by.header.is_some() == by.pointer.is_some() => {
                Err(TriggerError::invalid("/deduplication", "names either a header or a pointer"))
            }
            Some(Deduplication { pointer: Some(pointer), .. }) if !pointer.starts_with('/') => {
                Err(TriggerError::invalid("/deduplication/pointer", "begins with a slash (RFC 6901)"))
            }
            _ => Ok(()),
        }
    }

    /// That no other hook answers what this one shall; answers how often the organization's paths were changed.
    async fn look_over(&self, by: &Allowance, hook: &Hook) -> Result<i64, TriggerError> {
        let (revision, routes) = store::board(&self.inner().db, &by.scope()).await?;
        let shape = hook.path.shape();
        let taken = routes.iter().any(|route| {
            route.hook != hook.id
                && hook.methods.iter().any(|method| method.name() == route.method)
                && overlap(&route.shape, &shape)
        });
        if taken {
            let detail = "Another hook of the organization answers such a path with one of these methods. Choose another path.";
            return Err(Problem::new(&HOOK_EXISTS, detail).into());
        }
        Ok(revision)
    }

    /// Everything but the target and the authentication.
    fn apply(&self, hook: &mut Hook, patch: &Patch) -> Result<Vec<&'static str>, TriggerError> {
        let before = hook.clone();
        patch.path.write(&mut hook.path, || before.path.clone());
        if let Some(methods) = patch.methods.set() {
            hook.methods = ordered(methods);
        }
        patch.description.write(&mut hook.description, String::new);
        patch.active.write(&mut hook.active, || true);
        patch.permissions.write(&mut hook.permissions, Vec::new);
        if !patch.allowed_ips.is_kept() {
            hook.allowed_ips = networks(patch.allowed_ips.set().map_or(&[], Vec::as_slice))?;
        }
        patch.input.write(&mut hook.input, InputSettings::default);
        patch.routes.write(&mut hook.routes, Vec::new);
        patch.response.write(&mut hook.response, ResponseMode::default);
        if !patch.deduplication.is_kept() {
            hook.deduplication = patch.deduplication.set().cloned();
        }
        patch.concurrency.write(&mut hook.limits.concurrency, || CONCURRENCY);
        patch.body_bytes.write(&mut hook.limits.body_bytes, || self.usual_body());
        if let Some(authentication) = &patch.authentication {
            hook.authentication = fit(authentication)?;
        }
        let usual = usual_rate(&hook.authentication);
        patch.per_minute.write(&mut hook.limits.per_minute, || usual);
        let changed = [
            ("path", hook.path != before.path),
            ("methods", hook.methods != before.methods),
            ("description", hook.description != before.description),
            ("active", hook.active != before.active),
            ("permissions", named(&hook.permissions) != named(&before.permissions)),
            ("authentication", hook.authentication != before.authentication || patch.secret.is_some()),
            ("allowed_ips", hook.allowed_ips != before.allowed_ips),
            ("input", hook.input != before.input),
            ("routes", hook.routes != before.routes),
            ("response", hook.response != before.response),
            ("deduplication", hook.deduplication != before.deduplication),
            ("limits", hook.limits != before.limits),
        ];
        Ok(changed.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect())
    }

    /// Another way to prove oneself has another secret, unless there is none; those of before are good no more.
    async fn authenticate_anew(
        &self,
        hook: &mut Hook,
        before: &Hook,
        patch: &Patch,
    ) -> Result<Option<Secret<String>>, TriggerError> {
        let inner = self.inner();
        if patch.secret.is_some() && patch.authentication.is_none() {
            let reason = "comes with `authentication`; rotate to change it alone";
            return Err(TriggerError::invalid("/secret", reason));
        }
        // How long a message counts says nothing of who sent it.
        let told = Authentication {
            tolerance_seconds: before.authentication.tolerance_seconds,
            ..hook.authentication.clone()
        };
        if told == before.authentication && patch.secret.is_none() {
            return Ok(None);
        }
        let secret = secret::fitting(inner, &hook.authentication, patch.secret.as_ref())?;
        hook.secrets = Secrets::default();
        if let Some(secret) = &secret {
            hook.secrets.current = Some(inner.seal_secret(hook.org, hook.id, secret).await?);
        }
        Ok(secret)
    }
}

/// What a hook does. Whoever changes one of these lets it act for themselves.
const DEEDS: [&str; 6] = ["permissions", "authentication", "allowed_ips", "input", "routes", "response"];

pub(crate) fn usual_rate(by: &Authentication) -> i64 {
    if by.kind == AuthenticationKind::None { PER_MINUTE_OPEN } else { PER_MINUTE }
}

/// Without repetition, in one order.
pub(crate) fn ordered(methods: &[HookMethod]) -> Vec<HookMethod> {
    let mut methods = methods.to_vec();
    methods.sort_unstable();
    methods.dedup();
    methods
}

fn named(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(ToString::to_string).collect()
}

fn told(by: &Allowance, kind: &'static FactKind, hook: &Hook, data: Value) -> Fact {
    by.fact(kind).target("hook", hook.id, hook.told_path().as_str()).data(data)
}

/// Each kind has its own fields and no others.
fn fit(asked: &Authentication) -> Result<Authentication, TriggerError> {
    let generic = asked.preset == Some(Preset::Generic);
    let timed = match asked.preset {
        Some(Preset::Stripe | Preset::Slack | Preset::StandardWebhooks) => true,
        Some(Preset::Generic) => asked.timestamp_header.is_some(),
        Some(Preset::Github) | None => false,
    };
    let is_hmac = asked.kind == AuthenticationKind::Hmac;
    let fields = [
        ("preset", asked.preset.is_some(), is_hmac),
        ("username", asked.username.is_some(), asked.kind == AuthenticationKind::Basic),
        ("header", asked.header.is_some(), is_hmac && generic),
        ("algorithm", asked.algorithm.is_some(), is_hmac && generic),
        ("encoding", asked.encoding.is_some(), is_hmac && generic),
        ("prefix", asked.prefix.is_some(), is_hmac && generic),
        ("timestamp_header", asked.timestamp_header.is_some(), is_hmac && generic),
        ("tolerance_seconds", asked.tolerance_seconds.is_some(), is_hmac && timed),
    ];
    for (name, given, belongs) in fields {
        let needed = matches!(name, "preset" | "username" | "header");
        if given && !belongs {
            return Err(TriggerError::invalid(
                format!("/authentication/{name}"),
                "does not belong to this kind",
            ));
        }
        if needed && belongs && !given {
            return Err(TriggerError::invalid(format!("/authentication/{name}"), "is missing"));
        }
    }
    if asked.username.as_deref().is_some_and(|name| name.contains(':') || name.chars().any(char::is_control))
    {
        let reason = "holds no colon (RFC 7617) and no control characters";
        return Err(TriggerError::invalid("/authentication/username", reason));
    }
    for (name, header) in [("header", &asked.header), ("timestamp_header", &asked.timestamp_header)] {
        if header.as_deref().is_some_and(|text| axum::http::HeaderName::try_from(text).is_err()) {
            return Err(TriggerError::invalid(format!("/authentication/{name}"), "is no name of a header"));
        }
    }
    Ok(asked.clone())
}

/// Single addresses and networks; mapped IPv6 forms are read as what they map.
pub(crate) fn networks(texts: &[String]) -> Result<Vec<IpNet>, TriggerError> {
    let read = |(at, text): (usize, &String)| {
        let single = || text.parse::<IpAddr>().map(|ip| IpNet::from(ip.to_canonical())).ok();
        let net = text.parse::<IpNet>().ok().map(|net| net.trunc()).or_else(single);
        net.ok_or_else(|| {
            TriggerError::invalid(
                format!("/allowed_ips/{at}"),
                "is an address or a network such as 10.0.0.0/8",
            )
        })
    };
    texts.iter().enumerate().map(read).collect()
}
