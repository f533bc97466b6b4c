# HashiCorp Vault ($1, see scripts/vault.sh) in memory, unsealed, at the port $2 of loopback; a key-value engine of version 2 at `secret`.
# Prints its root token and the key that unseals it when it answers, and ends with its standard input. Run by sh.
set -eu
log=$(mktemp)
trap 'rm -f "$log"' EXIT
HOME=$(dirname "$log") "$1" server -dev -dev-no-store-token -dev-listen-address="127.0.0.1:$2" </dev/null >"$log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; rm -f "$log"' EXIT
trap 'exit 1' TERM INT
await 300 "$log" grep -q '^Root Token: ' "$log"
await 300 "$log" grep -q 'Development mode' "$log"
sed -n 's/^Root Token: //p; s/^Unseal Key: //p' "$log" | tr '\n' ' '
echo
cat >/dev/null
