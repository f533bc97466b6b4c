#!/usr/bin/env bash
# Builds an S3 gateway once, outside of the tree; prints where the program is. For tests only.
. "$(dirname "$0")/lib.sh"

go_program versitygw 1.8.0 github.com/versity/versitygw/cmd/versitygw
