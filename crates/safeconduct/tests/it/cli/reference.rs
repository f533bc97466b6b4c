//! The reference is written from the commands, and every example in the guide is run.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Said, Terminal};
use crate::support::PROGRAM;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_reference_is_that_of_this_program() {
    let made = Command::new(PROGRAM).arg("reference").output().expect("an answer");
    let made = String::from_utf8(made.stdout).expect("text");
    let kept = std::fs::read_to_string(root().join("docs/reference/cli.md")).unwrap_or_default();
    assert!(
        kept == made,
        "docs/reference/cli.md differs; write it anew: safeconduct reference > docs/reference/cli.md"
    );
}

#[test]
fn every_shell_completes() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = Command::new(PROGRAM).args(["completion", shell]).output().expect("an answer");
        let script = String::from_utf8(script.stdout).expect("text");
        assert!(script.contains("quickstart") && script.contains("decommission"), "{shell}");
    }
}

/// The blocks of a guide run one after the other in one shell, as a reader would type them.
fn run_blocks(guide: &str, terminal: &Terminal, least: usize) {
    let guide = std::fs::read_to_string(root().join("docs/guides").join(guide)).expect("the guide");
    let blocks: Vec<&str> =
        guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(blocks.len() >= least, "the guide shows commands");
    let script = format!("set -euo pipefail\n{}", blocks.concat());
    let programs = Path::new(PROGRAM).parent().expect("a folder");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(terminal.home.path()).env_clear();
    bash.env("HOME", terminal.home.path());
    bash.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display()));
    let said = Said::of(bash.output().expect("an end"));
    assert_eq!(said.code, 0, "{said}");
}

#[test]
fn every_shell_block_of_the_quick_start_guide_works() {
    let terminal = Terminal::new();
    // As `make run` leaves it.
    std::os::unix::fs::symlink(terminal.data.path(), terminal.path(".data")).expect("a link");
    run_blocks("quickstart.md", &terminal, 4);
    terminal.end();
}

#[test]
fn every_shell_block_of_the_guide_to_hooks_works() {
    let terminal = Terminal::signed_in();
    run_blocks("hooks.md", &terminal, 7);
    terminal.end();
}

#[test]
fn every_shell_block_of_the_guide_to_configuration_works() {
    let terminal = Terminal::signed_in();
    run_blocks("configuration.md", &terminal, 4);
    terminal.end();
}

#[test]
fn every_shell_block_of_the_guide_to_files_works() {
    let terminal = Terminal::signed_in();
    run_blocks("files.md", &terminal, 4);
    terminal.end();
}

#[test]
fn every_shell_block_of_the_guide_to_functions_works() {
    let terminal = Terminal::signed_in();
    run_blocks("functions.md", &terminal, 2);
    terminal.end();
}

#[test]
fn every_shell_block_of_the_guide_to_schedules_works() {
    let terminal = Terminal::signed_in();
    run_blocks("schedules.md", &terminal, 1);
    terminal.end();
}

/// From the index on the network, as a reader would.
#[test]
fn every_shell_block_of_the_guide_to_packages_works() {
    let (uv, index) = (testing::uv().display().to_string(), testing::index_url());
    let terminal = Terminal::signed_in_with(&[("packages.uv", &uv), ("packages.index_url", &index)]);
    run_blocks("packages.md", &terminal, 2);
    terminal.end();
}
