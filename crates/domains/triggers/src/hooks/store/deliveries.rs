//! SQL of what came in.

use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use types::{DeliveryId, HookId, Id, OrgId, Timestamp};

use crate::hooks::model::{Delivery, Outcome};
use crate::hooks::refusals::More;

/// Without what came in itself.
const LISTED: &str = "SELECT id, hook, received_at, method, ip, outcome, reason, count, run, replay_of, size, NULL \
                      FROM hook_deliveries";
const WHOLE: &str = "SELECT id, hook, received_at, method, ip, outcome, reason, count, run, replay_of, size, request \
                     FROM hook_deliveries";

fn read(mut row: Row) -> Result<Delivery, DbError> {
    Ok(Delivery {
        id: row.id()?,
        hook: row.id()?,
        received_at: row.next()?,
        method: row.next()?,
        ip: row.next()?,
        outcome: row.parse()?,
        reason: row.next()?,
        count: row.next()?,
        run: row.optional_id()?,
        replay_of: row.optional_id()?,
        size: row.next()?,
        request: row.next()?,
    })
}

/// Newest first.
pub(crate) async fn deliveries(
    db: &Db,
    scope: &OrgScope,
    hook: HookId,
    outcome: Option<Outcome>,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<Delivery>, DbError> {
    let select = Select::new(LISTED)
        .and("org = {}", scope.org().uuid())
        .and("hook = {}", hook.uuid())
        .and_some("outcome = {}", outcome.map(Outcome::name))
        .and_some("id < {}", before.map(Id::uuid))
        .order("id DESC")
        .limit(limit);
    db.read(scope, select).await?.into_iter().map(read).collect()
}

pub(crate) async fn delivery(
    db: &Db,
    scope: &OrgScope,
    hook: HookId,
    id: DeliveryId,
) -> Result<Option<Delivery>, DbError> {
    let select = Select::new(WHOLE)
        .and("org = {}", scope.org().uuid())
        .and("hook = {}", hook.uuid())
        .and("id = {}", id.uuid());
    db.read_one(scope, select).await?.map(read).transpose()
}

pub(crate) fn insert_delivery(org: OrgId, delivery: &Delivery) -> Statement {
    let text = "INSERT INTO hook_deliveries (org, id, hook, received_at, method, ip, outcome, reason, count, run, replay_of, \
                size, request) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let params = vec![
        org.uuid().into(),
        delivery.id.uuid().into(),
        delivery.hook.uuid().into(),
        delivery.received_at.into(),
        delivery.method.as_str().into(),
        delivery.ip.clone().into(),
        delivery.outcome.name().into(),
        delivery.reason.clone().into(),
        delivery.count.into(),
        delivery.run.map(Id::uuid).into(),
        delivery.replay_of.map(Id::uuid).into(),
        delivery.size.into(),
        delivery.request.clone().into(),
    ];
    sql(text, params)
}

pub(crate) fn add_to_delivery(more: &More) -> Statement {
    let text = "UPDATE hook_deliveries SET count = count + $3 WHERE org = $1 AND id = $2";
    sql(text, vec![more.org.uuid().into(), more.id.uuid().into(), more.count.into()])
}

pub(crate) fn sweep_old(before: Timestamp) -> Statement {
    sql("DELETE FROM hook_deliveries WHERE received_at < $1", vec![before.into()])
}

/// Keeps of each hook the newest that led to something, and fewer of those that did not.
pub(crate) fn sweep_many(kept: i64, refused: i64) -> Statement {
    let text = "DELETE FROM hook_deliveries WHERE id IN (SELECT id FROM (SELECT id, outcome, row_number() OVER \
                (PARTITION BY hook, CASE WHEN outcome IN ('refused', 'ignored') THEN outcome ELSE '' END ORDER BY id DESC) \
                AS place FROM hook_deliveries) AS numbered WHERE place > CASE WHEN outcome IN ('refused', 'ignored') \
                THEN CAST($2 AS bigint) ELSE CAST($1 AS bigint) END)";
    sql(text, vec![kept.into(), refused.into()])
}
