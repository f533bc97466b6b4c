#!/usr/bin/env bash
# Builds Open Policy Agent once, outside of the tree, from the Go module proxy; prints where the program is.
. "$(dirname "$0")/lib.sh"

version=1.22.3
program=$cache/opa-$version/opa
if [ ! -x "$program" ]; then
    export PATH="/usr/local/go/bin:$PATH"
    has go || apt_install golang-go
    say "building opa $version in $cache"
    mkdir -p "$(dirname "$program")"
    GOBIN=$(dirname "$program") GOFLAGS=-trimpath CGO_ENABLED=0 go install "github.com/open-policy-agent/opa@v$version" >&2
fi
echo "$program"
