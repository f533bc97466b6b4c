//! Routes of a hook: which deliveries run its function, and what the function is then given.
//!
//! A language of two forms, both JSON. A test holds one place of the request against one value; a template is the input with
//! places filled in. Neither has loops, functions or patterns, so that both cost at most the request's size times what was
//! written down, and a template makes no more than a fixed multiple of what came in.

use std::borrow::Cow;
use std::cmp::Ordering;

use problem::{INPUT_INVALID, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::TriggerError;

/// Of one hook: routes, tests of them all, and the bytes of all that; of a template: values, and how deep it is.
const ROUTES: usize = 20;
const TESTS: usize = 100;
const BYTES: usize = 32 * 1024;
const PARTS: usize = 500;
const DEEPEST: usize = 20;
const POINTER: usize = 200;
/// What an input may be beyond twice what came in.
const ROOM: usize = 64 * 1024;

/// A way for a delivery: the first whose tests all hold is taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HookRoute)]
pub struct Route {
    /// All of them must hold; without any, every delivery goes this way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub when: Vec<Test>,
    /// The function's input: `{"$at": "/body/id"}` is what stands there, with `"$else"` for where nothing does, and
    /// `{"$text": "{/body/a} and {/body/b}"}` text with places filled in. As `input` says, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub transform: Option<Map<String, Value>>,
}

/// What one place of the request must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HookRouteTest)]
pub struct Test {
    /// JSON pointer (RFC 6901) into `method`, `path`, `path_params`, `query`, `headers` (in lower case) and `body`.
    #[schema(min_length = 2, max_length = 200)]
    pub at: String,
    pub is: Relation,
    /// What it is held against; nothing for `present`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// Holds where it else would not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookRouteRelation)]
pub enum Relation {
    /// Something stands there, if only null.
    Present,
    EqualTo,
    /// One of a list of values.
    OneOf,
    /// Text that holds this text, or a list that holds this value.
    Containing,
    BeginningWith,
    EndingWith,
    /// Numbers.
    AtLeast,
    AtMost,
}

/// The way that a delivery goes: its place in the list, none where a hook has no routes, and what its function is given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Way {
    pub(crate) route: Option<usize>,
    pub(crate) input: Value,
}

/// That routes are what they should be; errors point into the request.
pub(crate) fn check(routes: &[Route]) -> Result<(), TriggerError> {
    if routes.len() > ROUTES {
        return Err(TriggerError::invalid("/routes", format!("has more than {ROUTES} routes")));
    }
    if routes.iter().map(|route| route.when.len()).sum::<usize>() > TESTS {
        return Err(TriggerError::invalid("/routes", format!("has more than {TESTS} tests")));
    }
    // They are read with the hook at each delivery.
    if written(routes) > BYTES {
        return Err(TriggerError::invalid("/routes", "has more than 32 KB"));
    }
    for (index, route) in routes.iter().enumerate() {
        let place = format!("/routes/{index}");
        for (number, test) in route.when.iter().enumerate() {
            check_test(test).map_err(|(member, reason)| {
                TriggerError::invalid(format!("{place}/when/{number}/{member}"), reason)
            })?;
        }
        if let Some(template) = &route.transform {
            check_template(template, &format!("{place}/transform"))?;
        }
    }
    // What comes after a way for everything is never taken.
    let always = routes.iter().position(|route| route.when.is_empty());
    match always.filter(|index| index + 1 < routes.len()) {
        Some(index) => {
            let reason = format!("is never taken: every delivery goes the way of route {index}");
            Err(TriggerError::invalid(format!("/routes/{}", index + 1), reason))
        }
        None => Ok(()),
    }
}

fn check_test(test: &Test) -> Result<(), (&'static str, &'static str)> {
    check_pointer(&test.at).map_err(|reason| ("at", reason))?;
    let (fits, reason) = match test.is {
        Relation::Present => (test.value.is_null(), "belongs to no test of presence"),
        Relation::OneOf => (test.value.is_array(), "is a list of values"),
        Relation::BeginningWith | Relation::EndingWith => (test.value.is_string(), "is text"),
        Relation::AtLeast | Relation::AtMost => (test.value.is_number(), "is a number"),
        Relation::EqualTo | Relation::Containing => (true, ""),
    };
    if fits { Ok(()) } else { Err(("value", reason)) }
}

/// What a request has: a typing error in the first segment would make a test that never holds.
fn check_pointer(pointer: &str) -> Result<(), &'static str> {
    const PLACES: [&str; 6] = ["method", "path", "path_params", "query", "headers", "body"];
    let first = pointer.strip_prefix('/').and_then(|rest| rest.split('/').next());
    if !first.is_some_and(|first| PLACES.contains(&first)) || pointer.len() > POINTER {
        return Err(
            "is a JSON pointer that begins with /method, /path, /path_params, /query, /headers or /body",
        );
    }
    Ok(())
}

