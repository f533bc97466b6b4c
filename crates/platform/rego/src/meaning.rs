//! Gives a bundle, under this engine, the meaning that it has under Open Policy Agent.
//!
//! The two differ where something is not there. OPA ends a body at every expression without a value. The engine goes on
//! after `want := input.want`, and negates `not startswith(input.name, input.want)`, whose arguments OPA takes out of the
//! negation first: a rule `allow` would let more through. So each such place gets a guard in the same line, a comparison
//! that has no answer either: `[input.name, input.want] != 0; not startswith(…)`. Guarded are
//!
//! - what a negation needs, but not what OPA leaves inside: a plain reference, the two sides of `==`, a comprehension;
//! - what `:=` assigns, and what `_` takes;
//! - the members of comprehensions;
//! - the value of a rule that has an `else`, and key and value of `rule[key] := value`.
//!
//! Refused are negated variables that nothing binds (OPA refuses them; the engine would look for any that fits), and what
//! the engine takes for something else: functions with a `default`, rules with dots in their names, `rule[key] contains`,
//! `key, value in collection`, an `else` behind a search, comprehensions that are
//! indexed where they stand, `_` as an argument, and patterns of objects.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use regorus::unstable::{
    AssignOp, BoolOp, Expr, Import, Literal, LiteralStmt, Module, Query, Rule, RuleBody, RuleHead, Span,
};

use crate::Bundle;
use crate::fault::{Fault, Faults};

/// The bundle with its guards; none if nothing needs one.
pub(crate) fn guarded<M: AsRef<Module>>(modules: &[M], bundle: &Bundle) -> Result<Option<Bundle>, Faults> {
    let mut rules: HashMap<&str, HashSet<String>> = HashMap::new();
    for module in modules.iter().map(AsRef::as_ref) {
        let names = rules.entry(module.package.refr.span().text()).or_default();
        names.extend(module.policy.iter().map(|rule| head(rule).to_owned()));
    }
    let mut guarded = bundle.clone();
    let mut any = false;
    let mut faults = Vec::new();
    for (module, text) in modules.iter().map(AsRef::as_ref).zip(&mut guarded.modules) {
        let mut known = rules.get(module.package.refr.span().text()).cloned().unwrap_or_default();
        known.extend(imported(module));
        let mut guards = Guards {
            path: &text.path,
            scopes: vec![known],
            valued: vec![],
            insertions: vec![],
            faults: vec![],
        };
        for import in &module.imports {
            let name = name_of(import);
            // `import input` renames nothing.
            if import.refr.span().text() != name {
                guards.reserve(import.span.line, [name.as_str()]);
            }
        }
        for rule in &module.policy {
            guards.rule(rule);
        }
        faults.append(&mut guards.faults);
        let insertions = std::mem::take(&mut guards.insertions);
        any |= !insertions.is_empty();
        text.text = inserted(&text.text, insertions);
    }
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    Ok(any.then_some(guarded))
}

fn inserted(text: &str, mut insertions: Vec<(usize, String)>) -> String {
    // Stable: what was put in first at one place stays first.
    insertions.sort_by_key(|(at, _)| *at);
    let mut out =
        String::with_capacity(text.len() + insertions.iter().map(|(_, more)| more.len()).sum::<usize>());
    let mut from = 0;
    for (at, more) in insertions {
        out.push_str(&text[from..at]);
        out.push_str(&more);
        from = at;
    }
    out.push_str(&text[from..]);
    out
}

struct Guards<'a> {
    path: &'a str,
    /// Names that are bound, from the package's inwards.
    scopes: Vec<HashSet<String>>,
    /// Names that have a value before a pattern is matched: arguments, and what `:=` and `some` bind.
    valued: Vec<HashSet<String>>,
    /// What to put in, and before which byte.
    insertions: Vec<(usize, String)>,
    faults: Vec<Fault>,
}

