//! SQL of hooks.

mod deliveries;
mod marks;

use authority::Required;
use db::{Db, DbError, OrgScope, Row, Select, Statement, SystemScope, sql};
use ipnet::IpNet;
use problem::{HOOK_EXISTS, Problem};
use types::{HookId, Id, OrgId};
use web::{Allowance, Columns, SelectorColumn};

pub(crate) use deliveries::*;
pub(crate) use marks::*;

use super::model::{Hook, Limits, Secrets, principal};
use super::words::HookMethod;
use crate::TriggerError;

/// A delivery names its hook, and nobody has been admitted yet; what is old is swept in every organization.
pub(super) const DOOR: SystemScope = SystemScope::new("incoming webhooks");

const HOOK: &str = "SELECT hooks.org, hooks.id, orgs.slug, hooks.path, hooks.methods, hooks.description, hooks.active, \
    hooks.function, hooks.function_name, hooks.owner_kind, hooks.owner, hooks.permissions, hooks.execute_permission, \
    hooks.authentication, hooks.allowed_ips, hooks.input, hooks.routes, hooks.response, hooks.deduplication, hooks.per_minute, \
    hooks.concurrency, hooks.body_bytes, hooks.secret, hooks.previous, hooks.previous_until, hooks.created_at, \
    hooks.updated_at, hooks.revision FROM hooks JOIN orgs ON orgs.id = hooks.org";

/// The same by its routes.
const ROUTED: &str = "SELECT hooks.org, hooks.id, orgs.slug, hooks.path, hooks.methods, hooks.description, hooks.active, \
    hooks.function, hooks.function_name, hooks.owner_kind, hooks.owner, hooks.permissions, hooks.execute_permission, \
    hooks.authentication, hooks.allowed_ips, hooks.input, hooks.routes, hooks.response, hooks.deduplication, hooks.per_minute, \
    hooks.concurrency, hooks.body_bytes, hooks.secret, hooks.previous, hooks.previous_until, hooks.created_at, \
    hooks.updated_at, hooks.revision FROM hook_routes JOIN hooks ON hooks.org = hook_routes.org AND \
    hooks.id = hook_routes.hook JOIN orgs ON orgs.id = hooks.org";

/// Also where another operation tells of them.
const READ: Required = Required::parse("hooks:read");

/// Where the table keeps what rights depend on.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::id::<HookId>("hooks.id"),
    owner: Some("hooks.owner"),
    is: None,
    named: None,
    group: None,
    visible: None,
};

fn read(mut row: Row) -> Result<Hook, DbError> {
    let org = row.id()?;
    let (id, slug, path, methods) = (row.id()?, row.next()?, row.parse()?, row.json()?);
    let (description, active, function) = (row.next()?, row.next()?, row.id()?);
    let function_name = row.next()?;
    let kind: String = row.next()?;
    let owner = principal(&kind, row.next()?);
    let (permissions, execute, authentication) = (row.json()?, row.parse()?, row.json()?);
    let allowed_ips: Vec<String> = row.json()?;
    let allowed_ips = allowed_ips.iter().map(|text| text.parse::<IpNet>()).collect::<Result<_, _>>();
    let (input, routes, response) = (row.json()?, row.json()?, row.parse()?);
    let deduplication: Option<String> = row.next()?;
    let deduplication = deduplication.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Hook {
        id,
        org,
        slug,
        path,
        methods,
        description,
        active,
        function,
        function_name,
        owner,
        permissions,
        execute,
        authentication,
        allowed_ips: allowed_ips.map_err(|error| DbError::Internal(format!("stored network: {error}")))?,
        input,
        routes,
        response,
        deduplication: deduplication.map_err(|error| DbError::Internal(format!("stored JSON: {error}")))?,
        limits: Limits { per_minute: row.next()?, concurrency: row.next()?, body_bytes: row.next()? },
        secrets: Secrets { current: row.next()?, previous: row.next()?, previous_until: row.next()? },
        created_at: row.next()?,
        updated_at: row.next()?,
        revision: row.next()?,
    })
}

pub(crate) async fn hook(db: &Db, scope: &OrgScope, id: HookId) -> Result<Option<Hook>, DbError> {
    let select = Select::new(HOOK).and("hooks.org = {}", scope.org().uuid()).and("hooks.id = {}", id.uuid());
    db.read_one(scope, select).await?.map(read).transpose()
}

