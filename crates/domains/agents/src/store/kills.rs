//! SQL of kills.

use db::{Db, DbError, OrgScope, Select, Statement, sql};
use types::{Id, KillId, OrgId, Timestamp};

use crate::kill::Kill;

const KILL: &str = "SELECT id, agent, agent_name, reason, authority_revision, requested_at, receipt, confirmed_at FROM kills";

/// With the revision of its own change, so that a later death of the same agent is never taken for this one's.
pub(crate) fn insert_kill(kill: &Kill, org: OrgId, requested_by: &str) -> Statement {
    let text = "INSERT INTO kills (org, id, agent, agent_name, reason, requested_by, requested_at, receipt, \
                authority_revision) SELECT $1, $2, $3, $4, $5, $6, $7, '', revision FROM authority_head";
    let params = vec![
        org.uuid().into(),
        kill.id.uuid().into(),
        kill.agent.uuid().into(),
        kill.agent_name.as_str().into(),
        kill.reason.clone().unwrap_or_default().into(),
        requested_by.into(),
        kill.requested_at.into(),
    ];
    sql(text, params)
}

/// The receipt is written once.
pub(crate) fn confirm_kill(org: OrgId, id: KillId, receipt: &str, at: Timestamp) -> Statement {
    let text = "UPDATE kills SET receipt = $3, confirmed_at = $4 \
                WHERE org = $1 AND id = $2 AND confirmed_at IS NULL";
    let params = vec![org.uuid().into(), id.uuid().into(), receipt.into(), at.into()];
    sql(text, params).fresh()
}

pub(crate) async fn kill(db: &Db, scope: &OrgScope, id: KillId) -> Result<Option<Kill>, DbError> {
    let select = Select::new(KILL).and("org = {}", scope.org().uuid()).and("id = {}", id.uuid());
    let Some(mut row) = db.read_one(scope, select).await? else { return Ok(None) };
    let (id, agent, agent_name) = (row.id()?, row.id()?, row.next()?);
    let reason: String = row.next()?;
    let revision: i64 = row.next()?;
    let requested_at = row.next()?;
    let receipt: String = row.next()?;
    Ok(Some(Kill {
        id,
        agent,
        agent_name,
        reason: (!reason.is_empty()).then_some(reason),
        requested_at,
        revision: Some(revision),
        receipt: serde_json::from_str(&receipt).ok(),
        confirmed_at: row.next()?,
    }))
}
