//! The tables in `cases/`: one line, one case. A failing case names itself; all failures of a table are shown.

use safeconduct_authority::{
    Authority, Decision, Hop, Permission, Refusal, Relation, Required, Selector, decide,
};

#[test]
fn permissions_are_read_and_written_in_canonical_form() {
    each("parse.txt", include_str!("cases/parse.txt"), |case| {
        let (text, expected) = case.split_once("=> ").ok_or("no `=> `")?;
        let text = text.strip_suffix(' ').unwrap_or(text);
        let answer = text.parse::<Permission>();
        match (answer, expected.strip_prefix("! ")) {
            (Ok(permission), None) => same(&permission.to_string(), expected),
            (Err(error), Some(part)) if error.to_string().contains(part) => Ok(()),
            (answer, _) => Err(format!("{answer:?}")),
        }
    });
}

#[test]
fn a_permission_covers_what_it_says() {
    each("covers.txt", include_str!("cases/covers.txt"), |case| {
        let [held, word, asked] = case.split(' ').collect::<Vec<_>>()[..] else {
            return Err("three words".into());
        };
        let (held, asked): (Permission, Permission) = (parse(held)?, parse(asked)?);
        same(if held.covers(&asked) { "covers" } else { "misses" }, word)?;
        same(&asked.is_subset_of(&held).to_string(), &held.covers(&asked).to_string())?;
        let alone: Authority = [held].into_iter().collect();
        same(if alone.covers(&asked) { "covers" } else { "misses" }, word)
    });
}

#[test]
fn a_set_covers_and_is_written_out_without_what_others_cover() {
    each("sets.txt", include_str!("cases/sets.txt"), |case| {
        let [held, word, asked] = case.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            return Err("three parts".into());
        };
        let authority: Authority = parse(held)?;
        if word == "is" {
            return same(&authority.to_scope_string(), asked);
        }
        same(if parse::<Authority>(asked)?.is_subset_of(&authority) { "covers" } else { "misses" }, word)
    });
}

#[test]
fn sets_meet_in_what_both_allow() {
    each("meets.txt", include_str!("cases/meets.txt"), |case| {
        let (sets, expected) = case.split_once('=').ok_or("no `=`")?;
        let (left, right) = sets.split_once('&').ok_or("no `&`")?;
        let (left, right): (Authority, Authority) = (parse(left.trim())?, parse(right.trim())?);
        same(&left.intersect(&right).to_scope_string(), expected.trim())
    });
}

#[test]
fn every_hop_and_the_scope_must_allow() {
    each("decisions.txt", include_str!("cases/decisions.txt"), |case| {
        let [chain, scope, asked, expected] = case.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            return Err("four parts".into());
        };
        let hops = chain.split(';').map(hop).collect::<Result<Vec<_>, _>>()?;
        let hops: Vec<Hop<'_>> =
            hops.iter().map(|(relation, authority)| Hop { authority, relation: *relation }).collect();
        let scope = if scope == "-" { None } else { Some(parse::<Authority>(scope)?) };
        let (required, object) = asked.split_once(' ').ok_or("no object")?;
        let required = Required::parse(required.to_owned().leak());
        let object = match object {
            "every" => Selector::every(),
            path => Selector::object(path.split('/')).map_err(|error| error.to_string())?,
        };
        let outcome = match decide(&hops, scope.as_ref(), &required, &object) {
            Decision::Allowed => "allowed".to_owned(),
            Decision::Refused(Refusal::Hop(at)) => format!("hop {at}"),
            Decision::Refused(Refusal::Scope) => "scope".to_owned(),
            Decision::Refused(Refusal::Nobody) => "nobody".to_owned(),
        };
        same(&outcome, expected)
    });
}

#[test]
fn an_empty_chain_is_refused() {
    let required = Required::parse("agents:read");
    let all: Authority = "*:*".parse().unwrap();
    let decision = decide(&[], Some(&all), &required, &Selector::every());
    assert_eq!(decision, Decision::Refused(Refusal::Nobody));
}

#[test]
fn an_overlong_permission_is_refused() {
    let text = format!("state/{}:read", "a".repeat(1_100));
    assert!(text.parse::<Permission>().unwrap_err().to_string().contains("at most 1024"));
}

#[test]
fn objects_are_encoded_so_that_no_name_can_leave_its_segment() {
    let path = Selector::object(["a/b", "**", "ä", "x"]).unwrap();
    assert_eq!(path.as_str(), "a%2Fb/%2A%2A/%C3%A4/x");
    assert!(!path.has_wildcard());
    assert!(Selector::object(["a", ""]).is_err());
    assert!(Selector::object([]).is_err());
}

#[test]
fn only_a_named_permission_is_spelled_out() {
    let required = Required::parse("credentials:create");
    let held = |scope: &str| scope.parse::<Authority>().unwrap().spells_out(&required);
    assert!(held("credentials:create:own"));
    assert!(held("credentials:write"));
    for open in ["*:create", "credentials:*", "credentials/*:create", "*:*", "credentials:read"] {
        assert!(!held(open), "{open}");
    }
}

#[test]
fn on_the_wire_they_are_text() {
    let permission: Permission = serde_json::from_str(r#""agents/%41:read:own""#).unwrap();
    assert_eq!(serde_json::to_string(&permission).unwrap(), r#""agents/A:read:own""#);
    let authority: Authority = serde_json::from_str(r#""b.c:read agents:read:own agents:read""#).unwrap();
    assert_eq!(serde_json::to_string(&authority).unwrap(), r#""agents:read b.c:read""#);
    assert!(serde_json::from_str::<Permission>(r#""agent:read""#).is_err());
    assert!(serde_json::from_str::<Permission>("7").is_err());
}

#[test]
fn there_are_enough_cases() {
    let tables = ["parse.txt", "covers.txt", "sets.txt", "meets.txt", "decisions.txt"];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let count: usize =
        tables.iter().map(|name| lines(&std::fs::read_to_string(folder.join(name)).unwrap()).count()).sum();
    assert!(count >= 150, "{count}");
}

fn hop(text: &str) -> Result<(Relation, Authority), String> {
    let (relation, grants) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let relation = match relation {
        "own" => Relation { own: true, group: false },
        "group" => Relation { own: false, group: true },
        "none" => Relation::default(),
        other => return Err(format!("relation {other}")),
    };
    Ok((relation, parse(grants)?))
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| format!("`{text}`: {error}"))
}

fn same(found: &str, expected: &str) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("found `{found}`")) }
}

fn lines(table: &str) -> impl Iterator<Item = (usize, &str)> {
    table.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn each(name: &str, table: &str, check: impl Fn(&str) -> Result<(), String>) {
    let failed = lines(table).filter_map(|(at, case)| {
        check(case).err().map(|error| format!("{name}:{} `{case}`: {error}\n", at + 1))
    });
    let failed: String = failed.collect();
    assert!(failed.is_empty(), "\n{failed}");
}
