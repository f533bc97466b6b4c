//! Schedules: functions that run when their time comes.

use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Client, Error, Page, Time, page};

/// Exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleTiming {
    /// Five or six fields, or `@daily`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<i64>,
    /// Once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub id: String,
    pub name: String,
    pub description: String,
    /// On whose authority it acts.
    pub owner: String,
    pub timing: ScheduleTiming,
    pub time_zone: String,
    pub function: String,
    /// `namespace/name`
    pub function_name: String,
    pub input: Value,
    pub permissions: Vec<String>,
    pub jitter_seconds: i64,
    /// `skip`, `queue` or `allow`.
    pub overlap: String,
    /// `skip`, `run_once` or `backfill`.
    pub missed: String,
    pub backfill: i64,
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    /// `active`, `paused` or `ended`.
    pub state: String,
    /// The next ticks, at most five.
    pub next: Vec<Time>,
    /// The code of the last refusal, until a tick goes well.
    pub refusal: Option<String>,
    pub created_by: String,
    pub created_at: Time,
    pub updated_at: Time,
    pub revision: i64,
}

/// What is `None` is the server's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewSchedule {
    pub name: String,
    pub timing: ScheduleTiming,
    /// Id, or `namespace:name`.
    pub function: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A name of the IANA time zone database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backfill: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ScheduleFilter {
    pub state: Option<String>,
    /// Id of a function.
    pub function: Option<String>,
    /// Part of the name or description.
    pub q: Option<String>,
    /// Items per page, 1 to 200.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// What became of a tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleTick {
    pub number: i64,
    /// When it was to come.
    pub tick: Time,
    /// Of ticks that were left out together, the last.
    pub until: Option<Time>,
    /// When it was seen to.
    pub at: Time,
    /// `ran`, `skipped`, `missed` or `refused`.
    pub outcome: String,
    pub run: Option<String>,
    /// Why it was refused: an error code.
    pub code: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SchedulePreview {
    pub timing: ScheduleTiming,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// How many ticks, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// `client.schedules()`.
#[derive(Clone, Copy)]
pub struct Schedules<'a>(&'a Client);

impl Client {
    pub fn schedules(&self) -> Schedules<'_> {
        Schedules(self)
    }
}

const PATH: [&str; 3] = ["api", "v1", "schedules"];

impl Schedules<'_> {
    pub async fn create(&self, new: &NewSchedule) -> Result<Schedule, Error> {
        self.0.post(&PATH).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &ScheduleFilter) -> Result<Page<Schedule>, Error> {
        self.0.get(&PATH).query(filter).answer().await
    }

    pub fn all(&self, filter: &ScheduleFilter) -> impl Stream<Item = Result<Schedule, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&ScheduleFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, schedule: &str) -> Result<Schedule, Error> {
        self.0.get(&["api", "v1", "schedules", schedule]).answer().await
    }

    /// A merge patch: what is left out stays, null gives back the default. Whoever changes the function, the input or the
    /// permissions becomes the owner.
    pub async fn update(
        &self,
        schedule: &str,
        patch: &Value,
        revision: Option<i64>,
    ) -> Result<Schedule, Error> {
        self.0.patch(&["api", "v1", "schedules", schedule]).json(patch).if_revision(revision).answer().await
    }

    pub async fn delete(&self, schedule: &str) -> Result<Schedule, Error> {
        self.0.delete(&["api", "v1", "schedules", schedule]).answer().await
    }

    pub async fn pause(&self, schedule: &str) -> Result<Schedule, Error> {
        self.0.post(&["api", "v1", "schedules", schedule, "pause"]).once().answer().await
    }

    pub async fn resume(&self, schedule: &str) -> Result<Schedule, Error> {
        self.0.post(&["api", "v1", "schedules", schedule, "resume"]).once().answer().await
    }

    /// Sets it off now; answers the id of the run.
    pub async fn run(&self, schedule: &str) -> Result<String, Error> {
        let call = self.0.post(&["api", "v1", "schedules", schedule, "run"]).once();
        Ok(call.answer::<SetOff>().await?.run)
    }

    /// What became of its ticks, newest first.
    pub async fn ticks(
        &self,
        schedule: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<ScheduleTick>, Error> {
        let query = TicksFrom { limit, cursor };
        self.0.get(&["api", "v1", "schedules", schedule, "ticks"]).query(&query).answer().await
    }

    /// When such a schedule would tick.
    pub async fn preview(&self, preview: &SchedulePreview) -> Result<Vec<Time>, Error> {
        let call = self.0.post(&["api", "v1", "schedules", "preview"]).json(preview);
        Ok(call.answer::<Previewed>().await?.ticks)
    }
}

#[derive(Serialize)]
struct TicksFrom<'a> {
    limit: Option<u32>,
    cursor: Option<&'a str>,
}

#[derive(Deserialize)]
struct SetOff {
    run: String,
}

#[derive(Deserialize)]
struct Previewed {
    ticks: Vec<Time>,
}
