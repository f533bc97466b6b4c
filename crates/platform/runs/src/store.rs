//! SQL of runs. Transitions up to the end are bookkeeping; each names the states that it starts from, so that whoever
//! comes late changes nothing.

use std::time::Duration;

use db::{Bookkeeping, DbError, OrgScope, Row, Select, Statement, SystemScope, Value, sql};
use problem::{ALREADY_EXISTS, RUN_ENDED};
use types::{Id, OrgId, RunId, Timestamp, Uuid};

use crate::model::{Asks, Concurrency, Rate, Run, RunState, Usage};

/// Leases, expiry, logs and what lost its authority are looked for across organizations.
pub(crate) const SCOPE: SystemScope = SystemScope::new("run queue");

macro_rules! columns {
    () => {
        "org, id, kind, state, trigger, trigger_id, target, version, principal, subject, jti, txn, input_sha256, \
         input_size, output_sha256, output_size, error_kind, attempts, max_attempts, fence, queued_at, started_at, \
         ended_at, wall_ms, cpu_ms, peak_memory, logs_truncated, revision, parent, replay_of, priority, due_at, \
         flushed_at, question_number, question_until, worker IS NOT NULL"
    };
}

/// Runs with their papers, a page of them.
macro_rules! select_with_papers {
    ($which:literal) => {
        concat!("SELECT ", $crate::store::columns!(), ", papers FROM runs WHERE ", $which, " LIMIT 500")
    };
}
pub(crate) use {columns, select_with_papers};

/// In one of these states, said so that no partial index answers it: a run whose id is known is found by that. PostgreSQL keeps
/// the plan that it made while the table was small, and an index of all pending runs would be read for each of them.
macro_rules! still_in {
    ($states:literal) => {
        concat!("state || '' IN (", $states, ")")
    };
}

/// Ready to be leased. What is queued for later becomes so by [`promote`]: a clock that jumps back must not hold up what
/// was ready before.
macro_rules! ready {
    () => {
        "state = 'queued' AND due_at = 0 AND concurrency_key IS NULL"
    };
    (keyed) => {
        "state = 'queued' AND due_at = 0 AND concurrency_key IS NOT NULL AND rate_starts IS NULL"
    };
    (rated) => {
        "state = 'queued' AND due_at = 0 AND rate_starts IS NOT NULL"
    };
}

/// Picked once, before the update: PostgreSQL may run a plain subquery again and then take more than its limit.
macro_rules! lease {
    ($picked:expr, $more:literal) => {
        concat!(
            $picked,
            " UPDATE runs SET state = 'leased', attempts = attempts + 1, fence = fence + 1, worker = $1, \
             lease_until = $2, revision = revision + 1",
            $more,
            " WHERE id IN (SELECT next FROM picked) AND ",
            still_in!("'queued'"),
            " RETURNING ",
            columns!(),
            ", papers, input"
        )
    };
}

macro_rules! first_in_order {
    ($lock:literal) => {
        concat!(
            "WITH picked AS MATERIALIZED (SELECT id AS next FROM runs WHERE org = $3 AND ",
            ready!(),
            " AND $4 LIKE '%,' || kind || ',%' ORDER BY priority DESC, id LIMIT $5",
            $lock,
            ")"
        )
    };
}

/// The first run of each key, with the first place that is free; one after the other, so that no key is looked at for
/// each of its runs.
macro_rules! first_of_keys {
    () => {
        concat!(
            heads_of_keys!(keyed, "$3"),
            ", picked AS MATERIALIZED (SELECT heads.next, heads.free FROM heads JOIN runs ON runs.id = heads.next \
             WHERE heads.free <= runs.concurrency_limit AND $4 LIKE '%,' || runs.kind || ',%' \
             ORDER BY runs.priority DESC, runs.id LIMIT $5)"
        )
    };
}

