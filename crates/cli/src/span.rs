//! Times on the command line: RFC 3339, or how long ago; and spans.

use std::time::Duration;

use types::{Timestamp, World};

use crate::failure::Failure;

/// `2026-11-01T09:30:00Z`, or `90s`, `15m`, `2h`, `7d` before now.
pub(crate) fn time(text: &str, world: &World) -> Result<String, Failure> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.to_string());
    }
    let ago = ago(text).ok_or_else(|| {
        Failure::usage(format!(
            "`{text}` is no time: write 2026-11-01T09:30:00Z, or 15m, 2h, 7d for how long ago."
        ))
    })?;
    Ok(world.now().minus(ago).to_string())
}

/// `90s`, `15m`, `2h`, `7d` as seconds.
pub(crate) fn seconds(text: &str) -> Result<i64, Failure> {
    let span = ago(text).and_then(|span| i64::try_from(span.as_secs()).ok());
    span.ok_or_else(|| Failure::usage(format!("`{text}` is no span: write 90s, 15m, 2h or 7d.")))
}

fn ago(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans_are_read() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604_800), ("0s", 0)] {
            assert_eq!(ago(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "h", "-1h", "1.5h", "1w", "99999999999999999999d", "1é"] {
            assert_eq!(ago(text), None, "{text}");
        }
        assert_eq!(seconds("2h").ok(), Some(7200));
        assert!(seconds("2").is_err() && seconds("-5s").is_err());
        let world = World::system();
        assert_eq!(
            time("2026-11-01T10:30:00+01:00", &world).ok().as_deref(),
            Some("2026-11-01T09:30:00.000Z")
        );
        assert!(time("yesterday", &world).is_err());
    }
}
