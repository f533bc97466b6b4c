//! Which functions a policy may call, and how much each may be given and make.
//!
//! The engine looks at the clock between instructions, not inside of one: whatever could make much of little (a join of
//! long texts, a range of numbers, a product of products) is bounded here before it begins. What depends on anything but
//! its arguments (clock, chance, network) is not there at all: the same question has the same answer tomorrow.

use anyhow::anyhow;
use regorus::rvm::Instruction;
use regorus::rvm::instructions::BuiltinCallParams;
use regorus::rvm::program::{BuiltinInfo, Program};
use regorus::unstable::{BUILTINS, Expr, Ref, Span};
use regorus::{LimitError, Value};

use crate::fault::{Fault, Faults};
use crate::glob;

/// Bytes of one text.
const TEXT: usize = 64 * 1024;
/// Members of one container.
const MEMBERS: usize = 16 * 1024;
/// Bytes of a pattern.
const PATTERN: usize = 1024;
/// Whole numbers stay below 2^400, far beyond what policies count.
const BITS: u64 = 400;

type Function = fn(&Span, &[Ref<Expr>], &[Value], bool) -> anyhow::Result<Value>;

/// Bounded one by one.
const GUARDED: &[(&str, Function)] = &[
    ("bits.lsh", |span, exprs, args, strict| {
        within(integer(args, 1).is_some_and(|by| by.abs() <= 256))?;
        call("bits.lsh", span, exprs, args, strict)
    }),
    ("concat", |span, exprs, args, strict| {
        let separator = length(&args[0]);
        let (count, sum) = elements(&args[1]);
        within(count <= MEMBERS && sum.saturating_add(count.saturating_mul(separator)) <= TEXT)?;
        call("concat", span, exprs, args, strict)
    }),
    ("json.marshal", |span, exprs, args, strict| {
        within(is_small(&args[0], TEXT))?;
        call("json.marshal", span, exprs, args, strict)
    }),
    ("glob.match", |_, _, args, _| {
        within(length(&args[0]) <= PATTERN && length(&args[2]) <= TEXT)?;
        glob::matches(&args[0], &args[1], &args[2])
    }),
    ("numbers.range", |span, exprs, args, strict| {
        within(span_of(args) <= MEMBERS)?;
        call("numbers.range", span, exprs, args, strict)
    }),
    ("product", |span, exprs, args, strict| {
        within(elements(&args[0]).0 <= 256)?;
        shallow(args)?;
        call("product", span, exprs, args, strict)
    }),
    ("regex.is_valid", |span, exprs, args, strict| {
        within(length(&args[0]) <= PATTERN)?;
        call("regex.is_valid", span, exprs, args, strict)
    }),
    ("regex.match", |span, exprs, args, strict| {
        within(length(&args[0]) <= PATTERN && length(&args[1]) <= TEXT)?;
        call("regex.match", span, exprs, args, strict)
    }),
    ("regex.find_n", |span, exprs, args, strict| {
        within(length(&args[0]) <= PATTERN && length(&args[1]) <= TEXT)?;
        call("regex.find_n", span, exprs, args, strict)
    }),
    ("regex.split", |span, exprs, args, strict| {
        within(length(&args[0]) <= PATTERN && length(&args[1]) <= TEXT)?;
        call("regex.split", span, exprs, args, strict)
    }),
    ("replace", |span, exprs, args, strict| {
        within(replaced(length(&args[0]), length(&args[1]), length(&args[2])) <= TEXT)?;
        call("replace", span, exprs, args, strict)
    }),
    // Of a text the characters, not what a reader sees as one.
    ("count", |span, exprs, args, strict| {
        shallow(args)?;
        match &args[0] {
            Value::String(text) => Ok(text.chars().count().into()),
            _ => call("count", span, exprs, args, strict),
        }
    }),
    ("indexof", |span, exprs, args, strict| {
        shallow(args)?;
        if matches!((&args[0], &args[1]), (Value::String(_), Value::String(sought)) if sought.is_empty()) {
            return Err(anyhow!("nothing is sought"));
        }
        call("indexof", span, exprs, args, strict)
    }),
    ("lower", |_, _, args, _| by_character(&args[0], |character| one(character.to_lowercase()))),
    ("strings.count", |_, _, args, _| {
        shallow(args)?;
        match (&args[0], &args[1]) {
            (Value::String(text), Value::String(sought)) if sought.is_empty() => {
                Ok((text.chars().count() + 1).into())
            }
            (Value::String(text), Value::String(sought)) => Ok(text.matches(&**sought).count().into()),
            _ => Err(anyhow!("texts are counted in texts")),
        }
    }),
    ("upper", |_, _, args, _| by_character(&args[0], |character| one(character.to_uppercase()))),
    ("sprintf", |span, exprs, args, strict| {
        within(formats_little(&args[0], &args[1]))?;
        call("sprintf", span, exprs, args, strict)
    }),
    ("to_number", |span, exprs, args, strict| {
        within(reads_as_a_number(&args[0]))?;
        let number = call("to_number", span, exprs, args, strict)?;
        shallow(std::slice::from_ref(&number))?;
        Ok(number)
    }),
];

