#!/usr/bin/env bash
# Builds Open Policy Agent once, outside of the tree; prints where the program is.
. "$(dirname "$0")/lib.sh"

go_program opa 1.22.3 github.com/open-policy-agent/opa
