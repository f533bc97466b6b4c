#!/usr/bin/env bash
# Runs the jail suite as an ordinary user: once with ids of its own from /etc/subuid, once without any.
# Needs root to make the user, who is removed at the end. Builds as the caller; the user only runs the result.
set -euo pipefail
cd "$(dirname "$0")/.."

user="sandbox-suite-$$"
place=$(mktemp -d /var/tmp/sandbox-suite.XXXXXX)
cleanup() {
    userdel --remove "$user" >/dev/null 2>&1 || true
    rm -rf "$place"
}
trap cleanup EXIT

echo "building the suite"
cargo test --quiet --package safeconduct-sandbox --test it --no-run --message-format json |
    python3 -c '
import json, shutil, sys
for line in sys.stdin:
    built = json.loads(line)
    name = built.get("target", {}).get("name")
    if built.get("executable") and name in ("it", "sandbox-test-host"):
        shutil.copy2(built["executable"], f"{sys.argv[1]}/{name}")
' "$place"
chmod -R a+rX "$place"

useradd --create-home --shell /bin/sh "$user"
run() { (cd "$place" && runuser -u "$user" -- "$place/it" "$@"); }

if command -v newuidmap >/dev/null && grep -q "^$user:" /etc/subuid; then
    echo "as an ordinary user with subordinate ids"
    run "$@"
else
    echo "this host gives ordinary users no subordinate ids (package uidmap): that half is left out"
fi
usermod --del-subuids 1-4294967294 --del-subgids 1-4294967294 "$user"
echo "as an ordinary user without subordinate ids"
run "$@"
