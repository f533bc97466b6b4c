//! Schedules in files of configuration. Whoever changes what one does becomes its owner, as by hand.

use authority::{Authority, Permission};
use functions::FunctionRef;
use manifest::{Refers, Section};
use problem::{Problem, VALIDATION_FAILED};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{ScheduleId, Timestamp};
use utoipa::ToSchema;
use web::{Errand, Patched, Undone};

use super::act::{BACKFILL, Patch, Wanted, ZONE, nothing};
use super::model::{Missed, Overlap, Schedule, State};
use super::routes::{
    CreateSchedule, DeleteSchedule, ListSchedules, PauseSchedule, ResumeSchedule, UpdateSchedule,
};
use super::store::{self, Filter};
use super::timing::{ScheduleTiming, Timing};
use crate::Triggers;

/// Schedules of one organization at the most that a file deals with.
const MOST: i64 = 10_000;

/// The section `schedules`.
pub struct SchedulesSection(pub Triggers);

/// A schedule.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigSchedule)]
pub struct ScheduleEntry {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 4000)]
    description: String,
    #[schema(value_type = ScheduleTiming)]
    timing: Timing,
    /// A name of the IANA time zone database.
    #[serde(default = "utc")]
    #[schema(max_length = 64)]
    time_zone: String,
    /// `namespace/name`
    #[schema(max_length = 130, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*/[a-zA-Z_][a-zA-Z0-9_]*$")]
    function: String,
    /// Given to each run.
    #[serde(default = "nothing")]
    #[schema(value_type = Option<Value>)]
    input: Value,
    /// What its runs may do with their token.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 50)]
    permissions: Vec<Permission>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3600)]
    jitter_seconds: i64,
    #[serde(default)]
    overlap: Overlap,
    #[serde(default)]
    missed: Missed,
    #[serde(default = "backfill")]
    #[schema(minimum = 1, maximum = 100)]
    backfill: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    /// Paused, if false.
    #[serde(default = "yes")]
    active: bool,
}

fn utc() -> String {
    ZONE.to_owned()
}

fn backfill() -> i64 {
    BACKFILL
}

fn yes() -> bool {
    true
}

impl Section for SchedulesSection {
    type Entry = ScheduleEntry;

    const NAME: &'static str = "schedules";

    fn key(entry: &ScheduleEntry) -> String {
        entry.name.clone()
    }

    fn settled(&self, entry: ScheduleEntry) -> ScheduleEntry {
        let permissions = entry.permissions.into_iter().collect::<Authority>().permissions().to_vec();
        ScheduleEntry { permissions, ..entry }
    }

    fn refers(entry: &ScheduleEntry) -> Vec<Refers> {
        vec![Refers { field: "/function".into(), section: "functions", key: entry.function.clone() }]
    }

    async fn standing(&self, errand: &Errand) -> Result<Vec<(String, ScheduleEntry)>, Problem> {
        let (by, inner) = (errand.admit::<ListSchedules>().await?, self.0.inner());
        let all = Filter { state: None, function: None, q: None, before: None };
        let schedules = store::list(&inner.db, &inner.keyring, &by, &all, MOST).await?;
        Ok(schedules.into_iter().map(told).collect())
    }

    async fn make(&self, errand: &Errand, entry: &ScheduleEntry) -> Result<String, Undone> {
        let wanted = Wanted {
            name: entry.name.clone(),
            description: entry.description.clone(),
            timing: entry.timing.clone(),
            time_zone: entry.time_zone.clone(),
            function: function(entry)?,
            input: entry.input.clone(),
            permissions: entry.permissions.clone(),
            jitter_seconds: entry.jitter_seconds,
            overlap: entry.overlap,
            missed: entry.missed,
            backfill: entry.backfill,
            starts_at: entry.starts_at,
            ends_at: entry.ends_at,
            active: entry.active,
        };
        let decide = |by| async move { self.0.create_schedule(&by, &wanted).await };
        Ok(errand.act::<CreateSchedule, _, _, _>(decide).await?.id.to_string())
    }

    async fn alter(
        &self,
        errand: &Errand,
        id: &str,
        before: &ScheduleEntry,
        after: &ScheduleEntry,
    ) -> Result<(), Undone> {
        let id = parsed(id)?;
        if before.differs_beyond_active(after) {
            let function = match before.function == after.function {
                true => Patched::Kept,
                false => Patched::Set(function(after)?),
            };
            let patch = Patch {
                name: Patched::Kept,
                description: Patched::between(&before.description, &after.description),
                timing: Patched::between(&before.timing, &after.timing),
                time_zone: Patched::between(&before.time_zone, &after.time_zone),
                function,
                input: Patched::between(&before.input, &after.input),
                permissions: Patched::between(&before.permissions, &after.permissions),
                jitter_seconds: Patched::between(&before.jitter_seconds, &after.jitter_seconds),
                overlap: Patched::between(&before.overlap, &after.overlap),
                missed: Patched::between(&before.missed, &after.missed),
                backfill: Patched::between(&before.backfill, &after.backfill),
                starts_at: Patched::between_options(&before.starts_at, &after.starts_at),
                ends_at: Patched::between_options(&before.ends_at, &after.ends_at),
            };
            let decide = |by| async move { self.0.update_schedule(&by, id, &patch).await };
            errand.act::<UpdateSchedule, _, _, _>(decide).await?;
        }
        if before.active == after.active {
            return Ok(());
        }
        if after.active {
            let decide = |by| async move { self.0.resume_schedule(&by, id).await };
            return errand.act::<ResumeSchedule, _, _, _>(decide).await.map(drop);
        }
        let decide = |by| async move { self.0.pause_schedule(&by, id).await };
        errand.act::<PauseSchedule, _, _, _>(decide).await.map(drop)
    }

    async fn remove(&self, errand: &Errand, id: &str) -> Result<(), Undone> {
        let id = parsed(id)?;
        let decide = |by| async move { self.0.delete_schedule(&by, id).await };
        errand.act::<DeleteSchedule, _, _, _>(decide).await.map(drop)
    }
}

impl ScheduleEntry {
    fn differs_beyond_active(&self, other: &Self) -> bool {
        let apart = |entry: &Self| {
            let mut value = serde_json::to_value(entry).unwrap_or_default();
            if let Some(members) = value.as_object_mut() {
                members.remove("active");
            }
            value
        };
        apart(self) != apart(other)
    }
}

fn function(entry: &ScheduleEntry) -> Result<FunctionRef, Problem> {
    entry.function.replacen('/', ":", 1).parse().map_err(|_| {
        let reason = "must be `namespace/name`";
        Problem::new(&VALIDATION_FAILED, "Mend the fields named in errors.").with_error("/function", reason)
    })
}

fn told(schedule: Schedule) -> (String, ScheduleEntry) {
    let permissions = schedule.permissions();
    let entry = ScheduleEntry {
        name: schedule.name,
        description: schedule.description,
        timing: schedule.timing,
        time_zone: schedule.time_zone,
        function: schedule.function_name,
        input: schedule.input,
        permissions,
        jitter_seconds: schedule.jitter_seconds,
        overlap: schedule.overlap,
        missed: schedule.missed,
        backfill: schedule.backfill,
        starts_at: schedule.starts_at,
        ends_at: schedule.ends_at,
        active: schedule.state != State::Paused,
    };
    (schedule.id.to_string(), entry)
}

fn parsed(id: &str) -> Result<ScheduleId, Problem> {
    id.parse().map_err(Problem::internal)
}
