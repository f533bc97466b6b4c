#!/usr/bin/env bash
# Installs what is missing: setup.sh rust|c|git|postgres|python|mail|scim|uv|bus|node|oidc|webhooks|ldap|samba|chromium|peers|deny …
# Looks first and changes nothing that is there already.
. "$(dirname "$0")/lib.sh"

node_version=22.20.0
deny_version=0.20.2

setup_rust() {
    if ! has cargo; then
        has curl || apt_install ca-certificates curl
        say "installing rustup from https://sh.rustup.rs"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --profile minimal --no-modify-path
    fi
    # rust-toolchain.toml names the version; rustup fetches it on first use.
    cargo --version >/dev/null 2>&1 || rustup toolchain install >&2
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt >&2
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy >&2
}

# SQLite and AWS-LC are compiled from C; neither needs CMake on the platforms that we build for.
setup_c() { { has cc && [ -e /usr/include/stdio.h ]; } || apt_install gcc libc6-dev; }

setup_git() { has git || apt_install git; }

setup_postgres() {
    local programs
    programs=$(postgres_programs)
    [ -n "$programs" ] || apt_install postgresql
    programs=$(postgres_programs)
    local version
    version=$("$programs/postgres" --version | grep -oE '[0-9]+' | head -1)
    [ "$version" -ge 15 ] || fail "PostgreSQL 15 or newer is needed; $programs is $version"
}

setup_python() {
    has python3 || apt_install python3
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "Python 3.10 or newer is needed"
}

setup_node() {
    # What console/package.json asks for.
    has node && node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' && return
    local machine archive
    case $(uname -m) in
        x86_64) machine=x64 ;;
        aarch64) machine=arm64 ;;
        *) fail "please install Node.js 20.19 or newer by hand" ;;
    esac
    if [ ! -x "$cache/node/bin/node" ]; then
        { has curl && has xz; } || apt_install ca-certificates curl xz-utils
        say "downloading Node.js $node_version to $cache/node"
        archive=node-v$node_version-linux-$machine.tar.xz
        mkdir -p "$cache/node"
        curl -sSf -o "$cache/$archive" "https://nodejs.org/dist/v$node_version/$archive"
        curl -sSf "https://nodejs.org/dist/v$node_version/SHASUMS256.txt" | grep " $archive\$" |
            (cd "$cache" && sha256sum --check --quiet -)
        tar -xJf "$cache/$archive" -C "$cache/node" --strip-components 1
        rm "$cache/$archive"
    fi
}

# A certified OpenID provider that the tests sign in at.
setup_oidc() {
    setup_peer crates/testing/peers/oidc
}

# The vendors' libraries that sign what the tests deliver to hooks.
setup_webhooks() {
    setup_peer crates/testing/peers/webhooks
}

setup_peer() {
    local peer=$1
    [ "$peer/node_modules/.package-lock.json" -nt "$peer/package-lock.json" ] && return
    setup_node
    say "npm install in $peer"
    npm install --prefix "$peer" --no-save --no-audit --no-fund --silent
}

# A directory for the tests, and certificates for it.
setup_ldap() {
    has openssl || apt_install openssl
    { has ldapadd && { has slapd || [ -x /usr/sbin/slapd ]; }; } || apt_install slapd ldap-utils
}

# A domain controller for `make test-all`.
setup_samba() {
    has openssl || apt_install openssl
    has ldapsearch || apt_install ldap-utils
    { has samba-tool && has samba; } || [ -x /usr/sbin/samba ] || apt_install samba samba-ad-provision \
        samba-dsdb-modules samba-vfs-modules winbind
}

setup_chromium() {
    has chromium || has chromium-browser || has google-chrome || apt_install chromium
}

# A mail server for the tests, and certificates for it.
setup_mail() {
    has openssl || apt_install openssl
    for python in /usr/bin/python3 python3; do
        ! "$python" -c 'import aiosmtpd' 2>/dev/null || return 0
    done
    apt_install python3-aiosmtpd
}

# The public SCIM tester, in an environment of its own outside of the tree; the tests look for it there.
setup_scim() {
    setup_environment scim-tester scripts/scim-tester.txt
}

# Resolves and installs the packages of functions.
setup_uv() {
    setup_environment uv scripts/uv.txt
}

# setup_environment NAME REQUIREMENTS: Python packages in an environment of their own in the cache.
setup_environment() {
    local environment=$cache/$1
    ! cmp --silent "$2" "$environment/installed.txt" || return 0
    setup_python
    say "installing $2 in $environment"
    rm -rf "$environment"
    python3 -m venv "$environment" >&2 || { rm -rf "$environment" && apt_install python3-venv && python3 -m venv "$environment" >&2; }
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$2" >&2
    cp "$2" "$environment/installed.txt"
}

# What nodes share counts through.
setup_bus() {
    has redis-server || apt_install redis-server
    has nats-server || apt_install nats-server
}

# What benches compare with; prints the Python that has the Python ones.
setup_peers() {
    setup_peer bench/peers
    setup_environment bench-peers bench/peers/procrastinate.txt
    echo "$cache/bench-peers/bin/python"
}

setup_deny() {
    [ "$(cargo deny --version 2>/dev/null)" = "cargo-deny $deny_version" ] && return
    say "building cargo-deny $deny_version"
    cargo install --quiet --locked "cargo-deny@$deny_version" >&2
}

[ $# -gt 0 ] || fail "name what to set up: rust c git postgres python mail scim uv bus node oidc webhooks ldap samba chromium peers deny"
for what in "$@"; do
    declare -F "setup_$what" >/dev/null || fail "cannot set up $what"
    "setup_$what"
done
