#!/usr/bin/env bash
# Builds an S3 gateway once, outside of the tree, from the Go module proxy; prints where the program is.
. "$(dirname "$0")/lib.sh"

version=1.8.0
program=$cache/versitygw-$version/versitygw
if [ ! -x "$program" ]; then
    export PATH="/usr/local/go/bin:$PATH"
    has go || apt_install golang-go
    say "building versitygw $version in $cache"
    mkdir -p "$(dirname "$program")"
    GOBIN=$(dirname "$program") GOFLAGS=-trimpath CGO_ENABLED=0 \
        go install "github.com/versity/versitygw/cmd/versitygw@v$version" >&2
fi
echo "$program"