macro_rules! heads_of_keys {
    ($which:ident, $org:literal) => {
        concat!(
            "WITH RECURSIVE keys(key) AS (SELECT (SELECT concurrency_key FROM runs WHERE org = ",
            $org,
            " AND ",
            ready!($which),
            " ORDER BY concurrency_key LIMIT 1) UNION ALL SELECT (SELECT concurrency_key FROM runs WHERE org = ",
            $org,
            " AND ",
            ready!($which),
            " AND concurrency_key > keys.key ORDER BY concurrency_key LIMIT 1) FROM keys WHERE keys.key IS NOT NULL), \
             heads AS (SELECT (SELECT id FROM runs WHERE org = ",
            $org,
            " AND ",
            ready!($which),
            " AND concurrency_key = keys.key ORDER BY priority DESC, id LIMIT 1) AS next, \
             (SELECT min(taken.place) + 1 FROM (SELECT 0 AS place UNION ALL SELECT place FROM runs WHERE org = ",
            $org,
            " AND concurrency_key = keys.key AND place IS NOT NULL) AS taken WHERE NOT EXISTS (SELECT 1 FROM runs \
             WHERE org = ",
            $org,
            " AND concurrency_key = keys.key AND place = taken.place + 1)) AS free \
             FROM keys WHERE keys.key IS NOT NULL)"
        )
    };
}

/// The first run of each key that may start now: numbers that come next, each with a start of so many before it (if there
/// was one) that lies a whole span back. $1 organization, $2 kinds, $3 how many, $4 now.
macro_rules! startable {
    () => {
        concat!(
            heads_of_keys!(rated, "$1"),
            ", placed AS (SELECT runs.org, runs.target, runs.id, runs.fence, runs.priority, runs.rate_starts, \
             runs.rate_span, heads.free, (SELECT coalesce(max(number), 0) FROM run_starts \
             WHERE run_starts.org = runs.org AND run_starts.target = runs.target) AS last, \
             row_number() OVER (PARTITION BY runs.target ORDER BY runs.priority DESC, runs.id) AS nth \
             FROM heads JOIN runs ON runs.id = heads.next WHERE heads.free <= runs.concurrency_limit \
             AND $2 LIKE '%,' || runs.kind || ',%') \
             SELECT org, target, last + nth, CAST($4 AS bigint), id, fence + 1, free FROM placed \
             WHERE nth <= rate_starts AND coalesce((SELECT at FROM run_starts AS earlier WHERE earlier.org = placed.org \
             AND earlier.target = placed.target AND earlier.number <= last + nth - rate_starts \
             ORDER BY earlier.number DESC LIMIT 1), 0) <= CAST($4 AS bigint) - rate_span \
             ORDER BY priority DESC, id LIMIT $3"
        )
    };
}

/// Organizations with something ready, each found by one step over the index.
macro_rules! waiting {
    ($($which:ident)?) => {
        concat!(
            "WITH RECURSIVE waiting(org) AS (SELECT (SELECT org FROM runs WHERE ",
            ready!($($which)?),
            " ORDER BY org LIMIT 1) UNION ALL SELECT (SELECT org FROM runs WHERE ",
            ready!($($which)?),
            " AND org > waiting.org ORDER BY org LIMIT 1) FROM waiting WHERE waiting.org IS NOT NULL) \
             SELECT org FROM waiting WHERE org IS NOT NULL"
        )
    };
}

/// Due whatever the clock says.
pub(crate) const AT_ONCE: Timestamp = Timestamp::from_millis(0);

/// A run as it enters the table.
pub(crate) struct Entry {
    pub(crate) run: Run,
    pub(crate) credential: Option<Uuid>,
    pub(crate) authority_revision: i64,
    pub(crate) papers: Vec<u8>,
    pub(crate) input: Option<Vec<u8>>,
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) rate: Option<Rate>,
    pub(crate) deduplication_key: Option<String>,
    /// Who has it already, and until when.
    pub(crate) lease: Option<(Uuid, Timestamp)>,
}

