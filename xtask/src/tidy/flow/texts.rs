//! String literals, and the names that lead to more of them.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprField, ExprMethodCall, ExprPath, Ident, LitStr, Macro, Member, Token};

use super::look::{fields, path_end};
use super::{Function, House};

/// What a function that passes SQL on returns.
const CARRIERS: &[&str] = &["Statement", "String", "str", "Cow"];

pub(super) struct Texts<'a> {
    house: &'a House,
    function: &'a Function,
    found: Vec<String>,
    /// Names that were followed already: recursion ends here.
    seen: &'a mut BTreeSet<String>,
    /// Only where the search begins: the bodies of functions mention fields for other reasons.
    follows_fields: bool,
}

impl<'a> Texts<'a> {
    pub(super) fn gather(
        house: &House,
        function: &Function,
        visit: impl FnOnce(&mut Texts<'_>),
    ) -> Vec<String> {
        let seen = &mut BTreeSet::new();
        let mut texts = Texts { house, function, found: Vec::new(), seen, follows_fields: true };
        visit(&mut texts);
        texts.found
    }

    fn inside(&mut self, function: &'a Function, visit: impl FnOnce(&mut Texts<'_>)) {
        let (house, seen) = (self.house, &mut *self.seen);
        let mut inner = Texts { house, function, found: Vec::new(), seen, follows_fields: false };
        visit(&mut inner);
        self.found.append(&mut inner.found);
    }

    fn follow_name(&mut self, name: &Ident) {
        let (house, function) = (self.house, self.function);
        if !self.seen.insert(format!("{}:{}:{name}", function.path, function.signature.ident)) {
            return;
        }
        function.bindings(name).into_iter().for_each(|value| self.visit_expr(value));
        let constants = house.constants.get(&(function.home.clone(), name.to_string()));
        constants.into_iter().flatten().for_each(|value| self.visit_expr(value));
        if let Some((at, _)) = function.parameter(name) {
            for (caller, arguments) in house.callers(function) {
                if let Some(argument) = arguments.get(at) {
                    self.inside(caller, |inner| inner.visit_expr(argument));
                }
            }
        }
    }

    /// Functions that pass SQL on; others only use what they are given.
    fn follow_functions(&mut self, functions: Vec<&'a Function>) {
        for function in functions.into_iter().filter(|function| function.returns(CARRIERS)) {
            if self.seen.insert(format!("{} fn {}", function.path, function.signature.ident)) {
                self.inside(function, |inner| inner.visit_block(&function.block));
            }
        }
    }

    fn follow_field(&mut self, name: &Ident) {
        if !self.seen.insert(format!("field {name}")) {
            return;
        }
        let house = self.house;
        for function in house.neighbours(self.function) {
            for value in fields(&function.block, name) {
                self.inside(function, |inner| inner.visit_expr(value));
            }
        }
    }

    fn body(&self, name: &str) -> Option<&'a TokenStream> {
        self.house.macros.get(&(self.function.home.clone(), name.to_owned()))
    }

    /// All literals in their order as one text: what `concat!`, `format!` or a macro of the crate makes of them.
    fn joined(&self, tokens: &TokenStream) -> String {
        let mut text = String::new();
        let mut tokens = tokens.clone().into_iter().peekable();
        while let Some(token) = tokens.next() {
            let calls = matches!(tokens.peek(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
            match token {
                TokenTree::Group(group) => text += &self.joined(&group.stream()),
                TokenTree::Literal(literal) => {
                    let literal = syn::parse_str::<LitStr>(&literal.to_string());
                    text += &literal.map(|text| text.value()).unwrap_or_default();
                }
                TokenTree::Ident(name) if calls => {
                    text += &self.body(&name.to_string()).map(|body| self.joined(body)).unwrap_or_default();
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
        text
    }
}

impl<'ast> Visit<'ast> for Texts<'_> {
    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.found.push(text.value());
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let Some(last) = path.path.segments.last() {
            self.follow_name(&last.ident);
        }
    }

    fn visit_expr_field(&mut self, field: &'ast ExprField) {
        if let Member::Named(name) = &field.member
            && self.follows_fields
        {
            self.follow_field(name);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        self.follow_functions(self.house.called(&call.func, self.function));
        // The second argument of `sql(text, parameters)` is no SQL.
        let all = if path_end(&call.func).is_some_and(|name| name == "sql") { 1 } else { call.args.len() };
        call.args.iter().take(all).for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        // What time it is holds no SQL, whatever the clock hangs on.
        if call.method == "now" && call.args.is_empty() {
            return;
        }
        self.follow_functions(self.house.methods(&call.method, self.function));
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        let name = called.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        if let Some(body) = self.body(&name) {
            self.found.push(self.joined(body));
        }
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(called.tokens.clone());
        match arguments {
            Ok(arguments) if name != "concat" && name != "format" => {
                arguments.iter().for_each(|argument| self.visit_expr(argument));
            }
            _ => self.found.push(self.joined(&called.tokens)),
        }
    }
}
