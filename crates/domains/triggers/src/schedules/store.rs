//! SQL of schedules.

use crypto::seal::Aad;
use db::{Db, DbError, OrgScope, Row, Scope, Select, Statement, SystemScope, sql};
use problem::{CONFLICT, SCHEDULE_EXISTS};
use secrets::{Keyring, Purpose};
use serde_json::json;
use types::{FunctionId, Id, OrgId, ScheduleId, Timestamp, Uuid};
use web::{Allowance, Columns, PrincipalId, SelectorColumn};

use super::model::{Outcome, Schedule, State, Tick};
use crate::TriggerError;

/// Schedules are due in every organization.
pub(crate) const CLOCK: SystemScope = SystemScope::new("schedules that are due");

const SCHEDULE: &str = "SELECT org, id, name, description, owner_kind, owner, timing, time_zone, function, function_name, \
    input, permissions, jitter_seconds, overlap, missed, backfill, starts_at, ends_at, state, next_at, due_at, refusal, created_by, \
    created_at, updated_at, revision FROM schedules";

/// An organization that is on its way out does nothing by itself any more.
const OF_ACTIVE_ORGS: &str = "EXISTS (SELECT 1 FROM orgs WHERE orgs.id = schedules.org AND orgs.status = {})";

/// Where the table keeps what rights depend on.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::id::<ScheduleId>("id"),
    owner: Some("owner"),
    is: None,
    named: None,
    group: None,
    visible: None,
};

/// What a list may be narrowed by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) state: Option<State>,
    pub(crate) function: Option<FunctionId>,
    /// Part of the name or description.
    pub(crate) q: Option<String>,
    pub(crate) before: Option<ScheduleId>,
}

fn aad(org: OrgId, id: &Uuid) -> Aad<'_> {
    Aad { table: "schedules", column: "input", org: Some(org), row: id.as_bytes() }
}

async fn read(keyring: &Keyring, mut row: Row) -> Result<Schedule, TriggerError> {
    let (org, id): (OrgId, ScheduleId) = (row.id()?, row.id()?);
    let (name, description) = (row.next()?, row.next()?);
    let kind: String = row.next()?;
    let owner: Uuid = row.next()?;
    let owner = match kind.as_str() {
        "agent" => PrincipalId::Agent(Id::from_uuid(owner)),
        _ => PrincipalId::User(Id::from_uuid(owner)),
    };
    let (timing, time_zone, function, function_name) = (row.json()?, row.next()?, row.id()?, row.next()?);
    let sealed: Vec<u8> = row.next()?;
    let input = keyring.open_sealed(Purpose::Records, &aad(org, &id.uuid()), &sealed).await?;
    let input =
        serde_json::from_slice(&input).map_err(|error| DbError::Internal(format!("input: {error}")))?;
    let grant: authority::Authority = row.parse()?;
    Ok(Schedule {
        id,
        org,
        name,
        description,
        owner,
        timing,
        time_zone,
        function,
        function_name,
        input,
        grant: grant.into(),
        jitter_seconds: row.next()?,
        overlap: row.parse()?,
        missed: row.parse()?,
        backfill: row.next()?,
        starts_at: row.next()?,
        ends_at: row.next()?,
        state: row.parse()?,
        next_at: row.next()?,
        due_at: row.next()?,
        refusal: row.next()?,
        created_by: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        revision: row.next()?,
    })
}

async fn all(
    db: &Db,
    keyring: &Keyring,
    scope: impl Into<Scope>,
    select: Select,
) -> Result<Vec<Schedule>, TriggerError> {
    let mut found = Vec::new();
    for row in db.read(scope, select).await? {
        found.push(read(keyring, row).await?);
    }
    Ok(found)
}

pub(crate) async fn find(
    db: &Db,
    keyring: &Keyring,
    scope: &OrgScope,
    id: ScheduleId,
) -> Result<Option<Schedule>, TriggerError> {
    let select = Select::new(SCHEDULE).and("org = {}", scope.org().uuid()).and("id = {}", id.uuid());
    Ok(all(db, keyring, scope, select).await?.pop())
}