impl Guards<'_> {
    fn rule(&mut self, rule: &Rule) {
        let (head, bodies) = match rule {
            Rule::Spec { head, bodies, .. } => (head, bodies),
            Rule::Default { args, span, .. } => {
                if !args.is_empty() {
                    self.refuse(
                        span.line,
                        "a function has no default here: give its last definition an `else`",
                    );
                }
                return;
            }
        };
        // `key` of `rule[key] := value`.
        let mut member = None;
        let (arguments, head_value) = match head {
            RuleHead::Compr { refr, assign, .. } => {
                if matches!(&**refr, Expr::RefDot { .. }) {
                    self.refuse(refr.span().line, "rules have plain names here, without dots");
                }
                if let Expr::RefBrack { index, .. } = &**refr {
                    member = Some(&**index);
                }
                (&[][..], assign.as_ref())
            }
            RuleHead::Set { refr, key, .. } => {
                if !matches!(&**refr, Expr::Var { .. }) {
                    self.refuse(refr.span().line, "a rule that contains has a plain name here");
                }
                key.iter().for_each(|key| self.inside(key));
                (&[][..], None)
            }
            RuleHead::Func { args, assign, .. } => (args.as_slice(), assign.as_ref()),
        };
        for argument in arguments {
            self.pattern(argument, &HashSet::new());
            if has_blank(argument) {
                self.refuse(
                    argument.span().line,
                    "an argument has a name here: the engine calls a function without what `_` takes",
                );
            }
        }
        let named = variables(arguments.iter().map(AsRef::as_ref));
        self.reserve(rule.span().line, named.iter().map(String::as_str));
        self.valued.push(named.clone());
        self.scopes.push(named);
        head_value.iter().for_each(|assign| self.inside(&assign.value));
        for (at, body) in bodies.iter().enumerate() {
            let value = body.assign.as_ref().or(head_value.filter(|_| at == 0)).map(|assign| &*assign.value);
            let has_else = bodies.get(at + 1).is_some_and(|next| next.is_else);
            if has_else && self.searches(&body.query) {
                let message = "a body that searches (`some`, `_`) has no `else` here: give the search a rule of its own";
                self.refuse(body.query.span.line, message);
            }
            let needed: Vec<&Expr> =
                value.filter(|_| has_else || member.is_some()).into_iter().chain(member).collect();
            self.body(body, &needed);
        }
        self.scopes.pop();
        self.valued.pop();
    }

    /// `needed` is what may not be missing if the body holds.
    fn body(&mut self, body: &RuleBody, needed: &[&Expr]) {
        body.assign.iter().for_each(|assign| self.inside(&assign.value));
        let before = self.insertions.len();
        let guarded = self.query(&body.query, &[], needed);
        // `if not …` without braces has one condition, and now it has two.
        let Range { start: begin, end } = range(&body.query.span);
        let bare = body.query.stmts.first().is_some_and(|first| range(&first.span).start == begin);
        if bare && guarded {
            self.insertions.insert(before, (begin, "{ ".into()));
            self.insertions.push((end, " }".into()));
        }
    }

    /// `also` are names that are bound for it, `result` what it is asked for. Whether it got a guard of its own.
    fn query(&mut self, query: &Query, also: &[&str], result: &[&Expr]) -> bool {
        let Names { mut bound, valued } = names(query);
        bound.extend(also.iter().map(|name| (*name).to_owned()));
        self.reserve(query.span.line, valued.iter().map(String::as_str).chain(also.iter().copied()));
        self.scopes.push(bound);
        self.valued.push(valued.clone());
        let mut guarded = false;
        for statement in &query.stmts {
            guarded |= self.statement(statement);
        }
        self.scopes.pop();
        self.valued.pop();
        let is_valued = |expr: &Expr| matches!(expr, Expr::Var { span, .. } if valued.contains(span.text()));
        let unsure: Vec<&Expr> =
            result.iter().copied().filter(|expr| !has_value(expr) && !is_valued(expr)).collect();
        if let Some(last) = query.stmts.last() {
            guarded |= self.guard(&unsure, last, Place::Behind);
        }
        guarded
    }

    fn statement(&mut self, statement: &LiteralStmt) -> bool {
        statement.with_mods.iter().for_each(|with| self.inside(&with.r#as));
        match &statement.literal {
            Literal::SomeVars { span, vars } => {
                self.reserve(span.line, vars.iter().map(Span::text));
                false
            }
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().chain([value]).for_each(|pattern| self.pattern(pattern, &HashSet::new()));
                self.inside(collection);
                false
            }
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { op, lhs, rhs, .. } = &**expr {
                    if *op == AssignOp::Eq {
                        let given = self.given();
                        self.pattern(lhs, &given);
                        self.pattern(rhs, &given);
                    } else {
                        self.pattern(lhs, &HashSet::new());
                    }
                }
                self.inside(expr);
                self.guard(&taken(expr), statement, Place::Behind)
            }
            Literal::Every { key, value, domain, query, .. } => {
                self.inside(domain);
                let names: Vec<&str> = key.iter().chain([value]).map(|name| name.text()).collect();
                self.query(query, &names, &[]);
                false
            }
            Literal::NotExpr { expr, .. } => {
                let mut free: Vec<String> =
                    variables([&**expr]).into_iter().filter(|name| !self.knows(name)).collect();
                free.sort();
                if let Some(name) = free.first() {
                    self.refuse(
                        statement.span.line,
                        &format!("`{name}` behind `not` has no value: bind it before"),
                    );
                }
                let guarded = self.guard(&needed(expr), statement, Place::Before);
                self.inside(expr);
                guarded
            }
        }
    }

    /// The engine lets an object fit that has more members than the pattern names. `given` are variables that the pattern does
    /// not bind but compares with.
    fn pattern(&mut self, pattern: &Expr, given: &HashSet<String>) {
        let takes = |value: &Expr| variables([value]).iter().any(|name| !given.contains(name));
        match pattern {
            Expr::Object { fields, .. }
                if fields.iter().any(|(_, _, value)| is_pattern(value) && takes(value)) =>
            {
                self.refuse(
                    pattern.span().line,
                    "an object is taken apart by its members here: `x := object.member`",
                );
            }
            Expr::Array { .. } | Expr::Set { .. } | Expr::Object { .. } => {
                parts(pattern).into_iter().for_each(|part| self.pattern(part, given));
            }
            _ => {}
        }
    }

    /// What has a value wherever it stands here.
    fn given(&self) -> HashSet<String> {
        let named = self.scopes.first().into_iter().chain(&self.valued).flatten().cloned();
        named.chain(["input".to_owned(), "data".to_owned()]).collect()
    }

    /// The queries of comprehensions anywhere in it.
    fn inside(&mut self, expr: &Expr) {
        match expr {
            Expr::ArrayCompr { term, query, .. } => {
                self.inside(term);
                self.query(query, &[], &[term]);
            }
            Expr::SetCompr { term, query, .. } => {
                self.inside(term);
                self.query(query, &[], &[]);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.inside(key);
                self.inside(value);
                self.query(query, &[], &[key, value]);
            }
            _ => {
                let indexed = match expr {
                    Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => is_comprehension(refr),
                    _ => false,
                };
                if matches!(expr, Expr::Membership { key: Some(_), .. }) {
                    self.refuse(
                        expr.span().line,
                        "`key, value in collection` is written `collection[key] == value` here",
                    );
                }
                if indexed {
                    self.refuse(expr.span().line, "a comprehension is named before it is indexed");
                }
                parts(expr).into_iter().for_each(|part| self.inside(part));
            }
        }
    }

    /// Asks for these before the statement, under its `with`, or behind it. Whether there was anything to ask for.
    fn guard(&mut self, needed: &[&Expr], statement: &LiteralStmt, place: Place) -> bool {
        if needed.is_empty() {
            return false;
        }
        let terms: Vec<&str> = needed.iter().map(|term| text_of(term.span())).collect();
        let terms = terms.join(", ");
        if terms.contains('\n') && terms.contains(['#', '`']) {
            self.refuse(
                statement.span.line,
                "an expression here has several lines and a comment or a raw string: name it before",
            );
            return false;
        }
        // In one line, so that every line keeps its number.
        let terms = terms.replace('\n', " ");
        self.insertions.push(match place {
            Place::Before => {
                let with =
                    statement.span.source.contents().get(literal_end(statement)..range(&statement.span).end);
                (
                    range(&statement.span).start,
                    format!("[{terms}] != 0{}; ", with.unwrap_or_default().replace('\n', " ")),
                )
            }
            Place::Behind => (range(&statement.span).end, format!("; [{terms}] != 0")),
        });
        true
    }

    /// `input` and `data` mean the same everywhere, as under OPA; the engine would let others take their names.
    fn reserve<'n>(&mut self, line: u32, names: impl IntoIterator<Item = &'n str>) {
        for name in names.into_iter().filter(|name| RESERVED.contains(name)) {
            self.refuse(line, &format!("nothing else is called `{name}`"));
        }
    }

    fn refuse(&mut self, line: u32, message: &str) {
        self.faults.push(Fault::at(self.path, index(line), message));
    }

    /// Whether it looks for values that fit. The engine takes a search that found nothing for a body that held.
    fn searches(&self, query: &Query) -> bool {
        let valued = names(query).valued;
        let is_open = |name: &String| !valued.contains(name) && !self.knows(name);
        query.stmts.iter().any(|statement| match &statement.literal {
            Literal::SomeIn { .. } => true,
            Literal::Expr { expr, .. } => {
                indices(expr).into_iter().any(|index| variables([index]).iter().any(is_open))
            }
            _ => false,
        })
    }

    fn knows(&self, name: &str) -> bool {
        matches!(name, "input" | "data") || self.scopes.iter().any(|scope| scope.contains(name))
    }
}

