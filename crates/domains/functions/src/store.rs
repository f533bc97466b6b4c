//! SQL of functions and versions.

use std::collections::BTreeSet;

use db::{Db, DbError, OrgScope, Row, Select, Statement, Value as Column, sql};
use packages::{Name, Requirement};
use problem::FUNCTION_EXISTS;
use types::{FunctionId, FunctionVersionId, Id, OrgId, Timestamp};

use crate::model::{Function, FunctionRef, Version, principal};
use crate::requirements::kept;
use crate::triggered::Executable;

macro_rules! columns {
    () => {
        "id, namespace, name, description, tags, visibility, owner_kind, owner, live_version, last_number, created_at, \
         updated_at, deleted_at, revision"
    };
}

pub(crate) fn insert(function: &Function) -> Statement {
    let text = "INSERT INTO functions (org, id, namespace, name, description, tags, visibility, owner_kind, owner, \
                live_version, last_number, created_at, updated_at, revision) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let params = vec![
        function.org.uuid().into(),
        function.id.uuid().into(),
        (&function.namespace).into(),
        (&function.name).into(),
        (&function.description).into(),
        serde_json::to_string(&function.tags).unwrap_or_default().into(),
        function.visibility.name().into(),
        function.owner.kind().into(),
        function.owner.uuid().into(),
        function.live_version.uuid().into(),
        function.last_number.into(),
        function.created_at.into(),
        function.updated_at.into(),
        function.revision.into(),
    ];
    sql(text, params).unique_or(&FUNCTION_EXISTS)
}

/// `function` as it shall be; its revision is one more than what was read.
pub(crate) fn update(function: &Function) -> Statement {
    let text = "UPDATE functions SET live_version = $4, last_number = $5, updated_at = $6, deleted_at = $7, \
                revision = revision + 1 WHERE org = $1 AND id = $2 AND revision = $3 AND deleted_at IS NULL";
    let params = vec![
        function.org.uuid().into(),
        function.id.uuid().into(),
        (function.revision - 1).into(),
        function.live_version.uuid().into(),
        function.last_number.into(),
        function.updated_at.into(),
        function.deleted_at.into(),
    ];
    sql(text, params).fresh()
}

/// `code` is sealed.
pub(crate) fn insert_version(version: &Version, code: Vec<u8>) -> Statement {
    let text = "INSERT INTO function_versions (org, id, function, number, runtime, code, code_sha256, entrypoint, \
                input_schema, output_schema, timeout_seconds, memory_mb, permissions, author, created_at, retry, concurrency, \
                rate, mode, secrets, egress, requirements, packages, package_lock, package_lock_sha256) VALUES ($1, $2, $3, $4, \
                $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)";
    let schema = |schema: &Option<serde_json::Value>| schema.as_ref().map(ToString::to_string);
    let params = vec![
        version.org.uuid().into(),
        version.id.uuid().into(),
        version.function.uuid().into(),
        version.number.into(),
        version.runtime.name().into(),
        code.into(),
        version.code_sha256.into(),
        (&version.entrypoint).into(),
        schema(&version.input_schema).into(),
        schema(&version.output_schema).into(),
        version.timeout_seconds.into(),
        version.memory_mb.into(),
        version.permissions.to_string().into(),
        (&version.author).into(),
        version.created_at.into(),
        version.retry.and_then(|retry| serde_json::to_string(&retry).ok()).into(),
        version.concurrency.into(),
        version.rate.and_then(|rate| serde_json::to_string(&rate).ok()).into(),
        version.mode.name().into(),
        serde_json::to_string(&version.secrets).unwrap_or_default().into(),
        serde_json::to_string(&version.egress).unwrap_or_default().into(),
        serde_json::to_string(&version.requirements).unwrap_or_default().into(),
        names(&version.requirements).into(),
        version.lock.as_ref().map(|lock| lock.text().to_owned()).into(),
        version.lock.as_ref().map(|lock| lock.sha256().to_vec()).into(),
    ];
    sql(text, params)
}

/// Deleted ones are found by id only: their versions and runs stay on record.
pub(crate) async fn find(db: &Db, scope: &OrgScope, of: &FunctionRef) -> Result<Option<Function>, DbError> {
    let select = select(scope);
    let select = match of {
        FunctionRef::Id(id) => select.and("id = {}", id.uuid()),
        FunctionRef::Named { namespace, name } => select
            .and_all("deleted_at IS NULL AND namespace = {} AND name = {}", [namespace.into(), name.into()]),
    };
    let row = db.read_one(scope, select).await?;
    row.map(|row| function(scope.org(), row)).transpose()
}

/// What a list may be narrowed by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) namespace: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) q: Option<String>,
    /// Named by the version that calls run.
    pub(crate) package: Option<Name>,
}

pub(crate) async fn list(
    db: &Db,
    scope: &OrgScope,
    filter: &Filter,
    narrow: impl FnOnce(Select) -> Select,
    before: Option<FunctionId>,
    most: i64,
) -> Result<Vec<Function>, DbError> {
    let part = |text: &String| Column::from(format!("%{}%", text.to_lowercase().replace(['%', '_'], "")));
    let select = select(scope)
        .and_all("deleted_at IS NULL", [])
        .and_some("namespace = {}", filter.namespace.as_deref())
        .and_some("tags LIKE {}", filter.tag.as_ref().map(|tag| format!("%{}%", quoted(tag))))
        .and_some("id < {}", before.map(Id::uuid));
    let select = match &filter.package {
        Some(name) => select.and(NAMES, format!("%\"{name}\"%")),
        None => select,
    };
    let select = match &filter.q {
        Some(q) => select.and_all("lower(name) LIKE {} OR lower(description) LIKE {}", [part(q), part(q)]),
        None => select,
    };
    let select = narrow(select).order("id DESC").limit(most);
    db.read(scope, select).await?.into_iter().map(|row| function(scope.org(), row)).collect()
}

