#!/usr/bin/env bash
# Runs regress and isolation tests on a server under valgrind's memcheck, and calls every
# function with random arguments, as fuzz.sh does: reads and writes outside of memory,
# and what depends on memory that was never written. Also: make valgrind
#
#   ONLY, TESTS, KEEP         as for check.sh; also ONLY=fuzz. Without TESTS those are
#                             left out that would take very long (slow, below)
#   FUZZ_SEED, FUZZ_CALLS     as for fuzz.sh; 1000 calls here
#   VALGRIND_SUPPRESSIONS=    another file of suppressions, beside ours
#
# Every report is a failure, whether coderring is in its stack or not: what it hands
# to the server is looked at there. The server's own reports are suppressed by
# test/valgrind.supp. First come the canaries: a server without coderring has no
# report left, and two libraries with a deliberate error each have theirs. The last
# line is "N passed, N failed".
#
# An ordinary server cuts many pieces of memory out of a large one without telling
# valgrind, so that errors among those are not seen. It tells if it was configured
# with CPPFLAGS=-DUSE_VALGRIND, from PostgreSQL's source:
#
#   ./configure --prefix=/opt/pg --enable-cassert --enable-debug --with-openssl \
#       --without-readline CPPFLAGS=-DUSE_VALGRIND CFLAGS='-O1 -g -fno-omit-frame-pointer'
#   make install; make -C src/test/isolation install; make -C contrib install
#   make valgrind PG_CONFIG=/opt/pg/bin/pg_config \
#       VALGRIND_SUPPRESSIONS=/where/the/source/is/src/tools/valgrind.supp

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/packages.sh
source "$here/packages.sh"
# shellcheck source=test/fuzz/run.sh
source "$here/fuzz/run.sh"

limit=1800              # seconds a suite may take: some twenty times the usual
budget=7200
reports=$here/valgrind.pl
slow="a_little_memory blocklist cycles decode extra normalize order seed"
others=${VALGRIND_SUPPRESSIONS:-}

on_leave() { summarise; }

# Put a script in place of postgres that starts the real one under valgrind.
wrap_server() {
    local options="--quiet --error-limit=no --leak-check=no --trace-children=yes --num-callers=40"

    options="$options --fullpath-after= --gen-suppressions=all --suppressions=$here/valgrind.supp"
    options="$options${others:+ --suppressions=$others}"
    mv "$bindir/postgres" "$bindir/postgres.real"
    cat >"$bindir/postgres" <<END
#!/bin/sh
exec valgrind $options --log-file="$work/valgrind/%p.log" "$bindir/postgres.real" "\$@"
END
    chmod 755 "$bindir/postgres"
    mkdir -p "$work/valgrind"
}

# Show all reports, or those whose stack has PATTERN; set found to how many there are.
find_reports() {
    found=$(perl "$reports" "$work/reports" "${1:-}" "$work"/valgrind/*.log) ||
        die "valgrind.pl failed"
    rm -f "$work"/valgrind/*.log
}

# Everyday work on a server without coderring: valgrind must have nothing to say.
plain_canary() {
    local log=$work/log/plain

    start_server "$log" || give_up "the server does not start under valgrind"
    run_step 600 "$work/log/work" "$bindir/psql" -X -q -v ON_ERROR_STOP=1 -d postgres \
        -f "$here/valgrind.sql" || {
        cat "$work/log/work"
        give_up "no work under valgrind"
    }
    stop_server fast || :
    find_reports
    if ((found == 0)); then
        count 1 0
        say "canary, plain server: no report, as it must be"
    else
        say "not ok - canary, plain server: $found reports; test/valgrind.supp does not cover it"
        head -n 200 "$work/reports"
        count 0 1
    fi
}

# canary NAME STATEMENT REPORT: a library that does something wrong when it is loaded
# must leave a report.
canary() {
    local name=$1 log=$work/log/canary-$1

    "${CC:-gcc}" -O1 -g -shared -fPIC -x c -o "$work/$name.so" \
        -I"$("$pg_config" --includedir-server)" - <<END
#include "postgres.h"
#include "fmgr.h"
PG_MODULE_MAGIC;
void _PG_init(void);
volatile int sum = 0;
volatile char *memory;
void _PG_init(void) { $2 }
END
    start_server "$log" || give_up "the server does not start under valgrind"
    run_step 120 "$work/log/load" "$bindir/psql" -X -d postgres -c "LOAD '$work/$name.so'" || :
    stop_server fast || :
    find_reports _PG_init
    if ((found > 0)) && grep -q "$3" "$work/reports"; then
        count 1 0
        say "canary, $name: reported, as it must be"
    else
        say "not ok - canary, $name: no report"
        cat "$work/log/load" "$log"
        count 0 1
    fi
}

if [[ -z $work ]] && ! valgrind --quiet true >/dev/null 2>&1; then
    install_missing valgrind libc6-dbg
fi
suites=${ONLY:-regress isolation fuzz}
suites=${suites//,/ }
for suite in $suites; do
    [[ $suite =~ ^(regress|isolation|tap|fuzz)$ ]] ||
        die "ONLY: regress, isolation, tap, fuzz; not \"$suite\""
done
[[ -z $others ]] || others=$(cd "$(dirname "$others")" && pwd)/${others##*/}
enter "$@"
build "COPT=-O1 -g -fno-omit-frame-pointer"
init_server
say "jit = off" >>"$work/data/postgresql.conf"      # minutes of LLVM for each statement
wrap_server
plain_canary
canary address 'memory = malloc(8); free((void *) memory); sum += memory[0];' 'Invalid read'
canary undefined 'memory = malloc(8); if (memory[3] > 5) sum++; free((void *) memory);' 'uninitialised'

all=${TESTS:-all}
if [[ $all == all ]]; then
    # shellcheck disable=SC2086 # a list of names
    TESTS=$({ names regress; names isolation; names tap; } | grep -Fvxf <(printf "%s\n" $slow) | tr '\n' ' ')
fi
if wanted regress || wanted isolation; then
    run_on_server "under valgrind" ""
fi
if wanted tap; then
    mapfile -t files < <(names tap)
    run_tap "${files[@]}"
fi
if wanted fuzz && [[ $all == all ]]; then
    run_fuzz "${FUZZ_CALLS:-1000}" 1800
fi
find_reports
if ((found == 0)); then
    count 1 0
    say "valgrind: no report"
else
    say "not ok - valgrind: $found reports, $(grep -c '^--- coderring' "$work/reports" || :) of them with coderring in the stack"
    head -n 400 "$work/reports"
    count 0 1
fi
finished=yes
