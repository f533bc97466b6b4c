//! Making, changing, pausing and removing schedules, and setting one off by hand.

use std::sync::Arc;
use std::time::Duration;

use authority::Permission;
use db::{AuthorityEntry, Change};
use functions::{CallFunction, Callable, FunctionRef, Functions, TriggerCall};
use ledger::{Fact, FactKind};
use problem::{INPUT_INVALID, Problem, RUN_OPEN};
use runs::Trigger;
use serde_json::{Value, json};
use types::{Id, RunId, ScheduleId, Timestamp};
use web::{Allowance, Decided, Details, Patched};

use super::model::{Missed, Outcome, Overlap, Schedule, State, Tick};
use super::store;
use super::timing::{Timing, Unfit};
use crate::grant::grant;
use crate::{TriggerError, Triggers, facts};

/// A schedule to be; checked by the schema of its operation.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) timing: Timing,
    pub(crate) time_zone: String,
    pub(crate) function: FunctionRef,
    pub(crate) input: Value,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) jitter_seconds: i64,
    pub(crate) overlap: Overlap,
    pub(crate) missed: Missed,
    pub(crate) backfill: i64,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) active: bool,
}

/// A merge patch (RFC 7396). What it says of function, input or permissions makes the caller the owner.
#[derive(Default)]
pub(crate) struct Patch {
    pub(crate) name: Patched<String>,
    pub(crate) description: Patched<String>,
    pub(crate) timing: Patched<Timing>,
    pub(crate) time_zone: Patched<String>,
    pub(crate) function: Patched<FunctionRef>,
    pub(crate) input: Patched<Value>,
    pub(crate) permissions: Patched<Vec<Permission>>,
    pub(crate) jitter_seconds: Patched<i64>,
    pub(crate) overlap: Patched<Overlap>,
    pub(crate) missed: Patched<Missed>,
    pub(crate) backfill: Patched<i64>,
    pub(crate) starts_at: Patched<Timestamp>,
    pub(crate) ends_at: Patched<Timestamp>,
}

pub(crate) const ZONE: &str = "UTC";
pub(crate) const BACKFILL: i64 = 10;

impl From<Unfit> for TriggerError {
    fn from(unfit: Unfit) -> Self {
        Self::invalid(unfit.field, unfit.reason)
    }
}

impl Triggers {
    /// The schedule, if the caller may do its operation to it.
    pub(crate) async fn schedule(&self, by: &Allowance, id: ScheduleId) -> Result<Schedule, TriggerError> {
        let inner = self.inner();
        let found = store::find(&inner.db, &inner.keyring, &by.scope(), id).await?;
        let schedule = found.ok_or(TriggerError::UnknownSchedule)?;
        admit(by, &schedule)?;
        Ok(schedule)
    }

