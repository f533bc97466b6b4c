#!/usr/bin/env bash
# `make test`, and what takes longer: the console in a real browser, dependencies held against deny.toml, the jail suite as the other kind of user,
# ten million leaves, many more kills.
. "$(dirname "$0")/lib.sh"

scripts/test.sh

say "console in the browser"
scripts/console.sh browser

say "cargo deny"
scripts/setup.sh deny
cargo deny --all-features check bans licenses sources

# The suite ran as whoever called; here is the other half.
if [ "$(id -u)" = 0 ]; then
    say "the jail suite as an ordinary user"
    crates/platform/sandbox/tests/as-ordinary-user.sh
else
    say "the jail suite as root"
    suite=$(cargo test --quiet --locked --package safeconduct-sandbox --test it --no-run --message-format json |
        python3 -c 'import json, sys
for built in map(json.loads, sys.stdin):
    if built.get("executable") and built["target"]["name"] == "it":
        print(built["executable"])')
    sudo -- "$suite"
fi

say "ten million leaves"
cargo test --locked --profile quick --package safeconduct-merkle --features heavy --test heavy

say "kill -9 at 30 points"
SAFECONDUCT_TEST_KILLS=30 cargo test --workspace --locked --test it -- kill_nine

say "sign-in at a domain controller"
scripts/setup.sh samba
as=()
[ "$(id -u)" = 0 ] || as=(sudo)
domain=$(cargo test --quiet --locked --package safeconduct --features samba --test it --no-run --message-format json |
    python3 -c 'import json, sys
for built in map(json.loads, sys.stdin):
    if built.get("executable") and built["target"]["name"] == "it":
        print(built["executable"])')
(cd crates/safeconduct && "${as[@]}" "$domain" active_directory::)

say "secrets in a Vault, sign-in at Keycloak, two nodes at one bucket"
SAFECONDUCT_VAULT=$(scripts/vault.sh) SAFECONDUCT_KEYCLOAK=$(scripts/keycloak.sh) SAFECONDUCT_VERSITYGW=$(scripts/versitygw.sh) \
    cargo test --locked --package safeconduct --features vault,keycloak,bucket --test it -- \
    sign_in::vault sign_in::keycloak faults::bucket

say "policies under Open Policy Agent itself"
SAFECONDUCT_OPA=$(scripts/opa.sh) cargo test --locked --package safeconduct-rego --features opa --test opa

say "blobs in a bucket"
SAFECONDUCT_VERSITYGW=$(scripts/versitygw.sh) cargo test --locked --package safeconduct-blobs --features bucket --test bucket
