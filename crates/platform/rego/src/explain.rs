//! Which rules spoke: each definition of a rule that said something is asked again by itself.

use std::sync::Arc;

use regorus::Value;
use regorus::rvm::program::Program;

use crate::compile::{Compiled, Machine, Part};
use crate::evaluate::{Clock, Failure, fresh_vm, run};
use crate::ruling::{Ruling, Voice};
use crate::{Limits, Term};

/// Definitions that are asked one by one; beyond it only the ruling tells.
const MOST: usize = 2_000;

/// A rule that spoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    pub package: String,
    /// `deny`, `require_approval` or `allow`.
    pub rule: &'static str,
    pub path: String,
    /// Where the definition begins.
    pub line: usize,
    /// What it gave.
    pub says: Vec<String>,
}

impl Compiled {
    /// The rules that made [`Compiled::evaluate`] answer as it does. Many times slower.
    pub fn explain(&self, slice: &str, input: &Term) -> Result<Vec<Fired>, Failure> {
        let machine = &*self.0;
        let mut fired = Vec::new();
        for part in machine.voices_of(slice) {
            let Some(rule) = rule_of(&machine.program, part) else { continue };
            let definitions = machine.program.rule_infos[rule].definitions.len();
            for definition in 0..definitions.min(MOST) {
                let alone = alone(machine, rule, definition);
                let said = ask(&alone, part, input, &machine.limits)?;
                let mut ruling = Ruling::default();
                if said == Value::Undefined && part.voice == Voice::Allow {
                    continue;
                }
                ruling.hear(part.voice, &part.package, &said)?;
                let says = match part.voice {
                    Voice::Allow => vec![said.to_string()],
                    Voice::Deny => ruling.denials,
                    Voice::RequireApproval => ruling.approvers,
                };
                if says.is_empty() {
                    continue;
                }
                let (path, line) = part.places.get(definition).cloned().unwrap_or_default();
                fired.push(Fired {
                    package: part.package.clone(),
                    rule: part.voice.name(),
                    path,
                    line,
                    says,
                });
            }
        }
        Ok(fired)
    }
}

fn rule_of(program: &Program, part: &Part) -> Option<usize> {
    let name = format!("data.{}.{}", part.package, part.voice.name());
    program.rule_infos.iter().position(|info| info.name == name)
}

/// The machine with this definition as the rule's only one.
fn alone(machine: &Machine, rule: usize, definition: usize) -> Machine {
    let mut program = (*machine.program).clone();
    let info = &mut program.rule_infos[rule];
    info.definitions = Arc::new(info.definitions.get(definition).cloned().into_iter().collect());
    info.destructuring_blocks = info.destructuring_blocks.get(definition).copied().into_iter().collect();
    info.else_bodies = info.else_bodies.get(definition).cloned().into_iter().collect();
    info.default_literal_index = None;
    info.early_exit_on_first_success = false;
    Machine {
        id: u64::MAX,
        program: Arc::new(program),
        data: machine.data.clone(),
        limits: machine.limits,
        rules: machine.rules,
        parts: Vec::new(),
    }
}

fn ask(machine: &Machine, part: &Part, input: &Term, limits: &Limits) -> Result<Value, Failure> {
    let mut vm = fresh_vm(machine)?;
    vm.set_input(input.0.clone());
    run(&mut vm, part.entry, limits, &Clock::start(limits.time))
}
