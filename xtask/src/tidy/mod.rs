//! The rules of the house, each a function from the tree to findings.

mod bookkeeping;
mod error_pages;
mod features;
mod flow;
mod licences;
mod module_docs;
mod operations;
mod owners;
mod paths;
mod scopes;
mod sql;
mod tables;
mod tiers;
mod tree;

use std::path::Path;

use anyhow::{Result, bail};

use tree::Tree;

/// One thing that is not as the house wants it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// A file, perhaps with a line, or a package.
    place: String,
    /// What is wrong and what to do about it.
    text: String,
}

/// What must hold, in words, and the function that looks.
type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

const RULES: &[Rule] = &[
    ("crates know only the tiers below them", tiers::check),
    ("each engine and client has one owner", owners::check),
    ("the product is built with every guard", features::check),
    ("bookkeeping touches its own tables only", bookkeeping::check),
    ("some tables are read by one room only", tables::check),
    ("scopes are made at listed places only", scopes::check),
    ("every module says what it owns", module_docs::check),
    ("every error code has its page", error_pages::check),
    ("every operation is documented", operations::check),
    ("licences, lints and membership are stated", licences::check),
    ("nothing names the machine it was written on", paths::check),
];

#[expect(clippy::print_stdout, reason = "the report of a command")]
pub(crate) fn run(root: &Path) -> Result<()> {
    let tree = Tree::load(root)?;
    let mut count = 0;
    for (rule, check) in RULES {
        let mut findings = check(&tree);
        findings.sort();
        count += findings.len();
        println!("{} {rule}", if findings.is_empty() { "ok  " } else { "FAIL" });
        findings.iter().for_each(|finding| println!("       {}: {}", finding.place, finding.text));
    }
    if count > 0 {
        bail!("{count} findings; the rules stand in xtask/src/tidy/");
    }
    Ok(())
}

impl Finding {
    fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}
