# Sourced by the scripts beside it: where the tree is, how to speak, how to install.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Some runners start without a home; tools that keep caches need one.
if [ -z "${HOME:-}" ]; then
    HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
    export HOME
fi
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

# Built or downloaded once, outside of the tree.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/safeconduct

# Node.js stands there if setup.sh had to download it.
[ ! -x "$cache/node/bin/node" ] || PATH="$cache/node/bin:$PATH"

say() { printf '==> %s\n' "$*" >&2; }

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE…: on Debian and Ubuntu, as root or through sudo.
apt_install() {
    has apt-get || fail "please install by hand what Debian calls: $*"
    local as=()
    if [ "$(id -u)" != 0 ]; then
        has sudo || fail "please install as root: apt-get install $*"
        as=(sudo)
    fi
    say "installing $*"
    local get=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y)
    "${as[@]}" "${get[@]}" install --no-install-recommends "$@" </dev/null >&2 && return
    "${as[@]}" "${get[@]}" update </dev/null >&2
    "${as[@]}" "${get[@]}" install --no-install-recommends "$@" </dev/null >&2
}

# go_program NAME VERSION PACKAGE: builds it once, in the cache, from the Go module proxy; prints where the program is.
go_program() {
    local program=$cache/$1-$2/$1
    if [ ! -x "$program" ]; then
        export PATH="/usr/local/go/bin:$PATH"
        has go || apt_install golang-go
        say "building $1 $2 in $cache"
        mkdir -p "$(dirname "$program")"
        GOBIN=$(dirname "$program") GOFLAGS=-trimpath CGO_ENABLED=0 go install "$3@v$2" >&2
    fi
    echo "$program"
}

# run_as_postgres COMMAND…: PostgreSQL refuses to run as root.
run_as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# Directory of PostgreSQL's programs; Debian keeps them off the path. Nothing if there is none.
postgres_programs() {
    local programs
    programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
    if [ -z "$programs" ] && has initdb; then programs=$(dirname "$(command -v initdb)"); fi
    printf '%s' "$programs"
}
