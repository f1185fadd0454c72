# shellcheck shell=bash
# What the scripts in test/ share: a private work directory, an unprivileged
# user, a throw-away PostgreSQL server in it, and the running and counting of
# tests. Sourced by them, never run.
#
# Everything a script makes lies in $work:
#
#   $work/source      the working copy, where root called us
#   $work/build       the copy of it that is built           (private.sh)
#   $work/beside      a copy of that, where two suites run at a time
#   $work/root        PostgreSQL with coderring in it         (private.sh)
#   $work/pg_config   leads to the pg_config of $work/root    (private.sh)
#   $work/data, s     the server's files and its Unix socket
#   $work/log         what the steps printed

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=${here%/*}
work=${CODERRING_WORK:-}
step=                   # process groups of the steps that run now
beside=                 # process that runs TAP tests beside the others
tree=                   # the copy of $work/build that TAP tests run in, or itself
limit=300               # seconds a suite may take; or a file, of TAP tests
budget=3600             # seconds that all may take together
# The TAP test that changes what is installed: it runs when no other does.
alone=024_versions
# Regress tests of what is computed, wherever memory comes from: once is enough.
computed="alphabets blocklist blocklist_changes check_character cycles decode extra normalize order recover spreadsheet"
passed=0
failed=0
finished=               # set when all suites have had their turn

say() { printf '%s\n' "$*"; }

die() {
    printf 'coderring: %s\n' "$*" >&2
    exit 1
}

# Forget whatever could lead psql to a real server, or make to other flags,
# and choose the locale that every Debian system has.
clean_environment() {
    local name

    for name in ${!PG@} ${!LC_@} LANGUAGE; do
        [[ $name == PG_CONFIG ]] || unset "$name"
    done
    unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CDPATH
    [[ -d ${TMPDIR:-/tmp} ]] || unset TMPDIR
    export LC_ALL=C
    if locale -a 2>/dev/null | grep -Eqix 'c\.utf-?8'; then
        LC_ALL=C.UTF-8
    fi
    export LANG=$LC_ALL         # the TAP tests of PostgreSQL drop LC_ALL
}

# The PostgreSQL to build against: PG_CONFIG, or the first pg_config.
resolve_pg_config() {
    local found

    found=$(type -P -- "${PG_CONFIG:-pg_config}") ||
        die "${PG_CONFIG:-pg_config}: not found"
    PG_CONFIG=$(cd "$(dirname "$found")" && pwd)/${found##*/}
    export PG_CONFIG
}

