//! SQL of the packages that an organization's functions may name.

use std::collections::BTreeMap;

use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use packages::Name;
use problem::PACKAGE_EXISTS;
use types::{Id, OrgId, PackageId, Timestamp};
use web::{Allowance, Columns, SelectorColumn};

use super::{Package, PackageRef, State};
use crate::model::principal;

const PACKAGE: &str = "SELECT id, name, state, reason, answer, requested_by_kind, requested_by, requested_at, decided_by, \
                       decided_at, revision FROM packages";

/// Where the table keeps what rights depend on.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("name"),
    owner: Some("requested_by"),
    is: None,
    named: None,
    group: None,
    visible: None,
};

/// What a list may be narrowed by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) state: Option<State>,
    /// Part of the name.
    pub(crate) q: Option<String>,
    pub(crate) before: Option<PackageId>,
}

pub(crate) fn insert(package: &Package) -> Statement {
    let text = "INSERT INTO packages (org, id, name, state, reason, answer, requested_by_kind, requested_by, \
                requested_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let params = vec![
        package.org.uuid().into(),
        package.id.uuid().into(),
        package.name.as_str().into(),
        package.state.name().into(),
        (&package.reason).into(),
        (&package.answer).into(),
        package.requested_by.kind().into(),
        package.requested_by.uuid().into(),
        package.requested_at.into(),
        package.revision.into(),
    ];
    sql(text, params).unique_or(&PACKAGE_EXISTS)
}

/// `package` as it shall be; its revision is one more than what was read.
pub(crate) fn decide(package: &Package) -> Statement {
    let text = "UPDATE packages SET state = $4, answer = $5, decided_by = $6, decided_at = $7, revision = revision + 1 \
                WHERE org = $1 AND id = $2 AND revision = $3";
    let params = vec![
        package.org.uuid().into(),
        package.id.uuid().into(),
        (package.revision - 1).into(),
        package.state.name().into(),
        (&package.answer).into(),
        package.decided_by.clone().into(),
        package.decided_at.into(),
    ];
    sql(text, params).fresh()
}

pub(crate) fn delete(package: &Package) -> Statement {
    let text = "DELETE FROM packages WHERE org = $1 AND id = $2 AND revision = $3";
    let params = vec![package.org.uuid().into(), package.id.uuid().into(), package.revision.into()];
    sql(text, params).fresh()
}

pub(crate) async fn find(db: &Db, scope: &OrgScope, of: &PackageRef) -> Result<Option<Package>, DbError> {
    let select = match of {
        PackageRef::Id(id) => select(scope).and("id = {}", id.uuid()),
        PackageRef::Named(name) => select(scope).and("name = {}", name.as_str()),
    };
    db.read_one(scope, select).await?.map(|row| package(scope.org(), row)).transpose()
}

pub(crate) async fn list(
    db: &Db,
    by: &Allowance,
    filter: &Filter,
    most: i64,
) -> Result<Vec<Package>, DbError> {
    let scope = by.scope();
    let part = filter.q.as_ref().map(|q| format!("%{}%", q.to_lowercase().replace(['%', '_'], "")));
    let select = select(&scope)
        .and_some("state = {}", filter.state.map(State::name))
        .and_some("name LIKE {}", part)
        .and_some("id < {}", filter.before.map(Id::uuid));
    let select = by.narrow(select, &COLUMNS).order("id DESC").limit(most);
    db.read(&scope, select).await?.into_iter().map(|row| package(scope.org(), row)).collect()
}

/// An entry as far as a version depends on it.
pub(crate) struct Listed {
    pub(crate) state: State,
    pub(crate) id: PackageId,
    pub(crate) revision: i64,
}

/// The whole list, by name.
pub(crate) async fn listed(db: &Db, scope: &OrgScope) -> Result<BTreeMap<Name, Listed>, DbError> {
    let text = "SELECT name, state, id, revision FROM packages";
    let select = Select::new(text).and("org = {}", scope.org().uuid());
    let listed = |mut row: Row| {
        let (name, state) = (name(&mut row)?, row.parse()?);
        Ok((name, Listed { state, id: row.id()?, revision: row.next()? }))
    };
    db.read(scope, select).await?.into_iter().map(listed).collect()
}

/// How many functions name each package in the version that calls run.
pub(crate) async fn uses(db: &Db, scope: &OrgScope) -> Result<BTreeMap<String, i64>, DbError> {
    let text = "SELECT function_versions.packages FROM functions JOIN function_versions ON \
                function_versions.org = functions.org AND function_versions.id = functions.live_version";
    let select = Select::new(text)
        .and("functions.org = {}", scope.org().uuid())
        .and_all("functions.deleted_at IS NULL AND function_versions.packages <> '[]'", []);
    let mut uses = BTreeMap::new();
    for mut row in db.read(scope, select).await? {
        for name in row.json::<Vec<String>>()? {
            *uses.entry(name).or_default() += 1;
        }
    }
    Ok(uses)
}

fn select(scope: &OrgScope) -> Select {
    Select::new(PACKAGE).and("org = {}", scope.org().uuid())
}

fn name(row: &mut Row) -> Result<Name, DbError> {
    row.parse()
}

fn package(org: OrgId, mut row: Row) -> Result<Package, DbError> {
    let (id, name, state) = (row.id()?, name(&mut row)?, row.parse()?);
    let (reason, answer, kind): (String, String, String) = (row.next()?, row.next()?, row.next()?);
    Ok(Package {
        id,
        org,
        name,
        state,
        reason,
        answer,
        requested_by: principal(&kind, row.next()?),
        requested_at: row.next()?,
        decided_by: row.next()?,
        decided_at: row.next::<Option<Timestamp>>()?,
        revision: row.next()?,
    })
}
