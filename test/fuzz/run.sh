# shellcheck shell=bash
# What test/fuzz.sh and test/asan.sh share: any arguments to every function, on
# the server in $work/data, in a database of each kind of encoding. Sourced by
# them, after lib.sh.

fuzz_seed=${FUZZ_SEED:-1}
[[ $fuzz_seed =~ ^[0-9]{1,9}$ ]] || die "FUZZ_SEED: a number"
[[ ${FUZZ_CALLS:-1} =~ ^[1-9][0-9]{0,8}$ ]] || die "FUZZ_CALLS: a number from 1 on"

# Of characters of one to four bytes, of one to three, of one, and of anything
# that is not NUL
fuzz_encodings="UTF8 EUC_JP LATIN1 SQL_ASCII"

# fuzz_step TITLE SECONDS SCRIPT: runs a script for all databases, as many at once
# as there are processors. In it $0 is the encoding, $1 the name of the database,
# and $2, $3 the arguments CALLS and SEED.
fuzz_step() {
    local title=$1 log=$work/log/fuzz-$1 status=0 good bad

    # shellcheck disable=SC2016 # expanded by the shells that are started
    run_step "$2" "$log" env fuzz="$here/fuzz/fuzz.pl" codes="$work/codes" \
        calls="$calls" seed="$fuzz_seed" script="$3" \
        bash -c 'printf "%s\n" "$@" | xargs -P "$(nproc)" -I {} bash -c "$script" {}' \
        fuzz $fuzz_encodings || status=$?
    count_tap "$log" "$status"
    if ((bad > 0)); then
        say "not ok - fuzz, $title: ended with status $status; seed $fuzz_seed"
        cat -v "$log" | cut -c 1-2000 | head -n 200
    else
        sed -n 's/^# /  /p' "$log"
    fi
    count "$good" "$bad"
    say "fuzz, $title: $good of $((good + bad)) passed"
}

# run_fuzz CALLS SECONDS: so many calls in each database; what came out of them is
# looked at, before and after a crash of the server. Ends with it stopped.
run_fuzz() {
    local calls=$1 log=$work/log/server-fuzz encoding database
    local -a settings=(-cmax_prepared_transactions=10 -clog_min_error_statement=panic)

    say "Fuzzing with seed $fuzz_seed (FUZZ_SEED), $calls calls a database (FUZZ_CALLS)."
    if ! start_server "$log" "${settings[@]}"; then
        say "not ok - fuzz: the server does not start"
        count 0 1
        return
    fi
    mkdir -p "$work/codes"
    for encoding in $fuzz_encodings; do
        database=fuzz_${encoding,,}
        "$bindir/createdb" -T template0 -E "$encoding" --locale=C "$database"
        "$bindir/psql" -X -q -d "$database" -c "CREATE EXTENSION coderring"
    done
    # shellcheck disable=SC2016
    fuzz_step calls "$2" 'perl "$fuzz" run "fuzz_${0,,}" "$seed" "$calls" "$codes/$0"'
    # shellcheck disable=SC2016
    fuzz_step rings 300 'perl "$fuzz" verify "fuzz_${0,,}" "$codes/$0"'
    stop_server immediate || :
    if start_server "$log" "${settings[@]}"; then
        # shellcheck disable=SC2016
        fuzz_step "rings after a crash" 300 'perl "$fuzz" verify "fuzz_${0,,}" "$codes/$0"'
    else
        say "not ok - fuzz: the server does not start again"
        count 0 1
    fi
    stop_server fast || :
    if grep -aE 'terminated by signal|PANIC:|TRAP:' "$log" >"$work/log/crashes"; then
        say "not ok - fuzz: the server crashed"
        cat "$work/log/crashes"
        count 0 1
    fi
}
