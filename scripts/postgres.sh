#!/usr/bin/env bash
# A PostgreSQL of one's own, for trying things out and for benches:
#   postgres.sh start DIR [--durable]   makes or starts the cluster in DIR; prints url, socket and pid
#   postgres.sh stop DIR                stops it; DIR keeps the data
# Loopback only, on a free port; a password for TCP, none on the socket, whose directory is private. Without --durable
# it does not wait for the disk: quick, and good for nothing that must survive.
. "$(dirname "$0")/lib.sh"

command=${1:-}
directory=${2:-}
[ -n "$directory" ] || fail "usage: postgres.sh start DIR [--durable] | stop DIR"
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
scripts/setup.sh postgres
programs=$(postgres_programs)
cluster=$directory/cluster
# Sockets, password and logs; nobody else may look inside.
run=$directory/run

make_cluster() {
    mkdir -p "$cluster" "$run"
    chmod 700 "$cluster" "$run"
    (umask 077 && head -c 24 /dev/urandom | base64 | tr '+/' 'ab' >"$run/password")
    if [ "$(id -u)" = 0 ]; then chown -R postgres "$cluster" "$run"; fi
    run_as_postgres "$programs/initdb" -D "$cluster" -U postgres --pwfile="$run/password" --auth-local=trust \
        --auth-host=scram-sha-256 -E UTF8 --locale=C.UTF-8 >"$run/initdb.log" 2>&1 ||
        fail "initdb failed, see $run/initdb.log"
}

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    printf '%s' "$port"
}

start() {
    [ -s "$cluster/PG_VERSION" ] || make_cluster
    run_as_postgres "$programs/pg_ctl" -D "$cluster" status >/dev/null || start_server "$@"
    # Line 1 of the file is the process, line 4 the port.
    echo "url=postgres://postgres:$(cat "$run/password")@127.0.0.1:$(sed -n 4p "$cluster/postmaster.pid")/postgres"
    echo "socket=$run"
    echo "pid=$(sed -n 1p "$cluster/postmaster.pid")"
}

start_server() {
    local quick="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    [ "${1:-}" = --durable ] && quick=""
    # The port of last time, so that those who knew the server find it again.
    local tries=0 port
    port=$(cat "$run/port" 2>/dev/null || free_port)
    until
        run_as_postgres "$programs/pg_ctl" -D "$cluster" -w -s -l "$run/server.log" -o \
            "-p $port -k $run -c listen_addresses=127.0.0.1 -c max_connections=200 $quick" start >/dev/null
    do
        # Somebody else may have taken the port meanwhile.
        port=$(free_port)
        tries=$((tries + 1))
        [ "$tries" -lt 5 ] || fail "the server does not start, see $run/server.log"
    done
    printf '%s' "$port" >"$run/port"
}

case $command in
    start) start "${3:-}" ;;
    stop) run_as_postgres "$programs/pg_ctl" -D "$cluster" -m fast -w -s stop ;;
    *) fail "usage: postgres.sh start DIR [--durable] | stop DIR" ;;
esac
