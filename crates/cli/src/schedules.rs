//! `safeconduct schedules …`

use clap::{Args, Subcommand};
use client::{NewSchedule, Schedule, ScheduleFilter, SchedulePreview, ScheduleTick, ScheduleTiming, Time};
use serde_json::{Map, Value, json};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum SchedulesCommand {
    /// Make a schedule that runs a function when its time comes.
    Create(Box<Create>),
    /// List schedules, newest first.
    List(List),
    /// Show a schedule with its next ticks.
    Show(Named),
    /// Change a schedule; what is not named stays.
    Update(Box<Update>),
    /// Remove a schedule and its history.
    Delete(Named),
    /// Let no tick come any more.
    Pause(Named),
    /// Go on with the next tick from now.
    Resume(Named),
    /// Set it off now, for its owner.
    Run(Named),
    /// List what became of its ticks, newest first.
    Ticks(Ticks),
    /// Say when such a schedule would tick, without making one.
    Preview(Preview),
}

#[derive(Args, Clone, Debug)]
pub struct Named {
    /// Id of the schedule.
    schedule: String,
}

#[derive(Args, Clone, Debug)]
pub struct When {
    /// Five fields, six with seconds in front, or @daily.
    #[arg(long, value_name = "PATTERN", group = "timing")]
    cron: Option<String>,
    /// Seconds between two ticks.
    #[arg(long, value_name = "SECONDS", group = "timing")]
    every: Option<i64>,
    /// Once, at this time (RFC 3339).
    #[arg(long, value_name = "TIME", group = "timing")]
    at: Option<String>,
    /// A name of the IANA time zone database.
    #[arg(long = "zone", value_name = "ZONE")]
    time_zone: Option<String>,
    /// No tick before this time.
    #[arg(long, value_name = "TIME")]
    starts_at: Option<String>,
    /// No tick after this time.
    #[arg(long, value_name = "TIME")]
    ends_at: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct How {
    #[arg(long)]
    description: Option<String>,
    /// JSON, or @FILE, or `-` for standard input; given to each run.
    #[arg(long)]
    input: Option<String>,
    /// What its runs may do; may be repeated.
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// It acts up to so many seconds after a tick, at random.
    #[arg(long, value_name = "SECONDS")]
    jitter: Option<i64>,
    /// skip, queue or allow: when a run of an earlier tick is still open.
    #[arg(long)]
    overlap: Option<String>,
    /// skip, `run_once` or backfill: ticks that nobody was there for.
    #[arg(long)]
    missed: Option<String>,
    /// How many missed ticks backfill makes up for.
    #[arg(long, value_name = "N")]
    backfill: Option<i64>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct schedules create 'nightly report' ops:report --cron '0 2 * * *' --zone Europe/Berlin
  safeconduct schedules create heartbeat ops:ping --every 60 --overlap queue --missed run_once")]
pub struct Create {
    /// Unlike the other schedules of the organization.
    name: String,
    /// Id of the function, or `namespace:name`.
    function: String,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    how: How,
    /// Make it paused.
    #[arg(long)]
    paused: bool,
}

#[derive(Args, Clone, Debug)]
pub struct Update {
    /// Id of the schedule.
    schedule: String,
    #[arg(long)]
    name: Option<String>,
    /// Id of the function, or `namespace:name`; you become the owner, as by --input and --permission.
    #[arg(long)]
    function: Option<String>,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    how: How,
    /// Refuse if the schedule has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// active, paused or ended.
    #[arg(long)]
    state: Option<String>,
    /// Part of the name or description.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Ticks {
    /// Id of the schedule.
    schedule: String,
    /// 1 to 200.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Where the last page ended.
    #[arg(long, allow_hyphen_values = true)]
    cursor: Option<String>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:
  safeconduct schedules preview --cron '30 2 * * *' --zone Europe/Berlin")]
pub struct Preview {
    #[command(flatten)]
    when: When,
    /// How many ticks, 1 to 100.
    #[arg(long, default_value_t = 5)]
    count: u32,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: SchedulesCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let schedules = client.schedules();
    match command {
        SchedulesCommand::Create(create) => {
            let made = schedules.create(&create.schedule(desk)?).await?;
            shown(desk, &made)
        }
        SchedulesCommand::List(list) => {
            let filter = ScheduleFilter {
                state: list.state,
                function: None,
                q: list.search,
                limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
                cursor: list.listing.cursor,
            };
            match list.listing.all {
                true => show_all(&mut desk.screen, schedules.all(&filter), &COLUMNS).await,
                false => show(&mut desk.screen, &schedules.list(&filter).await?, &COLUMNS),
            }
        }
        SchedulesCommand::Show(Named { schedule }) => shown(desk, &schedules.get(&schedule).await?),
        SchedulesCommand::Update(update) => {
            let patch = update.patch(desk)?;
            let changed = schedules.update(&update.schedule, &patch, update.if_revision).await?;
            shown(desk, &changed)
        }
        SchedulesCommand::Delete(Named { schedule }) => {
            desk.screen.confirm("Remove the schedule? Its open runs end.")?;
            let gone = schedules.delete(&schedule).await?;
            shown(desk, &gone)?;
            desk.screen.note("It is removed, with its history.")
        }
        SchedulesCommand::Pause(Named { schedule }) => shown(desk, &schedules.pause(&schedule).await?),
        SchedulesCommand::Resume(Named { schedule }) => shown(desk, &schedules.resume(&schedule).await?),
        SchedulesCommand::Run(Named { schedule }) => {
            let run = schedules.run(&schedule).await?;
            desk.screen.record(&json!({ "run": run }), &run, &[("run", Cell::toned(&run, Tone::Strong))])?;
            desk.screen.note(&format!("It is queued. See it: safeconduct runs show {run}"))
        }
        SchedulesCommand::Ticks(Ticks { schedule, limit, cursor }) => {
            let page = schedules.ticks(&schedule, Some(limit), cursor.as_deref()).await?;
            show(&mut desk.screen, &page, &TICKS)
        }
        SchedulesCommand::Preview(Preview { when, count }) => {
            let preview = SchedulePreview {
                timing: when.timing(),
                time_zone: when.time_zone,
                starts_at: when.starts_at.map(Time::from),
                ends_at: when.ends_at.map(Time::from),
                count: Some(count),
            };
            let ticks = schedules.preview(&preview).await?;
            desk.screen.list(&ticks, None, Time::as_str, &[("tick", |tick| Cell::from(tick.as_str()))])
        }
    }
}

impl When {
    fn timing(&self) -> ScheduleTiming {
        ScheduleTiming {
            cron: self.cron.clone(),
            every_seconds: self.every,
            at: self.at.clone().map(Time::from),
        }
    }
}

impl Create {
    fn schedule(&self, desk: &mut Desk<'_>) -> Result<NewSchedule, Failure> {
        let (when, how) = (self.when.clone(), self.how.clone());
        let input = how.input.map(|given| files::read_json(&mut desk.screen, &given)).transpose()?;
        Ok(NewSchedule {
            name: self.name.clone(),
            timing: when.timing(),
            function: self.function.clone(),
            description: how.description,
            time_zone: when.time_zone,
            input,
            permissions: (!how.permissions.is_empty()).then_some(how.permissions),
            jitter_seconds: how.jitter,
            overlap: how.overlap,
            missed: how.missed,
            backfill: how.backfill,
            starts_at: when.starts_at.map(Time::from),
            ends_at: when.ends_at.map(Time::from),
            active: self.paused.then_some(false),
        })
    }
}

impl Update {
    fn patch(&self, desk: &mut Desk<'_>) -> Result<Value, Failure> {
        let (when, how) = (&self.when, &self.how);
        let timing = when.timing();
        let input =
            how.input.as_deref().map(|given| files::read_json(&mut desk.screen, given)).transpose()?;
        let text = |given: &Option<String>| given.as_ref().map(|text| json!(text));
        let given = [
            ("name", text(&self.name)),
            ("function", text(&self.function)),
            ("description", text(&how.description)),
            ("timing", (timing != ScheduleTiming::default()).then(|| json!(timing))),
            ("time_zone", text(&when.time_zone)),
            ("starts_at", text(&when.starts_at)),
            ("ends_at", text(&when.ends_at)),
            ("input", input),
            ("permissions", (!how.permissions.is_empty()).then(|| json!(how.permissions))),
            ("jitter_seconds", how.jitter.map(Value::from)),
            ("overlap", text(&how.overlap)),
            ("missed", text(&how.missed)),
            ("backfill", how.backfill.map(Value::from)),
        ];
        let members = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(Value::Object(members.collect::<Map<_, _>>()))
    }
}

fn shown(desk: &mut Desk<'_>, schedule: &Schedule) -> Result<(), Failure> {
    let next: Vec<&str> = schedule.next.iter().map(Time::as_str).collect();
    let rows = [
        ("name", Cell::toned(&schedule.name, Tone::Strong)),
        ("about", Cell::from(&schedule.description)),
        ("state", state(schedule)),
        ("when", Cell::from(when(schedule))),
        ("next", Cell::from(next.join(", "))),
        ("function", Cell::from(&schedule.function_name)),
        ("input", Cell::from(schedule.input.to_string())),
        ("may do", Cell::from(schedule.permissions.join(", "))),
        ("overlap", Cell::from(&schedule.overlap)),
        ("missed", Cell::from(&schedule.missed)),
        ("owner", Cell::from(&schedule.owner)),
        ("revision", Cell::from(schedule.revision.to_string())),
        ("id", Cell::from(&schedule.id)),
    ];
    desk.screen.record(schedule, &schedule.id, &rows)
}

fn state(schedule: &Schedule) -> Cell {
    match (&schedule.refusal, schedule.state.as_str()) {
        (Some(code), _) => Cell::toned(format!("{}, refused: {code}", schedule.state), Tone::Bad),
        (None, "active") => Cell::toned("active", Tone::Good),
        (None, other) => Cell::from(other),
    }
}

fn when(schedule: &Schedule) -> String {
    let ScheduleTiming { cron, every_seconds, at } = &schedule.timing;
    match (cron, every_seconds, at) {
        (Some(pattern), ..) => format!("{pattern} ({})", schedule.time_zone),
        (_, Some(seconds), _) => format!("every {seconds} s"),
        (.., at) => format!("once, {}", at.as_ref().map_or("", Time::as_str)),
    }
}

static COLUMNS: Columns<Schedule> = Columns {
    id: |schedule| &schedule.id,
    columns: &[
        ("id", |schedule| Cell::from(&schedule.id)),
        ("schedule", |schedule| Cell::toned(&schedule.name, Tone::Strong)),
        ("state", state),
        ("when", |schedule| Cell::from(when(schedule))),
        ("next", |schedule| Cell::from(schedule.next.first().map_or("", Time::as_str))),
        ("function", |schedule| Cell::from(&schedule.function_name)),
    ],
};

static TICKS: Columns<ScheduleTick> = Columns {
    id: |tick| tick.tick.as_str(),
    columns: &[
        ("tick", |tick| Cell::from(tick.tick.as_str())),
        ("outcome", |tick| match (tick.outcome.as_str(), &tick.code) {
            ("ran", _) => Cell::toned("ran", Tone::Good),
            (outcome, Some(code)) => Cell::toned(format!("{outcome}: {code}"), Tone::Bad),
            (outcome, None) => Cell::from(outcome),
        }),
        ("until", |tick| Cell::from(tick.until.as_ref().map_or("", Time::as_str))),
        ("seen to", |tick| Cell::from(tick.at.as_str())),
        ("run", |tick| Cell::from(tick.run.as_deref().unwrap_or(""))),
    ],
};
