//! What of a content a read wants: `If-Match`, `If-None-Match`, `Range` and `If-Range` (RFC 9110 §13, §14). One range; of
//! several, or of another unit, nothing is understood, and the whole is answered, as the RFC allows.

use axum::http::{HeaderMap, header};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Whole,
    /// From the first to before the end, never empty.
    Part {
        start: u64,
        end: u64,
    },
    /// The reader has it: 304.
    Nothing,
    /// It is another content than the reader's: 412.
    Another,
    /// There is no such part: 416.
    Beyond,
}

/// What is wanted of a content of `size` bytes whose strong ETag is `tag`, with its quotes.
pub fn wanted(headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
    let names = |list: &str, weak: bool| {
        let bare = |one: &str| match weak {
            true => one.trim().trim_start_matches("W/") == tag,
            false => one.trim() == tag,
        };
        list == "*" || list.split(',').any(bare)
    };
    if text(header::IF_MATCH).is_some_and(|list| !names(list, false)) {
        return Wanted::Another;
    }
    if text(header::IF_NONE_MATCH).is_some_and(|list| names(list, true)) {
        return Wanted::Nothing;
    }
    if text(header::IF_RANGE).is_some_and(|one| one != tag) {
        return Wanted::Whole;
    }
    text(header::RANGE).and_then(|range| part(range, size)).unwrap_or(Wanted::Whole)
}

fn part(range: &str, size: u64) -> Option<Wanted> {
    let (unit, set) = range.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    // More digits than fit are further than anything reaches; signs are no digits.
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true if text.is_empty() => None,
        true => Some(text.parse::<u64>().unwrap_or(u64::MAX)),
        false => None,
    };
    let (start, end) = match (first, last) {
        ("", last) => (size.saturating_sub(number(last)?), if number(last)? == 0 { 0 } else { size }),
        (first, "") => (number(first)?, size),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            (first, last.saturating_add(1).min(size))
        }
    };
    Some(if start < end { Wanted::Part { start, end } } else { Wanted::Beyond })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(size: u64, pairs: &[(&'static str, &'static str)]) -> Wanted {
        let pairs = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        wanted(&pairs.collect(), "\"a\"", size)
    }

    #[test]
    fn one_range_is_cut_and_anything_else_is_the_whole() {
        let part = |start, end| Wanted::Part { start, end };
        for (range, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-", part(0, 10)),
            ("bytes=9-9", part(9, 10)),
            ("bytes=2-5", part(2, 6)),
            ("BYTES=2-500", part(2, 10)),
            ("bytes=-3", part(7, 10)),
            ("bytes=-300", part(0, 10)),
            ("bytes=0-99999999999999999999999", part(0, 10)),
            ("bytes=10-", Wanted::Beyond),
            ("bytes=10-12", Wanted::Beyond),
            ("bytes=99999999999999999999999-", Wanted::Beyond),
            ("bytes=-0", Wanted::Beyond),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("bytes", Wanted::Whole),
        ] {
            assert_eq!(of(10, &[("range", range)]), expected, "{range}");
        }
        assert_eq!(of(0, &[("range", "bytes=0-")]), Wanted::Beyond);
        assert_eq!(of(0, &[]), Wanted::Whole);
    }

    #[test]
    fn tags_decide_first() {
        assert_eq!(of(10, &[("if-none-match", "\"b\", W/\"a\"")]), Wanted::Nothing);
        assert_eq!(of(10, &[("if-none-match", "*")]), Wanted::Nothing);
        assert_eq!(of(10, &[("if-none-match", "\"b\"")]), Wanted::Whole);
        assert_eq!(of(10, &[("if-match", "\"b\"")]), Wanted::Another);
        assert_eq!(of(10, &[("if-match", "W/\"a\"")]), Wanted::Another);
        assert_eq!(
            of(10, &[("if-match", "\"a\""), ("range", "bytes=1-1")]),
            Wanted::Part { start: 1, end: 2 }
        );
        assert_eq!(of(10, &[("if-range", "\"b\""), ("range", "bytes=1-1")]), Wanted::Whole);
        assert_eq!(
            of(10, &[("if-range", "\"a\""), ("range", "bytes=1-1")]),
            Wanted::Part { start: 1, end: 2 }
        );
    }
}