# next_steps: what to type for a server of one's own, as this machine stands. A
# Debian that setup.sh has filled has no server that runs, and its superuser is
# postgres, not root.
next_steps() {
    local sudo='sudo ' psql major clusters cluster name others option=

    ((EUID != 0)) && [[ ! -d $work/source ]] || sudo=
    if [[ -n $sudo ]] && ! type -P sudo >/dev/null; then
        sudo=
        say "    su -"
    fi
    if ! getent passwd postgres >/dev/null; then
        psql='psql -U postgres'
    elif type -P sudo >/dev/null; then
        psql='sudo -u postgres psql'
    else
        psql='runuser -u postgres -- psql'
    fi
    [[ $PG_CONFIG -ef $(PATH=${PATH#"${bindir:-}:"} type -P pg_config) ]] || option=" PG_CONFIG=$PG_CONFIG"
    say "    make$option"
    say "    ${sudo}make$option install"
    if type -P pg_lsclusters >/dev/null; then
        major=$("$PG_CONFIG" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
        clusters=$(pg_lsclusters -h)
        # VERSION NAME PORT STATUS ...: one that runs rather than one that does not
        cluster=$(awk -v major="$major" '$1 == major { print ($4 ~ /online/ ? 0 : 1), $2 }' <<<"$clusters" | sort | head -n 1)
        name=${cluster#* }
        case $cluster in
            '') say "    ${sudo}pg_createcluster $major ${name:=main} --start" ;;
            1*) say "    ${sudo}pg_ctlcluster $major $name start" ;;
        esac
        # where there are others as well, psql has to be told
        others=$(awk -v major="$major" -v name="$name" '$1 != major || $2 != name' <<<"$clusters")
        [[ -z $others ]] || psql+=" --cluster $major/$name"
    fi
    say "    $psql -c 'CREATE EXTENSION coderring WITH SCHEMA public'"
}

# copy_tree DIR: the working copy without what was built in it.
copy_tree() {
    mkdir -p "$1"
    # 1: a file changed while it was read, as when an editor is open
    { tar -C "$top" -cf - --exclude=./.git --exclude=./tmp_check \
          --exclude=./tmp_check_iso --exclude=./results --exclude=./log \
          --exclude='./test/unit/build*' --exclude='*.o' --exclude='*.bc' --exclude='*.so' . ||
      [[ $? == 1 ]]; } |
        tar -C "$1" --no-same-owner -xf -
}

# Make the work directory: where programs can be started, and short, because
# the path of a Unix socket has at most 107 bytes.
make_work() {
    local base

    for base in /tmp /var/tmp "${TMPDIR:-/tmp}"; do
        work=$(mktemp -d "$base/coderring.XXXXXX" 2>/dev/null) || continue
        printf '#!/bin/sh\n' >"$work/probe"
        chmod 755 "$work/probe"
        if ((${#work} < 60)) && "$work/probe" 2>/dev/null; then
            rm "$work/probe"
            return
        fi
        rm -rf "$work"
    done
    die "neither /tmp nor /var/tmp takes files that can be executed"
}

# enter ARGUMENTS...: what every script begins with. Installs what is missing,
# makes the work directory and, because initdb refuses root, goes on there as
# an unprivileged user. The script is started once more for that.
enter() {
    local user

    clean_environment
    if [[ -z $work ]]; then
        bash "$here/setup.sh" --silent || exit 1
        resolve_pg_config
        trap '[[ -z $work ]] || rm -rf "$work"' EXIT
        trap 'exit 129' HUP
        trap 'exit 130' INT
        trap 'exit 143' TERM
        make_work
        if ((EUID == 0)); then
            user=postgres
            getent passwd "$user" >/dev/null || user=nobody
            copy_tree "$work/source"
            chown -R "$user": "$work"
            cd "$work" || exit 1
            export CODERRING_WORK=$work HOME=$work USER=$user LOGNAME=$user
            # exec: one process, so that one trap cleans up
            exec setpriv --reuid="$user" --regid="$(id -g "$user")" \
                --init-groups bash "$work/source/test/${0##*/}" "$@"
        fi
    fi
    unset CODERRING_WORK
    trap leave EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir -p "$work/tmp" "$work/log" "$work/s"
    export TMPDIR=$work/tmp
    cd "$work" || exit 1
}

# End the steps that run now, with all that they have started, and the process
# that runs TAP tests beside them.
end_steps() {
    local group

    [[ -n $step$beside ]] || return 0
    [[ -z $beside ]] || kill -TERM "$beside" 2>/dev/null || :
    for group in $step; do
        kill -TERM -- "-$group" 2>/dev/null || :
    done
    sleep 0.5
    for group in $step; do
        kill -KILL -- "-$group" 2>/dev/null || :
    done
    [[ -z $beside ]] || wait "$beside" 2>/dev/null || :
}

# On every way out: end the step, stop every server, remove everything.
leave() {
    local status=$? pidfile exe

    trap - EXIT
    trap '' HUP INT TERM
    end_steps
    while IFS= read -r pidfile; do
        "$bindir/pg_ctl" -D "${pidfile%/*}" -m immediate -t 20 stop \
            >/dev/null 2>&1 || :
    done < <(find "$work" -name postmaster.pid 2>/dev/null)
    for exe in /proc/[0-9]*/exe; do
        if [[ $(readlink "$exe" 2>/dev/null) == "$work"/* ]]; then
            exe=${exe#/proc/}
            kill -KILL "${exe%/exe}" 2>/dev/null || :
        fi
    done
    cd /
    if [[ -n ${KEEP:-} ]]; then
        say "kept: $work"
    else
        rm -rf "$work" || :
    fi
    if [[ $(type -t on_leave) == function ]]; then
        on_leave "$status"
    fi
    exit "$status"
}

# run_step SECONDS LOG COMMAND...: a command without a terminal, in a process
# group of its own, which ends with the script or when its time is up.
run_step() {
    local limit=$1 log=$2 left=$((budget - SECONDS)) status=0

    shift 2
    ((limit <= left)) || limit=$((left > 1 ? left : 1))
    set -m
    timeout -k 10 "$limit" "$@" </dev/null >"$log" 2>&1 &
    step=$!
    set +m
    wait "$step" || status=$?
    step=
    if ((status == 124 || status == 137)); then
        printf '\n(ended after %s seconds)\n' "$limit" >>"$log"
    fi
    return "$status"
}

# count PASSED FAILED
count() {
    ((passed += $1, failed += $2)) || :
}

# give_up TITLE: no test can be run.
give_up() {
    say "not ok - $1"
    count 0 1
    finished=yes
    exit 1
}

# build VARIABLE=VALUE...: makes the private tree, and its programs the first.
build() {
    bindir=$("$PG_CONFIG" --bindir)
    [[ -z ${CC:-} ]] || set -- "CC=$CC" "$@"
    say "Building coderring for $("$PG_CONFIG" --version)."
    if ! run_step 600 "$work/log/build" \
        bash "$here/private.sh" "$work" "$@"; then
        cat "$work/log/build"
        give_up build
    fi
    pg_config=$work/pg_config
    tree=$work/build
    bindir=$("$pg_config" --bindir)
    export PATH=$bindir:$PATH
}

# A new server in $work/data.
init_server() {
    local -a locale=(--locale=C)

    [[ $LC_ALL != C.UTF-8 ]] || locale=(--locale=C.UTF-8)
    if ! run_step 120 "$work/log/initdb" "$bindir/initdb" -D "$work/data" \
        -U postgres -A trust -E UTF8 --no-sync "${locale[@]}"; then
        cat "$work/log/initdb"
        give_up initdb
    fi
    {
        say "listen_addresses = ''"
        say "unix_socket_directories = '$work/s'"
        say "fsync = off"
    } >>"$work/data/postgresql.conf"
    export PGHOST=$work/s PGPORT=5432 PGUSER=postgres
}

# start_server LOG OPTION...: options as postgres takes them, without blanks.
start_server() {
    local log=$1

    shift
    if ! "$bindir/pg_ctl" -D "$work/data" -l "$log" -w -t 60 -o "$*" start \
        >"$work/log/start" 2>&1 </dev/null; then
        cat "$work/log/start" "$log"
        return 1
    fi
}

# stop_server MODE: where the server does not obey, it is stopped and the
# function fails.
stop_server() {
    local -a stop=("$bindir/pg_ctl" -D "$work/data" -w -t 30 stop -m)

    if ! "${stop[@]}" "$1" >"$work/log/stop" 2>&1 </dev/null; then
        "${stop[@]}" immediate >>"$work/log/stop" 2>&1 </dev/null || :
        return 1
    fi
}

# names KIND WITHOUT: the tests of a suite, those that TESTS names where it is
# given, without some.
names() {
    local file name pattern

    case $1 in
        regress)   pattern='test/sql/*.sql' ;;
        isolation) pattern='test/specs/*.spec' ;;
        tap)       pattern='test/t/*.pl' ;;
    esac
    for file in "$work/build"/$pattern; do
        name=${file##*/}
        name=${name%.*}
        if [[ -e $file && (-z ${TESTS:-} || " $TESTS " == *" $name "*) &&
            " ${2:-} " != *" $name "* ]]; then
            say "$name"
        fi
    done
}

# choose_suites DEFAULT: sets suites from ONLY, or to the default.
choose_suites() {
    local suite

    suites=${ONLY:-$1}
    suites=${suites//,/ }
    for suite in $suites; do
        [[ $suite =~ ^(unit|regress|isolation|tap)$ ]] ||
            die "ONLY: unit, regress, isolation, tap; not \"$suite\""
    done
}

wanted() { [[ " $suites " == *" $1 "* ]]; }

# no_tests TITLE: a suite that ran nothing has failed, unless tests were named.
no_tests() {
    if [[ -z ${TESTS:-} ]]; then
        say "not ok - $1: no tests"
        count 0 1
    fi
}

# run_suites TARGET: all suites chosen, counted; TARGET is the unit tests' own.
# Where there are two processors, the TAP tests, which have servers of their own,
# begin beside the others; but not the one that changes what is installed.
run_suites() {
    local -a tap=()

    if wanted tap; then
        mapfile -t tap < <(names tap)
        ((${#tap[@]} > 0)) || no_tests tap
    fi
    if ((${#tap[@]} > 1 && $(nproc) > 1)); then
        cp -a "$work/build" "$work/beside"
        (
            trap end_steps EXIT
            trap 'exit 143' TERM
            # shellcheck disable=SC2030,SC2031 # the parent reads what is written below
            passed=0 failed=0 tree=$work/beside
            run_tap "${tap[@]/#$alone/}"
            say "$passed $failed" >"$work/log/counts-tap"
        ) &
        beside=$!
    fi
    if wanted unit && [[ -z ${TESTS:-} ]]; then
        run_unit "$1"
    fi
    if wanted regress || wanted isolation; then
        run_on_server "on demand" ""
        run_on_server "preloaded" "-cshared_preload_libraries=coderring" "$computed"
    fi
    run_tap "${tap[@]/#$alone/}"
    if [[ -n $beside ]]; then
        wait "$beside" || :
        beside=
        if [[ -s $work/log/counts-tap ]]; then
            # shellcheck disable=SC2046 # two numbers
            count $(<"$work/log/counts-tap")
        else
            say "not ok - tap: the process that ran tests beside the others has died"
            count 0 1
        fi
    fi
    [[ " ${tap[*]} " != *" $alone "* ]] || run_tap "$alone"
    # shellcheck disable=SC2031
    if ((passed + failed == 0)); then
        say "not ok - no such tests"
        count 0 1
    fi
    finished=yes
}

# The last line of all, whatever happened; to be called on leaving.
summarise() {
    if [[ -z $finished ]]; then
        say "not ok - the tests did not come to their end"
        count 0 1
    fi
    say "$passed passed, $failed failed"
    ((failed == 0 && passed > 0)) || exit 1
}

# run_unit TARGET
run_unit() {
    local log=$work/log/unit status=0 good bad

    run_step "$limit" "$log" make -C "$work/build/test/unit" \
        --no-print-directory ${CC:+"CC=$CC"} PROVE="prove --verbose" "$1" ||
        status=$?
    count_tap "$log" "$status"
    if ((bad > 0)); then
        say "not ok - unit: ended with status $status"
        grep -Ev '^ok [0-9]+' "$log" | tail -n 100
    elif ((good == 0)); then
        no_tests unit
    fi
    count "$good" "$bad"
    say "unit: $good of $((good + bad)) passed"
}

# run_on_server TITLE OPTION WITHOUT: the regress and isolation tests, without some.
run_on_server() {
    local title=$1 option=$2 without=${3:-} kind log=$work/log/server-${1// /-}

    if ! start_server "$log" "$option"; then
        say "not ok - $title: the server does not start"
        count 0 1
        return
    fi
    for kind in regress isolation; do
        if wanted $kind; then
            run_pg_regress $kind "$kind, $title" "$without"
        fi
    done
    if ! stop_server fast; then
        say "not ok - $title: the server does not stop"
        cat "$work/log/stop"
        count 0 1
    fi
    if grep -E 'terminated by signal|PANIC:|TRAP:' "$log" >"$work/log/crashes"
    then
        say "not ok - $title: the server crashed"
        cat "$work/log/crashes"
        count 0 1
    fi
}

# run_pg_regress KIND TITLE WITHOUT: the suite regress or isolation, without some
# tests, on the server that runs now. A test that did not get its turn has failed.
run_pg_regress() {
    local kind=$1 title=$2 status=0 good=0 bad=0 name log=$work/log/$1
    local -a tests variables

    mapfile -t tests < <(names "$kind" "${3:-}")
    if ((${#tests[@]} == 0)); then
        no_tests "$title"
        return
    fi
    # a test without expected output fails alone, and shows what it printed
    for name in "${tests[@]}"; do
        touch "$work/build/expected/$name.out"
    done
    if [[ $kind == regress ]]; then
        variables=("REGRESS=${tests[*]}" ISOLATION=)
    else
        variables=(REGRESS= "ISOLATION=${tests[*]}")
    fi
    run_step "$limit" "$log" make -s -C "$work/build" --no-print-directory \
        PG_CONFIG="$pg_config" TAP_TESTS= "${variables[@]}" installcheck ||
        status=$?
    for name in "${tests[@]}"; do
        # until 15 "test NAME ... ok 9 ms", from 16 on "ok 1 - NAME 9 ms"
        if grep -Eq \
            "^(test)? +$name +\.\.\. ok|^ok +[0-9]+ +[-+] +$name( |\$)" "$log"
        then
            ((good += 1))
        else
            ((bad += 1))
            say "not ok - $title: $name"
        fi
    done
    if ((status != 0 && bad == 0)); then
        bad=1
        say "not ok - $title: ended with status $status"
    fi
    if ((bad > 0)); then
        tail -n 40 "$log"
        cat "$work/build/regression.diffs" 2>/dev/null || :
    fi
    rm -f "$work/build/regression.diffs"
    count "$good" "$bad"
    say "$title: $good of ${#tests[@]} passed"
}

# run_tap NAME...: TAP tests, which make servers of their own; one file at a time,
# so that one that hangs or crashes takes no other with it. What another process
# has begun is left to it.
run_tap() {
    local name log status good bad file

    for name; do
        if [[ -z $name ]] || ! mkdir "$work/log/turn-$name" 2>/dev/null; then
            continue
        fi
        log=$work/log/tap-$name
        status=0
        run_step "$limit" "$log" env -u PGHOST -u PGPORT -u PGUSER \
            make -s -C "$tree" --no-print-directory \
            PG_CONFIG="$pg_config" REGRESS= ISOLATION= \
            PROVE_FLAGS=--verbose PROVE_TESTS="test/t/$name.pl" installcheck ||
            status=$?
        count_tap "$log" "$status"
        if ((bad > 0)); then
            say "not ok - tap: $name ended with status $status"
            grep -Ev '^ok [0-9]+' "$log" | tail -n 60
            for file in "$tree"/tmp_check/log/*; do
                [[ -s $file ]] || continue
                say "--- ${file##*/}"
                tail -n 60 "$file"
            done
        fi
        count "$good" "$bad"
        if ((good + bad > 0)); then
            say "tap, $name: $good of $((good + bad)) passed"
        elif grep -q '^1\.\.0' "$log"; then
            say "tap, $name: skipped"
        else
            say "not ok - tap: $name has not run"
            cat "$log"
            count 0 1
        fi
    done
}

# count_tap LOG STATUS: sets good and bad from output in TAP. A plan that was
# not fulfilled counts, and so does a failure without a word.
count_tap() {
    local planned

    good=$(grep -Eic '^(ok +[0-9-]|not ok +.*# *TODO)' "$1") || :
    bad=$(grep -E '^not ok' "$1" | grep -Eciv '# *TODO') || :
    planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\).*/\1/p' "$1" |
        awk '{ sum += $1 } END { print sum + 0 }')
    if ((planned > good + bad)); then
        bad=$((planned - good))
    elif (($2 != 0 && bad == 0)); then
        bad=1
    fi
}
