//! `glob.match` as Open Policy Agent has it (the patterns of `gobwas/glob`), as regular expressions, which take linear time.
//!
//! `*` is what has no delimiter in it, `**` anything, `?` one character that is no delimiter, `[ab]`, `[!ab]`, `[a-z]` and `[!a-z]` one
//! character, `{ab,c*}` one of these; a backslash takes its next character as it is.

use std::cell::RefCell;
use std::collections::HashMap;

use anyhow::{Result, bail};
use regex::Regex;
use regorus::Value;

/// Patterns that one thread keeps compiled.
const KEPT: usize = 64;
/// Bytes of one compiled pattern.
const SIZE: usize = 1024 * 1024;

thread_local! {
    static COMPILED: RefCell<HashMap<(String, String), Regex>> = RefCell::default();
}

/// `glob.match(pattern, delimiters, text)`; `null` for no delimiters, and an empty array is `["."]`.
pub(crate) fn matches(pattern: &Value, delimiters: &Value, text: &Value) -> Result<Value> {
    let (Value::String(pattern), Value::String(text)) = (pattern, text) else { bail!("texts are matched") };
    let delimiters = match delimiters {
        Value::Null => String::new(),
        Value::Array(items) if items.is_empty() => ".".to_owned(),
        Value::Array(items) => items.iter().map(one_character).collect::<Result<String>>()?,
        _ => bail!("delimiters are an array or null"),
    };
    let key = (pattern.to_string(), delimiters);
    let found = COMPILED.with_borrow(|compiled| compiled.get(&key).map(|regex| regex.is_match(text)));
    if let Some(found) = found {
        return Ok(Value::Bool(found));
    }
    let regex = compile(&key.0, &key.1)?;
    let found = regex.is_match(text);
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        compiled.insert(key, regex);
    });
    Ok(Value::Bool(found))
}

fn one_character(delimiter: &Value) -> Result<char> {
    let Value::String(text) = delimiter else { bail!("a delimiter is a text") };
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(one),
        _ => bail!("a delimiter is one character"),
    }
}

fn compile(pattern: &str, delimiters: &str) -> Result<Regex> {
    let plain = if delimiters.is_empty() { ".".to_owned() } else { format!("[^{}]", in_class(delimiters)) };
    let mut out = String::from("(?s)^(?:");
    let mut characters = pattern.chars().peekable();
    let mut depth = 0_usize;
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => out.push_str(".*"),
            '*' => out.push_str(&format!("{plain}*")),
            '?' => out.push_str(&plain),
            '[' => out.push_str(&class(&mut characters)?),
            '{' => {
                depth += 1;
                out.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                out.push(')');
            }
            ',' if depth > 0 => out.push('|'),
            '\\' => match characters.next() {
                Some(next) => out.push_str(&regex::escape(next.encode_utf8(&mut [0; 4]))),
                None => bail!("a pattern ends in a backslash"),
            },
            other => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    if depth > 0 {
        bail!("a pattern leaves a brace open");
    }
    out.push_str(")$");
    Ok(regex::RegexBuilder::new(&out).size_limit(SIZE).build()?)
}

/// Behind `[`: either a range or a list of characters, of which a `!` at the beginning makes the others.
fn class(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String> {
    let not = if characters.next_if_eq(&'!').is_some() { "^" } else { "" };
    let mut members = Vec::new();
    let mut escaped = false;
    loop {
        match characters.next() {
            None => bail!("a pattern leaves a bracket open"),
            Some('\\') if !escaped => escaped = true,
            Some(']') if !escaped => break,
            Some(member) => {
                members.push(member);
                escaped = false;
            }
        }
    }
    match members.as_slice() {
        [] => bail!("a class of a pattern is empty"),
        [low, '-', high] if low <= high => Ok(format!("[{not}{}-{}]", escape(*low), escape(*high))),
        [_, '-', ..] => bail!("a class of a pattern is one range or a list"),
        list => Ok(format!("[{not}{}]", in_class(&list.iter().collect::<String>()))),
    }
}

fn in_class(members: &str) -> String {
    members.chars().map(escape).collect()
}

fn escape(member: char) -> String {
    format!("\\x{{{:X}}}", u32::from(member))
}
