# An S3 gateway ($1, see scripts/versitygw.sh) at the port $2 of loopback over the directory $3, with the access key $4 and the
# secret $5. Prints a line when it answers, and ends with its standard input. Run by sh.
set -eu
log=$(mktemp)
"$1" --quiet --port "127.0.0.1:$2" --access "$4" --secret "$5" posix "$3" </dev/null >"$log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; rm -f "$log"' EXIT
trap 'exit 1' TERM INT
await 300 "$log" curl --silent --max-time 1 "http://127.0.0.1:$2/"
echo ready
cat >/dev/null
