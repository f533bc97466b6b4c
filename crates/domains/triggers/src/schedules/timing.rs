//! When a schedule ticks: by a cron pattern read in its own time zone, at an interval, or once.
//!
//! Where a clock goes forward, a tick in the hour that is left out comes at the first moment after it. Where one goes back,
//! a pattern of fixed times ticks in the first of the two hours alone, and one with a wildcard in both (as Vixie cron has it).

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Zoned;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use types::Timestamp;
use utoipa::ToSchema;

/// When a schedule ticks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ScheduleTiming", into = "ScheduleTiming")]
pub enum Timing {
    Cron(String),
    /// Seconds between two ticks.
    Every(i64),
    Once(Timestamp),
}

/// Exactly one of these.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleTiming {
    /// Five fields (minute, hour, day of month, month, day of week), six with seconds in front, or `@hourly`, `@daily`,
    /// `@weekly`, `@monthly`, `@yearly`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub cron: Option<String>,
    /// Seconds between two ticks, counted from `starts_at` or from when the schedule was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub every_seconds: Option<i64>,
    /// Once, at this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl TryFrom<ScheduleTiming> for Timing {
    type Error = &'static str;
    fn try_from(written: ScheduleTiming) -> Result<Self, Self::Error> {
        match written {
            ScheduleTiming { cron: Some(pattern), every_seconds: None, at: None } => Ok(Self::Cron(pattern)),
            ScheduleTiming { cron: None, every_seconds: Some(seconds), at: None } => Ok(Self::Every(seconds)),
            ScheduleTiming { cron: None, every_seconds: None, at: Some(at) } => Ok(Self::Once(at)),
            _ => Err("a timing is exactly one of `cron`, `every_seconds` and `at`"),
        }
    }
}

impl From<Timing> for ScheduleTiming {
    fn from(timing: Timing) -> Self {
        match timing {
            Timing::Cron(pattern) => Self { cron: Some(pattern), ..Self::default() },
            Timing::Every(seconds) => Self { every_seconds: Some(seconds), ..Self::default() },
            Timing::Once(at) => Self { at: Some(at), ..Self::default() },
        }
    }
}

/// A timing that was understood.
#[derive(Clone, Debug)]
pub(crate) struct Ticks {
    pattern: Pattern,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Pattern {
    Cron { cron: Box<Cron>, zone: TimeZone },
    Every { millis: i64, anchor: Timestamp },
    Once(Timestamp),
}

/// Which field is not understood, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) field: &'static str,
    pub(crate) reason: String,
}

impl Timing {
    /// `zone` is an IANA name; `anchor` is where intervals are counted from without `starts_at`.
    pub(crate) fn ticks(
        &self,
        zone: &str,
        anchor: Timestamp,
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
    ) -> Result<Ticks, Unfit> {
        let zone = time_zone(zone)?;
        if let (Some(start), Some(end)) = (starts_at, ends_at)
            && end <= start
        {
            return Err(Unfit { field: "/ends_at", reason: "must come after `starts_at`".into() });
        }
        let pattern = match self {
            Self::Cron(text) => Pattern::Cron { cron: Box::new(cron(text)?), zone },
            Self::Every(seconds) => Pattern::Every {
                millis: seconds.saturating_mul(1000).max(1000),
                anchor: starts_at.unwrap_or(anchor),
            },
            Self::Once(at) => Pattern::Once(*at),
        };
        Ok(Ticks { pattern, starts_at, ends_at })
    }

    /// As the ledger tells it: `cron 0 9 * * MON-FRI`.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Cron(text) => format!("cron {text}"),
            Self::Every(seconds) => format!("every {seconds} s"),
            Self::Once(at) => format!("at {at}"),
        }
    }
}

