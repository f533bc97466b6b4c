//! One decision of a policy of a thousand rules, sliced by resource, on a machine that is kept ready; with the making of
//! its input, as on the way of a request.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, anyhow};
use rego::{Bundle, Compiled, Limits, Module, Term};
use serde_json::{Value, json};

use crate::Settings;
use crate::row::Row;
use crate::spread::{Spread, Times};

const RULES: usize = 1_000;
const SLICES: usize = 40;
const ROUNDS: u64 = 200_000;

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let settings = settings.clone();
    let worker = std::thread::Builder::new().stack_size(rego::STACK).spawn(move || decisions(&settings))?;
    worker.join().map_err(|_| anyhow!("the worker ended"))?
}

fn decisions(settings: &Settings) -> Result<()> {
    let policy = Compiled::new(&bundle(), Limits::TENANT)?;
    let rounds = settings.count.unwrap_or(ROUNDS);
    let known = Known::new();
    let (mut p50, mut p99, mut fresh) = (Spread::default(), Spread::default(), Spread::default());
    for _ in 0..settings.runs {
        let mut times = Times::default();
        for round in 0..rounds {
            let begun = Instant::now();
            let ruling = policy.evaluate(black_box("slice7"), &known.input(round))?;
            let took = begun.elapsed();
            anyhow::ensure!(ruling.allows(), "{ruling:?}");
            if round > rounds / 10 {
                times.add(took);
            }
        }
        p50.add(times.percentile(50.0));
        p99.add(times.percentile(99.0));
        fresh.add(first(&policy, &known)?);
    }
    let micros = |micros: f64| format!("{micros:.2} µs");
    Row {
        figure: "policy decision".into(),
        goal: "p50 ≤ 10 µs, p99 ≤ 25 µs",
        measured: format!("p50 {}, p99 {}", p50.text_with(micros), p99.text_with(micros)),
        floor: format!("first one on a new thread {}", fresh.text_with(micros)),
        beside: format!(
            "{RULES} rules in {SLICES} slices, {rounds} decisions a run, input of each made anew"
        ),
    }
    .print();
    Ok(())
}

/// What a thread pays that has no machine yet.
fn first(policy: &Compiled, known: &Known) -> Result<f64> {
    let input = known.input(0);
    std::thread::scope(|scope| {
        let decided = scope.spawn(|| {
            let begun = Instant::now();
            let ruling = policy.evaluate("slice7", &input);
            (begun.elapsed(), ruling)
        });
        let (took, ruling) = decided.join().map_err(|_| anyhow!("the thread ended"))?;
        ruling?;
        Ok(took.as_secs_f64() * 1e6)
    })
}

fn bundle() -> Bundle {
    let module = |slice: usize| {
        let rules = (0..RULES / SLICES).map(|at| {
            format!(
                "deny contains \"rule {at}\" if {{\n\tinput.operation == \"slice{slice}.act{at}\"\n\tinput.resource.namespace == \"n{at}\"\n\t\
                 not \"exempt\" in input.principal.roles\n}}\n"
            )
        });
        Module {
            path: format!("slice{slice}.rego"),
            text: format!("package safeconduct.slice{slice}\n{}", rules.collect::<String>()),
        }
    };
    let root = Module {
        path: "root.rego".into(),
        text: "package safeconduct\ndeny contains \"chain\" if count(input.chain) > data.longest\n".into(),
    };
    Bundle { modules: (0..SLICES).map(module).chain([root]).collect(), data: json!({ "longest": 3 }) }
}

/// What a request knows once, whatever is asked in it.
struct Known {
    principal: Term,
    token: Term,
    context: Term,
}

impl Known {
    fn new() -> Self {
        let term = |value: Value| Term::json(&value).unwrap_or(Term::NULL);
        Self {
            principal: term(json!({
                "id": "agt_01h455vb4pex5vsknk084sn02q", "kind": "agent", "org": "org_01h455vb4pex5vsknk084sn02q",
                "roles": ["member", "curator"], "groups": [], "namespace": "default", "name": "reporter",
                "owner": "usr_01h455vb4pex5vsknk084sn02q", "env": "production",
            })),
            token: term(
                json!({ "id": "tok_01h455vb4pex5vsknk084sn02q", "scopes": ["agents:read"], "cnf": null, "age_seconds": 12 }),
            ),
            context: term(json!({
                "time": { "rfc3339": "2026-11-27T03:00:00.000Z", "unix": 1, "date": "2026-11-27", "hour": 3, "minute": 0, "weekday": 5 },
                "ip": "10.0.0.1", "env": "production", "budget": null,
            })),
        }
    }

    fn input(&self, round: u64) -> Term {
        let text = Term::text;
        Term::object([
            (text("principal"), self.principal.clone()),
            (text("chain"), Term::list([])),
            (text("token"), self.token.clone()),
            (text("context"), self.context.clone()),
            (text("action"), text("slice7:update")),
            (text("operation"), text(&format!("slice7.act{}", round % 25))),
            (
                text("resource"),
                Term::object([
                    (text("type"), text("slice7")),
                    (text("selector"), text("other/name")),
                    (text("namespace"), text("other")),
                    (text("name"), text("name")),
                    (text("own"), Term::flag(false)),
                    (text("known"), Term::flag(true)),
                ]),
            ),
            (text("arguments"), Term::NULL),
        ])
    }
}
