#!/usr/bin/env bash
# All benches, one after the other, each printing its own figures.
. "$(dirname "$0")/lib.sh"

scripts/setup.sh rust c
cargo bench --quiet --locked --package safeconduct-authority --bench check
