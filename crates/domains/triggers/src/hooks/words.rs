//! Paths and methods of hooks, as bodies write them and as requests are held against them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a path is not what it should be; shown to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(&'static str);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HookMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl HookMethod {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl FromStr for HookMethod {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.name() == text)
            .ok_or(())
    }
}

/// Where a hook answers: segments between slashes, each a word or `{a_parameter}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookPath(String);

const LONGEST: usize = 255;
const SEGMENTS: usize = 16;
/// Bytes of a segment of a request; longer ones belong to no hook.
const LONGEST_SEGMENT: usize = 1024;

impl HookPath {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same with one segment more.
    pub(crate) fn joined(&self, segment: &str) -> Result<Self, Unfit> {
        format!("{}/{segment}", self.0).parse()
    }

    /// Without its last segment: what is told of a path that is a secret.
    pub(crate) fn masked(&self) -> Self {
        let before = self.0.rsplit_once('/').map_or("", |(before, _)| before);
        Self(format!("{before}/…"))
    }

    fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.0.split('/').map(Segment::of)
    }

    /// The path with its parameters unnamed: two of one shape answer the same requests.
    pub(crate) fn shape(&self) -> String {
        let unnamed = |segment| match segment {
            Segment::Word(word) => word,
            Segment::Parameter(_) => "{}",
        };
        self.segments().map(unnamed).collect::<Vec<_>>().join("/")
    }

    /// The first segment, or nothing where that is a parameter.
    pub(crate) fn head(&self) -> &str {
        match self.segments().next() {
            Some(Segment::Word(word)) => word,
            _ => "",
        }
    }

    pub(crate) fn length(&self) -> usize {
        self.segments().count()
    }

    /// The values of the parameters, if the request's segments are of this path.
    pub(crate) fn matched(&self, request: &[String]) -> Option<BTreeMap<String, String>> {
        if self.length() != request.len() {
            return None;
        }
        let mut values = BTreeMap::new();
        for (segment, given) in self.segments().zip(request) {
            match segment {
                Segment::Word(word) if word == given => {}
                Segment::Word(_) => return None,
                Segment::Parameter(name) => {
                    values.insert(name.to_owned(), given.clone());
                }
            }
        }
        Some(values)
    }
}

/// Whether a request might be of both shapes.
pub(crate) fn overlap(left: &str, right: &str) -> bool {
    let alike = |(left, right): (&str, &str)| left == right || left == "{}" || right == "{}";
    left.split('/').count() == right.split('/').count() && left.split('/').zip(right.split('/')).all(alike)
}

/// The decoded segments of a request's path. None for what no hook answers: empty segments, `.` and `..`, control
/// characters, escapes that are no UTF-8. An escaped slash stays inside its segment.
pub(crate) fn segments_of(raw: &str) -> Option<Vec<String>> {
    let segments: Vec<&str> = raw.split('/').collect();
    if segments.len() > SEGMENTS {
        return None;
    }
    segments.into_iter().map(decoded).collect()
}

fn decoded(segment: &str) -> Option<String> {
    if segment.len() > LONGEST_SEGMENT {
        return None;
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        bytes.push(*hex::decode(digits).ok()?.first()?);
        rest = after;
    }
    let text = String::from_utf8(bytes).ok()?;
    let fits = !matches!(text.as_str(), "" | "." | "..") && !text.chars().any(char::is_control);
    fits.then_some(text)
}

enum Segment<'a> {
    Word(&'a str),
    Parameter(&'a str),
}

impl<'a> Segment<'a> {
    fn of(text: &'a str) -> Self {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Self::Parameter(name),
            None => Self::Word(text),
        }
    }
}

impl FromStr for HookPath {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        if text.is_empty() || text.len() > LONGEST || text.split('/').count() > SEGMENTS {
            return Err(Unfit("must have 1 to 255 characters in at most 16 segments"));
        }
        let mut names = Vec::new();
        for segment in text.split('/') {
            match Segment::of(segment) {
                Segment::Word(word) if is_word(word) => {}
                Segment::Word(_) => {
                    return Err(Unfit(
                        "must have segments of A-Z, a-z, 0-9, `.`, `_`, `~` and `-`, or `{parameters}`; no slash in front",
                    ));
                }
                Segment::Parameter(name) if !is_name(name) => {
                    return Err(Unfit("must name parameters with a-z, 0-9 and `_`, a letter first"));
                }
                Segment::Parameter(name) if names.contains(&name) => {
                    return Err(Unfit("must not name a parameter twice"));
                }
                Segment::Parameter(name) => names.push(name),
            }
        }
        Ok(Self(text.to_owned()))
    }
}

fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    !matches!(text, "" | "." | "..") && text.bytes().all(fits)
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= 63 && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(fits)
}

impl fmt::Display for HookPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for HookPath {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HookPath {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for HookPath {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(LONGEST))
            .into()
    }
}

impl ToSchema for HookPath {
    fn name() -> std::borrow::Cow<'static, str> {
        "HookPath".into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> HookPath {
        text.parse().unwrap()
    }

    #[test]
    fn paths_are_words_and_parameters() {
        for good in ["github", "a/b.c/~d", "repos/{owner}/{repo}", "{x}", "A-_/{a1_b}"] {
            assert!(good.parse::<HookPath>().is_ok(), "{good}");
        }
        let many = "a/".repeat(16) + "a";
        let long = "x".repeat(256);
        for bad in [
            "", "/a", "a/", "a//b", ".", "a/..", "a b", "é", "{}", "{A}", "{1}", "x{y}", "{a}/{a}", "a?b",
            "a%41", &many, &long,
        ] {
            assert!(bad.parse::<HookPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn requests_are_matched_segment_by_segment() {
        let matched = |text: &str, request: &str| path(text).matched(&segments_of(request)?);
        let values = matched("repos/{owner}/{repo}", "repos/me/a%2Fb").unwrap();
        assert_eq!((values["owner"].as_str(), values["repo"].as_str()), ("me", "a/b"));
        assert_eq!(matched("a", "%61"), Some(BTreeMap::new()));
        for (text, request) in [("a", "b"), ("a", "a/b"), ("a/{x}", "a"), ("a/b", "a%2Fb"), ("a", "A")] {
            assert_eq!(matched(text, request), None, "{text} {request}");
        }
    }

    #[test]
    fn what_climbs_or_hides_belongs_to_no_hook() {
        for bad in [
            "", "a/", "/a", "a//b", "..", "a/../b", "%2e%2e", "a/%2E", "a/%00", "a/%0d%0a", "%ff", "%", "%4",
            "%zz",
        ] {
            assert_eq!(segments_of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn shapes_overlap_where_one_request_is_of_both() {
        for (left, right, overlaps) in [
            ("a", "a", true),
            ("a/{x}", "a/b", true),
            ("{x}/b", "a/{y}", true),
            ("a/{x}", "b/{x}", false),
            ("a/{x}", "a", false),
            ("a/b/{x}", "a/{y}/c", true),
        ] {
            assert_eq!(overlap(&path(left).shape(), &path(right).shape()), overlaps, "{left} {right}");
        }
    }

    proptest! {
        #[test]
        fn any_request_is_read_or_refused(raw in ".{0,200}") {
            if let Some(segments) = segments_of(&raw) {
                prop_assert!(segments.iter().all(|segment| !segment.is_empty() && segment != ".."));
            }
        }

        #[test]
        fn what_two_paths_match_makes_them_overlap(
            left in proptest::collection::vec(0..3_usize, 1..4),
            right in proptest::collection::vec(0..3_usize, 1..4),
            request in "(a|b)(/(a|b)){0,2}",
        ) {
            let named = |kinds: &[usize]| {
                let segment = |(at, kind): (usize, &usize)| ["a".to_owned(), "b".to_owned(), format!("{{p{at}}}")][*kind].clone();
                kinds.iter().enumerate().map(segment).collect::<Vec<_>>().join("/")
            };
            let (left, right) = (named(&left), named(&right));
            let segments = segments_of(&request).unwrap();
            let both = path(&left).matched(&segments).is_some() && path(&right).matched(&segments).is_some();
            prop_assert!(!both || overlap(&path(&left).shape(), &path(&right).shape()));
        }
    }
}
