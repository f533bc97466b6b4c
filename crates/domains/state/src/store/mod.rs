//! SQL of state: namespaces and how full they are here, entries and their history in the files below.

mod entries;
mod history;
mod namespaces;

use db::{Db, DbError, OrgScope, SystemScope, sql};
use types::{GroupId, Id};

pub(crate) use entries::*;
pub(crate) use history::*;
pub(crate) use namespaces::*;

/// Entries expire in every organization.
pub(crate) const SWEEP: SystemScope = SystemScope::new("expired state");

/// Revision of a group of the organization.
pub(crate) async fn group(db: &Db, scope: &OrgScope, group: GroupId) -> Result<Option<i64>, DbError> {
    let text = "SELECT revision FROM groups WHERE org = $1 AND id = $2";
    let params = vec![scope.org().uuid().into(), group.uuid().into()];
    db.read_one(scope, sql(text, params)).await?.map(|mut row| row.next()).transpose()
}

/// For `LIKE … ESCAPE '!'`.
pub(crate) fn part(text: &str) -> String {
    let text = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{text}%")
}
