#!/usr/bin/env bash
# Runs the unit, regress and isolation tests with coderring built under
# AddressSanitizer and UndefinedBehaviorSanitizer, and then calls every function
# with random arguments, as fuzz.sh does. Also: make asan
#
# ONLY, TESTS and KEEP as for check.sh, FUZZ_SEED and FUZZ_CALLS (8000 here) as
# for fuzz.sh; ONLY=fuzz is the latter alone. The last line is "N passed, N
# failed"; every report of a sanitizer is a failure. Before the tests, two
# libraries with a deliberate error each are loaded into the same server, and
# their reports must arrive: so a run that reports nothing means something.
#
# The server itself is an ordinary one, so an overflow within memory that
# palloc cut out of a larger piece is not seen.

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/fuzz/run.sh
source "$here/fuzz/run.sh"

limit=1800              # it is slower so
sanitize="-fsanitize=address,undefined -fno-sanitize-recover=all"
flags="$sanitize -O1 -g -fno-omit-frame-pointer"

options=abort_on_error=1:halt_on_error=1:print_stacktrace=1:handle_abort=0
options=$options:detect_leaks=0:detect_stack_use_after_return=0
reports='(Address|UndefinedBehavior)Sanitizer|runtime error:'

on_leave() { summarise; }

# Put a script in place of postgres that starts the real one with the
# sanitizers' libraries. Only the server gets them. Where bindtextdomain comes
# from the C library some servers hang under them before main: it is stubbed.
wrap_server() {
    local libraries

    "${CC:-gcc}" -shared -fPIC -x c -o "$work/stub.so" - <<'END'
char *bindtextdomain(const char *domain, const char *directory)
{ (void) domain; return (char *) directory; }
char *textdomain(const char *domain)
{ return (char *) domain; }
END
    libraries=$(ldd "$work/build/coderring.so" |
        awk '/lib(asan|ubsan|clang_rt)/ { printf "%s ", $3 }')
    [[ -n $libraries ]] || die "coderring.so has no sanitizer in it"
    mv "$bindir/postgres" "$bindir/postgres.real"
    cat >"$bindir/postgres" <<END
#!/bin/sh
export LD_PRELOAD="$libraries$work/stub.so"
export ASAN_OPTIONS="$options" UBSAN_OPTIONS="$options"
exec "$bindir/postgres.real" "\$@"
END
    chmod 755 "$bindir/postgres"
}

# canary NAME STATEMENT REPORT: a library that does something wrong when it is
# loaded must bring the server down and leave a report.
canary() {
    local name=$1 log=$work/log/canary-$1

    # shellcheck disable=SC2086 # flags are several
    "${CC:-gcc}" $flags -shared -fPIC -x c -o "$work/$name.so" \
        -I"$("$pg_config" --includedir-server)" - <<END
#include "postgres.h"
#include "fmgr.h"
PG_MODULE_MAGIC;
void _PG_init(void);
volatile int one = 1;
volatile char *memory;
void _PG_init(void) { $2 }
END
    start_server "$log" || exit 1
    run_step 60 "$work/log/load" "$bindir/psql" -X -d postgres \
        -c "LOAD '$work/$name.so'" || :
    stop_server immediate || :
    if grep -q "$3" "$log"; then
        count 1 0
        say "canary, $name: reported, as it must be"
    else
        say "not ok - canary, $name: no report"
        cat "$work/log/load" "$log"
        count 0 1
    fi
    rm -f "$log"
}

# Every log with a report in it is a failure, whatever the tests said.
show_reports() {
    local log

    while IFS= read -r log; do
        say "not ok - a report in the log ${log##*/}"
        grep -a -E -A 60 "$reports" "$log" | head -n 200
        count 0 1
    done < <(grep -rlE "$reports" "$work/log" "$work/build/tmp_check" "$work/beside/tmp_check" \
        2>/dev/null || :)
}

suites=${ONLY:-unit regress isolation fuzz}
suites=${suites//,/ }
for suite in $suites; do
    [[ $suite =~ ^(unit|regress|isolation|tap|fuzz)$ ]] ||
        die "ONLY: unit, regress, isolation, tap, fuzz; not \"$suite\""
done
enter "$@"
build "COPT=$flags" CPPFLAGS="-D_GNU_SOURCE -U_FORTIFY_SOURCE"
init_server
wrap_server
canary address 'memory = malloc(8); free((void *) memory); memory[0] = 0;' \
    heap-use-after-free
canary undefined 'one = one << (32 * one);' 'shift exponent'
export ASAN_OPTIONS=$options UBSAN_OPTIONS=$options
run_suites check-sanitize
if wanted fuzz && [[ -z ${TESTS:-} ]]; then
    finished=
    run_fuzz "${FUZZ_CALLS:-8000}" 1200
    finished=yes
fi
show_reports