/// Newest first.
pub(crate) async fn list(
    db: &Db,
    keyring: &Keyring,
    by: &Allowance,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Schedule>, TriggerError> {
    let part = |text: &str| {
        let text = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
        format!("%{text}%")
    };
    let select = Select::new(SCHEDULE)
        .and("org = {}", by.org().uuid())
        .and_some("state = {}", filter.state.map(State::name))
        .and_some("function = {}", filter.function.map(Id::uuid))
        .and_some("lower(name || ' ' || description) LIKE {} ESCAPE '!'", filter.q.as_deref().map(part))
        .and_some("id < {}", filter.before.map(Id::uuid));
    let select = by.narrow(select, &COLUMNS).order("id DESC").limit(limit);
    all(db, keyring, by.scope(), select).await
}

/// Those whose time has come, in every organization, the longest waiting first. Each is read by itself ([`of_row`]): one that
/// cannot be, as its organization's key is gone, holds up nobody else.
pub(crate) async fn due(
    db: &Db,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(OrgId, ScheduleId, Row)>, DbError> {
    let select = Select::new(SCHEDULE)
        .and("state = {}", State::Active.name())
        .and("due_at <= {}", now)
        .and(OF_ACTIVE_ORGS, "active")
        .order("due_at")
        .limit(limit);
    let named = |row: Row| {
        let mut head = row.clone();
        Ok((head.id()?, head.id()?, row))
    };
    db.read(CLOCK, select).await?.into_iter().map(named).collect()
}

pub(crate) async fn of_row(keyring: &Keyring, row: Row) -> Result<Schedule, TriggerError> {
    read(keyring, row).await
}

/// Lets a schedule that could not be seen to wait, so that others come before it. The tick that it waits for stays.
pub(crate) fn put_off(org: OrgId, id: ScheduleId, until: Timestamp) -> Statement {
    let text = "UPDATE schedules SET due_at = $3 WHERE org = $1 AND id = $2 AND state = 'active'";
    sql(text, vec![org.uuid().into(), id.uuid().into(), until.into()])
}

/// When the next one is due.
pub(crate) async fn earliest(db: &Db) -> Result<Option<Timestamp>, DbError> {
    let select = Select::new("SELECT min(due_at) FROM schedules")
        .and("state = {}", State::Active.name())
        .and(OF_ACTIVE_ORGS, "active");
    db.read_one(CLOCK, select).await?.map_or(Ok(None), |mut row| row.next())
}

pub(crate) async fn seal(keyring: &Keyring, schedule: &Schedule) -> Result<Vec<u8>, TriggerError> {
    let plain = schedule.input.to_string();
    let row = schedule.id.uuid();
    Ok(keyring.seal(Purpose::Records, &aad(schedule.org, &row), plain.as_bytes()).await?)
}

pub(crate) fn insert(schedule: &Schedule, input: Vec<u8>) -> Statement {
    let text = "INSERT INTO schedules (org, id, name, description, owner_kind, owner, timing, time_zone, function, \
                function_name, input, permissions, jitter_seconds, overlap, missed, backfill, starts_at, ends_at, state, next_at, \
                due_at, ticks, created_by, created_at, updated_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
                $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 0, $22, $23, $24, $25)";
    let mut params = vec![schedule.org.uuid().into(), schedule.id.uuid().into()];
    params.extend(columns(schedule, input));
    params.extend([
        (&schedule.created_by).into(),
        schedule.created_at.into(),
        schedule.updated_at.into(),
        schedule.revision.into(),
    ]);
    sql(text, params).unique_or(&SCHEDULE_EXISTS)
}

/// Writes everything that may change; `schedule.revision` is the new one.
pub(crate) fn update(schedule: &Schedule, input: Vec<u8>) -> Statement {
    let text = "UPDATE schedules SET name = $3, description = $4, owner_kind = $5, owner = $6, timing = $7, \
                time_zone = $8, function = $9, function_name = $10, input = $11, permissions = $12, jitter_seconds = $13, \
                overlap = $14, missed = $15, backfill = $16, starts_at = $17, ends_at = $18, state = $19, next_at = $20, \
                due_at = $21, refusal = $22, updated_at = $23, revision = $24 \
                WHERE org = $1 AND id = $2 AND revision = $25";
    let mut params = vec![schedule.org.uuid().into(), schedule.id.uuid().into()];
    params.extend(columns(schedule, input));
    params.extend([
        schedule.refusal.clone().into(),
        schedule.updated_at.into(),
        schedule.revision.into(),
        (schedule.revision - 1).into(),
    ]);
    sql(text, params).unique_or(&SCHEDULE_EXISTS).fresh()
}

fn columns(schedule: &Schedule, input: Vec<u8>) -> [db::Value; 19] {
    [
        (&schedule.name).into(),
        (&schedule.description).into(),
        schedule.owner.kind().into(),
        schedule.owner.uuid().into(),
        json!(schedule.timing).to_string().into(),
        (&schedule.time_zone).into(),
        schedule.function.uuid().into(),
        (&schedule.function_name).into(),
        input.into(),
        schedule.grant.to_string().into(),
        schedule.jitter_seconds.into(),
        schedule.overlap.name().into(),
        schedule.missed.name().into(),
        schedule.backfill.into(),
        schedule.starts_at.into(),
        schedule.ends_at.into(),
        schedule.state.name().into(),
        schedule.next_at.into(),
        schedule.due_at.into(),
    ]
}

/// The schedule and what became of its ticks.
pub(crate) fn remove(schedule: &Schedule) -> [Statement; 2] {
    let both = || vec![schedule.org.uuid().into(), schedule.id.uuid().into()];
    let mut guarded = both();
    guarded.push(schedule.revision.into());
    let ticks = "DELETE FROM schedule_ticks WHERE org = $1 AND schedule = $2";
    let row = "DELETE FROM schedules WHERE org = $1 AND id = $2 AND revision = $3";
    [sql(ticks, both()), sql(row, guarded).fresh()]
}

/// Moves the schedule on from the tick that it waited for – unless somebody else has, or it was changed.
pub(crate) fn advance(
    schedule: &Schedule,
    next: Option<(Timestamp, Timestamp)>,
    refusal: Option<&str>,
) -> Statement {
    let text = "UPDATE schedules SET next_at = $3, due_at = $4, state = $5, refusal = $6, ticks = ticks + 1 \
                WHERE org = $1 AND id = $2 AND next_at = $7 AND revision = $8 AND state = 'active'";
    let state = if next.is_some() { State::Active } else { State::Ended };
    let params = vec![
        schedule.org.uuid().into(),
        schedule.id.uuid().into(),
        next.map(|(tick, _)| tick).into(),
        next.map(|(_, due)| due).into(),
        state.name().into(),
        refusal.map(str::to_owned).into(),
        schedule.next_at.into(),
        schedule.revision.into(),
    ];
    sql(text, params).one_row_or(&CONFLICT)
}

/// Counts a tick that was set off by hand.
pub(crate) fn count(schedule: &Schedule) -> Statement {
    let text = "UPDATE schedules SET ticks = ticks + 1 WHERE org = $1 AND id = $2 AND revision = $3";
    let params = vec![schedule.org.uuid().into(), schedule.id.uuid().into(), schedule.revision.into()];
    sql(text, params).fresh()
}

/// What became of a tick, under the number that was just counted.
pub(crate) fn note(schedule: &Schedule, tick: &Tick) -> Statement {
    let text = "INSERT INTO schedule_ticks (org, schedule, number, tick, until, at, outcome, run, code) \
                SELECT org, id, ticks, $3, $4, $5, $6, $7, $8 FROM schedules WHERE org = $1 AND id = $2";
    let params = vec![
        schedule.org.uuid().into(),
        schedule.id.uuid().into(),
        tick.tick.into(),
        tick.until.into(),
        tick.at.into(),
        tick.outcome.name().into(),
        tick.run.map(Id::uuid).into(),
        tick.code.clone().into(),
    ];
    sql(text, params)
}

/// Newest first.
pub(crate) async fn ticks(
    db: &Db,
    scope: &OrgScope,
    schedule: ScheduleId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Tick>, DbError> {
    let select = Select::new("SELECT number, tick, until, at, outcome, run, code FROM schedule_ticks")
        .and("org = {}", scope.org().uuid())
        .and("schedule = {}", schedule.uuid())
        .and_some("number < {}", before)
        .order("number DESC")
        .limit(limit);
    let tick = |mut row: Row| {
        Ok(Tick {
            number: row.next()?,
            tick: row.next()?,
            until: row.next()?,
            at: row.next()?,
            outcome: row.parse::<Outcome>()?,
            run: row.optional_id()?,
            code: row.next()?,
        })
    };
    db.read(scope, select).await?.into_iter().map(tick).collect()
}

/// All but the last thousand of each schedule.
pub(crate) fn forget_ticks() -> Statement {
    let text = "DELETE FROM schedule_ticks WHERE number <= (SELECT ticks - 1000 FROM schedules \
                WHERE schedules.org = schedule_ticks.org AND schedules.id = schedule_ticks.schedule)";
    sql(text, Vec::new())
}