/// The hook that answers this; at most one does. Its organization must be there and not on its way out.
pub(crate) async fn answering(
    db: &Db,
    slug: &str,
    method: HookMethod,
    segments: &[String],
) -> Result<Option<Hook>, DbError> {
    let count = i64::try_from(segments.len()).unwrap_or(i64::MAX);
    let head = segments.first().map(String::as_str).unwrap_or_default();
    let select = Select::new(ROUTED)
        .and("orgs.slug = {}", slug)
        .and("orgs.status = {}", "active")
        .and("hook_routes.method = {}", method.name())
        .and("hook_routes.segments = {}", count)
        .and("hook_routes.head IN ({}, '')", head);
    for row in db.read(DOOR, select).await? {
        let hook = read(row)?;
        if hook.path.matched(segments).is_some() {
            return Ok(Some(hook));
        }
    }
    Ok(None)
}

pub(crate) struct Filter<'a> {
    pub(crate) q: Option<&'a str>,
    pub(crate) active: Option<bool>,
    pub(crate) function: Option<types::FunctionId>,
    pub(crate) before: Option<HookId>,
}

/// Newest first.
pub(crate) async fn hooks(
    db: &Db,
    by: &Allowance,
    filter: &Filter<'_>,
    limit: i64,
) -> Result<Vec<Hook>, DbError> {
    let select = Select::new(HOOK)
        .and("hooks.org = {}", by.org().uuid())
        .and_some("lower(CASE WHEN hooks.authentication LIKE '{\"kind\":\"none\"%' THEN '' ELSE hooks.path END || ' ' || hooks.description) LIKE {} ESCAPE '!'", filter.q.map(part))
        .and_some("hooks.active = {}", filter.active)
        .and_some("hooks.function = {}", filter.function.map(Id::uuid))
        .and_some("hooks.id < {}", filter.before.map(Id::uuid));
    let select = by.narrow_for(&READ, select, &COLUMNS).order("hooks.id DESC").limit(limit);
    db.read(by.scope(), select).await?.into_iter().map(read).collect()
}

/// For `LIKE … ESCAPE '!'`.
fn part(text: &str) -> String {
    let text = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{text}%")
}

/// The organization's, as paths name it.
pub(crate) async fn slug(db: &Db, scope: &OrgScope) -> Result<String, DbError> {
    let text = "SELECT slug FROM orgs WHERE id = $1";
    let row = db.read_one(scope, sql(text, vec![scope.org().uuid().into()])).await?;
    row.map_or_else(|| Err(DbError::Internal("an organization without a row".into())), |mut row| row.next())
}

/// One path and method that is taken.
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) shape: String,
    pub(crate) hook: HookId,
}

/// How often the organization's paths were changed, and all of them.
pub(crate) async fn board(db: &Db, scope: &OrgScope) -> Result<(i64, Vec<Route>), DbError> {
    let org = scope.org().uuid();
    // First: a path that comes in between makes the revision stale.
    let revision = sql("SELECT revision FROM hook_boards WHERE org = $1", vec![org.into()]);
    let revision = db.read_one(scope, revision).await?.map_or(Ok(0), |mut row| row.next())?;
    let select = Select::new("SELECT method, shape, hook FROM hook_routes").and("org = {}", org);
    let route = |mut row: Row| Ok(Route { method: row.next()?, shape: row.next()?, hook: row.id()? });
    let routes: Result<_, DbError> = db.read(scope, select).await?.into_iter().map(route).collect();
    Ok((revision, routes?))
}

/// Nothing, if somebody has changed a path since.
pub(crate) fn advance_board(org: OrgId, revision: i64) -> Statement {
    let text = "INSERT INTO hook_boards (org, revision) VALUES ($1, 1) ON CONFLICT (org) \
                DO UPDATE SET revision = hook_boards.revision + 1 WHERE hook_boards.revision = $2";
    sql(text, vec![org.uuid().into(), revision.into()]).fresh()
}

