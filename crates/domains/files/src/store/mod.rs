//! SQL of files: collections and how full they are, files and versions, uploads and chunks, links – a file each.

mod collections;
mod files;
mod links;
mod uploads;

use db::{Db, DbError, OrgScope, SystemScope, sql};
use types::{GroupId, Id};

pub(crate) use collections::*;
pub(crate) use files::*;
pub(crate) use links::*;
pub(crate) use uploads::*;

/// Uploads and links expire in every organization.
pub(crate) const SWEEP: SystemScope = SystemScope::new("expired uploads and links");

/// Revision of a group of the organization.
pub(crate) async fn group(db: &Db, scope: &OrgScope, group: GroupId) -> Result<Option<i64>, DbError> {
    let text = "SELECT revision FROM groups WHERE org = $1 AND id = $2";
    let params = vec![scope.org().uuid().into(), group.uuid().into()];
    db.read_one(scope, sql(text, params)).await?.map(|mut row| row.next()).transpose()
}

/// For `LIKE … ESCAPE '!'`.
fn part(text: &str) -> String {
    let text = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{text}%")
}

fn written(value: &impl serde::Serialize) -> String {
    // Text, lists and JSON always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
