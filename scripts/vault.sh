#!/usr/bin/env bash
# Builds HashiCorp Vault once, outside of the tree, from the Go module proxy (ten minutes); prints where the program is. For tests only.
. "$(dirname "$0")/lib.sh"

version=1.21.4
sdk=0.21.0
program=$cache/vault-$version/vault
if [ ! -x "$program" ]; then
    export PATH="/usr/local/go/bin:$PATH" GOFLAGS=-mod=mod
    has go || apt_install golang-go
    say "building vault $version in $cache"
    work=$(mktemp -d)
    trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
    cd "$work"
    go mod init safeconduct.test/vault 2>/dev/null
    go get "github.com/hashicorp/vault@v$version" 2>/dev/null
    # Vault is released against the SDK in its own tree, which the proxy does not hold: the published one lacks two changes.
    cp -r "$(go mod download -json "github.com/hashicorp/vault/sdk@v$sdk" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')" sdk
    chmod -R u+w sdk
    python3 - <<'PATCH'
import re

def mend(path, change):
    with open(path) as file:
        text = change(file.read())
    with open(path, "w") as file:
        file.write(text)

def restored_name(text):
    start = text.index("func (lm *LockManager) RestorePolicy")
    end = text.index("\n}\n", start)
    body = text[start:end].replace("force bool) error {", "force bool) (string, error) {")
    body = re.sub(r"return (err\b|fmt\.Errorf|errwrap|errors)", r'return "", \1', body)
    return text[:start] + re.sub(r"return nil\b", "return name, nil", body) + text[end:]

mend("sdk/helper/keysutil/lock_manager.go", restored_name)
mend("sdk/framework/backend.go", lambda text: text.replace(
    "ActivationFunc func(context.Context, *logical.Request, string) error",
    "ActivationFunc func(context.Context, *logical.Request) error"))
PATCH
    go mod edit -replace github.com/hashicorp/vault/sdk=./sdk
    mkdir -p "$(dirname "$program")"
    go build -trimpath -ldflags "-s -w" -o "$program" github.com/hashicorp/vault >&2
fi
echo "$program"