    pub(crate) async fn create_schedule(
        &self,
        by: &Allowance,
        wanted: &Wanted,
    ) -> Result<Decided<Schedule>, TriggerError> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        let target = inner.functions.callable(by, &wanted.function).await?;
        let grant = grant(by, &target, &wanted.permissions)?;
        self.fits(by, &target, &wanted.input).await?;
        let mut schedule = Schedule {
            id: inner.world.id(),
            org: by.org(),
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            owner: by.caller().principal(),
            timing: wanted.timing.clone(),
            time_zone: wanted.time_zone.clone(),
            function: target.id,
            function_name: target.name,
            input: wanted.input.clone(),
            grant: Arc::new(grant),
            jitter_seconds: wanted.jitter_seconds,
            overlap: wanted.overlap,
            missed: wanted.missed,
            backfill: wanted.backfill,
            starts_at: wanted.starts_at,
            ends_at: wanted.ends_at,
            state: if wanted.active { State::Active } else { State::Paused },
            next_at: None,
            due_at: None,
            refusal: None,
            created_by: by.caller().principal().to_string(),
            created_at: now,
            updated_at: now,
            revision: 1,
        };
        admit(by, &schedule)?;
        self.wait(&mut schedule, now)?;
        let fact = target_of(by.fact(&facts::SCHEDULE_CREATED), &schedule).data(json!({
            "name": schedule.name,
            "function": schedule.function,
            "timing": schedule.timing.told(),
            "time_zone": schedule.time_zone,
            "permissions": told(&schedule.permissions()),
        }));
        let input = store::seal(&inner.keyring, &schedule).await?;
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::insert(&schedule, input));
        Ok(Decided::new(change, schedule))
    }

    pub(crate) async fn update_schedule(
        &self,
        by: &Allowance,
        id: ScheduleId,
        patch: &Patch,
    ) -> Result<Decided<Schedule>, TriggerError> {
        let now = self.inner().world.now();
        let mut schedule = self.schedule(by, id).await?;
        by.expect_revision(schedule.revision)?;
        let mut fields = apply(&mut schedule, patch)?;
        if self.take_schedule_over(by, &mut schedule, patch, &mut fields).await? {
            schedule.owner = by.caller().principal();
        }
        if fields
            .iter()
            .any(|field| ["timing", "time_zone", "starts_at", "ends_at", "jitter_seconds"].contains(field))
        {
            if schedule.state == State::Ended {
                schedule.state = State::Active;
            }
            self.wait(&mut schedule, now)?;
        }
        schedule.refusal = None;
        let data = json!({
            "fields": fields,
            "owner": schedule.owner.to_string(),
            "permissions": told(&schedule.permissions()),
        });
        self.changed(by, schedule, &facts::SCHEDULE_UPDATED, data).await
    }

    /// Whoever says what a schedule does answers for it: the function, the input and the permissions are theirs to give.
    async fn take_schedule_over(
        &self,
        by: &Allowance,
        schedule: &mut Schedule,
        patch: &Patch,
        fields: &mut Vec<&'static str>,
    ) -> Result<bool, TriggerError> {
        if patch.function.is_kept() && patch.input.is_kept() && patch.permissions.is_kept() {
            return Ok(false);
        }
        let of = patch.function.set().cloned().unwrap_or(FunctionRef::Id(schedule.function));
        let target: Callable = self.inner().functions.callable(by, &of).await?;
        let mut permissions = schedule.permissions();
        if patch.permissions.write(&mut permissions, Vec::new) {
            fields.push("permissions");
        }
        if patch.input.write(&mut schedule.input, nothing) {
            fields.push("input");
        }
        if !patch.function.is_kept() {
            fields.push("function");
        }
        schedule.grant = Arc::new(grant(by, &target, &permissions)?);
        // What it may do is mended even while a newer version of its function wants another input.
        if !patch.function.is_kept() || !patch.input.is_kept() {
            self.fits(by, &target, &schedule.input).await?;
        }
        (schedule.function, schedule.function_name) = (target.id, target.name);
        Ok(true)
    }

    /// That the function would take the input today; each tick asks again, since versions change.
    async fn fits(&self, by: &Allowance, target: &Callable, input: &Value) -> Result<(), TriggerError> {
        let misfits = self.inner().functions.misfits(by, target.id, input, "/input").await?;
        if misfits.is_empty() {
            return Ok(());
        }
        let detail =
            format!("The input does not fit the schema of {}. Mend it where errors point to.", target.name);
        Err(Problem::new(&INPUT_INVALID, detail).with_errors(misfits).into())
    }

    pub(crate) async fn pause_schedule(
        &self,
        by: &Allowance,
        id: ScheduleId,
    ) -> Result<Decided<Schedule>, TriggerError> {
        let mut schedule = self.schedule(by, id).await?;
        by.expect_revision(schedule.revision)?;
        schedule.state = State::Paused;
        (schedule.next_at, schedule.due_at) = (None, None);
        self.changed(by, schedule, &facts::SCHEDULE_PAUSED, json!({})).await
    }

    /// What would have come meanwhile was not missed: nobody wanted it.
    pub(crate) async fn resume_schedule(
        &self,
        by: &Allowance,
        id: ScheduleId,
    ) -> Result<Decided<Schedule>, TriggerError> {
        let mut schedule = self.schedule(by, id).await?;
        by.expect_revision(schedule.revision)?;
        schedule.state = State::Active;
        schedule.refusal = None;
        self.wait(&mut schedule, self.inner().world.now())?;
        let data = json!({ "next": schedule.next_at });
        self.changed(by, schedule, &facts::SCHEDULE_RESUMED, data).await
    }

    /// With its authority: runs of it that are still open end, and their tokens.
    pub(crate) async fn delete_schedule(
        &self,
        by: &Allowance,
        id: ScheduleId,
    ) -> Result<Decided<Schedule>, TriggerError> {
        let inner = self.inner();
        let schedule = self.schedule(by, id).await?;
        by.expect_revision(schedule.revision)?;
        let fact = target_of(by.fact(&facts::SCHEDULE_DELETED), &schedule).data(json!({}));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statements(store::remove(&schedule))
            .authority(AuthorityEntry::changed(by.org(), "schedule", schedule.id.uuid()).died());
        Ok(Decided::new(change, schedule))
    }

    /// Sets it off now, for its owner and with what its owner may do, as a tick does.
    pub(crate) async fn run_schedule(
        &self,
        by: &Allowance,
        id: ScheduleId,
    ) -> Result<Decided<RunId>, TriggerError> {
        let inner = self.inner();
        let schedule = self.schedule(by, id).await?;
        by.expect_revision(schedule.revision)?;
        let caller = self.caller(&schedule.standing()).await?;
        let functions = &inner.functions;
        let key = schedule.id.to_string();
        if schedule.overlap == Overlap::Skip {
            nothing_open(functions, by, &schedule, &key).await?;
        }
        let call = call(&schedule, &key);
        let prepare = |owner: Allowance| async move { functions.prepared(&owner, &call).await };
        let contact = by.contact().clone();
        let prepared = inner.door.stand_in::<CallFunction, _, _>(caller, contact, prepare).await?;
        let run = prepared.run().id;
        let now = inner.world.now();
        let tick = Tick {
            number: 0,
            tick: now,
            until: None,
            at: now,
            outcome: Outcome::Ran,
            run: Some(run),
            code: None,
        };
        let fact = target_of(by.fact(&facts::SCHEDULE_RUN_NOW), &schedule).data(json!({ "run": run }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::count(&schedule))
            .statement(store::note(&schedule, &tick))
            .statements(prepared.statements())
            .wake_queue();
        Ok(Decided::new(change, run))
    }

    /// Says which tick an active schedule waits for.
    fn wait(&self, schedule: &mut Schedule, now: Timestamp) -> Result<(), TriggerError> {
        let next = schedule.ticks()?.after(now);
        let Some(next) = next else {
            let field = if schedule.ends_at.is_some_and(|end| end <= now) { "/ends_at" } else { "/timing" };
            return Err(TriggerError::invalid(field, "no tick lies ahead: the schedule would never act"));
        };
        let waiting = schedule.state == State::Active;
        schedule.next_at = waiting.then_some(next);
        schedule.due_at = waiting.then(|| self.due(schedule, next));
        Ok(())
    }

    /// When a schedule acts on a tick.
    pub(crate) fn due(&self, schedule: &Schedule, tick: Timestamp) -> Timestamp {
        let most = u64::try_from(schedule.jitter_seconds).unwrap_or_default().saturating_mul(1000);
        if most == 0 {
            return tick;
        }
        let random = u64::from_le_bytes(self.inner().world.bytes::<8>());
        tick.plus(Duration::from_millis(random % (most + 1)))
    }

    async fn changed(
        &self,
        by: &Allowance,
        mut schedule: Schedule,
        kind: &'static FactKind,
        data: Value,
    ) -> Result<Decided<Schedule>, TriggerError> {
        let inner = self.inner();
        schedule.updated_at = inner.world.now();
        schedule.revision += 1;
        let fact = target_of(by.fact(kind), &schedule).data(data);
        let input = store::seal(&inner.keyring, &schedule).await?;
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::update(&schedule, input));
        Ok(Decided::new(change, schedule))
    }
}

