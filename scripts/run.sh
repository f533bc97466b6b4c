#!/usr/bin/env bash
# Builds server and console and starts them on SQLite in ./.data, which stays. Further arguments go to `serve`.
. "$(dirname "$0")/lib.sh"

say "looking for what the build needs"
scripts/setup.sh rust c python uv
scripts/console.sh

say "building the server (profile quick)"
cargo build --profile quick --locked --package safeconduct

export SAFECONDUCT_DATA__DIR=${SAFECONDUCT_DATA__DIR:-$root/.data}
exec target/quick/safeconduct serve "$@"
