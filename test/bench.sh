#!/usr/bin/env bash
# Measures coderring against nextval and SELECT 1 on a throw-away server of its
# own, and prints one table. Also: make bench
#
#   BENCH_PAIRS=7      turns of every comparison: A B A B ...
#   BENCH_SECONDS=2    of each run of pgbench
#   BENCH_DIR=DIR      where the server keeps its data: a directory that the
#                      user may write to (run as root: the user postgres).
#                      Default: /tmp, or /var/tmp where that lies in memory
#   BENCH_PRELOAD=yes  with shared_preload_libraries = coderring
#
# What is compared runs in turn, and each ratio is that of neighbours in time:
# machines are noisy, and only their medians say something. The exit status is
# 0 whether the aims are reached or not: this is no test.

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pairs=${BENCH_PAIRS:-7}
seconds=${BENCH_SECONDS:-2}
[[ $pairs =~ ^[1-9][0-9]{0,3}$ ]] || die "BENCH_PAIRS: a number from 1 on"
[[ $seconds =~ ^[1-9][0-9]{0,3}$ ]] || die "BENCH_SECONDS: a number from 1 on"
scripts=$here/bench
data=
database=bench
executions=20           # statements of 10,000 values in one half of a pair
rings=200               # created in one go

filesystem() { df --output=fstype "$1" 2>/dev/null | sed -n 2p; }

# Where the data lies outside of $work, lib.sh would not find the server.
stop_bench() {
    local status=$?

    trap '' HUP INT TERM
    if [[ -n $data ]]; then
        if [[ -e $data/postmaster.pid ]]; then
            stop_server immediate || :
        fi
        [[ -n ${KEEP:-} ]] || rm -rf "$data" || :
    fi
    # leave takes the status from $?
    set +e
    (exit "$status")
    leave
}