pub(crate) fn insert(entry: &Entry) -> Statement {
    let run = &entry.run;
    let (worker, until) = entry.lease.unzip();
    let text = "INSERT INTO runs (org, id, kind, state, trigger, trigger_id, target, version, principal, subject, \
                credential, jti, txn, authority_revision, papers, input, input_sha256, input_size, attempts, \
                max_attempts, due_at, worker, lease_until, fence, queued_at, started_at, logs_truncated, \
                revision, parent, replay_of, priority, concurrency_key, concurrency_limit, deduplication_key, \
                rate_starts, rate_span) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
                $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36)";
    let params = vec![
        run.org.uuid().into(),
        run.id.uuid().into(),
        (&run.kind).into(),
        run.state.name().into(),
        run.trigger.name().into(),
        run.trigger_id.clone().into(),
        run.target.into(),
        run.version.into(),
        (&run.principal).into(),
        run.subject.into(),
        entry.credential.into(),
        run.jti.map(Id::uuid).into(),
        run.txn.map(Id::uuid).into(),
        entry.authority_revision.into(),
        entry.papers.clone().into(),
        entry.input.clone().into(),
        run.input_sha256.into(),
        run.input_size.into(),
        run.attempts.into(),
        run.max_attempts.into(),
        run.due_at.unwrap_or(AT_ONCE).into(),
        worker.into(),
        until.into(),
        run.fence.into(),
        run.queued_at.into(),
        run.started_at.into(),
        run.logs_truncated.into(),
        run.revision.into(),
        run.parent.map(Id::uuid).into(),
        run.replay_of.map(Id::uuid).into(),
        run.priority.into(),
        entry.concurrency.as_ref().map(|one| one.key.clone()).into(),
        entry.concurrency.as_ref().map(|one| one.limit).into(),
        entry.deduplication_key.clone().into(),
        entry.rate.map(|rate| rate.starts).into(),
        entry.rate.map_or(Value::Null, |rate| millis(rate.span)),
    ];
    sql(text, params).unique_or(&ALREADY_EXISTS)
}

/// Organizations that have anything to lease; `keyed`: among what has a concurrency key.
pub(crate) fn waiting(keyed: Keyed) -> Statement {
    let text = match keyed {
        Keyed::No => waiting!(),
        Keyed::Yes => waiting!(keyed),
        Keyed::Rated => waiting!(rated),
    };
    sql(text, vec![])
}

/// Whether runs with a concurrency key are meant, those with a rate, or those with neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyed {
    No,
    Yes,
    Rated,
}

/// What was queued for later and is due.
pub(crate) fn promote(now: Timestamp) -> Bookkeeping {
    let text =
        "UPDATE runs SET due_at = 0 WHERE state = 'queued' AND due_at > 0 AND due_at <= $1 RETURNING id";
    Bookkeeping::new(SCOPE).statement(sql(text, vec![now.into()]))
}

/// The open run of the same subject and target under the same key.
pub(crate) fn duplicate(scope: &OrgScope, subject: Uuid, target: Uuid, key: &str) -> Statement {
    let text = concat!(
        "SELECT ",
        columns!(),
        " FROM runs WHERE org = $1 AND subject = $2 AND target = $3 AND deduplication_key = $4 \
         AND state IN ('queued', 'leased', 'running', 'awaiting_input')"
    );
    sql(text, vec![scope.org().uuid().into(), subject.into(), target.into(), key.into()])
}

/// A leased row and what its executor needs.
pub(crate) struct Leased {
    pub(crate) run: Run,
    pub(crate) papers: Vec<u8>,
    pub(crate) input: Option<Vec<u8>>,
}

