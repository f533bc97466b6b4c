//! `openapi/safeconduct.json`, as the server itself describes its API.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::checked_in::{self, Mode};

pub(crate) const DOCUMENT: &str = "openapi/safeconduct.json";

/// `--binary PATH` spares a build where the server was built already.
pub(crate) fn run(root: &Path, options: &[&str]) -> Result<()> {
    let (mode, binary) = match options {
        [] => (Mode::Write, None),
        ["--check"] => (Mode::Check, None),
        ["--check", "--binary", path] => (Mode::Check, Some(*path)),
        ["--binary", path] => (Mode::Write, Some(*path)),
        _ => bail!("openapi takes --check and --binary PATH"),
    };
    checked_in::settle(root, DOCUMENT, &document(root, binary)?, mode, "cargo xtask openapi")
}

fn document(root: &Path, binary: Option<&str>) -> Result<String> {
    let mut command = match binary {
        Some(path) => Command::new(root.join(path)),
        None => {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["run", "--quiet", "--package", "safeconduct", "--bin", "safeconduct", "--"]);
            cargo
        }
    };
    let output =
        command.arg("openapi").current_dir(root).output().context("the server's binary cannot be run")?;
    if !output.status.success() {
        bail!("`safeconduct openapi` failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).context("`safeconduct openapi` wrote bytes that are no text")
}
