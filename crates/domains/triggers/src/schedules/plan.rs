//! What becomes of a tick that is due: it is on time, or it was missed – while no server ran, or because the clock jumped.

use types::Timestamp;

use super::model::Missed;
use super::timing::Ticks;

/// A tick that is later than this, and than its jitter may make it, was missed; in milliseconds.
const GRACE: i64 = 60_000;

/// What to do about the tick that a schedule waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The tick to run for; none, if it was missed and is left out.
    pub(crate) fire: Option<Timestamp>,
    /// The last of the ticks that are left out, if any are.
    pub(crate) left_out_until: Option<Timestamp>,
    /// What the schedule waits for then.
    pub(crate) next: Option<Timestamp>,
}

/// `jitter` in seconds.
pub(crate) fn plan(
    ticks: &Ticks,
    (missed, backfill): (Missed, i64),
    jitter: i64,
    tick: Timestamp,
    now: Timestamp,
) -> Plan {
    if now.millis() - tick.millis() <= GRACE + jitter * 1000 {
        return Plan { fire: Some(tick), left_out_until: None, next: ticks.after(tick) };
    }
    let last = ticks.until(now).unwrap_or(tick).max(tick);
    let fire = match missed {
        Missed::Skip => {
            return Plan { fire: None, left_out_until: Some(last), next: ticks.after(now) };
        }
        Missed::RunOnce => last,
        Missed::Backfill => oldest(ticks, tick, last, backfill),
    };
    let left_out_until =
        (fire > tick).then(|| ticks.until(Timestamp::from_millis(fire.millis() - 1))).flatten();
    Plan { fire: Some(fire), left_out_until, next: ticks.after(fire) }
}

/// The oldest of the last so many ticks, and none before the one that was waited for.
fn oldest(ticks: &Ticks, tick: Timestamp, last: Timestamp, most: i64) -> Timestamp {
    let mut oldest = last;
    for _ in 1..most {
        match ticks.until(Timestamp::from_millis(oldest.millis() - 1)) {
            Some(before) if before >= tick => oldest = before,
            _ => break,
        }
    }
    oldest
}

#[cfg(test)]
mod tests {
    use super::super::timing::Timing;
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-05-01T{text}Z").parse().unwrap()
    }

    fn hourly() -> Ticks {
        Timing::Cron("0 * * * *".into()).ticks("UTC", at("00:00:00"), None, None).unwrap()
    }

    #[test]
    fn on_time_is_up_to_a_minute_late() {
        for now in ["10:00:00", "10:00:59", "10:01:00"] {
            let plan = plan(&hourly(), (Missed::Skip, 0), 0, at("10:00:00"), at(now));
            assert_eq!(
                plan,
                Plan { fire: Some(at("10:00:00")), left_out_until: None, next: Some(at("11:00:00")) }
            );
        }
    }

    #[test]
    fn what_jitter_put_off_is_not_late() {
        let seen = |now| plan(&hourly(), (Missed::Skip, 0), 600, at("10:00:00"), at(now)).fire;
        assert_eq!(seen("10:11:00"), Some(at("10:00:00")));
        assert_eq!(seen("10:11:01"), None);
    }

    #[test]
    fn missed_ticks_are_skipped() {
        let plan = plan(&hourly(), (Missed::Skip, 0), 0, at("10:00:00"), at("13:30:00"));
        assert_eq!(
            plan,
            Plan { fire: None, left_out_until: Some(at("13:00:00")), next: Some(at("14:00:00")) }
        );
    }

    #[test]
    fn or_made_up_for_once() {
        let plan = plan(&hourly(), (Missed::RunOnce, 0), 0, at("10:00:00"), at("13:30:00"));
        let expected = Plan {
            fire: Some(at("13:00:00")),
            left_out_until: Some(at("12:00:00")),
            next: Some(at("14:00:00")),
        };
        assert_eq!(plan, expected);
    }

    #[test]
    fn or_the_last_of_them_one_by_one() {
        let (ticks, now) = (hourly(), at("13:30:00"));
        let mut tick = at("05:00:00");
        let mut fired = Vec::new();
        while tick <= now {
            let plan = plan(&ticks, (Missed::Backfill, 3), 0, tick, now);
            fired.extend(plan.fire);
            tick = plan.next.unwrap();
        }
        assert_eq!(fired, [at("11:00:00"), at("12:00:00"), at("13:00:00")]);
        let few = plan(&ticks, (Missed::Backfill, 100), 0, at("12:00:00"), now);
        assert_eq!(few.fire, Some(at("12:00:00")), "none that was not waited for");
    }

    #[test]
    fn a_month_of_seconds_is_not_counted_one_by_one() {
        let ticks = Timing::Cron("* * * * * *".into()).ticks("UTC", at("00:00:00"), None, None).unwrap();
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        let plan = plan(&ticks, (Missed::RunOnce, 0), 0, at("00:00:00"), now);
        assert_eq!(plan.fire, Some(now));
    }

    #[test]
    fn the_end_of_a_schedule_is_the_end_of_making_up() {
        let ends = Some(at("12:00:00"));
        let ticks = Timing::Cron("0 * * * *".into()).ticks("UTC", at("00:00:00"), None, ends).unwrap();
        let plan = plan(&ticks, (Missed::RunOnce, 0), 0, at("10:00:00"), at("20:00:00"));
        assert_eq!(
            plan,
            Plan { fire: Some(at("12:00:00")), left_out_until: Some(at("11:00:00")), next: None }
        );
    }
}
