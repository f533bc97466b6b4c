#!/usr/bin/env bash
# The quick look before a commit: form, lints and the rules of the house, no tests.
. "$(dirname "$0")/lib.sh"

scripts/setup.sh git rust c
cargo fmt --all --check
cargo clippy --quiet --workspace --all-targets --locked -- -D warnings
cargo xtask tidy
cargo xtask reference --check
