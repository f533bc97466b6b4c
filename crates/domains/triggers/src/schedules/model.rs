//! A schedule and its ticks.

use std::str::FromStr;
use std::sync::Arc;

use authority::Authority;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{FunctionId, OrgId, RunId, ScheduleId, Timestamp};
use utoipa::ToSchema;
use web::{Object, PrincipalId, TriggerId};

use super::timing::{Ticks, Timing, Unfit};
use crate::grant::Standing;

/// Where a schedule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ScheduleState)]
pub enum State {
    Active,
    Paused,
    /// No tick lies ahead.
    Ended,
}

/// What happens when a tick comes while a run of an earlier one is still open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ScheduleOverlap)]
pub enum Overlap {
    /// The tick is left out.
    #[default]
    Skip,
    /// Its run waits for the one before.
    Queue,
    /// Both run.
    Allow,
}

/// What happens to ticks that nobody was there for, being more than a minute late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ScheduleMissed)]
pub enum Missed {
    #[default]
    Skip,
    /// One run makes up for all of them.
    RunOnce,
    /// The last of them are made up for one by one, as many as `backfill` says.
    Backfill,
}

/// What became of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TickOutcome)]
pub enum Outcome {
    /// A run was accepted.
    Ran,
    /// A run of an earlier tick was still open.
    Skipped,
    /// Nobody was there for it.
    Missed,
    /// It was not allowed, or its target did not take it; `code` says why.
    Refused,
}

macro_rules! kept_as_words {
    ($($name:ident { $($variant:ident = $word:literal),+ })+) => {$(
        impl $name {
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl FromStr for $name {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(()) }
            }
        }
    )+};
}

kept_as_words! {
    State { Active = "active", Paused = "paused", Ended = "ended" }
    Overlap { Skip = "skip", Queue = "queue", Allow = "allow" }
    Missed { Skip = "skip", RunOnce = "run_once", Backfill = "backfill" }
    Outcome { Ran = "ran", Skipped = "skipped", Missed = "missed", Refused = "refused" }
}

#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) id: ScheduleId,
    pub(crate) org: OrgId,
    pub(crate) name: String,
    pub(crate) description: String,
    /// On whose authority it acts: whoever last said what it does.
    pub(crate) owner: PrincipalId,
    pub(crate) timing: Timing,
    pub(crate) time_zone: String,
    pub(crate) function: FunctionId,
    /// `namespace/name`
    pub(crate) function_name: String,
    pub(crate) input: Value,
    /// What it may do: run its function, and what its maker gave its runs besides.
    pub(crate) grant: Arc<Authority>,
    pub(crate) jitter_seconds: i64,
    pub(crate) overlap: Overlap,
    pub(crate) missed: Missed,
    pub(crate) backfill: i64,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) state: State,
    /// The tick that it waits for.
    pub(crate) next_at: Option<Timestamp>,
    /// When it acts on that: the tick and its jitter.
    pub(crate) due_at: Option<Timestamp>,
    /// The code of the last refusal, until a tick goes well.
    pub(crate) refusal: Option<String>,
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) revision: i64,
}

/// A tick that was seen to.
#[derive(Clone, Debug)]
pub(crate) struct Tick {
    /// From 1, without a gap.
    pub(crate) number: i64,
    pub(crate) tick: Timestamp,
    /// Of ticks that were left out together, the last.
    pub(crate) until: Option<Timestamp>,
    pub(crate) at: Timestamp,
    pub(crate) outcome: Outcome,
    pub(crate) run: Option<RunId>,
    pub(crate) code: Option<String>,
}

impl Schedule {
    pub(crate) fn object(&self) -> Object<'static> {
        let selector = self.id.to_string().into();
        Object { selector, owner: Some(self.owner.uuid()), ..Object::default() }
    }

    /// What policies may know of it.
    pub(crate) fn attributes(&self) -> Value {
        json!({ "name": self.name, "function": self.function_name, "owner": self.owner.to_string() })
    }

    pub(crate) fn ticks(&self) -> Result<Ticks, Unfit> {
        self.timing.ticks(&self.time_zone, self.created_at, self.starts_at, self.ends_at)
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing {
            trigger: TriggerId::Schedule(self.id),
            org: self.org,
            owner: self.owner,
            grant: self.grant.clone(),
        }
    }

    /// What its runs may do beside being run.
    pub(crate) fn permissions(&self) -> Vec<authority::Permission> {
        let target = format!("functions/{}:execute", self.function_name);
        self.grant.permissions().iter().filter(|held| held.to_string() != target).cloned().collect()
    }
}
