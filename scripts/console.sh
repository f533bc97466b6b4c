#!/usr/bin/env bash
# The web console: console.sh [build] | check | browser [TEST…] | measure | pictures [FOLDER]
#   build    into console/dist, from where the server's build embeds it
#   check    form, types and unit tests
#   browser  its tests in a real Chromium against the built server
#   pictures takes the evidence's pictures of pages anew; those of new pages go to docs/evidence/FOLDER/screens
#   measure  how soon pages are there, in the same; as the rows of a Markdown table
. "$(dirname "$0")/lib.sh"

scripts/setup.sh node
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
cd console

# install FOLDER: what its lock file names, unless it is there already. Not `npm ci`: that refuses a lock file which was
# written where packages for other systems could not be had.
install() {
    [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] && return
    say "npm install in console/$1"
    npm install --prefix "$1" --no-save --no-audit --no-fund --silent
}

# keep PICTURES FOLDER: each in the place of the one of the same name; a new one in the folder, if one is named.
keep() {
    local evidence=$root/docs/evidence picture old
    [ -z "$2" ] || mkdir -p "$evidence/$2/screens"
    for picture in "$1"/*.png; do
        old=$(find "$evidence" -path "*/screens/$(basename "$picture")" -print -quit)
        if [ -n "$old" ]; then
            cp "$picture" "$old"
        elif [ -n "$2" ]; then
            cp "$picture" "$evidence/$2/screens/"
        fi
    done
}

install .
install tools
npm run --silent api

case ${1:-build} in
    build) npm run --silent build ;;
    check) npm run --silent check && npm run --silent test ;;
    browser)
        "$root/scripts/setup.sh" chromium
        shift
        SAFECONDUCT_BIN=${SAFECONDUCT_BIN:-$target/debug/safeconduct} npm run --silent test:browser -- "$@"
        ;;
    measure)
        "$root/scripts/setup.sh" chromium
        SAFECONDUCT_BIN=${SAFECONDUCT_BIN:-$target/debug/safeconduct} npm run --silent measure
        ;;
    pictures)
        "$root/scripts/setup.sh" chromium
        pictures=$(mktemp -d)
        trap 'rm -r "$pictures"' EXIT
        SCREENSHOTS=$pictures SAFECONDUCT_BIN=${SAFECONDUCT_BIN:-$target/debug/safeconduct} \
            npm run --silent test:browser -- look sign-in providers policies functions.test queues schedules
        keep "$pictures" "${2:-}"
        ;;
    *) fail "usage: console.sh [build] | check | browser [TEST…] | measure | pictures [FOLDER]" ;;
esac