/// Instructions that become calls, which have no answer where OPA has none. The engine's own arithmetic would end the whole
/// rule at a text, with all that it would still have said; its `in` takes what is not there for an empty collection. Calls also
/// bound products: squares of squares fill the memory in thirty of them.
const CALLED: [(&str, Function); 6] = [
    ("plus", |_, _, args, _| Ok(args[0].as_number()?.add(args[1].as_number()?)?.into())),
    ("minus", |_, _, args, _| match (&args[0], &args[1]) {
        (Value::Set(left), Value::Set(right)) => Ok(Value::from(left.difference(right))),
        (left, right) => Ok(left.as_number()?.sub(right.as_number()?)?.into()),
    }),
    ("mul", |_, _, args, _| {
        shallow(args)?;
        Ok(args[0].as_number()?.mul(args[1].as_number()?)?.into())
    }),
    ("div", |_, _, args, _| {
        not_zero(&args[1])?;
        Ok(args[0].as_number()?.clone().divide(args[1].as_number()?)?.into())
    }),
    ("rem", |_, _, args, _| {
        not_zero(&args[1])?;
        let (left, right) = (args[0].as_number()?, args[1].as_number()?);
        if !left.is_integer() || !right.is_integer() {
            return Err(anyhow!("only whole numbers have a remainder"));
        }
        Ok(left.clone().modulo(right)?.into())
    }),
    ("in", |_, _, args, _| {
        let (value, collection) = (&args[0], &args[1]);
        Ok(Value::Bool(match collection {
            Value::Set(members) => members.contains(value),
            Value::Array(items) => items.contains(value),
            Value::Object(members) => members.values().any(|member| member == value),
            _ => false,
        }))
    }),
];

fn not_zero(divisor: &Value) -> anyhow::Result<()> {
    if *divisor == Value::from(0_u64) { Err(anyhow!("division by zero")) } else { Ok(()) }
}

/// Binds the program to these functions; names those that it may not call.
pub(crate) fn bind(program: &mut Program) -> Result<(), Faults> {
    let mut refused = Vec::new();
    for (at, info) in program.builtin_info_table.iter().enumerate() {
        let guarded = GUARDED.iter().find(|(name, _)| *name == info.name).map(|(_, function)| *function);
        let function = guarded.or_else(|| plain(&info.name));
        match (function, program.resolved_builtins.get_mut(at)) {
            (Some(function), Some(resolved)) => resolved.0 = function,
            _ => refused.push(Fault::of_bundle(format!("policies cannot call `{}` here", info.name))),
        }
    }
    if !refused.is_empty() {
        return Err(Faults(refused));
    }
    call_instructions(program);
    Ok(())
}

fn call_instructions(program: &mut Program) {
    let mut indices = [None; CALLED.len()];
    for at in 0..program.instructions.len() {
        let (which, dest, left, right) = match program.instructions[at] {
            Instruction::Add { dest, left, right } => (0, dest, left, right),
            Instruction::Sub { dest, left, right } => (1, dest, left, right),
            Instruction::Mul { dest, left, right } => (2, dest, left, right),
            Instruction::Div { dest, left, right } => (3, dest, left, right),
            Instruction::Mod { dest, left, right } => (4, dest, left, right),
            Instruction::Contains { dest, collection, value } => (5, dest, value, collection),
            _ => continue,
        };
        let (name, function) = CALLED[which];
        let builtin_index = *indices[which].get_or_insert_with(|| {
            program.resolved_builtins.push((function, 2));
            program.add_builtin_info(BuiltinInfo { name: name.into(), num_args: 2 })
        });
        let mut args = [0; 8];
        args[..2].copy_from_slice(&[left, right]);
        let params = BuiltinCallParams { dest, builtin_index, num_args: 2, args };
        let params_index = program.add_builtin_call_params(params);
        program.instructions[at] = Instruction::BuiltinCall { params_index };
    }
}

macro_rules! checked {
    ($($name:literal),+ $(,)?) => {
        /// Functions that are bounded by the size of their arguments, behind that check.
        fn plain(name: &str) -> Option<Function> {
            match name {
                $($name => Some(|span, exprs, args, strict| {
                    shallow(args)?;
                    call($name, span, exprs, args, strict)
                }),)+
                _ => None,
            }
        }
    };
}