async fn nothing_open(
    functions: &Functions,
    by: &Allowance,
    schedule: &Schedule,
    key: &str,
) -> Result<(), TriggerError> {
    let (owner, function) = (schedule.owner.uuid(), schedule.function.uuid());
    let open = functions.runs().duplicate(&by.scope(), owner, function, key).await.map_err(Problem::from)?;
    let Some(open) = open else { return Ok(()) };
    let detail = format!("The run {} of an earlier tick is still open, and overlap is `skip`.", open.id);
    Err(Problem::new(&RUN_OPEN, detail).with_member("run", open.id.to_string()).into())
}

/// What a tick asks of the function.
pub(crate) fn call<'a>(schedule: &'a Schedule, id: &'a str) -> TriggerCall<'a> {
    TriggerCall {
        function: schedule.function,
        input: &schedule.input,
        trigger: Trigger::Schedule,
        trigger_id: id.to_owned(),
        deduplication_key: (schedule.overlap == Overlap::Skip).then_some(id),
        in_turn: (schedule.overlap == Overlap::Queue).then_some(id),
    }
}

fn admit(by: &Allowance, schedule: &Schedule) -> Result<(), TriggerError> {
    let attributes = || schedule.attributes();
    let details = Details { attributes: Some(&attributes), arguments: None };
    Ok(by.check_with(&schedule.object(), details)?)
}

pub(crate) fn target_of(fact: Fact, schedule: &Schedule) -> Fact {
    fact.target("schedule", schedule.id, schedule.name.as_str())
}

fn told(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(ToString::to_string).collect()
}

pub(crate) fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Writes what the patch says of everything that needs no right; answers the names of the fields.
fn apply(schedule: &mut Schedule, patch: &Patch) -> Result<Vec<&'static str>, TriggerError> {
    let mut fields = Vec::new();
    for (field, unset) in [
        ("/name", matches!(patch.name, Patched::Unset)),
        ("/timing", matches!(patch.timing, Patched::Unset)),
        ("/function", matches!(patch.function, Patched::Unset)),
    ] {
        if unset {
            return Err(TriggerError::invalid(field, "cannot be taken away"));
        }
    }
    macro_rules! take {
        ($($field:ident or $unset:expr;)+) => {$(
            if patch.$field.write(&mut schedule.$field, || $unset) {
                fields.push(stringify!($field));
            }
        )+};
    }
    take! {
        name or String::new();
        description or String::new();
        timing or Timing::Every(1);
        time_zone or ZONE.to_owned();
        jitter_seconds or 0;
        overlap or Overlap::default();
        missed or Missed::default();
        backfill or BACKFILL;
    }
    for (name, from, to) in [
        ("starts_at", &patch.starts_at, &mut schedule.starts_at),
        ("ends_at", &patch.ends_at, &mut schedule.ends_at),
    ] {
        if !from.is_kept() {
            *to = from.set().copied();
            fields.push(name);
        }
    }
    Ok(fields)
}
