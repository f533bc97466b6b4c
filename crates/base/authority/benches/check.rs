//! How long one permission check takes at 1,000 grants – all of one principal's own, or composed of twenty groups' – and
//! how long composing takes: medians of many, printed for `bench/RESULTS.md`.

use std::hint::black_box;
use std::time::Instant;

use safeconduct_authority::{Authority, Hop, Permission, Relation, Required, Selector, decide};

const CHECK: Required = Required::parse("agents:update");
const ROUNDS: usize = 2_000;

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn main() {
    let mut scope: Vec<String> =
        (0..900).map(|at| format!("agents/team{}/agent{at}:write:all", at % 30)).collect();
    scope.extend((0..70).map(|at| format!("agents/team{at}/*:read:group")));
    scope.extend((0..30).map(|at| format!("titan.part{at}:enrol:own")));
    let own: Authority = scope.join(" ").parse().unwrap_or_default();
    let objects = [["team7", "agent7"], ["team29", "agent899"], ["team3", "nobody"], ["elsewhere", "agent7"]];
    let objects: Vec<Selector> = objects.into_iter().filter_map(|path| Selector::object(path).ok()).collect();
    let check = |authority: &Authority, at: usize| {
        black_box(authority.reach_for(black_box(&CHECK), &objects[at % objects.len()]));
    };
    let nanos = median(100, |at| check(&own, at));
    println!("permission check at {} grants: {nanos} ns (median)", own.permissions().len());

    // As the index composes it: what each of twenty groups holds, in the order of its rows.
    let groups: Vec<Permission> = (0..20)
        .flat_map(|group| (0..50).map(move |at| format!("agents/group{group}/agent{at}:write:group")))
        .filter_map(|text| text.parse().ok())
        .collect();
    let composed: Authority = groups.iter().cloned().collect();
    let relations = [Relation { own: false, group: true }, Relation::default()];
    let objects: Vec<Selector> = [["group7", "agent7"], ["group19", "agent49"], ["group3", "nobody"]]
        .into_iter()
        .filter_map(|path| Selector::object(path).ok())
        .collect();
    let nanos = median(100, |at| {
        let hop = Hop { authority: &composed, relation: relations[at % relations.len()] };
        let decision = decide(black_box(&[hop]), None, &CHECK, &objects[at % objects.len()]);
        black_box(decision.is_allowed());
    });
    println!("decision at {} grants of 20 groups: {nanos} ns (median)", composed.permissions().len());
    let nanos = median(1, |_| {
        black_box(groups.iter().cloned().collect::<Authority>());
    });
    println!("composing {} grants after a change: {} µs (median)", groups.len(), nanos / 1_000);
}

/// Nanoseconds for one of `repeat`, the median of all rounds.
fn median(repeat: usize, act: impl Fn(usize)) -> u128 {
    let rounds = if repeat == 1 { ROUNDS / 10 } else { ROUNDS };
    let mut nanos: Vec<u128> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            (0..repeat).for_each(&act);
            start.elapsed().as_nanos() / repeat as u128
        })
        .collect();
    nanos.sort_unstable();
    nanos[nanos.len() / 2]
}
