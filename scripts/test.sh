#!/usr/bin/env bash
# Everything that starts light: form, lints, the rules of the house, all tests, drift of what is generated.
# Nothing needs to be prepared. Ends with the first step that fails.
. "$(dirname "$0")/lib.sh"

say "looking for what the tests need"
scripts/setup.sh git rust c postgres python mail scim uv bus node oidc webhooks ldap chromium

say "cargo fmt"
cargo fmt --all --check

# The server embeds the console, so it comes first.
say "console: form, types, unit tests, build"
scripts/console.sh check
scripts/console.sh build

# Lints and tests choose the same packages, targets and features, so they share build scripts and macros: the C code of
# SQLite and AWS-LC is compiled once.
say "cargo clippy"
cargo clippy --quiet --workspace --all-targets --locked -- -D warnings

say "building the tests"
cargo test --quiet --workspace --locked --no-run

# Programs that the tests brought along; `cargo run` would choose other features and build half of it again.
built=${CARGO_TARGET_DIR:-target}/debug

say "cargo xtask tidy"
"$built/xtask" tidy

say "generated files"
"$built/xtask" reference --check
"$built/xtask" openapi --check --binary "$built/safeconduct"

say "cargo test"
cargo test --workspace --locked

# What the console proves by itself; the other pages take a quarter of an hour and run in test-all.sh.
say "console in the browser: sign-in, proofs, foreign content"
scripts/console.sh browser welcome audit foreign
