//! SQL of `config_objects`: which file a thing comes from. What the file said of it is sealed: it may hold code.

use crypto::seal::Aad;
use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use secrets::{Keyring, Purpose};
use serde_json::Value;
use types::{Id, OrgId, Timestamp};

use crate::DeclareError;

/// A thing that comes from a file.
#[derive(Clone, Debug)]
pub(crate) struct Managed {
    pub(crate) section: String,
    pub(crate) key: String,
    /// The thing that was meant: another of the same name is not managed.
    pub(crate) object: String,
    pub(crate) manager: String,
    applied: Vec<u8>,
}

fn managed(mut row: Row) -> Result<Managed, DbError> {
    Ok(Managed {
        section: row.next()?,
        key: row.next()?,
        object: row.next()?,
        manager: row.next()?,
        applied: row.next()?,
    })
}

/// Everything that comes from files, or from one.
pub(crate) async fn all(db: &Db, scope: &OrgScope, manager: Option<&str>) -> Result<Vec<Managed>, DbError> {
    let select = Select::new("SELECT section, key, object, manager, applied FROM config_objects")
        .and("org = {}", scope.org().uuid())
        .and_some("manager = {}", manager)
        .order("section, key");
    db.read(scope, select).await?.into_iter().map(managed).collect()
}

/// A thing comes from a file from now on, whatever it came from before.
pub(crate) fn put(org: OrgId, thing: &Thing<'_>, by: &str, at: Timestamp) -> [Statement; 2] {
    let text = "INSERT INTO config_objects (org, section, key, object, manager, applied, applied_by, applied_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let params = vec![
        org.uuid().into(),
        thing.section.into(),
        thing.key.into(),
        thing.object.into(),
        thing.manager.into(),
        thing.applied.clone().into(),
        by.into(),
        at.into(),
    ];
    // Two who bring about the same thing at a time: the second decides again, and then sees the first.
    [forget(org, thing.section, thing.key), sql(text, params).unique_or(&problem::CONFLICT)]
}

/// What is written of a thing.
pub(crate) struct Thing<'a> {
    pub(crate) section: &'a str,
    pub(crate) key: &'a str,
    pub(crate) object: &'a str,
    pub(crate) manager: &'a str,
    pub(crate) applied: Vec<u8>,
}

pub(crate) fn forget(org: OrgId, section: &str, key: &str) -> Statement {
    let text = "DELETE FROM config_objects WHERE org = $1 AND section = $2 AND key = $3";
    sql(text, vec![org.uuid().into(), section.into(), key.into()])
}

pub(crate) async fn seal(
    keyring: &Keyring,
    org: OrgId,
    section: &str,
    key: &str,
    entry: &Value,
) -> Result<Vec<u8>, DeclareError> {
    let plain = serde_json::to_vec(entry).map_err(problem::Problem::internal)?;
    Ok(keyring.seal(Purpose::Records, &place(org, &row(section, key)), &plain).await?)
}

impl Managed {
    /// What the file said of it when it was last applied.
    pub(crate) async fn said(&self, keyring: &Keyring, org: OrgId) -> Result<Value, DeclareError> {
        let row = row(&self.section, &self.key);
        let plain = keyring.open_sealed(Purpose::Records, &place(org, &row), &self.applied).await?;
        Ok(serde_json::from_slice(&plain).map_err(problem::Problem::internal)?)
    }
}

fn row(section: &str, key: &str) -> Vec<u8> {
    format!("{section}\0{key}").into_bytes()
}

fn place(org: OrgId, row: &[u8]) -> Aad<'_> {
    Aad { table: "config_objects", column: "applied", org: Some(org), row }
}
