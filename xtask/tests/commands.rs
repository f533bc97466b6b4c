//! The program as developers call it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

#[test]
fn an_unknown_command_says_what_there_is() {
    for words in [&[][..], &["tydi"], &["reference", "--chekc"], &["openapi", "--fast"]] {
        let output = xtask(words);
        assert!(!output.status.success(), "{words:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("cargo xtask tidy") || said.contains("openapi takes"), "{said}");
    }
}

#[test]
fn the_configuration_reference_is_the_table() {
    let output = xtask(&["reference", "--check"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn xtask(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(words).output().unwrap()
}