enum Place {
    Before,
    Behind,
}

/// Where its `with` begins, if it has one.
fn literal_end(statement: &LiteralStmt) -> usize {
    let (Literal::SomeVars { span, .. }
    | Literal::SomeIn { span, .. }
    | Literal::Expr { span, .. }
    | Literal::NotExpr { span, .. }
    | Literal::Every { span, .. }) = &statement.literal;
    range(span).end
}

/// What a query binds, and which of these have a value then.
struct Names {
    bound: HashSet<String>,
    valued: HashSet<String>,
}

fn names(query: &Query) -> Names {
    let (mut bound, mut valued) = (HashSet::new(), HashSet::new());
    for statement in &query.stmts {
        match &statement.literal {
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = &**expr {
                    valued.extend(variables([&**lhs]));
                }
                bound.extend(variables([&**expr]));
            }
            Literal::SomeIn { key, value, collection, .. } => {
                let named = variables(key.iter().map(AsRef::as_ref).chain([&**value]));
                valued.extend(named.iter().cloned());
                bound.extend(named);
                bound.extend(variables([&**collection]));
            }
            Literal::Every { domain, .. } => bound.extend(variables([&**domain])),
            Literal::SomeVars { .. } | Literal::NotExpr { .. } => {}
        }
    }
    bound.remove(BLANK);
    valued.remove(BLANK);
    Names { bound, valued }
}