# The data directory, as $work/data, on a disk.
place_data() {
    local dir=${BENCH_DIR:-}

    if [[ -z $dir && $(filesystem "$work") =~ ^(tmpfs|ramfs)$ ]]; then
        dir=/var/tmp
    fi
    if [[ -n $dir ]]; then
        [[ $dir == /* ]] || die "BENCH_DIR: a path that begins with /"
        trap stop_bench EXIT
        data=$(mktemp -d "$dir/coderring-bench.XXXXXX") ||
            die "$dir: user $(id -un) cannot write there (BENCH_DIR)"
        ln -s "$data" "$work/data"
    fi
}

# psql_on ARGUMENT...: psql without settings of the user's
psql_on() { psql -X -q -v ON_ERROR_STOP=1 -d "$database" "$@"; }

sql() { psql_on -A -t -c "$1"; }

# times FILE: runs the script on standard input; the times of its statements,
# added up after each "\echo :: KIND", in ms, become lines of FILE.
times() {
    local file=$1

    psql_on -o /dev/null -f - >"$work/log/times" 2>&1 || {
        cat "$work/log/times" >&2
        die "a measurement failed"
    }
    perl "$scripts/times.pl" "$work/log/times" >"$file"
}

# pgbench_on KIND CLIENTS OPTION...: the rate of a script, as a line
pgbench_on() {
    local kind=$1 clients=$2 threads log=$work/log/pgbench

    shift 2
    threads=$((clients < processors ? clients : processors))
    if ! pgbench -n -M prepared -c "$clients" -j "$threads" "$@" \
        -f "$scripts/$kind.sql" "$database" >"$log" 2>&1
    then
        cat "$log" >&2
        die "pgbench failed"
    fi
    sed -n "s/^tps = \([0-9.]*\).*/$kind \1/p" "$log"
}

# rates FILE CLIENTS KIND...: rounds of pgbench in turn
rates() {
    local file=$1 clients=$2 round kind

    shift 2
    for kind; do
        pgbench_on "$kind" "$clients" -T 1 >/dev/null
    done
    sql CHECKPOINT
    for ((round = 0; round < pairs; round++)); do
        for kind; do
            pgbench_on "$kind" "$clients" -T "$seconds"
        done
    done >"$file"
}

# row FILE A B PER [AIM]: a line of the table, from a file of "KIND VALUE".
row() { perl "$scripts/row.pl" "$@"; }

title() { printf '\n%s\n' "$1"; }

describe() {
    local cpu preloaded="not preloaded"

    [[ -z ${BENCH_PRELOAD:-} ]] || preloaded=preloaded
    cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null |
        head -n 1)
    say "coderring $(sql "SELECT extversion FROM pg_extension
            WHERE extname = 'coderring'")" \
        "on PostgreSQL $(sql 'SHOW server_version')"
    say "  $processors x ${cpu:-$(uname -m)}, Linux $(uname -r)"
    say "  data on $(filesystem "$work/data/")," \
        "$(perl "$scripts/fsync.pl" "$work/data/probe") ms for a write and fsync"
    say "  fsync $(sql 'SHOW fsync')," \
        "synchronous_commit $(sql 'SHOW synchronous_commit')," \
        "shared_buffers $(sql 'SHOW shared_buffers')"
    say "  autovacuum off, no checkpoint falls into a measurement," \
        "$preloaded"
    say "  medians of $pairs in turn, pgbench -M prepared for $seconds s each;" \
        "load $(cut -d ' ' -f 1 /proc/loadavg) before"
}

# One session: psql, and its own times from question to answer.
one_session() {
    local round i

    {
        say "PREPARE get_code AS $(<"$scripts/loop_get_code.sql")"
        say "PREPARE nextval AS $(<"$scripts/loop_nextval.sql")"
        for ((i = 0; i < 20; i++)); do
            say "EXECUTE get_code; EXECUTE nextval;"
        done
        say "CHECKPOINT;"
        say '\timing on'
        for ((round = 0; round < pairs * 3; round++)); do
            say '\echo :: get_code'
            for ((i = 0; i < executions; i++)); do say "EXECUTE get_code;"; done
            say '\echo :: nextval'
            for ((i = 0; i < executions; i++)); do say "EXECUTE nextval;"; done
        done
    } | times "$work/one"
    title "One session, prepared loops of 10,000: ns a value"
    row "$work/one" get_code nextval "time $((executions * 10000))" \
        "at most 0.75"
}

many_sessions() {
    rates "$work/loops" 8 loop_get_code loop_nextval
    title "8 clients on one ring, loops of 10,000: values a second"
    row "$work/loops" loop_get_code loop_nextval "rate 10000" "at least 1.5"
}

# CLIENTS [AIM]
single_calls() {
    rates "$work/calls" "$1" call_get_code call_select_1 call_nextval
    title "One call a statement, $1 client$( (($1 == 1)) || say s): statements a second"
    row "$work/calls" call_get_code call_select_1 "rate 1" ${2:+"$2"}
    row "$work/calls" call_nextval call_select_1 "rate 1"
    row "$work/calls" call_get_code call_nextval "rate 1"
}

a_million() {
    local round

    {
        say "CREATE TEMPORARY SEQUENCE million;"
        say "SELECT count(c) FROM coderring_get_codes('widget', 100000) AS c;"
        say '\timing on'
        for ((round = 0; round < pairs; round++)); do
            cat "$scripts/million.sql"
        done
    } | times "$work/million"
    title "A million in one statement: ns a value"
    row "$work/million" get_codes series_text "time 1000000"
    row "$work/million" get_codes nextval "time 1000000"
}

# wal KIND OPTION...: bytes of WAL for what pgbench runs, as a line
wal() {
    local kind=$1 before

    before=$(sql 'SELECT pg_current_wal_insert_lsn()')
    pgbench_on "$kind" 1 "${@:2}" >/dev/null
    sql "SELECT '$kind', pg_current_wal_insert_lsn() - '$before'" | tr '|' ' '
}

wal_bytes() {
    local kind

    # whole pages are written once after the checkpoint: not in the measurement
    for kind in loop_get_code loop_nextval call_get_code call_nextval; do
        wal "$kind" -t 10 >/dev/null
        if [[ $kind == loop_* ]]; then
            wal "$kind" -t 100
        else
            wal "$kind" -t 20000
        fi
    done >"$work/wal"
    title "WAL: bytes a value"
    row "$work/wal" loop_get_code loop_nextval "bytes 1000000" "" "in loops, of a million"
    row "$work/wal" call_get_code call_nextval "bytes 20000" "" "one call a statement, of 20,000"
}

creation() {
    local round length i together title

    {
        say '\timing on'
        for ((round = 0; round < pairs; round++)); do
            for length in 2 4 8; do
                say "\\echo :: together_$length"
                say "SELECT coderring_create(format('t %s %s %s', $length, $round, i), $length)"
                say "FROM generate_series(1, $rings) AS i;"
            done
            for length in 2 4 8; do
                say "\\echo :: alone_$length"
                for ((i = 0; i < rings; i++)); do
                    say "SELECT coderring_create('a $length $round $i', $length);"
                done
            done
        done
    } | times "$work/create"
    title "Creating a ring, $rings at a time: us a ring"
    for together in alone together; do
        title=${together/#alone/a transaction each}
        title=${title/#together/all in one}
        for length in 2 4; do
            row "$work/create" "${together}_$length" "${together}_8" \
                "us $rings" "" "base_length $length : 8, $title"
        done
    done
}

# Fresh rings, moved to where they are to be measured; 8 of them a turn.
places() {
    local round i percent

    {
        say "SET plan_cache_mode = force_generic_plan;"
        say "PREPARE take(text) AS SELECT count(coderring_get_code(\$1))" \
            "FROM generate_series(1, 10000);"
        for ((round = 0; round < pairs * 2; round++)); do
            for percent in 0 50 99; do
                say "\\timing off"
                say "SELECT coderring_create(format('p $round $percent %s', i)) FROM generate_series(1, 8) AS i;"
                ((percent == 0)) ||
                    say "SELECT coderring_advance(format('p $round $percent %s', i)," \
                        "to_cycle => 0, to_offset => 1048576 * $percent / 100 + 1)" \
                        "FROM generate_series(1, 8) AS i;"
                say "SELECT coderring_get_code(format('p $round $percent %s', i)) FROM generate_series(1, 8) AS i;"
                say "\\timing on"
                say "\\echo :: at_$percent"
                for ((i = 1; i <= 8; i++)); do
                    say "EXECUTE take('p $round $percent $i');"
                done
            done
        done
    } | times "$work/places"
    title "Values a second within a cycle of 1,048,576, the next 10,000 codes"
    row "$work/places" at_50 at_0 "speed 80000"
    row "$work/places" at_99 at_0 "speed 80000"
}

enter "$@"
processors=$(nproc 2>/dev/null || say 1)
build
place_data
init_server
settings=(-cfsync=on -cautovacuum=off -cmax_wal_size=8GB
    -ccheckpoint_timeout=1h)
[[ -z ${BENCH_PRELOAD:-} ]] ||
    settings+=(-cshared_preload_libraries=coderring)
start_server "$work/log/server" "${settings[@]}" || exit 1
createdb "$database"
psql_on <<'SQL'
CREATE EXTENSION coderring;
CREATE SEQUENCE numbers;
SELECT coderring_create('widget') \g /dev/null
SQL

say
describe
say
printf '%-40s %10s %10s %5s  %s\n' "A : B" "A" "B" "A/B" "min..max"
one_session
many_sessions
single_calls 1
single_calls 8 "at least 0.95"
a_million
wal_bytes
places
creation
stop_server fast || :
say
