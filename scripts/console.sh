#!/usr/bin/env bash
# Installs, builds or tests the console, fetching what is missing: Node packages, and Chromium for the tests.
#
#   scripts/console.sh install    Node packages of console/ and console/tools/
#   scripts/console.sh build      console/dist, pre-compressed, within its budget
#   scripts/console.sh test       lint, types, unit tests; in Chromium against target/debug/safeconduct
set -euo pipefail
cd "$(dirname "$0")/../console"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

need_node() {
  if node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then
    return
  fi
  echo "The console needs Node 20.19 or newer; found: $(node --version 2>/dev/null || echo none). Install nodejs and npm." >&2
  exit 1
}

# `npm ci` where the lock file is newer than what is installed.
packages() {
  if [ ! -e "$1/node_modules/.package-lock.json" ] || [ "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ]; then
    say "Installing the packages of $1"
    npm ci --prefix "$1" --no-audit --no-fund --loglevel=error
    touch "$1/node_modules/.package-lock.json"
  fi
}

install() {
  need_node
  packages .
  packages tools
}

generate() {
  install
  if [ ! -e src/api/schema.d.ts ] || [ ../openapi/safeconduct.json -nt src/api/schema.d.ts ]; then
    say "Generating the client's types from openapi/safeconduct.json"
    npm run --silent api
  fi
}

build() {
  generate
  say "Building console/dist"
  npm run --silent build
}

chromium() {
  command -v chromium >/dev/null && return
  say "Installing Chromium (Debian package)"
  local as=()
  [ "$(id -u)" = 0 ] || as=(sudo)
  "${as[@]}" apt-get update -qq
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
}

run_tests() {
  generate
  say "Lint and types"
  npm run --silent check
  say "Unit tests"
  npm test --silent
  chromium
  [ -e dist/index.html ] || build
  if [ ! -x "${SAFECONDUCT_BIN:-../target/debug/safeconduct}" ]; then
    echo "The browser tests drive the real server: build it with 'cargo build' after 'scripts/console.sh build', or set SAFECONDUCT_BIN." >&2
    exit 1
  fi
  say "Browser tests"
  npm run --silent test:browser
}

case "${1:-}" in
  install) install ;;
  build) build ;;
  test) run_tests ;;
  *)
    sed -n '2,6s/^# \{0,1\}//p' "../scripts/$(basename "$0")" >&2
    exit 2
    ;;
esac
