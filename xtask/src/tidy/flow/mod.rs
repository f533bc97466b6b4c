//! Follows texts through the product's code by name: enough to see which SQL reaches a call.
//!
//! Reads syntax, not types. A local is resolved by its `let`, a parameter by the arguments of its callers, a field by the
//! struct expressions that fill it, a constant and a function that returns text or statements by their bodies – inside
//! one crate, and functions also by a path that begins with another crate. What cannot be followed is for the caller to
//! refuse.

mod collect;
mod look;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use syn::visit::Visit;
use syn::{Block, Expr, FnArg, Ident, Signature};

pub(super) use look::{Call, calls, macros_with, path_end};

use collect::Collect;
use look::{Lets, Words, binds};
use texts::Texts;

/// All product code.
#[derive(Default)]
pub(super) struct House {
    pub(super) functions: Vec<Function>,
    /// By crate and name.
    constants: BTreeMap<(String, String), Vec<Expr>>,
    /// Bodies of `macro_rules!`, by crate and name.
    macros: BTreeMap<(String, String), TokenStream>,
    /// `use … as …`: the first name, by crate and second name.
    renamed: BTreeMap<(String, String), String>,
}

pub(super) struct Function {
    /// Folder of the crate: `crates/platform/db`.
    home: String,
    /// The file, from the root of the tree.
    pub(super) path: String,
    /// The trait that its `impl` block is for.
    pub(super) of_trait: Option<String>,
    pub(super) signature: Signature,
    pub(super) block: Block,
}

impl House {
    pub(super) fn add(&mut self, path: &str, text: &str) -> syn::Result<()> {
        let file = syn::parse_file(text)?;
        Collect::new(path, self).visit_file(&file);
        Ok(())
    }

    /// Every string that can be part of `expression` inside `function`.
    pub(super) fn texts(&self, expression: &Expr, function: &Function) -> Vec<String> {
        Texts::gather(self, function, |texts| texts.visit_expr(expression))
    }

    /// Every string in a function's body and in what it follows.
    pub(super) fn texts_of(&self, function: &Function) -> Vec<String> {
        Texts::gather(self, function, |texts| texts.visit_block(&function.block))
    }

    /// What a call inside `from` can mean: functions of that crate, or, by a path such as `web::sweep`, of another.
    pub(super) fn called<'a>(&'a self, called: &Expr, from: &'a Function) -> Vec<&'a Function> {
        let Expr::Path(path) = called else { return Vec::new() };
        let words: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let Some((name, before)) = words.split_last() else { return Vec::new() };
        let near = self.functions.iter().filter(|function| function.home == from.home);
        let near: Vec<&Function> = near.filter(|function| function.signature.ident == *name).collect();
        let Some(room) = before.first().filter(|_| near.is_empty()).map(|room| format!("/{room}")) else {
            return near;
        };
        let far = self.functions.iter().filter(|function| function.home.ends_with(&room));
        far.filter(|function| function.signature.ident == *self.first_name(&function.home, name)).collect()
    }

    fn first_name<'a>(&'a self, home: &str, name: &'a String) -> &'a String {
        self.renamed.get(&(home.to_owned(), name.clone())).unwrap_or(name)
    }

    /// Methods of this name in the crate of `from`.
    fn methods<'a>(&'a self, name: &Ident, from: &'a Function) -> Vec<&'a Function> {
        let methods = self.neighbours(from).filter(|function| function.signature.receiver().is_some());
        methods.filter(|function| function.signature.ident == *name).collect()
    }

    fn neighbours<'a>(&'a self, of: &'a Function) -> impl Iterator<Item = &'a Function> {
        self.functions.iter().filter(|function| function.home == of.home)
    }

    /// Calls of `function` in its own crate, with their arguments.
    fn callers<'a>(&'a self, function: &'a Function) -> impl Iterator<Item = (&'a Function, Vec<&'a Expr>)> {
        let name = function.signature.ident.to_string();
        self.neighbours(function).flat_map(move |caller| {
            let calls = calls(&caller.block).into_iter().filter(|call| call.name == name);
            calls.map(|call| (caller, call.arguments)).collect::<Vec<_>>()
        })
    }
}

impl Function {
    /// Does its signature or its body name the type?
    pub(super) fn names(&self, word: &str) -> bool {
        let mut words = Words::default();
        words.visit_signature(&self.signature);
        words.visit_block(&self.block);
        words.0.contains(word)
    }

    pub(super) fn returns(&self, words: &[&str]) -> bool {
        let mut returned = Words::default();
        returned.visit_return_type(&self.signature.output);
        words.iter().any(|word| returned.0.contains(*word))
    }

    /// What the local `name` is bound to, each time.
    pub(super) fn bindings(&self, name: &Ident) -> Vec<&Expr> {
        let mut lets = Lets { name, found: Vec::new() };
        lets.visit_block(&self.block);
        lets.found
    }

    /// The place of the parameter among the arguments, `self` not counted, and the words of its type.
    pub(super) fn parameter(&self, name: &Ident) -> Option<(usize, BTreeSet<String>)> {
        let typed = self.signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        let (at, typed) = typed.enumerate().find(|(_, typed)| binds(&typed.pat, name))?;
        let mut words = Words::default();
        words.visit_type(&typed.ty);
        Some((at, words.0))
    }
}
