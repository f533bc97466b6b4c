//! Which definitions of a rule can speak about an operation at all: one that begins with `input.operation == "agents.kill"`
//! is silent about every other. Open Policy Agent calls this rule indexing.
//!
//! Definitions are laid on shelves by the operation they name; what names none lies on each shelf. A question is put to
//! one shelf. Each is a rule of its own in the program – with fewer definitions, the same instructions – behind an entry
//! point of its own. What a definition says is not touched: those that are left out would have ended at their first line.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use regorus::Value;
use regorus::rvm::Instruction;
use regorus::rvm::program::{Program, RuleInfo};
use regorus::unstable::{BoolOp, Expr, Literal, Rule};

/// Definitions that name an operation and share a shelf, at least.
const SHARING: usize = 4;
/// Shelves of a whole bundle, about: the engine makes a place for the answer of each before each question.
const MOST: usize = 256;

/// Entry points of a rule, by the operation that is asked about.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    shelves: Vec<usize>,
}

/// An index for each rule – its entry point and its definitions – in their order; none where it would save nothing.
pub(crate) fn index(program: &mut Program, rules: &[(usize, Vec<&Rule>)]) -> Vec<Option<Index>> {
    let named =
        |definitions: &[&Rule]| definitions.iter().filter(|rule| operation_of(rule).is_some()).count();
    let total: usize = rules.iter().map(|(_, definitions)| named(definitions)).sum();
    let sharing = total.div_ceil(MOST).max(SHARING);
    let shelves = |definitions: &[&Rule]| {
        // What names no operation lies on each shelf: all shelves together hold three times the rule at most.
        let unnamed = definitions.len() - named(definitions);
        let room = (2 * definitions.len()).checked_div(unnamed).unwrap_or(MOST);
        named(definitions).div_ceil(sharing).min(room)
    };
    rules
        .iter()
        .map(|(entry, definitions)| Index::new(program, *entry, definitions, shelves(definitions)))
        .collect()
}

impl Index {
    fn new(program: &mut Program, entry: usize, definitions: &[&Rule], count: usize) -> Option<Self> {
        let (path, pc) = program.entry_points.get_index(entry)?;
        let (path, pc) = (path.clone(), *pc);
        let Instruction::CallRule { dest, rule_index } = *program.instructions.get(pc)? else { return None };
        let whole = program.rule_infos.get(usize::from(rule_index))?.clone();
        if count < 2 || whole.definitions.len() != definitions.len() {
            return None;
        }
        let named: Vec<Option<&str>> = definitions.iter().map(|rule| operation_of(rule)).collect();
        let shelves = (0..count).map(|shelf| {
            let lies_here = |at: &usize| named[*at].is_none_or(|name| shelf_of(name, count) == shelf);
            let kept: Vec<usize> = (0..definitions.len()).filter(lies_here).collect();
            let rule_index = u16::try_from(program.rule_infos.len()).ok()?;
            program.rule_infos.push(part_of(&whole, &kept));
            let start = program.instructions.len();
            program
                .instructions
                .extend([Instruction::CallRule { dest, rule_index }, Instruction::Return { value: dest }]);
            program.instruction_spans.extend([None, None]);
            program.entry_points.insert(format!("{path} {shelf}"), start);
            Some(program.entry_points.len() - 1)
        });
        Some(Self { shelves: shelves.collect::<Option<_>>()? })
    }

    pub(crate) fn entry(&self, operation: &str) -> usize {
        self.shelves[shelf_of(operation, self.shelves.len())]
    }
}

/// The operation of a question.
pub(crate) fn operation_in(input: &Value) -> Option<&str> {
    static NAME: LazyLock<Value> = LazyLock::new(|| Value::from("operation"));
    let Value::Object(members) = input else { return None };
    match members.get(&NAME)? {
        Value::String(operation) => Some(operation),
        _ => None,
    }
}

fn shelf_of(operation: &str, shelves: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    operation.hash(&mut hasher);
    // What is left of a division by a length is below that length.
    usize::try_from(hasher.finish() % shelves as u64).unwrap_or_default()
}

fn part_of(whole: &RuleInfo, kept: &[usize]) -> RuleInfo {
    let mut part = whole.clone();
    part.definitions = Arc::new(kept.iter().map(|at| whole.definitions[*at].clone()).collect());
    part.destructuring_blocks =
        kept.iter().map(|at| whole.destructuring_blocks.get(*at).copied().flatten()).collect();
    part.else_bodies =
        kept.iter().map(|at| whole.else_bodies.get(*at).cloned().unwrap_or_default()).collect();
    part
}

/// The only operation that a definition can speak about, if its first line says so.
fn operation_of(rule: &Rule) -> Option<&str> {
    let Rule::Spec { bodies, .. } = rule else { return None };
    // A body that does not hold hands on to its `else`.
    let [body] = bodies.as_slice() else { return None };
    let first = body.query.stmts.first()?;
    let Literal::Expr { expr, .. } = &first.literal else { return None };
    let Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. } = &**expr else { return None };
    if !first.with_mods.is_empty() {
        return None;
    }
    match (&**lhs, &**rhs) {
        (asked, Expr::String { value: Value::String(named), .. })
        | (Expr::String { value: Value::String(named), .. }, asked)
            if is_operation(asked) =>
        {
            Some(named)
        }
        _ => None,
    }
}

/// `input.operation`
fn is_operation(expr: &Expr) -> bool {
    let Expr::RefDot { refr, field: (_, Value::String(field)), .. } = expr else { return false };
    let Expr::Var { value: Value::String(name), .. } = &**refr else { return false };
    &**name == "input" && &**field == "operation"
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::{Bundle, Compiled, Limits, Module};

    /// Definitions of all shelves together, beside those of the rule.
    fn held(named: usize, unnamed: usize) -> (usize, usize) {
        let mut text = String::from("package safeconduct\n");
        for at in 0..named {
            text += &format!("deny contains \"n{at}\" if input.operation == \"act{at}\"\n");
        }
        for at in 0..unnamed {
            text += &format!("deny contains \"u{at}\" if input.x == {at}\n");
        }
        let modules = vec![Module { path: "m.rego".into(), text }];
        let compiled = Compiled::new(&Bundle { modules, data: Value::Null }, Limits::TENANT).unwrap();
        let infos = &compiled.0.program.rule_infos;
        (infos.iter().skip(1).map(|info| info.definitions.len()).sum(), infos.len() - 1)
    }

    #[test]
    fn shelves_do_not_multiply_a_large_rule() {
        for (named, unnamed) in [(0, 50), (3, 0), (100, 0), (100, 1), (100, 100), (1_000, 2_000), (3_900, 90)]
        {
            let (held, shelves) = held(named, unnamed);
            assert!(held <= 3 * (named + unnamed), "{named} and {unnamed}: {held} on {shelves} shelves");
            assert_eq!(shelves > 0, named >= 100, "{named} and {unnamed}");
        }
    }
}
