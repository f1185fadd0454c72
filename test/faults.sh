#!/usr/bin/env bash
# Lets every call that can fail do so, one after the other, in every kind of
# statement, and looks each time whether the rings keep their promises: no code
# twice, none lost, no lock left, usable at once. Also: make faults
#
#   FAULTS_KINDS="refill bump"   these kinds of statements only
#   FAULTS_MUTATION=NAME         with test/faults/mutations/NAME.patch applied to
#                                the copy that is built: then tests must fail
#   FAULTS_JOBS=2                so many sessions at once, by default processors
#   KEEP=1                       leave the private directory behind
#   PG_CONFIG=...                another server, for instance one with assertions
#
# A private copy of the sources is built in which such calls go through
# test/faults/faults.c first. What can fail, and how, is in test/faults/calls;
# faults.pl has the statements and the checks. The last line is "N passed, N
# failed".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

jobs=${FAULTS_JOBS:-$(nproc 2>/dev/null || say 1)}
mutation=${FAULTS_MUTATION:-}
[[ $jobs =~ ^[1-9][0-9]?$ ]] || die "FAULTS_JOBS: a number from 1 on"
[[ -z $mutation || -f $here/faults/mutations/$mutation.patch ]] ||
    die "FAULTS_MUTATION: a file of test/faults/mutations, without .patch"

on_leave() { summarise; }

# A copy of the sources that has faults in it, in $work/faulty
make_faulty() {
    local faulty=$work/faulty

    copy_tree "$faulty"
    if [[ -n $mutation ]]; then
        perl "$here/apply.pl" "$here/faults/mutations/$mutation.patch" "$faulty" ||
            give_up "the mutation $mutation does not apply"
        say "With the mutation $mutation: tests must fail."
    fi
    perl "$here/faults/calls.pl" headers "$faulty"/src/*.[ch] "$faulty"/src/*/*.[ch] \
        >"$faulty/src/faults_headers.h"
    perl "$here/faults/calls.pl" define "$here/faults/calls" \
        >"$faulty/src/faults_calls.h"
    cp "$here/faults/faults.h" "$here/faults/faults.c" "$faulty/src/"
}

# Every function that the library calls must be in the list.
check_calls() {
    local missing

    missing=$(nm -D -u "$work/build/coderring.so" |
        perl "$here/faults/calls.pl" missing "$here/faults/calls")
    if [[ -n $missing ]]; then
        say "not ok - not in test/faults/calls: ${missing//$'\n'/ }"
        count 0 1
    else
        say "ok - every function that is called is in test/faults/calls"
        count 1 0
    fi
}

# faults PART SECONDS: a part of faults.pl, counted, on the server that runs
faults() {
    local part=$1 log=$work/log/faults-$1 status=0 good bad begun=$SECONDS

    run_step "$2" "$log" perl "$here/faults/faults.pl" "$part" "$jobs" \
        "$work/points" "$work/data" "$bindir" || status=$?
    count_tap "$log" "$status"
    sed -n -e 's/^ok - /  ok: /p' -e 's/^# /    /p' -e '/^not ok/p' "$log"
    if ((bad > 0)); then
        grep -Ev '^(ok|not ok|# )' "$log" | head -n 60 || :
        say "not ok - $part: ended with status $status"
    fi
    count "$good" "$bad"
    say "$part: $good of $((good + bad)) passed, in $((SECONDS - begun)) seconds"
}

enter "$@"
make_faulty
# shellcheck disable=SC2097,SC2098 # build looks at $here
here=$work/faulty/test build COPT="-include src/faults.h"
check_calls
init_server
server=$work/log/server
start_server "$server" -cautovacuum=off -cmax_wal_size=4GB -cmax_connections=60 ||
    give_up "the server does not start"
faults points 1500
faults standby 600
faults locks 300
if stop_server fast; then
    # with one segment of shared memory at most, and then with none
    export FAULTS_SEGMENTS=1
    start_server "$server" || give_up "the server does not start"
    faults full 600
    stop_server fast || :
    export FAULTS_SEGMENTS=0
    start_server "$server" || give_up "the server does not start"
    faults none 600
    unset FAULTS_SEGMENTS
    faults restart 600
fi
stop_server fast || :
perl "$here/faults/calls.pl" report "$work/points"
if grep -aE 'terminated by signal|PANIC:|TRAP:|leak|still referenced|you don.t own a lock' "$server"; then
    say "not ok - the server crashed, or something was not given back"
    count 0 1
fi
finished=yes