fn check_template(template: &Map<String, Value>, place: &str) -> Result<(), TriggerError> {
    let mut left = PARTS;
    check_members(template, place, DEEPEST, &mut left)
}

fn check_part(part: &Value, place: &str, depth: usize, left: &mut usize) -> Result<(), TriggerError> {
    *left = left
        .checked_sub(1)
        .ok_or_else(|| TriggerError::invalid(place, format!("is one of more than {PARTS} values")))?;
    match part {
        Value::Object(members) => check_members(members, place, depth, left),
        Value::Array(items) => {
            let depth = deeper(place, depth)?;
            let mut items = items.iter().enumerate();
            items.try_for_each(|(index, item)| check_part(item, &format!("{place}/{index}"), depth, left))
        }
        _ => Ok(()),
    }
}

fn check_members(
    members: &Map<String, Value>,
    place: &str,
    depth: usize,
    left: &mut usize,
) -> Result<(), TriggerError> {
    let depth = deeper(place, depth)?;
    if let Some(strange) = members.keys().find(|name| name.starts_with('$')) {
        return match Filled::of(members) {
            Some(Filled::Place { at, .. }) => {
                check_pointer(at).map_err(|reason| TriggerError::invalid(format!("{place}/$at"), reason))
            }
            Some(Filled::Text(text)) => pieces(text)
                .and_then(|pieces| {
                    pieces.iter().try_for_each(|piece| match piece {
                        Piece::At(at) => check_pointer(at),
                        Piece::Plain(_) => Ok(()),
                    })
                })
                .map_err(|reason| TriggerError::invalid(format!("{place}/$text"), reason)),
            None => {
                let reason =
                    "stands alone as `$at` (with `$else`, if you like) or `$text`, whose value is text";
                Err(TriggerError::invalid(format!("{place}/{strange}"), reason))
            }
        };
    }
    let mut members = members.iter();
    members.try_for_each(|(name, part)| {
        let name = name.replace('~', "~0").replace('/', "~1");
        check_part(part, &format!("{place}/{name}"), depth, left)
    })
}

fn deeper(place: &str, depth: usize) -> Result<usize, TriggerError> {
    depth
        .checked_sub(1)
        .ok_or_else(|| TriggerError::invalid(place, format!("is nested deeper than {DEEPEST}")))
}

/// What of a template is filled in.
enum Filled<'a> {
    Place { at: &'a str, otherwise: Option<&'a Value> },
    Text(&'a str),
}

impl<'a> Filled<'a> {
    fn of(members: &'a Map<String, Value>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        match (text("$at"), members.get("$else"), text("$text"), members.len()) {
            (Some(at), otherwise, None, count) if count == 1 + usize::from(otherwise.is_some()) => {
                Some(Self::Place { at, otherwise })
            }
            (None, None, Some(text), 1) => Some(Self::Text(text)),
            _ => None,
        }
    }
}