/// The columns that may change, in the order of both statements below.
fn changeable(hook: &Hook) -> Result<Vec<db::Value>, TriggerError> {
    let permissions: Vec<String> = hook.permissions.iter().map(ToString::to_string).collect();
    let networks: Vec<String> = hook.allowed_ips.iter().map(ToString::to_string).collect();
    Ok(vec![
        hook.path.as_str().into(),
        json(&hook.methods)?.into(),
        (&hook.description).into(),
        hook.active.into(),
        hook.function.uuid().into(),
        (&hook.function_name).into(),
        hook.owner.kind().into(),
        hook.owner.uuid().into(),
        json(&permissions)?.into(),
        hook.execute.to_string().into(),
        json(&hook.authentication)?.into(),
        json(&networks)?.into(),
        json(&hook.input)?.into(),
        json(&hook.routes)?.into(),
        hook.response.name().into(),
        hook.deduplication.as_ref().map(json).transpose()?.into(),
        hook.limits.per_minute.into(),
        hook.limits.concurrency.into(),
        hook.limits.body_bytes.into(),
        hook.secrets.current.clone().into(),
        hook.secrets.previous.clone().into(),
        hook.secrets.previous_until.into(),
        hook.updated_at.into(),
        hook.revision.into(),
    ])
}

fn json(value: &impl serde::Serialize) -> Result<String, TriggerError> {
    Ok(serde_json::to_string(value).map_err(Problem::internal)?)
}

pub(crate) fn insert_hook(hook: &Hook) -> Result<Statement, TriggerError> {
    let text = "INSERT INTO hooks (org, id, path, methods, description, active, function, function_name, owner_kind, owner, \
                permissions, execute_permission, authentication, allowed_ips, input, routes, response, deduplication, \
                per_minute, concurrency, body_bytes, secret, previous, previous_until, updated_at, revision, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
                $22, $23, $24, $25, $26, $27)";
    let mut params = vec![hook.org.uuid().into(), hook.id.uuid().into()];
    params.extend(changeable(hook)?);
    params.push(hook.created_at.into());
    Ok(sql(text, params))
}

/// Writes everything that may change; `hook.revision` is the new one.
pub(crate) fn update_hook(hook: &Hook) -> Result<Statement, TriggerError> {
    let text = "UPDATE hooks SET path = $3, methods = $4, description = $5, active = $6, function = $7, function_name = $8, \
                owner_kind = $9, owner = $10, permissions = $11, execute_permission = $12, authentication = $13, \
                allowed_ips = $14, input = $15, routes = $16, response = $17, deduplication = $18, per_minute = $19, \
                concurrency = $20, body_bytes = $21, secret = $22, previous = $23, previous_until = $24, updated_at = $25, \
                revision = $26 WHERE org = $1 AND id = $2 AND revision = $27";
    let mut params = vec![hook.org.uuid().into(), hook.id.uuid().into()];
    params.extend(changeable(hook)?);
    params.push((hook.revision - 1).into());
    Ok(sql(text, params).fresh())
}

pub(crate) fn insert_routes(hook: &Hook) -> Vec<Statement> {
    let text =
        "INSERT INTO hook_routes (org, method, shape, head, segments, hook) VALUES ($1, $2, $3, $4, $5, $6)";
    let route = |method: &HookMethod| {
        let params = vec![
            hook.org.uuid().into(),
            method.name().into(),
            hook.path.shape().into(),
            hook.path.head().into(),
            i64::try_from(hook.path.length()).unwrap_or(i64::MAX).into(),
            hook.id.uuid().into(),
        ];
        sql(text, params).unique_or(&HOOK_EXISTS)
    };
    hook.methods.iter().map(route).collect()
}

pub(crate) fn remove_routes(hook: &Hook) -> Statement {
    let text = "DELETE FROM hook_routes WHERE org = $1 AND hook = $2";
    sql(text, vec![hook.org.uuid().into(), hook.id.uuid().into()])
}

/// The hook as it was read, with all that is kept of it.
pub(crate) fn remove_hook(hook: &Hook) -> Vec<Statement> {
    let both = || vec![hook.org.uuid().into(), hook.id.uuid().into()];
    let row = vec![hook.org.uuid().into(), hook.id.uuid().into(), hook.revision.into()];
    vec![
        remove_routes(hook),
        sql("DELETE FROM hook_marks WHERE org = $1 AND hook = $2", both()),
        sql("DELETE FROM hook_deliveries WHERE org = $1 AND hook = $2", both()),
        sql("DELETE FROM hooks WHERE org = $1 AND id = $2 AND revision = $3", row).fresh(),
    ]
}
