# Keycloak ($1, see scripts/keycloak.sh) with its database in memory, at the port $2 of loopback; `admin` is its administrator. Prints one line
# when it answers, and ends with its standard input. Run by sh.
set -eu
log=$(mktemp)
trap 'rm -f "$log"' EXIT
KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin setsid "$1/bin/kc.sh" start --optimized --http-enabled=true \
    --hostname-strict=false --http-host=127.0.0.1 --http-port="$2" --cache=local </dev/null >"$log" 2>&1 &
server=$!
trap 'kill -- -$server 2>/dev/null; rm -f "$log"' EXIT
trap 'exit 1' TERM INT
await 1200 "$log" grep -q 'Listening on' "$log"
echo ready
cat >/dev/null