enum Piece<'a> {
    Plain(&'a str),
    At(&'a str),
}

/// `{/body/a}` is a place, `{{` and `}}` are braces.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(brace);
        found.push(Piece::Plain(before));
        if from.starts_with("{{") || from.starts_with("}}") {
            found.push(Piece::Plain(&from[..1]));
            rest = &from[2..];
            continue;
        }
        let place = from.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let (at, after) =
            place.ok_or("has a brace without its other; write {{ or }} for one that is text")?;
        found.push(Piece::At(at));
        rest = after;
    }
    found.push(Piece::Plain(rest));
    Ok(found)
}

/// Which way a delivery goes; none where every route declines it. `request` is an envelope, `input` what it is given as
/// `input` says, `size` how many bytes came in.
pub(crate) fn way(
    routes: &[Route],
    request: &Value,
    input: Value,
    size: usize,
) -> Result<Option<Way>, Problem> {
    if routes.is_empty() {
        return Ok(Some(Way { route: None, input }));
    }
    let Some((index, route)) =
        routes.iter().enumerate().find(|(_, route)| route.when.iter().all(|test| test.holds(request)))
    else {
        return Ok(None);
    };
    let input = match &route.transform {
        None => input,
        Some(template) => {
            let mut filling = Filling { request, left: size.saturating_mul(2).saturating_add(ROOM) };
            filling.members(template)?.unwrap_or(Value::Null)
        }
    };
    Ok(Some(Way { route: Some(index), input }))
}

/// A route that a delivery does not go, and its first test that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = HookRouteDeclined)]
pub struct Declined {
    pub route: usize,
    pub test: usize,
}

pub(crate) fn declined(routes: &[Route], request: &Value) -> Vec<Declined> {
    let failing = |route: &Route| route.when.iter().position(|test| !test.holds(request));
    let each = routes.iter().enumerate().map(|(index, route)| (index, failing(route)));
    each.map_while(|(route, test)| Some(Declined { route, test: test? })).collect()
}

impl Test {
    fn holds(&self, request: &Value) -> bool {
        let found = request.pointer(&self.at);
        found.is_some_and(|found| self.is.holds(found, &self.value)) != self.not
    }
}

impl Relation {
    fn holds(self, found: &Value, value: &Value) -> bool {
        let texts = || Some((found.as_str()?, value.as_str()?));
        match self {
            Self::Present => true,
            Self::EqualTo => is_same(found, value),
            Self::OneOf => value.as_array().is_some_and(|some| some.iter().any(|one| is_same(found, one))),
            Self::Containing => match found {
                Value::Array(items) => items.iter().any(|item| is_same(item, value)),
                _ => texts().is_some_and(|(text, part)| text.contains(part)),
            },
            Self::BeginningWith => texts().is_some_and(|(text, part)| text.starts_with(part)),
            Self::EndingWith => texts().is_some_and(|(text, part)| text.ends_with(part)),
            Self::AtLeast => compared(found, value).is_some_and(Ordering::is_ge),
            Self::AtMost => compared(found, value).is_some_and(Ordering::is_le),
        }
    }
}

/// As JSON Schema has it: 1 and 1.0 are the same number. Text is no number.
fn is_same(one: &Value, other: &Value) -> bool {
    one == other || compared(one, other).is_some_and(Ordering::is_eq)
}

fn compared(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (whole(one), whole(other)) {
            (Some(one), Some(other)) => Some(one.cmp(&other)),
            _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
        },
        _ => None,
    }
}

fn whole(number: &serde_json::Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// A template being filled in; `left` is how many bytes it may still make.
struct Filling<'a> {
    request: &'a Value,
    left: usize,
}

