#!/usr/bin/env bash
# Builds the web console into console/dist, from where the server's build embeds it.
. "$(dirname "$0")/lib.sh"

scripts/setup.sh node
say "building the console"
cd console
npm ci --no-audit --no-fund --silent
npm run --silent build
