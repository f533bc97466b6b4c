//! From a bundle to a program, whole or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::Instruction;
use regorus::rvm::program::Program;
use regorus::unstable::Rule;
use regorus::{Engine, Value};

use crate::fault::{Fault, Faults};
use crate::index::{Index, index};
use crate::ruling::Voice;
use crate::scan::scan;
use crate::{Bundle, Limits, builtins, meaning};

/// Rules that call rules: each call takes stack.
const CALLS: usize = 32;
/// Parsing and letting go of a tree recurse; a thread with room for it costs nothing until it is used.
const STACK: usize = 64 * 1024 * 1024;

/// A bundle that compiled; clones share it.
#[derive(Clone)]
pub struct Compiled(pub(crate) Arc<Machine>);

pub(crate) struct Machine {
    /// Tells it from others in a thread's store of machines.
    pub(crate) id: u64,
    pub(crate) program: Arc<Program>,
    pub(crate) data: Value,
    pub(crate) limits: Limits,
    pub(crate) rules: usize,
    pub(crate) parts: Vec<Part>,
}

/// One rule that is asked.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// `safeconduct.agents`
    pub(crate) package: String,
    /// `agents`; none for the root.
    pub(crate) slice: Option<String>,
    pub(crate) voice: Voice,
    /// Its entry point in the program.
    pub(crate) entry: usize,
    /// Entry points that leave out what cannot speak.
    pub(crate) index: Option<Index>,
    /// Module and line of each of its definitions.
    pub(crate) places: Vec<(String, usize)>,
}

impl Compiled {
    pub fn new(bundle: &Bundle, limits: Limits) -> Result<Self, Faults> {
        scan(bundle, &limits)?;
        let data = data(bundle, &limits)?;
        let compiled = with_stack(|| compile(bundle, data, limits));
        compiled.unwrap_or_else(|| Err(Fault::of_bundle("the engine failed on this bundle").into()))
    }

    /// Rules of all modules.
    pub fn rules(&self) -> usize {
        self.0.rules
    }

    /// The slices that have a package of their own.
    pub fn slices(&self) -> impl Iterator<Item = &str> {
        let mut slices: Vec<&str> = self.0.parts.iter().filter_map(|part| part.slice.as_deref()).collect();
        slices.dedup();
        slices.into_iter()
    }
}

impl Machine {
    pub(crate) fn voices_of<'a>(&'a self, slice: &'a str) -> impl Iterator<Item = &'a Part> {
        self.parts.iter().filter(move |part| part.slice.as_deref().is_none_or(|own| own == slice))
    }
}

fn data(bundle: &Bundle, limits: &Limits) -> Result<Value, Faults> {
    let json = match &bundle.data {
        serde_json::Value::Null => "{}".to_owned(),
        data @ serde_json::Value::Object(members) => {
            if members.contains_key("safeconduct") {
                return Err(Fault::of_bundle(
                    "`data.safeconduct` belongs to the rules; name your data otherwise",
                )
                .into());
            }
            data.to_string()
        }
        _ => return Err(Fault::of_bundle("data is an object").into()),
    };
    if json.len() > limits.data {
        return Err(Fault::of_bundle(format!("data has at most {} bytes as JSON", limits.data)).into());
    }
    Value::from_json_str(&json).map_err(|error| Fault::of_bundle(format!("data: {error}")).into())
}

/// On a thread of its own. `None` if it panicked.
fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("policy compiler".into()).stack_size(STACK);
        builder.spawn_scoped(scope, work).ok()?.join().ok()
    })
}

fn compile(bundle: &Bundle, data: Value, limits: Limits) -> Result<Compiled, Faults> {
    let of_engine = |error: anyhow::Error| Fault::of_engine(&error.to_string());
    let mut engine = parse(bundle)?;
    let rules = engine.get_modules().iter().map(|module| module.policy.len()).sum();
    if rules > limits.rules {
        return Err(
            Fault::of_bundle(format!("a bundle has at most {} rules, not {rules}", limits.rules)).into()
        );
    }
    engine.add_data(data.clone()).map_err(of_engine)?;
    let paths = paths(&mut engine);
    let Some(first) = paths.first() else {
        let message =
            "no rule `deny`, `require_approval` or `allow` stands in package `safeconduct` or below it";
        return Err(Fault::of_bundle(message).into());
    };
    let policy = engine.compile_with_entrypoint(&first.0.as_str().into()).map_err(of_engine)?;
    let entries: Vec<&str> = paths.iter().map(|(path, ..)| path.as_str()).collect();
    let program = Compiler::compile_from_policy(&policy, &entries)
        .map_err(|error| Fault::of_engine(&error.to_string()))?;
    let mut program = Arc::unwrap_or_clone(program);
    check_calls(&program)?;
    builtins::bind(&mut program)?;
    let definitions = |(path, ..): &(String, Option<String>, Voice)| {
        policy.get_rules().get(path).into_iter().flatten().map(|rule| &**rule).collect::<Vec<&Rule>>()
    };
    let asked: Vec<(usize, Vec<&Rule>)> = paths.iter().map(definitions).enumerate().collect();
    let indices = index(&mut program, &asked);
    let parts = paths.into_iter().zip(asked).zip(indices);
    let parts = parts.map(|(((_, slice, voice), (entry, definitions)), index)| {
        let package = slice.as_ref().map_or("safeconduct".into(), |slice| format!("safeconduct.{slice}"));
        let places = definitions.iter().map(|rule| place_of(rule)).collect();
        Part { package, slice, voice, entry, index, places }
    });
    let parts = parts.collect();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    Ok(Compiled(Arc::new(Machine { id, program: Arc::new(program), data, limits, rules, parts })))
}

