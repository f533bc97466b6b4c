//! SQL of what must not work twice.

use db::{Db, DbError, OrgScope, Select, Statement, sql};
use problem::{Code, HOOK_UNAUTHENTICATED, IDEMPOTENCY_IN_FLIGHT};
use types::{Id, RunId, Timestamp};

use crate::hooks::model::Hook;

/// A mark to be made, with the run that it stands for.
pub(crate) struct Mark<'a> {
    pub(crate) hook: &'a Hook,
    pub(crate) mark: [u8; 32],
    pub(crate) run: RunId,
    pub(crate) now: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// A signed message counts once; a second time it proves nothing.
pub(crate) fn mark_message(mark: &Mark<'_>) -> Statement {
    inserted("signed", mark, None, &HOOK_UNAUTHENTICATED)
}

/// One delivery under a key at a time; `instead_of` is a run that came to nothing.
pub(crate) fn mark_key(mark: &Mark<'_>, instead_of: Option<RunId>) -> Statement {
    inserted("key", mark, instead_of, &IDEMPOTENCY_IN_FLIGHT)
}

fn inserted(
    kind: &'static str,
    mark: &Mark<'_>,
    instead_of: Option<RunId>,
    taken: &'static Code,
) -> Statement {
    let text = "INSERT INTO hook_marks (org, hook, kind, mark, run, expires_at) VALUES ($1, $2, $3, $4, $5, $6) \
                ON CONFLICT (org, hook, kind, mark) DO UPDATE SET run = $5, expires_at = $6 \
                WHERE hook_marks.expires_at <= $7 OR hook_marks.run = $8";
    let params = vec![
        mark.hook.org.uuid().into(),
        mark.hook.id.uuid().into(),
        kind.into(),
        mark.mark.into(),
        mark.run.uuid().into(),
        mark.expires_at.into(),
        mark.now.into(),
        // The nil UUID is no run's.
        instead_of.map_or_else(types::Uuid::nil, Id::uuid).into(),
    ];
    sql(text, params).one_row_or(taken)
}

/// The run of an earlier delivery under this key.
pub(crate) async fn marked(
    db: &Db,
    scope: &OrgScope,
    hook: &Hook,
    key: [u8; 32],
    now: Timestamp,
) -> Result<Option<RunId>, DbError> {
    let select = Select::new("SELECT run FROM hook_marks")
        .and("org = {}", hook.org.uuid())
        .and("hook = {}", hook.id.uuid())
        .and("kind = {}", "key")
        .and("mark = {}", key)
        .and("expires_at > {}", now);
    db.read_one(scope, select).await?.map(|mut row| row.id()).transpose()
}

pub(crate) fn sweep_marks(now: Timestamp) -> Statement {
    sql("DELETE FROM hook_marks WHERE expires_at <= $1", vec![now.into()])
}
