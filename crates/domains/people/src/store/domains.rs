//! SQL of e-mail domains.

use db::{Db, DbError, OrgScope, Row, Select, Statement, SystemScope, sql};
use types::{DomainId, Id, OrgId};

use crate::domains::{Domain, Proved};

const DOMAIN: &str = "SELECT id, name, challenge, proved_at, created_at, revision FROM domains";

fn domain_of(mut row: Row) -> Result<Domain, DbError> {
    Ok(Domain {
        id: row.id()?,
        name: row.next()?,
        challenge: row.next()?,
        proved_at: row.next()?,
        created_at: row.next()?,
        revision: row.next()?,
    })
}

pub(crate) async fn domains(db: &Db, scope: &OrgScope) -> Result<Vec<Domain>, DbError> {
    let select = Select::new(DOMAIN).and("org = {}", scope.org().uuid()).order("name").limit(200);
    db.read(scope, select).await?.into_iter().map(domain_of).collect()
}

pub(crate) async fn domain(db: &Db, scope: &OrgScope, id: DomainId) -> Result<Option<Domain>, DbError> {
    let select = Select::new(DOMAIN).and("org = {}", scope.org().uuid()).and("id = {}", id.uuid());
    db.read_one(scope, select).await?.map(domain_of).transpose()
}

pub(crate) async fn proved_domain(db: &Db, scope: &OrgScope, name: &str) -> Result<Option<Proved>, DbError> {
    let text = "SELECT id, revision FROM domains WHERE org = $1 AND name = $2 AND proved_at IS NOT NULL";
    let found = db.read_one(scope, sql(text, vec![scope.org().uuid().into(), name.into()])).await?;
    found.map(|mut row| Ok(Proved { id: row.id()?, revision: row.next()? })).transpose()
}

/// Whether an organization proved a domain, asked while somebody signs in to it.
pub(crate) async fn is_proved(db: &Db, scope: SystemScope, org: OrgId, name: &str) -> Result<bool, DbError> {
    let text = "SELECT 1 FROM domains WHERE org = $1 AND name = $2 AND proved_at IS NOT NULL";
    Ok(db.read_one(scope, sql(text, vec![org.uuid().into(), name.into()])).await?.is_some())
}

pub(crate) fn insert_domain(domain: &Domain, org: OrgId, by: &str) -> Statement {
    let text = "INSERT INTO domains (org, id, name, challenge, created_by, created_at, revision) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = vec![
        org.uuid().into(),
        domain.id.uuid().into(),
        domain.name.as_str().into(),
        domain.challenge.as_str().into(),
        by.into(),
        domain.created_at.into(),
        domain.revision.into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

/// `domain.revision` is the new one.
pub(crate) fn prove_domain(domain: &Domain, org: OrgId) -> Statement {
    let text =
        "UPDATE domains SET proved_at = $3, revision = $4 WHERE org = $1 AND id = $2 AND revision = $4 - 1";
    let params =
        vec![org.uuid().into(), domain.id.uuid().into(), domain.proved_at.into(), domain.revision.into()];
    sql(text, params).fresh()
}

pub(crate) fn delete_domain(domain: &Domain, org: OrgId) -> Statement {
    let text = "DELETE FROM domains WHERE org = $1 AND id = $2 AND revision = $3";
    sql(text, vec![org.uuid().into(), domain.id.uuid().into(), domain.revision.into()]).fresh()
}