const RESERVED: [&str; 2] = ["input", "data"];
/// A variable without a name.
const BLANK: &str = "_";

/// What an assignment must have got: the variable, or what went into one without a name.
fn taken(expr: &Expr) -> Vec<&Expr> {
    let Expr::AssignExpr { op, lhs, rhs, .. } = expr else { return vec![] };
    let of = |pattern: &Expr, value: &'_ Expr| has_blank(pattern) && !has_blank(value) && !has_value(value);
    match (op, &**lhs) {
        (AssignOp::ColEq, Expr::Var { span, .. }) if span.text() != BLANK => {
            if has_value(rhs) {
                vec![]
            } else {
                vec![lhs]
            }
        }
        _ if of(lhs, rhs) => vec![rhs],
        _ if of(rhs, lhs) => vec![lhs],
        _ => vec![],
    }
}

/// Variables, and what is made of them.
fn is_pattern(expr: &Expr) -> bool {
    matches!(expr, Expr::Var { .. } | Expr::Array { .. } | Expr::Set { .. } | Expr::Object { .. })
}

/// Whether a pattern takes something without naming it.
fn has_blank(pattern: &Expr) -> bool {
    match pattern {
        Expr::Var { span, .. } => span.text() == BLANK,
        Expr::Array { .. } | Expr::Set { .. } | Expr::Object { .. } => {
            parts(pattern).into_iter().any(has_blank)
        }
        _ => false,
    }
}

