//! SQL of what entries were.

use db::{Db, DbError, Row, Select, Statement, Value as Column, sql};
use types::{Id, OrgId, Timestamp};
use web::{Allowance, Columns, SelectorColumn};

use super::entries::kept;
use crate::model::{Entry, Kept, Visibility};

/// An entry as it was at one revision.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) revision: i64,
    pub(crate) size: i64,
    pub(crate) sha256: [u8; 32],
    pub(crate) visibility: Visibility,
    pub(crate) written_at: Timestamp,
    pub(crate) written_by: String,
    pub(crate) kept: Kept,
}

const PAST: &str = "SELECT state_history.revision, state_history.size, state_history.sha256, state_history.visibility, \
    written_at, written_by, state_history.value, state_history.sealed FROM state_history \
    JOIN state_entries ON state_entries.org = state_history.org AND state_entries.id = state_history.entry \
    JOIN state_namespaces ON state_namespaces.org = state_entries.org AND state_namespaces.id = state_entries.namespace";

/// Of each revision who might read it then: what was private stays so when the entry is opened later.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("state_namespaces.name || '/' || state_entries.key"),
    owner: Some("state_history.owner"),
    is: None,
    named: None,
    group: Some("state_history.group_id"),
    visible: Some("state_history.visibility"),
};

/// Newest first.
pub(crate) async fn history(
    db: &Db,
    by: &Allowance,
    entry: &Entry,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Past>, DbError> {
    let select = Select::new(PAST)
        .and("state_history.org = {}", by.org().uuid())
        .and("state_history.entry = {}", entry.id.uuid())
        .and_some("state_history.revision < {}", before);
    let select = by.narrow(select, &COLUMNS).order("state_history.revision DESC").limit(limit);
    let past = |mut row: Row| {
        Ok(Past {
            revision: row.next()?,
            size: row.next()?,
            sha256: row.next()?,
            visibility: row.parse()?,
            written_at: row.next()?,
            written_by: row.next()?,
            kept: kept(&mut row)?,
        })
    };
    db.read(by.scope(), select).await?.into_iter().map(past).collect()
}

pub(crate) fn insert_history(org: OrgId, entry: &Entry, kept: &Kept) -> Statement {
    let text = "INSERT INTO state_history (org, entry, revision, value, sealed, size, sha256, visibility, owner, \
                group_id, written_at, written_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let (value, sealed) = match kept {
        Kept::Plain(json) => (json.into(), Column::Null),
        Kept::Sealed(sealed) => (Column::Null, sealed.clone().into()),
        Kept::Unread => (Column::Null, Column::Null),
    };
    let params = vec![
        org.uuid().into(),
        entry.id.uuid().into(),
        entry.revision.into(),
        value,
        sealed,
        entry.size.into(),
        entry.sha256.into(),
        entry.visibility.name().into(),
        entry.owner.uuid().into(),
        entry.group.map(Id::uuid).into(),
        entry.updated_at.into(),
        (&entry.updated_by).into(),
    ];
    sql(text, params)
}

/// Lets go of what is more than `depth` revisions old; the present one counts.
pub(crate) fn trim_history(org: OrgId, entry: &Entry, depth: i64) -> Statement {
    let text = "DELETE FROM state_history WHERE org = $1 AND entry = $2 AND revision <= $3";
    sql(text, vec![org.uuid().into(), entry.id.uuid().into(), (entry.revision - depth).into()])
}
