//! How long one permission check takes at 1,000 grants: the median of many, printed for `bench/RESULTS.md`.

use std::hint::black_box;
use std::time::Instant;

use safeconduct_authority::{Authority, Required, Selector};

const CHECK: Required = Required::parse("agents:update");

#[expect(clippy::print_stdout, reason = "the figure is the program's output")]
fn main() {
    let mut scope: Vec<String> =
        (0..900).map(|at| format!("agents/team{}/agent{at}:write:all", at % 30)).collect();
    scope.extend((0..70).map(|at| format!("agents/team{at}/*:read:group")));
    scope.extend((0..30).map(|at| format!("titan.part{at}:enrol:own")));
    let authority: Authority = scope.join(" ").parse().unwrap_or_default();
    let objects = [["team7", "agent7"], ["team29", "agent899"], ["team3", "nobody"], ["elsewhere", "agent7"]];
    let objects: Vec<Selector> = objects.into_iter().filter_map(|path| Selector::object(path).ok()).collect();
    let mut nanos: Vec<u128> = (0..2_000).map(|_| round(&authority, &objects)).collect();
    nanos.sort_unstable();
    println!(
        "permission check at {} grants: {} ns (median)",
        authority.permissions().len(),
        nanos[nanos.len() / 2]
    );
}

fn round(authority: &Authority, objects: &[Selector]) -> u128 {
    const REPEAT: usize = 100;
    let start = Instant::now();
    for at in 0..REPEAT {
        black_box(authority.reach_for(black_box(&CHECK), &objects[at % objects.len()]));
    }
    start.elapsed().as_nanos() / REPEAT as u128
}