/// Whatever the input says.
fn has_value(expr: &Expr) -> bool {
    is_scalar(expr) || is_comprehension(expr)
}

/// The terms without which OPA has no answer to the negation of this.
fn needed(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => needed_by_reference(expr),
        Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. }
        | Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => {
            [lhs, rhs].into_iter().flat_map(|side| needed_by_side(side)).collect()
        }
        _ => parts(expr).into_iter().filter(|part| !is_scalar(part)).collect(),
    }
}

fn needed_by_side(side: &Expr) -> Vec<&Expr> {
    match side {
        Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => needed_by_reference(side),
        other if is_scalar(other) => vec![],
        other => vec![other],
    }
}

/// The reference itself may lead nowhere; its indices, and a call that it begins with, may not.
fn needed_by_reference(mut expr: &Expr) -> Vec<&Expr> {
    let mut needed = Vec::new();
    loop {
        match expr {
            Expr::RefDot { refr, .. } => expr = refr,
            Expr::RefBrack { refr, index, .. } => {
                if !is_scalar(index) {
                    needed.push(&**index);
                }
                expr = refr;
            }
            Expr::Var { .. } => return needed,
            _ => {
                needed.push(expr);
                return needed;
            }
        }
    }
}

fn is_comprehension(expr: &Expr) -> bool {
    matches!(expr, Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. })
}

fn is_scalar(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
    )
}

/// The variables that stand in these, but for those of comprehensions, which are their own.
fn variables<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut open: Vec<&Expr> = exprs.into_iter().collect();
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Var { span, .. } => {
                names.insert(span.text().to_owned());
            }
            other => open.extend(parts(other)),
        }
    }
    names
}

/// What references in it are indexed by.
fn indices(expr: &Expr) -> Vec<&Expr> {
    let mut found: Vec<&Expr> = parts(expr).into_iter().flat_map(indices).collect();
    if let Expr::RefBrack { index, .. } = expr {
        found.push(index);
    }
    found
}

/// The expressions that this one is made of. A comprehension is of one piece.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().map(AsRef::as_ref).collect(),
        Expr::Object { fields, .. } => fields.iter().flat_map(|(_, key, value)| [&**key, &**value]).collect(),
        Expr::Call { params, .. } => params.iter().map(AsRef::as_ref).collect(),
        Expr::UnaryExpr { expr, .. } => vec![expr],
        Expr::RefDot { refr, .. } => vec![refr],
        Expr::RefBrack { refr, index, .. } => vec![refr, index],
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => vec![lhs, rhs],
        Expr::Membership { key, value, collection, .. } => {
            key.iter().map(AsRef::as_ref).chain([&**value, &**collection]).collect()
        }
        _ => vec![],
    }
}

/// The first word of a rule's head.
pub(crate) fn head(rule: &Rule) -> &str {
    let (Rule::Spec {
        head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. },
        ..
    }
    | Rule::Default { refr, .. }) = rule;
    refr.span().text().split(['.', '[', '(']).next().unwrap_or_default().trim()
}

/// The names that a module's imports give.
fn imported(module: &Module) -> impl Iterator<Item = String> + '_ {
    module.imports.iter().map(name_of)
}

fn name_of(import: &Import) -> String {
    match &import.r#as {
        Some(name) => name.text().to_owned(),
        None => import.refr.span().text().rsplit('.').next().unwrap_or_default().to_owned(),
    }
}

fn text_of(span: &Span) -> &str {
    span.source.contents().get(range(span)).unwrap_or_default()
}

/// The bytes of a span. The engine leaves out the quotes of a text that it begins or ends with.
fn range(span: &Span) -> Range<usize> {
    let text = span.source.contents().as_bytes();
    let (start, end) = (index(span.start), index(span.end));
    let is_quote = |at: usize| text.get(at).is_some_and(|byte| matches!(byte, b'"' | b'`'));
    let start = start.checked_sub(1).filter(|before| is_quote(*before)).unwrap_or(start);
    start..end + usize::from(is_quote(end))
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
