//! Gathers functions, constants and macros of a file; test modules are left out.

use syn::visit::{self, Visit};
use syn::{
    Block, Expr, Ident, ImplItemConst, ImplItemFn, ItemConst, ItemFn, ItemImpl, ItemMacro, ItemMod,
    ItemStatic, Signature, UseRename,
};

use super::{Function, House};

pub(super) struct Collect<'a> {
    home: String,
    path: &'a str,
    of_trait: Option<String>,
    into: &'a mut House,
}

impl<'a> Collect<'a> {
    pub(super) fn new(path: &'a str, into: &'a mut House) -> Self {
        let home = path.split("/src/").next().unwrap_or(path).to_owned();
        Self { home, path, of_trait: None, into }
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        self.into.functions.push(Function {
            home: self.home.clone(),
            path: self.path.to_owned(),
            of_trait: self.of_trait.clone(),
            signature: signature.clone(),
            block: block.clone(),
        });
    }

    fn constant(&mut self, name: &Ident, value: &Expr) {
        let key = (self.home.clone(), name.to_string());
        self.into.constants.entry(key).or_default().push(value.clone());
    }
}

impl<'ast> Visit<'ast> for Collect<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let is_test = module.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<Ident>().is_ok_and(|word| word == "test")
        });
        if !is_test {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        let last = block.trait_.as_ref().and_then(|(path, _)| path.segments.last());
        let outer = std::mem::replace(&mut self.of_trait, last.map(|segment| segment.ident.to_string()));
        visit::visit_item_impl(self, block);
        self.of_trait = outer;
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_item_macro(&mut self, defined: &'ast ItemMacro) {
        if let Some(name) = &defined.ident {
            self.into.macros.insert((self.home.clone(), name.to_string()), defined.mac.tokens.clone());
        }
    }

    fn visit_use_rename(&mut self, renamed: &'ast UseRename) {
        let key = (self.home.clone(), renamed.rename.to_string());
        self.into.renamed.insert(key, renamed.ident.to_string());
    }

    fn visit_item_const(&mut self, constant: &'ast ItemConst) {
        self.constant(&constant.ident, &constant.expr);
    }

    fn visit_item_static(&mut self, constant: &'ast ItemStatic) {
        self.constant(&constant.ident, &constant.expr);
    }

    fn visit_impl_item_const(&mut self, constant: &'ast ImplItemConst) {
        self.constant(&constant.ident, &constant.expr);
    }
}
