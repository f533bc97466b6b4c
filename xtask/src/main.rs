//! The house's own commands: `cargo xtask tidy`, `cargo xtask openapi [--check]`, `cargo xtask reference [--check]`.
//!
//! Guards what no compiler sees – which crate may know which, which tables bookkeeping may touch, that every error code
//! has its page – and writes what is generated and checked in. Runs for developers and in `make test`, never in the
//! server. Each rule of `tidy` is a function from the tree to findings, with a test that shows it failing.

mod checked_in;
mod openapi;
mod reference;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
cargo xtask tidy                                  hold the tree against the rules of the house
cargo xtask openapi [--check] [--binary PATH]     write (or compare) openapi/safeconduct.json, docs/operations.md
cargo xtask reference [--check]                   write (or compare) docs/configuration.md";

#[expect(clippy::print_stderr, reason = "the report of a command")]
fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let root = root()?;
    match &words[..] {
        ["tidy"] => tidy::run(&root),
        ["openapi", options @ ..] => openapi::run(&root, options),
        ["reference"] => reference::run(&root, checked_in::Mode::Write),
        ["reference", "--check"] => reference::run(&root, checked_in::Mode::Check),
        _ => bail!("no such command\n{USAGE}"),
    }
}

fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.map(Path::to_path_buf).context("xtask lies below the root")
}
