#!/usr/bin/env bash
# Makes a mistake on purpose in a copy of the sources, and runs the tests of make
# check there that are to notice it; for each mistake of test/mutations. Also: make
# mutations
#
#   MUTATIONS="name name"  these only, by the names of their files
#   MUTATIONS_JOBS=2       so many at once: 1 or 2
#   KEEP=1                 leave the private directory behind, to look into it
#   PG_CONFIG=...          another server
#
# The first line of a patch says what the mistake is, the second which tests must
# fail by it: "# test: [VARIABLE=VALUE...] name..." (what comes before the names is
# for make check). At least one of them has to. A copy that does not build, whose
# server does not start or crashes, or in which a test fails that has nothing to do
# with any of the mistakes, proves nothing, and counts as failed; so does a test
# that fails without a mistake, which is tried first. The last line is "N passed, N
# failed".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# This one has to pass.  It runs before the others, which may leave anything behind.
control=alphabets

jobs=${MUTATIONS_JOBS:-2}
[[ $jobs =~ ^[12]$ ]] || die "MUTATIONS_JOBS: 1 or 2"

on_leave() { summarise; }

# header NAME LINE: a line of a patch's head, without the #
header() { sed -n "$2s/^# *//p" "$here/mutations/$1.patch"; }

# tests_of NAME, variables_of NAME: what stands behind "test:"
tests_of() {
    local word

    for word in $(header "$1" 2); do
        [[ $word == test: || $word == *=* ]] || say "$word"
    done
}

variables_of() {
    local word

    for word in $(header "$1" 2); do
        [[ $word != *=* ]] || say "$word"
    done
}

check_patch() {
    local test

    [[ -f $here/mutations/$1.patch ]] || die "no such mutation: $1"
    [[ $(header "$1" 2) == test:* && -n $(tests_of "$1") ]] ||
        die "$1: the second line names no test"
    for test in $(tests_of "$1"); do
        [[ -f $here/sql/$test.sql || -f $here/specs/$test.spec || -f $here/t/$test.pl ]] ||
            die "$1: no such test: $test"
    done
}

declare -A running=()   # by process group: name of the directory, and since when
declare -A since=()

# begin NAME VARIABLES TESTS: make check TESTS="..." in $work/NAME/source
begin() {
    local dir=$work/$1 name
    local -a variables

    mapfile -t variables < <(for name in $2; do say "$name"; done)
    set -m
    env -u MUTATIONS -u MUTATIONS_JOBS -u ONLY KEEP=1 BUDGET=900 CODERRING_WORK="$dir" \
        CODERRING_OBJECTS="$work/build/src" TESTS="$3" "${variables[@]}" \
        bash "$dir/source/test/check.sh" </dev/null >"$dir/out" 2>&1 &
    running[$!]=$1
    since[$!]=$SECONDS
    set +m
    step=${!running[*]}
}

# failed_tests NAME: which of its tests have failed, and how. A TAP test that ends
# without saying which of its tests failed has not.
failed_tests() {
    local dir=$work/$1 test

    for test in $(tests_of "$1"); do
        sed -nE "s/^not ok - (regress|isolation), ([a-z ]+): $test\$/$test \2/p" "$dir/out"
        if grep -q "^not ok - tap: $test " "$dir/out"; then
            sed -nE "s/^not ok ([0-9]+).*/$test \1/p" "$dir/log/tap-$test"
        fi
    done
}

# worthless NAME: why its failures prove nothing, if they do not
worthless() {
    local dir=$work/$1

    if grep -qx 'not ok - build' "$dir/out"; then
        say "it does not build"
    elif grep -q '^not ok - .*: the server does not start' "$dir/out"; then
        say "the server does not start"
    elif grep -q '^not ok - .*: the server crashed' "$dir/out"; then
        say "the server crashes"
    elif grep -q '^not ok - the tests did not come to their end' "$dir/out"; then
        say "the tests did not come to their end"
    elif grep -qE "^not ok - regress, .*: $control\$" "$dir/out"; then
        say "$control fails as well"
    elif ! grep -q '^regress, on demand: ' "$dir/out"; then
        say "$control has not run"
    fi
}

# judge NAME SECONDS: of a run that has come to its end
judge() {
    local name=$1 why by

    why=$(worthless "$name")
    if [[ $name == without-* ]]; then
        [[ -n $why ]] || grep -qE '^[0-9]+ passed, 0 failed$' "$work/$name/out" ||
            why="tests fail without a mistake"
        by="nothing fails"
    else
        by=$(failed_tests "$name" | head -n 3 | paste -sd, | sed 's/,/, /g')
        [[ -n $why || -n $by ]] || why="not noticed by: $(tests_of "$name" | paste -sd' ')"
        by="noticed by $by"
    fi
    if [[ -z $why ]]; then
        say "ok - $name: $by; $2 seconds"
        count 1 0
    else
        cat "$work/$name/out"
        say "not ok - $name: $why"
        count 0 1
    fi
    [[ -n ${KEEP:-} ]] || rm -rf "${work:?}/$name"
}

# collect COUNT: wait until so many are running at most, and judge the others
collect() {
    local group

    while ((${#running[@]} > $1)); do
        wait -n "${!running[@]}" || :
        for group in "${!running[@]}"; do
            if ! kill -0 "$group" 2>/dev/null; then
                judge "${running[$group]}" $((SECONDS - since[$group]))
                unset "running[$group]"
            fi
        done
        step=${!running[*]}
    done
}

# The tests of all mutations, as they are: once for each set of variables
without_mistake() {
    local name variables number=0
    local -A tests=()

    for name in $mutations; do
        variables=$(variables_of "$name" | paste -sd' ')
        tests[" $variables"]+=" $(tests_of "$name" | paste -sd' ')"
    done
    for variables in "${!tests[@]}"; do
        collect $((jobs - 1))
        ((number += 1))
        copy_tree "$work/without-mistake-$number/source"
        begin "without-mistake-$number" "$variables" "${tests[$variables]# } $control"
    done
}

mutations=${MUTATIONS:-}
if [[ -z $mutations ]]; then
    for name in "$here"/mutations/*.patch; do
        name=${name##*/}
        mutations+=" ${name%.patch}"
    done
fi
for name in $mutations; do
    check_patch "$name"
done

enter "$@"
build WERROR=1
without_mistake
for name in $mutations; do
    collect $((jobs - 1))
    copy_tree "$work/$name/source"
    if perl "$here/apply.pl" "$here/mutations/$name.patch" "$work/$name/source"; then
        begin "$name" "$(variables_of "$name" | paste -sd' ')" "$(tests_of "$name" | paste -sd' ') $control"
    else
        say "not ok - $name: cannot be applied"
        count 0 1
    fi
done
collect 0
finished=yes
