//! Small visitors: calls, bindings, fields and words inside a block.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprCall, ExprForLoop, ExprMethodCall, FieldValue, Ident, Local, Macro, Member, Pat,
    PatIdent,
};

pub(in crate::tidy) struct Call<'a> {
    pub(in crate::tidy) name: String,
    /// `None` for calls by path.
    pub(in crate::tidy) receiver: Option<&'a Expr>,
    pub(in crate::tidy) arguments: Vec<&'a Expr>,
    pub(in crate::tidy) line: usize,
}

/// Calls inside a block, by path and by method; not those inside macros.
pub(in crate::tidy) fn calls(block: &Block) -> Vec<Call<'_>> {
    let mut calls = Calls(Vec::new());
    calls.visit_block(block);
    calls.0
}

/// Lines of macros inside a block whose tokens hold the word.
pub(in crate::tidy) fn macros_with(block: &Block, word: &str) -> Vec<usize> {
    let mut macros = Macros { word, lines: Vec::new() };
    macros.visit_block(block);
    macros.lines
}

/// The last name of a path expression.
pub(in crate::tidy) fn path_end(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

/// What struct expressions put into the field.
pub(super) fn fields<'a>(block: &'a Block, name: &Ident) -> Vec<&'a Expr> {
    let mut fields = Fields { name, found: Vec::new() };
    fields.visit_block(block);
    fields.found
}

pub(super) fn binds(pattern: &Pat, name: &Ident) -> bool {
    let mut found = Binds(name, false);
    found.visit_pat(pattern);
    found.1
}

/// Every identifier.
#[derive(Default)]
pub(super) struct Words(pub(super) BTreeSet<String>);

impl<'ast> Visit<'ast> for Words {
    fn visit_ident(&mut self, word: &'ast Ident) {
        self.0.insert(word.to_string());
    }
}

/// What `let`, `if let`, `match` and `for` bind to a name.
pub(super) struct Lets<'a, 'n> {
    pub(super) name: &'n Ident,
    pub(super) found: Vec<&'a Expr>,
}

impl<'a> Visit<'a> for Lets<'a, '_> {
    fn visit_local(&mut self, local: &'a Local) {
        if let Some(init) = local.init.as_ref().filter(|_| binds(&local.pat, self.name)) {
            self.found.push(&init.expr);
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_let(&mut self, bound: &'a syn::ExprLet) {
        if binds(&bound.pat, self.name) {
            self.found.push(&bound.expr);
        }
        visit::visit_expr_let(self, bound);
    }

    fn visit_expr_match(&mut self, matched: &'a syn::ExprMatch) {
        if matched.arms.iter().any(|arm| binds(&arm.pat, self.name)) {
            self.found.push(&matched.expr);
        }
        visit::visit_expr_match(self, matched);
    }

    fn visit_expr_for_loop(&mut self, each: &'a ExprForLoop) {
        if binds(&each.pat, self.name) {
            self.found.push(&each.expr);
        }
        visit::visit_expr_for_loop(self, each);
    }
}

struct Calls<'a>(Vec<Call<'a>>);

impl<'a> Visit<'a> for Calls<'a> {
    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        if let Some(name) = path_end(&call.func) {
            let (arguments, line) = (call.args.iter().collect(), name.span().start().line);
            self.0.push(Call { name: name.to_string(), receiver: None, arguments, line });
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        let (arguments, line) = (call.args.iter().collect(), call.method.span().start().line);
        self.0.push(Call { name: call.method.to_string(), receiver: Some(&call.receiver), arguments, line });
        visit::visit_expr_method_call(self, call);
    }
}

struct Macros<'w> {
    word: &'w str,
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Macros<'_> {
    fn visit_macro(&mut self, called: &'ast Macro) {
        if holds(&called.tokens, self.word) {
            self.lines.extend(called.path.segments.first().map(|segment| segment.ident.span().start().line));
        }
    }
}

fn holds(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => holds(&group.stream(), word),
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Literal(_) | TokenTree::Punct(_) => false,
    })
}

struct Fields<'a, 'n> {
    name: &'n Ident,
    found: Vec<&'a Expr>,
}

impl<'a> Visit<'a> for Fields<'a, '_> {
    fn visit_field_value(&mut self, field: &'a FieldValue) {
        if matches!(&field.member, Member::Named(name) if name == self.name) {
            self.found.push(&field.expr);
        }
        visit::visit_field_value(self, field);
    }
}

struct Binds<'n>(&'n Ident, bool);

impl<'ast> Visit<'ast> for Binds<'_> {
    fn visit_pat_ident(&mut self, bound: &'ast PatIdent) {
        self.1 |= bound.ident == *self.0;
        visit::visit_pat_ident(self, bound);
    }
}
