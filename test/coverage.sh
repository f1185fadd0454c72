#!/usr/bin/env bash
# Builds coderring with gcc's counters in it, runs every test as check.sh does,
# and tells which lines of src/ they ran. Also: make coverage
#
#   COVERAGE_LEAST=95      percent of all lines that the tests must run
#   ONLY, TESTS, KEEP      as for check.sh; the figures of a part of the tests are
#                          shown, but not judged
#
# Prints a table by file, then the lines that no test ran. Each of these must be
# named with its reason in test/coverage/uncovered.txt, which tells how. The last
# line is "N passed, N failed".
#
# A server process writes its counters when it ends in an orderly way: what those
# ran that were killed, or ended with an immediate stop, is not counted. Every
# suite, and every file of TAP tests, has counters of its own, so that a kill in
# the midst of writing costs no others.

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

limit=900               # it is slower so
flags="-O0 -g --coverage"
least=${COVERAGE_LEAST:-95}
[[ $least =~ ^[0-9]{1,3}(\.[0-9]{1,2})?$ ]] || die "COVERAGE_LEAST: percent"

on_leave() { summarise; }

# counters NAME: from now on they go to a directory of this name.
counters() {
    export GCOV_PREFIX=$work/counters/$1
    mkdir -p "$GCOV_PREFIX"
    chmod 777 "$GCOV_PREFIX"
}

# Put each object's notes beside its counters, as gcov wants them, and let it
# tell the counts of each line, as JSON, a document a line.
read_counters() {
    local file object base=$work/counters

    : >"$work/counts"
    while IFS= read -r file; do
        object=${file#"$base"/*/}
        object=/${object%.gcda}
        ln -sf "$object.gcno" "${file%.gcda}.gcno"
        # the directory of the compiler, to which names of sources relate
        (cd "$work/build" && "$gcov" --json-format --stdout "$file") \
            >>"$work/counts" 2>>"$work/log/gcov" || say "no counts: $file" >>"$work/log/gcov"
    done < <(find "$base" -name '*.gcda' | sort)
    if [[ ! -s $work/counts ]]; then
        cat "$work/log/gcov"
        give_up "no counters were written"
    fi
}

judge() {
    local log=$work/log/report status=0 good bad partly=

    [[ -z ${ONLY:-}${TESTS:-} ]] || partly=partly
    perl "$here/coverage/report.pl" "$work/build" "$work/counts" \
        "$here/coverage/uncovered.txt" "$least" $partly >"$log" 2>&1 || status=$?
    say
    grep -Ev '^(ok|1\.\.)' "$log" || :
    if [[ -n $partly ]]; then
        say "A part of the tests: not judged."
        ((status == 0)) || count 0 1
        return
    fi
    count_tap "$log" "$status"
    count "$good" "$bad"
}

gcov=${GCOV:-gcov}
choose_suites "unit regress isolation tap"
all_suites=$suites
enter "$@"
command -v "$gcov" >/dev/null || die "$gcov: not found"
# static functions of headers are counted too; no optimizer merges lines
build "PROFILE=--coverage" "COPT=-O0 -g"
init_server

suites=$all_suites
if wanted unit && [[ -z ${TESTS:-} ]]; then
    counters unit
    CFLAGS=$flags run_unit check
fi
if wanted regress || wanted isolation; then
    counters on-demand
    run_on_server "on demand" ""
    counters preloaded
    run_on_server "preloaded" "-cshared_preload_libraries=coderring" "$computed"
fi
if wanted tap; then
    mapfile -t files < <(names tap)
    for file in "${files[@]}"; do
        counters "tap-$file"
        run_tap "$file"
    done
fi
if ((passed + failed == 0)); then
    give_up "no such tests"
fi
read_counters
judge
finished=yes