checked!(
    "__builtin_sets.intersection",
    "__builtin_sets.union",
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "bits.and",
    "bits.negate",
    "bits.or",
    "bits.rsh",
    "bits.xor",
    "ceil",
    "contains",
    "endswith",
    "floor",
    "format_int",
    "indexof_n",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "json.is_valid",
    "json.unmarshal",
    "max",
    "min",
    "net.cidr_contains",
    "net.cidr_is_valid",
    "object.filter",
    "object.get",
    "object.keys",
    "object.remove",
    "object.subset",
    "object.union",
    "object.union_n",
    "round",
    "sort",
    "split",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "strings.reverse",
    "substring",
    "sum",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
);

fn call(name: &str, span: &Span, exprs: &[Ref<Expr>], args: &[Value], strict: bool) -> anyhow::Result<Value> {
    match BUILTINS.get(name) {
        Some((function, _)) => function(span, exprs, args, strict),
        None => Err(anyhow!("{name} is not there")),
    }
}

/// Beyond a bound the whole evaluation fails: a rule that merely went undefined would let things pass.
fn within(is_within: bool) -> anyhow::Result<()> {
    if is_within {
        return Ok(());
    }
    Err(LimitError::MemoryLimitExceeded { usage: TEXT as u64 + 1, limit: TEXT as u64 }.into())
}

/// Case is folded character by character: one that would become several stays as it is.
fn by_character(text: &Value, fold: fn(char) -> Option<char>) -> anyhow::Result<Value> {
    shallow(std::slice::from_ref(text))?;
    match text {
        Value::String(text) => Ok(Value::from(
            text.chars().map(|character| fold(character).unwrap_or(character)).collect::<String>(),
        )),
        _ => Err(anyhow!("not a text")),
    }
}

fn one(mut folded: impl Iterator<Item = char>) -> Option<char> {
    folded.next().filter(|_| folded.next().is_none())
}

fn shallow(args: &[Value]) -> anyhow::Result<()> {
    let small = |value: &Value| match value {
        Value::String(text) => text.len() <= TEXT,
        Value::Array(items) => items.len() <= MEMBERS,
        Value::Set(items) => items.len() <= MEMBERS,
        Value::Object(members) => members.len() <= MEMBERS,
        Value::Number(number) => {
            number.as_i64().is_some() || number.to_big().map_or(true, |big| big.bits() <= BITS)
        }
        Value::Null | Value::Bool(_) | Value::Undefined => true,
    };
    within(args.iter().all(small))
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        _ => 0,
    }
}

/// Short, and no power of ten that would fill the memory.
fn reads_as_a_number(value: &Value) -> bool {
    let Value::String(text) = value else { return true };
    text.len() <= 40 && text.split_once(['e', 'E']).is_none_or(|(_, exponent)| exponent.len() <= 3)
}

fn integer(args: &[Value], at: usize) -> Option<i64> {
    args.get(at).and_then(|value| value.as_i64().ok())
}

/// How many elements, and bytes of text in them.
fn elements(value: &Value) -> (usize, usize) {
    match value {
        Value::Array(items) => (items.len(), items.iter().map(length).sum()),
        Value::Set(items) => (items.len(), items.iter().map(length).sum()),
        _ => (0, 0),
    }
}

fn span_of(args: &[Value]) -> usize {
    match (integer(args, 0), integer(args, 1)) {
        (Some(from), Some(to)) => usize::try_from(from.abs_diff(to)).unwrap_or(usize::MAX),
        // No integers: undefined, whatever the distance.
        _ if args.iter().any(|value| !matches!(value, Value::Number(number) if number.is_integer())) => 0,
        _ => usize::MAX,
    }
}

fn replaced(text: usize, old: usize, new: usize) -> usize {
    let most = text / old.max(1) + 1;
    most.saturating_mul(new).saturating_add(text)
}

/// Each verb may write all of its arguments; a width writes as many blanks as it says.
fn formats_little(format: &Value, args: &Value) -> bool {
    let Value::String(format) = format else { return true };
    let verbs = format.matches('%').count();
    let wide = format.split('%').skip(1).any(|rest| {
        let width = rest.trim_start_matches(['+', '-', '#', ' ', '.']);
        rest.starts_with('*')
            || width.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count() > 3
    });
    !wide && format.len() <= TEXT && is_small(args, TEXT / (verbs + 1))
}

/// Whether the value with everything in it stays below `most` bytes; without recursion, for it may be deep.
fn is_small(value: &Value, most: usize) -> bool {
    let mut left = most;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        let size = 8 + length(value);
        match left.checked_sub(size) {
            Some(rest) => left = rest,
            None => return false,
        }
        match value {
            Value::Array(items) if items.len() <= left => open.extend(items.iter()),
            Value::Set(items) if items.len() <= left => open.extend(items.iter()),
            Value::Object(members) if members.len() <= left => {
                open.extend(members.iter().flat_map(|(name, member)| [name, member]));
            }
            Value::Array(_) | Value::Set(_) | Value::Object(_) => return false,
            _ => {}
        }
    }
    true
}