/// All modules, with what is not there as under OPA.
pub(crate) fn parse(bundle: &Bundle) -> Result<Engine, Faults> {
    let mut engine = as_written(bundle)?;
    match meaning::guarded(engine.get_modules(), bundle)? {
        Some(guarded) => as_written(&guarded),
        None => Ok(engine),
    }
}

/// All faults at once.
fn as_written(bundle: &Bundle) -> Result<Engine, Faults> {
    let mut engine = Engine::new();
    let mut faults = Vec::new();
    for module in &bundle.modules {
        if let Err(error) = engine.add_policy(module.path.clone(), module.text.clone()) {
            faults.push(Fault::of_engine(&error.to_string()));
        }
    }
    if faults.is_empty() { Ok(engine) } else { Err(Faults(faults)) }
}

/// The rules that are asked: path, slice, voice; the root's first.
fn paths(engine: &mut Engine) -> Vec<(String, Option<String>, Voice)> {
    let mut paths = Vec::new();
    for module in engine.get_modules() {
        let package = package_of(module);
        let slice = match package.strip_prefix("safeconduct") {
            Some("") => None,
            Some(rest) => match rest.strip_prefix('.') {
                Some(slice) if !slice.contains('.') => Some(slice.to_owned()),
                _ => continue,
            },
            None => continue,
        };
        for rule in &module.policy {
            let name = name_of(rule);
            let Some(voice) = Voice::ALL.into_iter().find(|voice| voice.name() == name) else { continue };
            paths.push((format!("data.{package}.{name}"), slice.clone(), voice));
        }
    }
    paths.sort_by(|left, right| (&left.1, left.2).cmp(&(&right.1, right.2)));
    paths.dedup();
    paths
}

fn package_of(module: &regorus::unstable::Module) -> String {
    module.package.refr.span().text().to_owned()
}

fn place_of(rule: &Rule) -> (String, usize) {
    let span = rule.span();
    (span.source.get_path().clone(), usize::try_from(span.line).unwrap_or_default())
}

/// `deny` of `deny contains reason if …`; empty for a function.
pub(crate) fn name_of(rule: &Rule) -> String {
    use regorus::unstable::RuleHead;
    match rule {
        Rule::Spec { head: RuleHead::Func { .. }, .. } => String::new(),
        _ => meaning::head(rule).to_owned(),
    }
}

/// How deep rules call rules is known now; at run time each level would take stack. What is looked up by a name that is
/// only known then could call anything, so it is refused.
fn check_calls(program: &Program) -> Result<(), Faults> {
    if program.needs_runtime_recursion_check {
        let message = "rules are named, not looked up: write `data.package.rule` without a variable";
        return Err(Fault::of_bundle(message).into());
    }
    if program.has_host_await {
        return Err(Fault::of_bundle("policies do not wait for anybody").into());
    }
    let calls = calls_of(program);
    let mut depth = vec![1_usize; calls.len()];
    // Each round lengthens every path by one call; rules that call in a circle never settle.
    for _ in 0..=CALLS {
        let mut grew = false;
        for (rule, called) in calls.iter().enumerate() {
            let deepest =
                called.iter().filter_map(|rule| depth.get(*rule)).max().map_or(1, |depth| depth + 1);
            grew |= depth[rule] < deepest;
            depth[rule] = depth[rule].max(deepest);
        }
        if !grew {
            return Ok(());
        }
    }
    Err(Fault::of_bundle(format!("rules call each other at most {CALLS} deep")).into())
}

/// Whom each rule calls. The code of a rule stands in one piece behind each of its entry points.
fn calls_of(program: &Program) -> Vec<Vec<usize>> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    for (rule, info) in program.rule_infos.iter().enumerate() {
        let bodies = info.definitions.iter().flatten();
        let blocks = info.destructuring_blocks.iter().flatten();
        starts.extend(bodies.chain(blocks).map(|start| (*start as usize, rule)));
    }
    starts.sort_unstable();
    let mut calls = vec![Vec::new(); program.rule_infos.len()];
    for (at, instruction) in program.instructions.iter().enumerate() {
        let called = match instruction {
            Instruction::CallRule { rule_index, .. } => usize::from(*rule_index),
            Instruction::FunctionCall { params_index } => {
                match program.instruction_data.get_function_call_params(*params_index) {
                    Some(params) => usize::from(params.func_rule_index),
                    None => continue,
                }
            }
            _ => continue,
        };
        let owner = starts.partition_point(|(start, _)| *start <= at).checked_sub(1);
        if let Some((_, rule)) = owner.and_then(|owner| starts.get(owner)) {
            calls[*rule].push(called);
        }
    }
    calls
}