impl Ticks {
    /// The first tick after this moment; none when the schedule is over.
    pub(crate) fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        let before_start =
            self.starts_at.map(|start| Timestamp::from_millis(start.millis().saturating_sub(1)));
        let from = before_start.map_or(moment, |start| start.max(moment));
        let next = match &self.pattern {
            Pattern::Cron { cron, zone } => {
                let from = zoned(from, zone)?;
                stamp(&cron.find_next_occurrence(&from, false).ok()?)
            }
            Pattern::Every { millis, anchor } => {
                let passed = from.millis().saturating_sub(anchor.millis());
                let steps = if passed < 0 { 0 } else { passed.div_euclid(*millis).saturating_add(1) };
                Timestamp::from_millis(anchor.millis().saturating_add(steps.saturating_mul(*millis)))
            }
            Pattern::Once(at) => Some(*at).filter(|at| *at > from)?,
        };
        Some(next).filter(|next| self.ends_at.is_none_or(|end| *next <= end))
    }

    /// The last tick at or before this moment.
    pub(crate) fn until(&self, moment: Timestamp) -> Option<Timestamp> {
        let until = self.ends_at.map_or(moment, |end| end.min(moment));
        let last = match &self.pattern {
            Pattern::Cron { cron, zone } => {
                let until = zoned(until, zone)?;
                stamp(&cron.find_previous_occurrence(&until, true).ok()?)
            }
            Pattern::Every { millis, anchor } => {
                let passed = until.millis().saturating_sub(anchor.millis());
                let steps = (passed >= 0).then(|| passed.div_euclid(*millis))?;
                Timestamp::from_millis(anchor.millis().saturating_add(steps.saturating_mul(*millis)))
            }
            Pattern::Once(at) => Some(*at).filter(|at| *at <= until)?,
        };
        Some(last).filter(|last| self.starts_at.is_none_or(|start| *last >= start))
    }

    /// The next ones, at most so many.
    pub(crate) fn next(&self, after: Timestamp, most: usize) -> Vec<Timestamp> {
        std::iter::successors(self.after(after), |tick| self.after(*tick)).take(most).collect()
    }
}

fn time_zone(name: &str) -> Result<TimeZone, Unfit> {
    TimeZone::get(name).map_err(|_| Unfit {
        field: "/time_zone",
        reason: "must be a name of the IANA time zone database, such as `Europe/Berlin` or `UTC`".into(),
    })
}

fn cron(text: &str) -> Result<Cron, Unfit> {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| Unfit {
        field: "/timing/cron",
        reason: format!("is no cron pattern of five or six fields: {error}"),
    })
}

/// Cron knows whole seconds; what is between two of them lies after the first.
fn zoned(moment: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let second = jiff::Timestamp::from_second(moment.seconds()).ok()?;
    Some(second.to_zoned(zone.clone()))
}

