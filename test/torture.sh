#!/usr/bin/env bash
# Eight clients take codes in every way that there is, while the server is killed
# again and again, in turn without and with a synchronous standby that is promoted;
# then every code that was received is looked at. Also: make torture
#
#   TORTURE_SECONDS=900    how long
#   TORTURE_SEED=1         chooses what happens in which order; clients and crashes
#                          still meet as they meet
#   TORTURE_MUTATION=name  with test/torture/mutations/name.patch applied to the copy
#                          that is built, which must make it fail
#   TORTURE_MUTATIONS=all  or names: each of them for TORTURE_SECONDS at
#                          most; succeeds if each makes it fail
#   KEEP=1                 leave the private directory behind, to look into it
#
# fsync is on. The last line is "N passed, N failed".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mutations=${TORTURE_MUTATIONS:-}
seconds=${TORTURE_SECONDS:-900}
seed=${TORTURE_SEED:-1}
[[ $seconds =~ ^[1-9][0-9]{0,6}$ ]] || die "TORTURE_SECONDS: a number from 1 on"
[[ $seed =~ ^[0-9]{1,9}$ ]] || die "TORTURE_SEED: a number"
for name in ${TORTURE_MUTATION:-} ${mutations/#all/}; do
    [[ -f $here/torture/mutations/$name.patch ]] ||
        die "no such mutation: $name"
done

# Blocks call for the next one from so many codes on, not 4,096 only.
small=-DPREFETCH_FROM=32

on_leave() { summarise; }

# mutate NAME: build what has a bug on purpose.
mutate() {
    rm -rf "$work/mutant"
    copy_tree "$work/mutant"
    perl "$here/apply.pl" "$here/torture/mutations/$1.patch" \
        "$work/mutant" || give_up "the mutation $1 cannot be applied"
    here=$work/mutant/test
}

# torture: a run, in $work/run; sets good and bad.
torture() {
    local log=$work/log/torture status=0

    rm -rf "$work/run"
    mkdir -p "$work/run/log" "$work/run/tmp" "$work/run/s"
    unset PGHOST PGPORT PGUSER
    # as long again for what it looks at in the end
    run_step $((seconds * 3 + 600)) "$log" \
        perl "$here/torture/torture.pl" "$work/run" "$seconds" "$seed" ||
        status=$?
    count_tap "$log" "$status"
}

# Servers of a run that did not come to its end
stop_servers() {
    local port

    for port in 5432 5433; do
        [[ ! -f $work/run/$port/postmaster.pid ]] ||
            "$bindir/pg_ctl" -D "$work/run/$port" -m immediate -t 20 stop \
                >/dev/null 2>&1 || :
    done
}

run_once() {
    build WERROR=1 COPT="$small"
    say "Torture for $seconds seconds (TORTURE_SECONDS) with seed $seed (TORTURE_SEED)."
    torture
    cat "$work/log/torture"
    count "$good" "$bad"
    stop_servers
}

# A run that fails is what is wanted here.
run_mutation() {
    local started=$SECONDS

    say "--- $1: $(sed -n '1s/^# *//p' "$source/mutations/$1.patch")"
    here=${source%/torture}
    mutate "$1"
    build COPT="$small"
    torture
    stop_servers
    grep -A 2 '^not ok' "$work/log/torture" || :
    if ((bad > 0)) && grep -q '^not ok.*\(books\|twice\)' "$work/log/torture"; then
        say "caught after $((SECONDS - started)) seconds"
        count 1 0
    else
        cat "$work/log/torture"
        say "not ok - $1: not caught"
        count 0 1
    fi
}

enter "$@"
budget=$((86400 * 30))
source=$here/torture
if [[ -n $mutations ]]; then
    if [[ $mutations == all ]]; then
        mutations=
        for name in "$source"/mutations/*.patch; do
            name=${name##*/}
            mutations+=" ${name%.patch}"
        done
    fi
    for name in $mutations; do
        run_mutation "$name"
    done
else
    [[ -z ${TORTURE_MUTATION:-} ]] || mutate "$TORTURE_MUTATION"
    run_once
fi
finished=yes
