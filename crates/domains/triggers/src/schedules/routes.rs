//! `/api/v1/schedules`.

use std::sync::Arc;

use authority::Permission;
use axum::extract::State as Of;
use functions::FunctionRef;
use problem::{
    AUTHORITY_EXCEEDED, CONFLICT, INPUT_INVALID, INVALID_CURSOR, NOT_FOUND, RUN_OPEN, SANDBOX_UNAVAILABLE,
    SCHEDULE_EXISTS, STALE_REVISION, STORAGE_FULL, TRIGGER_ORPHANED,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{FunctionId, RunId, ScheduleId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Door, Input, Page, Params, Patched, Refusal, Reply, Routes, Segment, Spec, leaves, operation,
    page, page_size, refuses,
};

use super::act::{BACKFILL, Patch, Wanted, ZONE, nothing};
use super::model::{Missed, Outcome, Overlap, Schedule, State, Tick};
use super::store::{self, Filter};
use super::timing::{ScheduleTiming, Timing};
use crate::{TriggerError, Triggers, facts};

/// How many ticks a schedule shows ahead.
const AHEAD: usize = 5;

operation! {
    /// Makes a schedule: it runs a function when its time comes, for you, and with what you hold at that time.
    pub CreateSchedule(NewSchedule) -> ScheduleView = Spec::create("schedules.create", "/api/v1/schedules")
        .needs("schedules:create").in_person().facts(leaves![facts::SCHEDULE_CREATED])
        .errors(refuses![SCHEDULE_EXISTS, AUTHORITY_EXCEEDED, INPUT_INVALID, NOT_FOUND])
        .example(r#"{"name": "nightly report", "timing": {"cron": "0 2 * * *"}, "time_zone": "Europe/Berlin", "function": "demo:echo", "input": {"day": "yesterday"}}"#);

    /// Lists schedules, newest first.
    pub ListSchedules[ScheduleFilter] -> Page<ScheduleView> = Spec::get("schedules.list", "/api/v1/schedules")
        .needs("schedules:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a schedule with its next five ticks.
    pub GetSchedule -> ScheduleView = Spec::get("schedules.get", "/api/v1/schedules/{schedule}").needs("schedules:read");

    /// Changes a schedule (JSON Merge Patch). Whoever changes its function, input or permissions becomes its owner: it acts
    /// on their authority from then on.
    pub UpdateSchedule(SchedulePatch) -> ScheduleView = Spec::patch("schedules.update", "/api/v1/schedules/{schedule}")
        .needs("schedules:update").in_person().facts(leaves![facts::SCHEDULE_UPDATED])
        .errors(refuses![SCHEDULE_EXISTS, AUTHORITY_EXCEEDED, INPUT_INVALID, CONFLICT, STALE_REVISION])
        .example(r#"{"description": "Every night at two.", "missed": "run_once"}"#);

    /// Removes a schedule and its history. Open runs of it end, and their tokens are void.
    pub DeleteSchedule -> ScheduleView = Spec::delete("schedules.delete", "/api/v1/schedules/{schedule}")
        .needs("schedules:delete").facts(leaves![facts::SCHEDULE_DELETED]).errors(refuses![CONFLICT, STALE_REVISION]);

    /// Lets no tick come any more, until it is resumed.
    pub PauseSchedule -> ScheduleView = Spec::post("schedules.pause", "/api/v1/schedules/{schedule}/pause")
        .needs("schedules:update").facts(leaves![facts::SCHEDULE_PAUSED]).errors(refuses![CONFLICT, STALE_REVISION]);

    /// Goes on with the next tick from now; what would have come meanwhile was not missed.
    pub ResumeSchedule -> ScheduleView = Spec::post("schedules.resume", "/api/v1/schedules/{schedule}/resume")
        .needs("schedules:update").facts(leaves![facts::SCHEDULE_RESUMED]).errors(refuses![CONFLICT, STALE_REVISION]);

    /// Sets it off now, for its owner and with what the owner holds, as a tick does; the run is accepted when this answers.
    pub RunSchedule -> SetOff = Spec::post("schedules.run", "/api/v1/schedules/{schedule}/run")
        .needs("schedules:update").status(202).facts(leaves![facts::SCHEDULE_RUN_NOW])
        .further_facts(leaves![
            runs::facts::RUN_SUCCEEDED, runs::facts::RUN_FAILED, runs::facts::RUN_TIMED_OUT, runs::facts::RUN_CANCELLED,
            runs::facts::RUN_DEAD
        ])
        .errors(refuses![
            CONFLICT, INPUT_INVALID, RUN_OPEN, SANDBOX_UNAVAILABLE, STALE_REVISION, STORAGE_FULL, TRIGGER_ORPHANED
        ]);

    /// Lists what became of its ticks, newest first; the last thousand are kept.
    pub ListTicks[TickFilter] -> Page<TickView> = Spec::get("schedules.ticks", "/api/v1/schedules/{schedule}/ticks")
        .needs("schedules:read").errors(refuses![INVALID_CURSOR]);

    /// Says when a schedule would tick, without making one.
    pub PreviewSchedule(Preview) -> Previewed = Spec::post("schedules.preview", "/api/v1/schedules/preview")
        .needs("schedules:read").example(r#"{"timing": {"cron": "30 2 * * *"}, "time_zone": "Europe/Berlin"}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// Unlike the other schedules of the organization.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    #[schema(value_type = ScheduleTiming)]
    pub timing: Timing,
    /// A name of the IANA time zone database; UTC if left out.
    #[schema(max_length = 64)]
    pub time_zone: Option<String>,
    /// Id, or `namespace:name`. You must be allowed to execute it.
    #[schema(value_type = String, max_length = 130)]
    pub function: FunctionName,
    /// Given to each run; an empty object if left out.
    #[serde(default = "nothing")]
    #[schema(value_type = Option<Value>)]
    pub input: Value,
    /// What its runs may do with their token, as far as the function's own permissions and you allow it; nothing if left out.
    #[schema(max_items = 50)]
    pub permissions: Option<Vec<Permission>>,
    /// It acts up to so many seconds after a tick, at random; 0 if left out.
    #[schema(minimum = 0, maximum = 3600)]
    pub jitter_seconds: Option<i64>,
    /// `skip` if left out.
    pub overlap: Option<Overlap>,
    /// `skip` if left out.
    pub missed: Option<Missed>,
    /// How many missed ticks `backfill` makes up for; 10 if left out.
    #[schema(minimum = 1, maximum = 100)]
    pub backfill: Option<i64>,
    /// No tick before this time.
    pub starts_at: Option<Timestamp>,
    /// No tick after this time.
    pub ends_at: Option<Timestamp>,
    /// Made paused, if false.
    pub active: Option<bool>,
}

/// RFC 7396: what is left out stays, null gives back the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchedulePatch {
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub name: Patched<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub description: Patched<String>,
    #[serde(default)]
    #[schema(value_type = Option<ScheduleTiming>)]
    pub timing: Patched<Timing>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 64)]
    pub time_zone: Patched<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 130)]
    pub function: Patched<FunctionName>,
    /// Replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub input: Patched<Value>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<Permission>>, max_items = 50)]
    pub permissions: Patched<Vec<Permission>>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 3600)]
    pub jitter_seconds: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<Overlap>)]
    pub overlap: Patched<Overlap>,
    #[serde(default)]
    #[schema(value_type = Option<Missed>)]
    pub missed: Patched<Missed>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    pub backfill: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub starts_at: Patched<Timestamp>,
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub ends_at: Patched<Timestamp>,
}