fn stamp(zoned: &Zoned) -> Timestamp {
    Timestamp::from_millis(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn cron_in(zone: &str, pattern: &str) -> Ticks {
        Timing::Cron(pattern.into()).ticks(zone, at("2026-01-01T00:00:00Z"), None, None).unwrap()
    }

    fn five(ticks: &Ticks, after: &str) -> Vec<String> {
        ticks.next(at(after), 5).iter().map(|tick| tick.to_string().replace(".000Z", "Z")).collect()
    }

    /// What each zone's own clock says, from the zone database: forward on 2026-03-29 01:00 UTC in Berlin and back on
    /// 2026-10-25 01:00 UTC; forward on 2026-03-08 07:00 UTC in New York and back on 2026-11-01 06:00 UTC; by half an hour
    /// on Lord Howe.
    #[test]
    fn clocks_that_go_forward_and_back() {
        let table: [(&str, &str, &str, [&str; 3]); 9] = [
            // Every day at nine: the hour in UTC moves.
            (
                "Europe/Berlin",
                "0 9 * * *",
                "2026-03-28T00:00:00Z",
                ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"],
            ),
            // 02:30 is left out on that day: the first moment after the gap.
            (
                "Europe/Berlin",
                "30 2 * * *",
                "2026-03-28T02:00:00Z",
                ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"],
            ),
            // 02:30 comes twice: only the first time.
            (
                "Europe/Berlin",
                "30 2 * * *",
                "2026-10-24T12:00:00Z",
                ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"],
            ),
            // Every hour means every hour.
            (
                "Europe/Berlin",
                "30 * * * *",
                "2026-10-25T00:00:00Z",
                ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],
            ),
            (
                "America/New_York",
                "30 2 * * *",
                "2026-03-07T12:00:00Z",
                ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z"],
            ),
            (
                "America/New_York",
                "30 1 * * *",
                "2026-10-31T12:00:00Z",
                ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z", "2026-11-03T06:30:00Z"],
            ),
            (
                "Australia/Lord_Howe",
                "0 6 * * *",
                "2026-10-02T22:00:00Z",
                ["2026-10-03T19:00:00Z", "2026-10-04T19:00:00Z", "2026-10-05T19:00:00Z"],
            ),
            // No clock moves here, and the zone is no whole hour away.
            (
                "Asia/Kathmandu",
                "0 0 * * *",
                "2026-03-28T00:00:00Z",
                ["2026-03-28T18:15:00Z", "2026-03-29T18:15:00Z", "2026-03-30T18:15:00Z"],
            ),
            (
                "UTC",
                "*/30 2 * * *",
                "2026-03-29T00:00:00Z",
                ["2026-03-29T02:00:00Z", "2026-03-29T02:30:00Z", "2026-03-30T02:00:00Z"],
            ),
        ];
        for (zone, pattern, after, expected) in table {
            let ticks = cron_in(zone, pattern);
            assert_eq!(five(&ticks, after)[..3], expected, "{zone} {pattern} after {after}");
        }
    }

    #[test]
    fn what_came_last_is_what_comes_next_seen_from_behind() {
        for (zone, pattern) in [
            ("Europe/Berlin", "30 2 * * *"),
            ("Europe/Berlin", "*/20 * * * *"),
            ("America/New_York", "0 1,2,3 * * *"),
            ("UTC", "0 0 29 2 *"),
            ("Asia/Tokyo", "15 10 L * *"),
            ("Europe/Berlin", "0 9 * * MON#2"),
        ] {
            let ticks = cron_in(zone, pattern);
            let mut moment = at("2026-01-15T00:00:00Z");
            for _ in 0..400 {
                let next = ticks.after(moment).unwrap();
                assert!(next > moment);
                assert_eq!(ticks.until(next), Some(next), "{zone} {pattern} {next}");
                moment = next;
            }
        }
    }

    #[test]
    fn intervals_are_counted_from_where_they_begin() {
        let made = at("2026-01-01T00:00:00Z");
        let ticks = Timing::Every(90).ticks("UTC", made, None, None).unwrap();
        assert_eq!(
            five(&ticks, "2026-01-01T00:00:00Z")[..2],
            ["2026-01-01T00:01:30Z", "2026-01-01T00:03:00Z"]
        );
        assert_eq!(ticks.until(at("2026-01-01T00:04:29Z")), Some(at("2026-01-01T00:03:00Z")));
        let later = at("2026-02-01T00:00:30Z");
        let ticks = Timing::Every(90).ticks("UTC", made, Some(later), None).unwrap();
        assert_eq!(ticks.after(made), Some(later), "the first tick is the start");
        assert_eq!(ticks.after(later), Some(at("2026-02-01T00:02:00Z")));
        assert_eq!(ticks.until(at("2026-01-31T00:00:00Z")), None);
    }

    #[test]
    fn a_schedule_ends() {
        let ends = Some(at("2026-01-01T00:02:00Z"));
        let ticks =
            Timing::Cron("* * * * *".into()).ticks("UTC", at("2026-01-01T00:00:00Z"), None, ends).unwrap();
        assert_eq!(five(&ticks, "2026-01-01T00:00:00Z"), ["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"]);
        assert_eq!(ticks.until(at("2026-01-02T00:00:00Z")), ends);
        let once = Timing::Once(at("2026-05-01T12:00:00Z"))
            .ticks("UTC", at("2026-01-01T00:00:00Z"), None, None)
            .unwrap();
        assert_eq!(five(&once, "2026-01-01T00:00:00Z"), ["2026-05-01T12:00:00Z"]);
        assert_eq!(once.after(at("2026-05-01T12:00:00Z")), None);
    }

    #[test]
    fn what_is_not_understood_is_said_by_field() {
        let refused = |timing: Timing, zone: &str| {
            timing.ticks(zone, at("2026-01-01T00:00:00Z"), None, None).unwrap_err().field
        };
        for bad in [
            "",
            "* * * *",
            "61 * * * *",
            "* * * * * * *",
            "every day",
            "@never",
            "* * * * * \u{0}",
            "1-0 * * * *",
        ] {
            assert_eq!(refused(Timing::Cron(bad.into()), "UTC"), "/timing/cron", "{bad:?}");
        }
        for bad in ["", "Mars/Olympus", "CET-1CEST", "../../etc/passwd", "+01:00"] {
            assert_eq!(refused(Timing::Every(60), bad), "/time_zone", "{bad:?}");
        }
        let (early, late) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
        let backwards = Timing::Every(60).ticks("UTC", early, Some(late), Some(early));
        assert_eq!(backwards.unwrap_err().field, "/ends_at");
        for good in ["@daily", "@hourly", "*/5 * * * * *", "0 9 * * MON-FRI", "0 0 1 JAN *", "0 0 * * 7"] {
            assert!(Timing::Cron(good.into()).ticks("UTC", early, None, None).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_day_that_never_comes_gives_up() {
        assert_eq!(cron_in("Europe/Berlin", "0 0 30 2 *").after(at("2026-01-01T00:00:00Z")), None);
        assert_eq!(cron_in("Europe/Berlin", "0 0 31 4,6,9,11 *").until(at("2026-01-01T00:00:00Z")), None);
    }
}
