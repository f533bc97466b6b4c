#!/usr/bin/env bash
# `make test`, and what takes longer: dependencies held against deny.toml.
. "$(dirname "$0")/lib.sh"

scripts/test.sh

say "cargo deny"
scripts/setup.sh deny
cargo deny --all-features check bans licenses sources