/// Id, or `namespace:name`.
#[derive(Clone)]
pub struct FunctionName(FunctionRef);

impl<'de> Deserialize<'de> for FunctionName {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let expected = "expected the id of a function or `namespace:name`";
        text.parse().map(Self).map_err(|_| serde::de::Error::custom(expected))
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleFilter {
    pub state: Option<State>,
    pub function: Option<FunctionId>,
    /// Part of the name or description.
    pub q: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TickFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SchedulePreview)]
pub struct Preview {
    #[schema(value_type = ScheduleTiming)]
    pub timing: Timing,
    /// A name of the IANA time zone database; UTC if left out.
    #[schema(max_length = 64)]
    pub time_zone: Option<String>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// How many ticks to say; 5 if left out.
    #[schema(minimum = 1, maximum = 100)]
    pub count: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SchedulePreviewed)]
pub struct Previewed {
    pub ticks: Vec<Timestamp>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ScheduleSetOff)]
pub struct SetOff {
    pub run: RunId,
}

#[derive(Serialize, ToSchema)]
pub struct ScheduleView {
    pub id: ScheduleId,
    pub name: String,
    pub description: String,
    /// On whose authority it acts: `usr_…` or `agt_…`.
    pub owner: String,
    #[schema(value_type = ScheduleTiming)]
    pub timing: Timing,
    pub time_zone: String,
    pub function: FunctionId,
    /// `namespace/name`
    pub function_name: String,
    #[schema(value_type = Value)]
    pub input: Value,
    pub permissions: Vec<Permission>,
    pub jitter_seconds: i64,
    pub overlap: Overlap,
    pub missed: Missed,
    pub backfill: i64,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub state: State,
    /// The next ticks, at most five; none while it is paused.
    pub next: Vec<Timestamp>,
    /// The code of the last refusal, until a tick goes well.
    pub refusal: Option<String>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

impl From<Schedule> for ScheduleView {
    fn from(schedule: Schedule) -> Self {
        let ahead = |first: Timestamp| {
            let rest = schedule.ticks().map(|ticks| ticks.next(first, AHEAD - 1)).unwrap_or_default();
            std::iter::once(first).chain(rest).collect()
        };
        Self {
            next: schedule.next_at.map(ahead).unwrap_or_default(),
            permissions: schedule.permissions(),
            id: schedule.id,
            name: schedule.name,
            description: schedule.description,
            owner: schedule.owner.to_string(),
            timing: schedule.timing,
            time_zone: schedule.time_zone,
            function: schedule.function,
            function_name: schedule.function_name,
            input: schedule.input,
            jitter_seconds: schedule.jitter_seconds,
            overlap: schedule.overlap,
            missed: schedule.missed,
            backfill: schedule.backfill,
            starts_at: schedule.starts_at,
            ends_at: schedule.ends_at,
            state: schedule.state,
            refusal: schedule.refusal,
            created_by: schedule.created_by,
            created_at: schedule.created_at,
            updated_at: schedule.updated_at,
            revision: schedule.revision,
        }
    }
}

impl From<RunId> for SetOff {
    fn from(run: RunId) -> Self {
        Self { run }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = ScheduleTickView)]
pub struct TickView {
    /// From 1, without a gap.
    pub number: i64,
    /// When it was to come.
    pub tick: Timestamp,
    /// Of ticks that were left out together, the last.
    pub until: Option<Timestamp>,
    /// When it was seen to.
    pub at: Timestamp,
    pub outcome: Outcome,
    pub run: Option<RunId>,
    /// Why it was refused: an error code of this API.
    pub code: Option<String>,
}

impl From<Tick> for TickView {
    fn from(tick: Tick) -> Self {
        let Tick { number, tick, until, at, outcome, run, code } = tick;
        Self { number, tick, until, at, outcome, run, code }
    }
}

pub(crate) fn routes(door: &Arc<Door>) -> Routes<Triggers> {
    Routes::new()
        .route::<CreateSchedule, _, _>(door, create)
        .route::<ListSchedules, _, _>(door, list)
        .route::<PreviewSchedule, _, _>(door, preview)
        .route::<GetSchedule, _, _>(door, get)
        .route::<UpdateSchedule, _, _>(door, update)
        .route::<DeleteSchedule, _, _>(door, delete)
        .route::<PauseSchedule, _, _>(door, pause)
        .route::<ResumeSchedule, _, _>(door, resume)
        .route::<RunSchedule, _, _>(door, run)
        .route::<ListTicks, _, _>(door, ticks)
}

async fn create(
    Of(triggers): Of<Triggers>,
    allowed: Allowed<CreateSchedule>,
    Input(new): Input<CreateSchedule>,
) -> Result<Reply, Refusal> {
    let wanted = Wanted {
        name: new.name,
        description: new.description.unwrap_or_default(),
        timing: new.timing,
        time_zone: new.time_zone.unwrap_or_else(|| ZONE.to_owned()),
        function: new.function.0,
        input: new.input,
        permissions: new.permissions.unwrap_or_default(),
        jitter_seconds: new.jitter_seconds.unwrap_or_default(),
        overlap: new.overlap.unwrap_or_default(),
        missed: new.missed.unwrap_or_default(),
        backfill: new.backfill.unwrap_or(BACKFILL),
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        active: new.active.unwrap_or(true),
    };
    allowed.settle::<CreateSchedule, _, _, _>(|| triggers.create_schedule(&allowed, &wanted)).await
}

async fn list(
    Of(triggers): Of<Triggers>,
    allowed: Allowed<ListSchedules>,
    Params(filter): Params<ListSchedules>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let wanted = Filter {
        state: filter.state,
        function: filter.function,
        q: filter.q,
        before: allowed.after::<ScheduleId>(filter.cursor.as_deref())?,
    };
    let inner = triggers.inner();
    let rows = store::list(&inner.db, &inner.keyring, &allowed, &wanted, limit + 1).await?;
    let cursor = |schedule: &Schedule| allowed.cursor(&[json!(schedule.id)]);
    Ok(Reply::of::<ListSchedules>(&page(rows, limit, cursor, ScheduleView::from))?)
}

async fn get(
    Of(triggers): Of<Triggers>,
    allowed: Allowed<GetSchedule>,
    Segment(id): Segment<ScheduleId>,
) -> Result<Reply, Refusal> {
    let schedule = triggers.schedule(&allowed, id).await?;
    Ok(Reply::of::<GetSchedule>(&ScheduleView::from(schedule))?)
}

async fn update(
    Of(triggers): Of<Triggers>,
    allowed: Allowed<UpdateSchedule>,
    Segment(id): Segment<ScheduleId>,
    Input(patch): Input<UpdateSchedule>,
) -> Result<Reply, Refusal> {
    let function = match patch.function {
        Patched::Kept => Patched::Kept,
        Patched::Unset => Patched::Unset,
        Patched::Set(name) => Patched::Set(name.0),
    };
    let patch = Patch {
        name: patch.name,
        description: patch.description,
        timing: patch.timing,
        time_zone: patch.time_zone,
        function,
        input: patch.input,
        permissions: patch.permissions,
        jitter_seconds: patch.jitter_seconds,
        overlap: patch.overlap,
        missed: patch.missed,
        backfill: patch.backfill,
        starts_at: patch.starts_at,
        ends_at: patch.ends_at,
    };
    allowed.settle::<UpdateSchedule, _, _, _>(|| triggers.update_schedule(&allowed, id, &patch)).await
}

async fn delete(
    Of(triggers): Of<Triggers>,
    allowed: Allowed<DeleteSchedule>,
    Segment(id): Segment<ScheduleId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteSchedule, _, _, _>(|| triggers.delete_schedule(&allowed, id)).await
}

async fn pause(
    Of(triggers): Of<Triggers>,
    allowed: Allowed<PauseSchedule>,
    Segment(id): Segment<ScheduleId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<PauseSchedule, _, _, _>(|| triggers.pause_schedule(&allowed, id)).await
}

async fn resume(
    Of(triggers): Of<Triggers>,
    allowed: Allowed<ResumeSchedule>,
    Segment(id): Segment<ScheduleId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ResumeSchedule, _, _, _>(|| triggers.resume_schedule(&allowed, id)).await
}

async fn run(
    Of(triggers): Of<Triggers>,
    allowed: Allowed<RunSchedule>,
    Segment(id): Segment<ScheduleId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RunSchedule, _, _, _>(|| triggers.run_schedule(&allowed, id)).await
}

async fn ticks(
    Of(triggers): Of<Triggers>,
    allowed: Allowed<ListTicks>,
    Segment(id): Segment<ScheduleId>,
    Params(filter): Params<ListTicks>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.keys_after(filter.cursor.as_deref())?.first().and_then(Value::as_i64);
    let schedule = triggers.schedule(&allowed, id).await?;
    let rows = store::ticks(&triggers.inner().db, &allowed.scope(), schedule.id, before, limit + 1).await;
    let cursor = |tick: &Tick| allowed.cursor(&[json!(tick.number)]);
    Ok(Reply::of::<ListTicks>(&page(rows.map_err(TriggerError::from)?, limit, cursor, TickView::from))?)
}

async fn preview(
    Of(triggers): Of<Triggers>,
    _: Allowed<PreviewSchedule>,
    Input(preview): Input<PreviewSchedule>,
) -> Result<Reply, Refusal> {
    let now = triggers.inner().world.now();
    let zone = preview.time_zone.as_deref().unwrap_or(ZONE);
    let ticks = preview.timing.ticks(zone, now, preview.starts_at, preview.ends_at);
    let ticks = ticks.map_err(TriggerError::from)?.next(now, preview.count.unwrap_or(AHEAD));
    Ok(Reply::of::<PreviewSchedule>(&Previewed { ticks })?)
}