const NAMES: &str = "EXISTS (SELECT 1 FROM function_versions WHERE function_versions.org = functions.org AND \
                     function_versions.id = functions.live_version AND packages LIKE {})";

/// The names among requirements, for whoever asks which functions name a package.
fn names(requirements: &[Requirement]) -> String {
    let names: BTreeSet<&str> = requirements.iter().map(|one| one.name.as_str()).collect();
    serde_json::to_string(&names).unwrap_or_default()
}

/// Functions with what their live versions take and give, newest first.
pub(crate) async fn executable(
    db: &Db,
    scope: &OrgScope,
    narrow: impl FnOnce(Select) -> Select,
    most: i64,
) -> Result<Vec<Executable>, DbError> {
    let text = "SELECT functions.id, namespace, name, description, input_schema, output_schema FROM functions \
                JOIN function_versions ON function_versions.org = functions.org AND \
                function_versions.id = functions.live_version";
    let select = Select::new(text)
        .and("functions.org = {}", scope.org().uuid())
        .and_all("functions.deleted_at IS NULL", []);
    let select = narrow(select).order("functions.id DESC").limit(most);
    let told = |mut row: Row| {
        Ok(Executable {
            id: row.id()?,
            namespace: row.next()?,
            name: row.next()?,
            description: row.next()?,
            input_schema: read_schema(row.next()?),
            output_schema: read_schema(row.next()?),
        })
    };
    db.read(scope, select).await?.into_iter().map(told).collect()
}

fn read_schema(text: Option<String>) -> Option<serde_json::Value> {
    text.and_then(|text| serde_json::from_str(&text).ok())
}

fn quoted(tag: &str) -> String {
    serde_json::to_string(tag).unwrap_or_default().replace(['%', '_'], "")
}

fn select(scope: &OrgScope) -> Select {
    Select::new(concat!("SELECT ", columns!(), " FROM functions")).and("org = {}", scope.org().uuid())
}

fn function(org: OrgId, mut row: Row) -> Result<Function, DbError> {
    let (id, namespace, name, description) = (row.id()?, row.next()?, row.next()?, row.next()?);
    let (tags, visibility) = (row.json()?, row.parse()?);
    let owner_kind: String = row.next()?;
    Ok(Function {
        id,
        org,
        namespace,
        name,
        description,
        tags,
        visibility,
        owner: principal(&owner_kind, row.next()?),
        live_version: row.id()?,
        last_number: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        deleted_at: row.next::<Option<Timestamp>>()?,
        revision: row.next()?,
    })
}

const VERSION: &str = "SELECT id, function, number, runtime, code, code_sha256, entrypoint, input_schema, \
                       output_schema, timeout_seconds, memory_mb, permissions, author, created_at, retry, \
                       concurrency, rate, mode, secrets, egress, requirements, package_lock, package_lock_sha256 \
                       FROM function_versions";

/// A version whose code is still sealed.
pub(crate) struct Stored {
    pub(crate) version: Version,
    pub(crate) code: Vec<u8>,
}

pub(crate) async fn version(
    db: &Db,
    scope: &OrgScope,
    id: FunctionVersionId,
) -> Result<Option<Stored>, DbError> {
    let select = Select::new(VERSION).and("org = {}", scope.org().uuid()).and("id = {}", id.uuid());
    db.read_one(scope, select).await?.map(|row| stored(scope.org(), row)).transpose()
}

pub(crate) async fn versions(
    db: &Db,
    scope: &OrgScope,
    function: FunctionId,
    before: Option<FunctionVersionId>,
    most: i64,
) -> Result<Vec<Stored>, DbError> {
    let select = Select::new(VERSION)
        .and("org = {}", scope.org().uuid())
        .and("function = {}", function.uuid())
        .and_some("id < {}", before.map(Id::uuid))
        .order("id DESC")
        .limit(most);
    db.read(scope, select).await?.into_iter().map(|row| stored(scope.org(), row)).collect()
}

fn stored(org: OrgId, mut row: Row) -> Result<Stored, DbError> {
    let (id, function, number) = (row.id()?, row.id()?, row.next()?);
    let (runtime, code) = (row.parse()?, row.next::<Vec<u8>>()?);
    let version = Version {
        id,
        function,
        org,
        number,
        runtime,
        code: String::new(),
        code_sha256: row.next()?,
        entrypoint: row.next()?,
        input_schema: read_schema(row.next()?),
        output_schema: read_schema(row.next()?),
        timeout_seconds: row.next()?,
        memory_mb: row.next()?,
        permissions: row.parse()?,
        author: row.next()?,
        created_at: row.next()?,
        retry: row.next::<Option<String>>()?.and_then(|text| serde_json::from_str(&text).ok()),
        concurrency: row.next()?,
        rate: row.next::<Option<String>>()?.and_then(|text| serde_json::from_str(&text).ok()),
        mode: row.parse()?,
        secrets: row.json()?,
        egress: row.json()?,
        requirements: row.json()?,
        lock: kept(row.next()?, row.next()?)?,
    };
    Ok(Stored { version, code })
}
