#!/usr/bin/env bash
# Measures coderring beside what else makes unique values, on a throw-away
# server of its own, and prints one table. Also: make bench
#
#   BENCH="one calls"  the parts to be measured, of: one loops calls latency
#                      million series places wal create sizes memory
#   BENCH_TURNS=5      turns of every comparison: A B A B ...
#   BENCH_SECONDS=1    of each run of pgbench
#   BENCH_CLIENTS="1 2 8 64"
#   BENCH_PICTURE=FILE draws a picture of loops and calls with 1 and 8 clients
#   BENCH_DIR=DIR      where the server keeps its data: a directory that the
#                      user may write to (run as root: the user postgres).
#                      Default: /tmp, or /var/tmp where that lies in memory
#   BENCH_PRELOAD=yes  with shared_preload_libraries = coderring
#
# permuteseq and pg_hashids are measured too where the PostgreSQL of PG_CONFIG
# has them.
#
# What is compared runs in turn, and each ratio is that of neighbours in time:
# machines are noisy, and only their medians say something. The exit status is
# 0 whether the aims are reached or not: this is no test. It is another if
# something could not be measured.

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/bench/systems.sh
source "$here/bench/systems.sh"
# shellcheck source=test/bench/rates.sh
source "$here/bench/rates.sh"
# shellcheck source=test/bench/series.sh
source "$here/bench/series.sh"
# shellcheck source=test/bench/rings.sh
source "$here/bench/rings.sh"

parts="one loops calls latency million series places wal create sizes memory"
turns=${BENCH_TURNS:-5}
seconds=${BENCH_SECONDS:-1}
bench_clients=${BENCH_CLIENTS:-1 2 8 64}
[[ $turns =~ ^[1-9][0-9]{0,3}$ ]] || die "BENCH_TURNS: a number from 1 on"
[[ $seconds =~ ^[1-9][0-9]{0,3}$ ]] || die "BENCH_SECONDS: a number from 1 on"
[[ $bench_clients =~ ^[1-9][0-9]?(\ [1-9][0-9]?)*$ ]] ||
    die "BENCH_CLIENTS: numbers from 1 to 99, with blanks between"
for part in ${BENCH:=$parts}; do
    [[ " $parts " == *" $part "* ]] || die "BENCH: $parts; not \"$part\""
done
if [[ -n ${BENCH_PICTURE:-} ]]; then
    [[ " $BENCH " == *" loops "* && " $BENCH " == *" calls "* &&
       " $bench_clients " == *" 1 "* && " $bench_clients " == *" 8 "* ]] ||
        die "BENCH_PICTURE: needs the parts loops and calls, with 1 and 8 clients"
fi
scripts=$here/bench
data=
database=bench

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

# pgbench_on SCRIPT CLIENTS OPTION...: the values a second, as a line
pgbench_on() {
    local kind=$1 clients=$2 threads values=1 log=$work/log/pgbench

    shift 2
    threads=$((clients < processors ? clients : processors))
    [[ $kind != loop_* ]] || values=${loop_of[${kind#loop_}]}
    if ! pgbench -n -M prepared -c "$clients" -j "$threads" "$@" \
        -f "$work/sql/$kind.sql" "$database" >"$log" 2>&1
    then
        cat "$log" >&2
        die "pgbench failed"
    fi
    # with -P 1 without the first second, in which many sessions warm up
    awk -v kind="$kind" -v values="$values" '
        /^progress: / && $2 > 1.5 { sum += $4; n++ }
        /^tps = / { tps = $3 }
        END {
            if (n)
                tps = sum / n
            if (!tps)
                exit 1
            print kind, tps * values
        }' "$log" ||
        die "$kind, $clients clients: nothing came to its end in time (BENCH_SECONDS)"
}

# row FILE A B PER [AIM]: a line of the table, from a file of "KIND VALUE".
row() { BENCH_AIMS=$work/aims BENCH_ROOM=$room perl "$scripts/row.pl" "$@"; }

title() {
    room=$1
    printf '\n%s\n' "$1"
}

describe() {
    local cpu preloaded="not preloaded" line version write load

    [[ -z ${BENCH_PRELOAD:-} ]] || preloaded=preloaded
    cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null |
        head -n 1)
    cpu="$processors x ${cpu:-$(uname -m)}"
    version=$(sql 'SHOW server_version')
    write=$(perl "$scripts/fsync.pl" "$work/data/probe")
    load=$(cut -d ' ' -f 1 /proc/loadavg)
    say "coderring $(sql "SELECT extversion FROM pg_extension
            WHERE extname = 'coderring'") on PostgreSQL $version"
    say "  $cpu, Linux $(uname -r)"
    say "  data on $(filesystem "$work/data/")," \
        "$write ms for a write and fsync"
    say "  fsync $(sql 'SHOW fsync')," \
        "synchronous_commit $(sql 'SHOW synchronous_commit')," \
        "shared_buffers $(sql 'SHOW shared_buffers')"
    say "  autovacuum off, no checkpoint falls into a measurement," \
        "$preloaded"
    say "  medians of $turns turns, of fewer for what is far from coderring;"
    say "  pgbench -M prepared for $seconds s each; load $load before"
    for line in ${missing[@]+"${missing[@]}"}; do say "  $line"; done
    machine="PostgreSQL ${version%% *}, $cpu, $write ms for a write and fsync"
    ((${load%.*} < processors)) || machine+=", load $load by others"
}

# What became of the aims, once more together.
summary() {
    [[ -e $work/aims ]] || return 0
    title "Aims"
    perl "$scripts/aims.pl" "$work/aims"
}

# Loops and calls as a picture, into the file that was opened for it.
draw() {
    local clients
    local -a files=()

    for clients in 1 8; do
        files+=("calls $clients $work/calls.$clients"
            "loops $clients $work/loops.$clients")
    done
    perl "$scripts/picture.pl" "$machine" "${files[@]}" >"$work/picture"
    perl -e 'truncate STDOUT, 0 or die' >&9
    cat "$work/picture" >&9
}

# Opened here, because an unprivileged user takes over from root.
if [[ -n ${BENCH_PICTURE:-} && -z $work ]]; then
    exec 9<>"$BENCH_PICTURE" || die "BENCH_PICTURE: cannot be written"
fi
enter "$@"
processors=$(nproc 2>/dev/null || say 1)
room=
machine=
mkdir "$work/sql"
build
place_data
init_server
settings=(-cfsync=on -cautovacuum=off -cmax_wal_size=8GB
    -ccheckpoint_timeout=1h -cdynamic_shared_memory_type=posix)
[[ -z ${BENCH_PRELOAD:-} ]] ||
    settings+=(-cshared_preload_libraries=coderring)
start_server "$work/log/server" "${settings[@]}" || exit 1
createdb "$database"
psql_on <<'SQL'
CREATE EXTENSION coderring;
CREATE SEQUENCE numbers;
SELECT coderring_create('widget') \g /dev/null
SQL
make_scripts
if [[ " $BENCH " =~ " "(loops|calls)" " ]]; then
    make_systems
fi

say
describe
say
printf '%-40s %10s %10s %5s  %s\n' "A : B" "A" "B" "A/B" "min..max"
for part in $parts; do
    [[ " $BENCH " != *" $part "* ]] || "part_$part"
done
summary
[[ -z ${BENCH_PICTURE:-} ]] || draw
stop_server fast || :
say