impl Filling<'_> {
    /// None where a place has nothing: the member or item is left out.
    fn part(&mut self, part: &Value) -> Result<Option<Value>, Problem> {
        match part {
            Value::Object(members) => self.members(members),
            Value::Array(items) => {
                let mut made = Vec::with_capacity(items.len());
                for item in items {
                    made.extend(self.part(item)?);
                }
                Ok(Some(Value::Array(made)))
            }
            plain => self.take(plain).map(Some),
        }
    }

    fn members(&mut self, members: &Map<String, Value>) -> Result<Option<Value>, Problem> {
        match Filled::of(members) {
            Some(Filled::Place { at, otherwise }) => match self.request.pointer(at).or(otherwise) {
                Some(found) => self.take(found).map(Some),
                None => Ok(None),
            },
            Some(Filled::Text(text)) => self.text(text).map(Some),
            None => {
                let mut made = Map::new();
                for (name, part) in members {
                    if let Some(part) = self.part(part)? {
                        made.insert(name.clone(), part);
                    }
                }
                Ok(Some(Value::Object(made)))
            }
        }
    }

    /// What is no text stands as JSON writes it; nothing, where nothing is.
    fn text(&mut self, text: &str) -> Result<Value, Problem> {
        let mut made = String::new();
        for piece in pieces(text).map_err(Problem::internal)? {
            let found = match piece {
                Piece::Plain(text) => Cow::Borrowed(text),
                Piece::At(at) => match self.request.pointer(at) {
                    None => continue,
                    Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
                    Some(other) => Cow::Owned(other.to_string()),
                },
            };
            // As it will stand in the input: quotes of JSON within text have marks of their own.
            self.spend(written(&*found))?;
            made.push_str(&found);
        }
        Ok(Value::String(made))
    }

    fn take(&mut self, value: &Value) -> Result<Value, Problem> {
        self.spend(written(value))?;
        Ok(value.clone())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Problem> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| {
            let detail = "The hook's transform makes far more of the delivery than was sent.";
            Problem::new(&INPUT_INVALID, detail)
        })?;
        Ok(())
    }
}