pub(crate) fn lease(
    worker: Uuid,
    until: Timestamp,
    org: OrgId,
    kinds: &str,
    most: usize,
    how: Lease,
) -> Bookkeeping {
    let text = match how {
        Lease::Sqlite => lease!(first_in_order!(""), ""),
        Lease::Postgres => lease!(first_in_order!(" FOR UPDATE SKIP LOCKED"), ""),
        Lease::Keyed => {
            lease!(first_of_keys!(), ", place = (SELECT free FROM picked WHERE next = runs.id)")
        }
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let params = vec![worker.into(), until.into(), org.uuid().into(), kinds.into(), most.into()];
    // Two nodes may see the same place free; one gets it.
    Bookkeeping::new(SCOPE).statement(sql(text, params).unique_or(&ALREADY_EXISTS))
}

/// Whether a run of the organization that has a rate may start now.
pub(crate) fn may_start(org: OrgId, kinds: &str, now: Timestamp) -> Statement {
    sql(startable!(), vec![org.uuid().into(), kinds.into(), Value::Int(1), now.into()])
}

/// Leases runs that have a rate: first their starts are counted, then those are leased that were counted in this
/// transaction – the fence that a start names is good for one lease. A run that went elsewhere meanwhile leaves a start that
/// was none; there is never one too many.
pub(crate) fn lease_rated(
    worker: Uuid,
    until: Timestamp,
    org: OrgId,
    kinds: &str,
    most: usize,
    now: Timestamp,
) -> Bookkeeping {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let count = concat!("INSERT INTO run_starts (org, target, number, at, run, fence, place) ", startable!());
    let counted = vec![org.uuid().into(), kinds.into(), most.into(), now.into()];
    let lease = concat!(
        "UPDATE runs SET state = 'leased', attempts = attempts + 1, fence = fence + 1, worker = $1, lease_until = $2, \
         revision = revision + 1, place = (SELECT place FROM run_starts WHERE run_starts.at = $4 \
         AND run_starts.org = runs.org AND run_starts.run = runs.id AND run_starts.fence = runs.fence + 1) \
         WHERE org = $3 AND state = 'queued' AND due_at = 0 AND (id, fence + 1) IN (SELECT run, fence FROM run_starts \
         WHERE run_starts.at = $4 AND run_starts.org = $3) RETURNING ",
        columns!(),
        ", papers, input"
    );
    let leased = vec![worker.into(), until.into(), org.uuid().into(), now.into()];
    // Two nodes may see the same number or place free; one gets it.
    Bookkeeping::new(SCOPE)
        .statement(sql(count, counted).unique_or(&ALREADY_EXISTS))
        .statement(sql(lease, leased).unique_or(&ALREADY_EXISTS))
}

/// Starts that no rate looks back to.
pub(crate) fn forget_starts(before: Timestamp) -> Bookkeeping {
    Bookkeeping::new(SCOPE).statement(sql("DELETE FROM run_starts WHERE at < $1", vec![before.into()]))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lease {
    Sqlite,
    Postgres,
    Keyed,
}

pub(crate) fn leased(mut row: Row) -> Result<Leased, DbError> {
    let run = run(&mut row)?;
    Ok(Leased { run, papers: row.next()?, input: row.next()? })
}

/// Renews every lease of this worker; what does not come back was taken away.
pub(crate) fn renew(worker: Uuid, until: Timestamp) -> Bookkeeping {
    let text = "UPDATE runs SET lease_until = $2 WHERE worker = $1 \
                AND state IN ('leased', 'running', 'awaiting_input') RETURNING id, fence";
    Bookkeeping::new(SCOPE).statement(sql(text, vec![worker.into(), until.into()]))
}

/// The same question without renewing.
pub(crate) fn held(worker: Uuid) -> Statement {
    let text =
        "SELECT id, fence FROM runs WHERE worker = $1 AND state IN ('leased', 'running', 'awaiting_input')";
    sql(text, vec![worker.into()])
}

/// The same runs whole.
pub(crate) fn leased_by(worker: Uuid) -> Statement {
    let text = concat!(
        "SELECT ",
        columns!(),
        " FROM runs WHERE worker = $1 AND state IN ('leased', 'running', 'awaiting_input')"
    );
    sql(text, vec![worker.into()])
}

/// Answers each run's id, or nothing where it was taken away meanwhile.
pub(crate) fn begin<'a>(runs: impl Iterator<Item = &'a Run>, now: Timestamp) -> Bookkeeping {
    let text = concat!(
        "UPDATE runs SET state = 'running', started_at = $4, progress = NULL, revision = revision + 1 \
         WHERE org = $1 AND id = $2 AND fence = $3 AND ",
        still_in!("'leased'"),
        " RETURNING id"
    );
    let one = |run| sql(text, with_fence(run, [now.into()]));
    runs.map(one).fold(Bookkeeping::new(SCOPE), Bookkeeping::statement)
}

/// Gives a run back for another attempt; this one is spent.
pub(crate) fn hand_back(run: &Run, due: Timestamp) -> Bookkeeping {
    let text = concat!(
        "UPDATE runs SET state = 'queued', worker = NULL, lease_until = NULL, place = NULL, due_at = $4, \
         question = NULL, question_number = NULL, question_until = NULL, fence = fence + 1, \
         revision = revision + 1 WHERE org = $1 AND id = $2 AND fence = $3 AND ",
        still_in!("'leased', 'running', 'awaiting_input'")
    );
    Bookkeeping::new(SCOPE).statement(sql(text, with_fence(run, [due.into()])))
}

/// Lets go of a run through no fault of its own; the attempt is not counted. What waits for an answer goes on waiting, without
/// a process.
pub(crate) fn let_go(run: &Run) -> Bookkeeping {
    let text = concat!(
        "UPDATE runs SET state = CASE WHEN state = 'awaiting_input' THEN state ELSE 'queued' END, worker = NULL, \
         lease_until = NULL, place = NULL, due_at = 0, attempts = attempts - 1, fence = fence + 1, \
         revision = revision + 1 WHERE org = $1 AND id = $2 AND fence = $3 AND ",
        still_in!("'leased', 'running', 'awaiting_input'")
    );
    Bookkeeping::new(SCOPE).statement(sql(text, with_fence(run, [])))
}

/// The server answers "accepted": from now on the run survives the loss of workers.
pub(crate) fn promise(scope: &OrgScope, run: RunId, max_attempts: i64) -> Bookkeeping {
    let text = concat!(
        "UPDATE runs SET max_attempts = $3 WHERE org = $1 AND id = $2 AND max_attempts = 1 AND ",
        still_in!("'queued', 'leased', 'running', 'awaiting_input'")
    );
    let params = vec![scope.org().uuid().into(), run.uuid().into(), max_attempts.into()];
    Bookkeeping::new(*scope).statement(sql(text, params))
}

/// Runs whose worker was silent go back to the queue, if they have attempts left.
pub(crate) fn requeue(worker: Uuid, silent_since: Timestamp) -> Bookkeeping {
    let text = "UPDATE runs SET state = 'queued', worker = NULL, lease_until = NULL, place = NULL, due_at = $3, \
                fence = fence + 1, revision = revision + 1 WHERE state IN ('leased', 'running', 'awaiting_input') \
                AND state <> 'awaiting_input' AND worker <> $1 AND lease_until < $2 AND attempts < max_attempts RETURNING id";
    Bookkeeping::new(SCOPE).statement(sql(text, vec![worker.into(), silent_since.into(), AT_ONCE.into()]))
}

/// Those without.
pub(crate) fn spent(worker: Uuid, silent_since: Timestamp) -> Statement {
    let text = concat!(
        "SELECT ",
        columns!(),
        ", papers FROM runs WHERE state IN ('leased', 'running', 'awaiting_input') AND state <> 'awaiting_input' \
         AND worker <> $1 AND lease_until < $2 AND attempts >= max_attempts LIMIT 500"
    );
    sql(text, vec![worker.into(), silent_since.into()])
}

/// Open runs of a subject or credential that died after they were admitted.
pub(crate) fn orphaned_by(org: OrgId, key: Uuid, revision: i64) -> Statement {
    let text = concat!(
        "SELECT ",
        columns!(),
        ", papers FROM runs WHERE org = $3 AND state IN ('queued', 'awaiting_input') \
         AND (subject = $1 OR credential = $1) \
         AND authority_revision < $2 LIMIT 500"
    );
    sql(text, vec![key.into(), revision.into(), org.uuid().into()])
}

/// The same for every death on the log; asked once, at the start.
pub(crate) fn orphaned() -> Statement {
    let text = concat!(
        "SELECT ",
        columns!(),
        ", papers FROM runs WHERE state IN ('queued', 'awaiting_input') AND EXISTS (SELECT 1 FROM authority_log death \
         WHERE death.dead AND death.revision > runs.authority_revision AND (death.key = runs.subject \
         OR death.key = runs.credential)) LIMIT 500"
    );
    sql(text, vec![])
}

pub(crate) fn with_papers(mut row: Row) -> Result<(Run, Vec<u8>), DbError> {
    Ok((run(&mut row)?, row.next()?))
}

/// What an end writes.
pub(crate) struct End {
    pub(crate) state: RunState,
    pub(crate) at: Timestamp,
    pub(crate) output: Option<Vec<u8>>,
    pub(crate) output_sha256: Option<[u8; 32]>,
    pub(crate) output_size: Option<i64>,
    pub(crate) error_kind: Option<String>,
    pub(crate) error: Option<Vec<u8>>,
    pub(crate) usage: Usage,
    pub(crate) logs_truncated: bool,
}

/// Refused as ended unless the run is still held under this fence, or – for queued ones – still queued.
pub(crate) fn end(run: &Run, end: &End) -> Statement {
    let text = concat!(
        "UPDATE runs SET state = $4, ended_at = $5, output = $6, output_sha256 = $7, output_size = $8, \
         error_kind = $9, error = $10, wall_ms = $11, cpu_ms = $12, peak_memory = $13, logs_truncated = $14, \
         worker = NULL, lease_until = NULL, place = NULL, question = NULL, question_number = NULL, \
         question_until = NULL, revision = revision + 1 WHERE org = $1 AND id = $2 AND fence = $3 AND ",
        still_in!("'queued', 'leased', 'running', 'awaiting_input'")
    );
    let params = with_fence(
        run,
        [
            end.state.name().into(),
            end.at.into(),
            end.output.clone().into(),
            end.output_sha256.into(),
            end.output_size.into(),
            end.error_kind.clone().into(),
            end.error.clone().into(),
            millis(end.usage.wall),
            millis(end.usage.cpu),
            Value::Int(i64::try_from(end.usage.peak_memory).unwrap_or(i64::MAX)),
            end.logs_truncated.into(),
        ],
    );
    sql(text, params).one_row_or(&RUN_ENDED)
}

/// Whoever holds it: a cancelled run is cancelled at once, and what its worker reports later is refused.
pub(crate) fn cancel(scope: &OrgScope, run: RunId, at: Timestamp) -> Statement {
    let text = concat!(
        "UPDATE runs SET state = 'cancelled', ended_at = $3, error_kind = 'cancelled', worker = NULL, \
         lease_until = NULL, place = NULL, question = NULL, question_number = NULL, question_until = NULL, revision = revision + 1 WHERE org = $1 AND id = $2 AND ",
        still_in!("'queued', 'leased', 'running', 'awaiting_input'")
    );
    sql(text, vec![scope.org().uuid().into(), run.uuid().into(), at.into()]).one_row_or(&RUN_ENDED)
}

pub(crate) fn get(scope: &OrgScope, run: RunId) -> Statement {
    let text = concat!("SELECT ", columns!(), " FROM runs WHERE org = $1 AND id = $2");
    sql(text, vec![scope.org().uuid().into(), run.uuid().into()])
}

pub(crate) fn contents(scope: &OrgScope, run: RunId) -> Statement {
    let text = "SELECT input, output, error, progress, question FROM runs WHERE org = $1 AND id = $2";
    sql(text, vec![scope.org().uuid().into(), run.uuid().into()])
}

pub(crate) fn papers(scope: &OrgScope, run: RunId) -> Statement {
    let text = "SELECT papers FROM runs WHERE org = $1 AND id = $2";
    sql(text, vec![scope.org().uuid().into(), run.uuid().into()])
}

pub(crate) fn select(org: OrgId) -> Select {
    Select::new(concat!("SELECT ", columns!(), " FROM runs")).and("org = {}", org.uuid())
}

/// Back in the queue with `more` attempts, if it is still as it was read.
pub(crate) fn retry(run: &Run, more: i64) -> Statement {
    let text = "UPDATE runs SET state = 'queued', due_at = 0, max_attempts = attempts + $4, error_kind = NULL, \
                error = NULL, progress = NULL, started_at = NULL, ended_at = NULL, wall_ms = NULL, cpu_ms = NULL, peak_memory = NULL, \
                flushed_at = NULL, fence = fence + 1, revision = revision + 1 WHERE org = $1 AND id = $2 \
                AND fence = $3 AND state IN ('failed', 'timed_out', 'dead')";
    sql(text, with_fence(run, [more.into()])).unique_or(&ALREADY_EXISTS).fresh()
}

/// How far a run is, from the holder of its fence.
pub(crate) fn progress(org: OrgId, run: RunId, fence: i64, sealed: Vec<u8>) -> Statement {
    let text = "UPDATE runs SET progress = $4 WHERE org = $1 AND id = $2 AND fence = $3";
    sql(text, vec![org.uuid().into(), run.uuid().into(), fence.into(), sealed.into()])
}

/// A run's row and how far it is, sealed.
pub(crate) fn with_progress(scope: &OrgScope, run: RunId) -> Statement {
    let text = concat!("SELECT ", columns!(), ", progress FROM runs WHERE org = $1 AND id = $2");
    sql(text, vec![scope.org().uuid().into(), run.uuid().into()])
}

/// Puts a dead run aside.
pub(crate) fn flush(run: &Run, now: Timestamp) -> Statement {
    let text = "UPDATE runs SET flushed_at = $4, revision = revision + 1 WHERE org = $1 AND id = $2 AND fence = $3 \
                AND state = 'dead' AND flushed_at IS NULL";
    sql(text, with_fence(run, [now.into()])).fresh()
}

/// Open runs that this one asked for, and that those asked for.
pub(crate) fn family(org: OrgId, run: RunId) -> Statement {
    let text = concat!(
        "WITH RECURSIVE family(member) AS (SELECT id FROM runs WHERE org = $1 AND parent = $2 UNION \
         SELECT runs.id FROM runs JOIN family ON runs.parent = family.member WHERE runs.org = $1) SELECT ",
        columns!(),
        ", papers FROM runs WHERE org = $1 AND id IN (SELECT member FROM family) \
         AND state IN ('queued', 'leased', 'running', 'awaiting_input') LIMIT 500"
    );
    sql(text, vec![org.uuid().into(), run.uuid().into()])
}

/// Open runs whose parent was cancelled: what a server left behind that was lost while it cancelled a family.
pub(crate) fn left_behind() -> Statement {
    let text = concat!(
        "SELECT ",
        columns!(),
        ", papers FROM runs WHERE state IN ('queued', 'leased', 'running', 'awaiting_input') AND parent IS NOT NULL \
         AND EXISTS (SELECT 1 FROM runs AS elder WHERE elder.org = runs.org AND elder.id = runs.parent \
         AND elder.state = 'cancelled') LIMIT 500"
    );
    sql(text, vec![])
}

/// How many runs of each kind stand where: kind, ready or waiting for a place, of these with a rate, for later, worked on, waiting for an answer, dead, and since when
/// the oldest ready one waits.
pub(crate) fn queues(scope: &OrgScope, narrow: impl FnOnce(Select) -> Select) -> Select {
    let text = "SELECT kind, sum(CASE WHEN state = 'queued' AND due_at = 0 THEN 1 ELSE 0 END), \
                sum(CASE WHEN state = 'queued' AND due_at = 0 AND rate_starts IS NOT NULL THEN 1 ELSE 0 END), \
                sum(CASE WHEN state = 'queued' AND due_at > 0 THEN 1 ELSE 0 END), \
                sum(CASE WHEN state IN ('leased', 'running') THEN 1 ELSE 0 END), \
                sum(CASE WHEN state = 'awaiting_input' THEN 1 ELSE 0 END), \
                sum(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), \
                min(CASE WHEN state = 'queued' AND due_at = 0 THEN queued_at END) FROM runs";
    let select = Select::new(text)
        .and("org = {}", scope.org().uuid())
        .and_all("state IN ('queued', 'leased', 'running', 'awaiting_input') OR (state = 'dead' AND flushed_at IS NULL)", []);
    narrow(select).group("kind").order("kind")
}

pub(crate) fn with_fence<const N: usize>(run: &Run, more: [Value; N]) -> Vec<Value> {
    let mut params = vec![run.org.uuid().into(), run.id.uuid().into(), run.fence.into()];
    params.extend(more);
    params
}

fn millis(span: Duration) -> Value {
    Value::Int(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

pub(crate) fn run(row: &mut Row) -> Result<Run, DbError> {
    Ok(Run {
        org: row.id()?,
        id: row.id()?,
        kind: row.next()?,
        state: row.parse()?,
        trigger: row.parse()?,
        trigger_id: row.next()?,
        target: row.next()?,
        version: row.next()?,
        principal: row.next()?,
        subject: row.next()?,
        jti: row.optional_id()?,
        txn: row.optional_id()?,
        input_sha256: row.next()?,
        input_size: row.next()?,
        output_sha256: row.next()?,
        output_size: row.next()?,
        error_kind: row.next()?,
        attempts: row.next()?,
        max_attempts: row.next()?,
        fence: row.next()?,
        queued_at: row.next()?,
        started_at: row.next()?,
        ended_at: row.next()?,
        usage: usage(row.next()?, row.next()?, row.next()?),
        logs_truncated: row.next()?,
        revision: row.next()?,
        parent: row.optional_id()?,
        replay_of: row.optional_id()?,
        priority: row.next()?,
        due_at: Some(row.next::<Timestamp>()?).filter(|due| *due != AT_ONCE),
        flushed_at: row.next()?,
        asks: asks(row.next()?, row.next()?, row.next()?),
    })
}

fn asks(number: Option<i64>, until: Option<Timestamp>, in_place: bool) -> Option<Asks> {
    Some(Asks { number: number?, until: until?, in_place })
}

fn usage(wall: Option<i64>, cpu: Option<i64>, peak_memory: Option<i64>) -> Option<Usage> {
    let whole = |number: i64| u64::try_from(number).unwrap_or_default();
    Some(Usage {
        wall: Duration::from_millis(whole(wall?)),
        cpu: Duration::from_millis(whole(cpu?)),
        peak_memory: whole(peak_memory?),
    })
}
