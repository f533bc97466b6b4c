#!/usr/bin/env bash
# Every promised figure, one after the other, as the rows of a Markdown table; about 40 minutes, or 4 with --quick, whose
# figures are only good for finding out whether something broke.
. "$(dirname "$0")/lib.sh"

scripts/setup.sh rust c python postgres
say "building the server and the benches in release"
cargo build --release --quiet --locked --package safeconduct --package safeconduct-bench
bench=${CARGO_TARGET_DIR:-target}/release/safeconduct-bench
length=()
[ "${1:-}" != --quick ] || length=(--seconds 5 --runs 1)

"$bench" header
for figure in token introspect authzen append storm jobs; do
    "$bench" $figure "${length[@]}"
    "$bench" $figure "${length[@]}" --postgres
done
for figure in bearer policy proof verify fork hook requeue start enumeration; do "$bench" $figure "${length[@]}"; done
say "permission checks, which need no server"
cargo bench --quiet --locked --package safeconduct-authority --bench check