/// How many bytes JSON writes it with.
fn written<T: Serialize + ?Sized>(value: &T) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).map_or(usize::MAX, |()| counter.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn request() -> Value {
        json!({
            "method": "POST", "path": "in/7", "path_params": { "shop": "7" }, "query": { "dry": "1" },
            "headers": { "x-github-event": "issues" },
            "body": {
                "action": "opened", "number": 7, "ratio": 1.0, "none": null, "labels": ["bug", "ui"],
                "issue": { "title": "It {broke}", "url": "https://example.com/7" }, "a/b": 1,
            },
        })
    }

    fn route(when: Value) -> Route {
        serde_json::from_value(json!({ "when": when })).unwrap()
    }

    fn made(template: Value) -> Result<Value, &'static str> {
        let routes = [Route { when: Vec::new(), transform: template.as_object().cloned() }];
        check(&routes).unwrap();
        let way = way(&routes, &request(), Value::Null, 100);
        way.map(|way| way.unwrap().input).map_err(|problem| problem.code().name)
    }

    #[test]
    fn a_test_holds_one_place_against_one_value() {
        for (at, is, value, holds) in [
            ("/body/action", "equal_to", json!("opened"), true),
            ("/body/action", "equal_to", json!("closed"), false),
            ("/body/number", "equal_to", json!(7.0), true),
            ("/body/number", "equal_to", json!("7"), false),
            ("/body/ratio", "equal_to", json!(1), true),
            ("/body/none", "equal_to", json!(null), true),
            ("/body/nowhere", "equal_to", json!(null), false),
            ("/body/none", "present", json!(null), true),
            ("/body/nowhere", "present", json!(null), false),
            ("/body/a~1b", "present", json!(null), true),
            ("/body/labels/1", "equal_to", json!("ui"), true),
            ("/body/action", "one_of", json!(["closed", "opened"]), true),
            ("/body/action", "one_of", json!([]), false),
            ("/headers/x-github-event", "one_of", json!(["issues"]), true),
            ("/body/labels", "containing", json!("bug"), true),
            ("/body/labels", "containing", json!("bu"), false),
            ("/body/issue/title", "containing", json!("broke"), true),
            ("/body/number", "containing", json!(7), false),
            ("/body/issue/url", "beginning_with", json!("https://"), true),
            ("/body/issue/url", "ending_with", json!("/8"), false),
            ("/body/number", "at_least", json!(7), true),
            ("/body/number", "at_least", json!(7.5), false),
            ("/body/number", "at_most", json!(7), true),
            ("/body/action", "at_most", json!(7), false),
            ("/path_params/shop", "equal_to", json!("7"), true),
            ("/query/dry", "equal_to", json!("1"), true),
            ("/method", "equal_to", json!("POST"), true),
        ] {
            let told = json!({ "at": at, "is": is, "value": value });
            let mut test: Test = serde_json::from_value(told.clone()).unwrap();
            assert_eq!(check_test(&test), Ok(()), "{told}");
            assert_eq!(test.holds(&request()), holds, "{told}");
            test.not = true;
            assert_ne!(test.holds(&request()), holds, "not {told}");
        }
    }

    #[test]
    fn the_first_route_whose_tests_all_hold_is_taken() {
        let is = |value: &str| json!({ "at": "/body/action", "is": "equal_to", "value": value });
        let issue = json!({ "at": "/body/issue", "is": "present" });
        let taken =
            |routes: &[Route]| way(routes, &request(), json!("as it came"), 10).unwrap().map(|way| way.route);
        assert_eq!(taken(&[]), Some(None));
        assert_eq!(
            taken(&[route(json!([is("closed")])), route(json!([is("opened"), issue]))]),
            Some(Some(1))
        );
        assert_eq!(taken(&[route(json!([issue, is("closed")]))]), None);
        let two = [route(json!([issue, is("closed")])), route(json!([issue])), route(json!([is("closed")]))];
        assert_eq!(declined(&two, &request()), [Declined { route: 0, test: 1 }]);
        assert_eq!(taken(&[route(json!([is("closed")])), route(json!([]))]), Some(Some(1)));
        let kept = way(&[route(json!([]))], &request(), json!("as it came"), 10).unwrap().unwrap();
        assert_eq!(kept.input, "as it came");
    }

    #[test]
    fn a_template_is_the_input_with_places_filled_in() {
        for (template, expected) in [
            (json!({ "n": { "$at": "/body/number" }, "by": "us" }), json!({ "n": 7, "by": "us" })),
            (json!({ "$at": "/body/labels" }), json!(["bug", "ui"])),
            (json!({ "$at": "/body/nowhere" }), json!(null)),
            (json!({ "a": { "$at": "/body/nowhere" }, "b": 1 }), json!({ "b": 1 })),
            (json!({ "a": { "$at": "/body/nowhere", "$else": [0] } }), json!({ "a": [0] })),
            (json!({ "a": { "$at": "/body/none", "$else": 1 } }), json!({ "a": null })),
            (
                json!({ "a": [{ "$at": "/body/nowhere" }, 1, { "$at": "/method" }] }),
                json!({ "a": [1, "POST"] }),
            ),
            (
                json!({ "a": { "$text": "{/headers/x-github-event} #{/body/number}: {/body/issue/title}{/body/x} {{}}" } }),
                json!({ "a": "issues #7: It {broke} {}" }),
            ),
            (json!({ "a": { "$text": "{/body/labels}" } }), json!({ "a": "[\"bug\",\"ui\"]" })),
        ] {
            assert_eq!(made(template.clone()), Ok(expected), "{template}");
        }
    }

    #[test]
    fn a_template_makes_no_mountain_of_a_molehill() {
        let body = json!({ "body": { "long": "x".repeat(50_000) } });
        let many: Vec<Value> = (0..100).map(|_| json!({ "$at": "/body/long" })).collect();
        let routes = [Route { when: Vec::new(), transform: json!({ "all": many }).as_object().cloned() }];
        check(&routes).unwrap();
        let refused = way(&routes, &body, Value::Null, 50_000).unwrap_err();
        assert_eq!(refused.code().name, "input_invalid");
        // What JSON writes longer than it came counts as it is written.
        let control = json!({ "body": { "long": "\u{1}".repeat(50_000) } });
        let once =
            [Route { when: Vec::new(), transform: json!({ "$text": "{/body}" }).as_object().cloned() }];
        assert_eq!(way(&once, &control, Value::Null, 50_000).unwrap_err().code().name, "input_invalid");
        let text: String = (0..100).map(|_| "{/body/long}").collect();
        let routes = [Route { when: Vec::new(), transform: json!({ "$text": text }).as_object().cloned() }];
        assert_eq!(way(&routes, &body, Value::Null, 50_000).unwrap_err().code().name, "input_invalid");
    }

    #[test]
    fn what_is_no_route_is_refused_by_its_place() {
        let deep = (0..21).fold(json!(1), |inner, _| json!({ "x": inner }));
        let many: Vec<Value> = vec![json!(1); 501];
        let test =
            |at: &str, is: &str, value: Value| json!([{ "when": [{ "at": at, "is": is, "value": value }] }]);
        for (routes, field) in [
            (test("body/action", "present", json!(null)), "/routes/0/when/0/at"),
            (test("/bodi/action", "present", json!(null)), "/routes/0/when/0/at"),
            (test("/", "present", json!(null)), "/routes/0/when/0/at"),
            (test("/body", "present", json!(1)), "/routes/0/when/0/value"),
            (test("/body", "one_of", json!("a")), "/routes/0/when/0/value"),
            (test("/body", "at_least", json!("1")), "/routes/0/when/0/value"),
            (test("/body", "ending_with", json!(1)), "/routes/0/when/0/value"),
            (test("/body", "equal_to", json!("x".repeat(33_000))), "/routes"),
            (json!([{}, { "when": [] }]), "/routes/1"),
            (json!([{ "transform": { "a": { "$at": "/else" } } }]), "/routes/0/transform/a/$at"),
            (json!([{ "transform": { "a": { "$at": "/body", "b": 1 } } }]), "/routes/0/transform/a/$at"),
            (json!([{ "transform": { "$run": "x" } }]), "/routes/0/transform/$run"),
            (json!([{ "transform": { "$at": 1 } }]), "/routes/0/transform/$at"),
            (json!([{ "transform": { "a/b": { "$text": "{/body" } } }]), "/routes/0/transform/a~1b/$text"),
            (json!([{ "transform": { "a": { "$text": "}" } } }]), "/routes/0/transform/a/$text"),
            (json!([{ "transform": { "a": { "$text": "{body}" } } }]), "/routes/0/transform/a/$text"),
            (json!([{ "transform": { "a": "x".repeat(33_000) } }]), "/routes"),
            (json!([{ "when": vec![json!({ "at": "/body", "is": "present" }); 101] }]), "/routes"),
            (json!([{ "transform": { "all": many } }]), "/routes/0/transform/all/499"),
            (json!([{ "transform": deep }]), "/routes/0/transform/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x"),
            (json!(vec![json!({ "when": [{ "at": "/body", "is": "present" }] }); 21]), "/routes"),
        ] {
            let read: Vec<Route> = serde_json::from_value(routes.clone()).unwrap();
            let Err(TriggerError::Invalid { field: found, .. }) = check(&read) else { panic!("{routes}") };
            assert_eq!(found, field, "{routes}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z/~{}$]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let name = prop_oneof!["[a-c$]{0,3}", Just("$at".to_owned()), Just("$text".to_owned())];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// What was let in can be filled in, whatever comes, and never makes more than its measure.
        #[test]
        fn whatever_is_let_in_stays_within_bounds(template in any_json(), body in any_json()) {
            let Value::Object(template) = template else { return Ok(()) };
            let routes = [Route { when: Vec::new(), transform: Some(template) }];
            if check(&routes).is_ok() {
                let request = json!({ "body": body });
                let size = request.to_string().len();
                if let Ok(way) = way(&routes, &request, Value::Null, size) {
                    let made = way.unwrap().input.to_string().len();
                    prop_assert!(made <= 2 * size + ROOM + BYTES, "{made} of {size}");
                }
            }
        }
    }
}
