# Before the script of each peer that a shell supervises: `await TRIES LOG COMMAND…` returns when COMMAND succeeds, which is tried
# every tenth of a second while the process in $server lives. Otherwise it ends the script, behind the end of the log.
await() {
    tries=$1 log_of=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ $tries -lt 0 ] || ! kill -0 $server 2>/dev/null; then
            tail -20 "$log_of" >&2
            exit 1
        fi
        sleep 0.1
    done
}
