//! Bookkeeping leaves no fact, so it may touch nothing that anybody must hear of: only the tables listed here.
//!
//! Looks at every `Bookkeeping::statement(…)` and `Change::with(…)` and follows the SQL that reaches them.

mod lists;

use syn::{Expr, Ident};

use super::Finding;
use super::flow::{Call, Function, House, calls, macros_with, path_end};
use super::sql::{Write, writes};
use super::tree::Tree;
use lists::{CARRIERS, HANDED_TO, INSERT, Listed, MAKERS, TABLES};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, TABLES)
}

fn check_with(tree: &Tree, tables: &[Listed<'_>]) -> Vec<Finding> {
    let mut house = House::default();
    let mut findings = Vec::new();
    // The database's own crate is the mechanism.
    for (path, text) in tree.product_code().filter(|(path, _)| !path.starts_with("crates/platform/db/")) {
        if let Err(error) = house.add(path, text) {
            findings.push(Finding::new(path, format!("does not parse: {error}")));
        }
    }
    findings.extend(house.functions.iter().flat_map(|function| of_function(&house, function, tables)));
    let defined: Vec<&str> = tree.below("migrations/", ".sql").map(|(_, text)| text).collect();
    let is_defined = |table: &str| defined.iter().any(|sql| sql.contains(&format!("TABLE {table} ")));
    for (table, ..) in tables.iter().filter(|(table, ..)| !is_defined(table)) {
        let text = format!("`{table}` is in no migration; strike it from the list");
        findings.push(Finding::new("xtask/src/tidy/bookkeeping/lists.rs", text));
    }
    findings
}

/// What a chain of calls builds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Builds {
    Bookkeeping,
    Change,
    Unknown,
}

fn of_function(house: &House, function: &Function, tables: &[Listed<'_>]) -> Vec<Finding> {
    let place = |line: usize| format!("{}:{line}", function.path);
    let hidden = macros_with(&function.block, "Bookkeeping").into_iter();
    let mut findings: Vec<Finding> = hidden
        .map(|line| {
            Finding::new(place(line), "bookkeeping inside a macro cannot be read; move it into a function")
        })
        .collect();
    let name = function.signature.ident.to_string();
    let makes = |(of, method): &(&str, &str)| function.of_trait.as_deref() == Some(of) && name == *method;
    if MAKERS.iter().any(makes) {
        let line = function.signature.ident.span().start().line;
        findings.extend(unlisted(&house.texts_of(function), tables, &place(line)));
    }
    let carries_on = CARRIERS.contains(&(function.path.as_str(), name.as_str()));
    for call in calls(&function.block) {
        let Some(certainty) = carries_bookkeeping(house, function, &call) else { continue };
        // Statements that are handed on come last.
        let first =
            if HANDED_TO.contains(&call.name.as_str()) { call.arguments.len().saturating_sub(1) } else { 0 };
        let texts: Vec<String> =
            call.arguments[first..].iter().flat_map(|argument| house.texts(argument, function)).collect();
        let is_blind = !texts.iter().any(|text| text.contains("SELECT ") || !writes(text).is_empty());
        if is_blind && certainty == Certainty::Sure && !carries_on {
            let text = "the SQL of this bookkeeping cannot be followed; write it here, in a constant, or in a function \
                        that returns a Statement and is called by its path";
            findings.push(Finding::new(place(call.line), text));
        }
        findings.extend(unlisted(&texts, tables, &place(call.line)));
    }
    findings.sort();
    findings.dedup();
    findings
}

fn unlisted(texts: &[String], tables: &[Listed<'_>], place: &str) -> Vec<Finding> {
    let written = texts.iter().flat_map(|text| writes(text));
    let unlisted = written.filter(|write| !is_listed(write, tables)).map(|write| {
        let columns = write.columns.map(|columns| format!(" ({})", columns.join(", "))).unwrap_or_default();
        let text = format!(
            "bookkeeping writes to `{}`{columns}: make it a change with a fact, or list it in \
             xtask/src/tidy/bookkeeping/lists.rs with its reason",
            write.table
        );
        Finding::new(place, text)
    });
    unlisted.collect()
}

fn is_listed(write: &Write, tables: &[Listed<'_>]) -> bool {
    tables.iter().filter(|(table, ..)| *table == write.table).any(|(_, allowed, _)| match &write.columns {
        _ if allowed.is_empty() => true,
        Some(columns) => columns.iter().all(|column| allowed.contains(&column.as_str())),
        None => write.verb == "INTO" && allowed.contains(&INSERT),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    Sure,
    /// Something else may have a method of this name; only SQL counts.
    Perhaps,
}

fn carries_bookkeeping(house: &House, function: &Function, call: &Call<'_>) -> Option<Certainty> {
    if HANDED_TO.contains(&call.name.as_str()) {
        return Some(Certainty::Perhaps);
    }
    let builds = builds(house, function, call.receiver?, 8);
    match (call.name.as_str(), builds) {
        ("statement" | "statements", Builds::Bookkeeping) | ("with", Builds::Change) => Some(Certainty::Sure),
        ("statement" | "statements", Builds::Unknown)
            if function.names("Bookkeeping") && !function.names("Change") =>
        {
            Some(Certainty::Sure)
        }
        ("with", Builds::Unknown) => Some(Certainty::Perhaps),
        _ => None,
    }
}

/// Follows a chain back to where it begins; `depth` ends circles of names.
fn builds(house: &House, function: &Function, chain: &Expr, depth: u8) -> Builds {
    let Some(depth) = depth.checked_sub(1) else { return Builds::Unknown };
    match chain {
        Expr::MethodCall(call) => builds(house, function, &call.receiver, depth),
        Expr::Await(inner) => builds(house, function, &inner.base, depth),
        Expr::Try(inner) => builds(house, function, &inner.expr, depth),
        Expr::Paren(inner) => builds(house, function, &inner.expr, depth),
        Expr::Reference(inner) => builds(house, function, &inner.expr, depth),
        Expr::Call(call) => of_call(house, function, &call.func),
        Expr::Path(_) => {
            path_end(chain).map_or(Builds::Unknown, |name| of_name(house, function, name, depth))
        }
        _ => Builds::Unknown,
    }
}

/// `Bookkeeping::new(…)`, or a function that returns one.
fn of_call(house: &House, function: &Function, called: &Expr) -> Builds {
    let Expr::Path(path) = called else { return Builds::Unknown };
    for segment in &path.path.segments {
        if segment.ident == "Bookkeeping" {
            return Builds::Bookkeeping;
        }
        if segment.ident == "Change" {
            return Builds::Change;
        }
    }
    let called = house.called(called, function).into_iter().map(returned);
    called.into_iter().find(|builds| *builds != Builds::Unknown).unwrap_or(Builds::Unknown)
}

fn of_name(house: &House, function: &Function, name: &Ident, depth: u8) -> Builds {
    let bound = function.bindings(name).into_iter().map(|value| builds(house, function, value, depth));
    let bound = bound.into_iter().find(|builds| *builds != Builds::Unknown);
    bound
        .or_else(|| function.parameter(name).map(|(_, words)| of_words(|word| words.contains(word))))
        .unwrap_or(Builds::Unknown)
}

fn returned(function: &Function) -> Builds {
    of_words(|word| function.returns(&[word]))
}

fn of_words(names: impl Fn(&str) -> bool) -> Builds {
    if names("Bookkeeping") {
        Builds::Bookkeeping
    } else if names("Change") {
        Builds::Change
    } else {
        Builds::Unknown
    }
}

#[cfg(test)]
mod tests;
