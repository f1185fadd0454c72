#!/usr/bin/env bash
# Proves in ten million codes each, on a throw-away server of its own, that codes
# are distinct and decode to what they were asked with, and that filtered rings
# hand out no blocked word; then measures what the filter and coderring_issued
# cost. Also: make proof, which takes about six minutes.
#
#   PROOF_CODES=10000000   so many codes, from 100000 on
#   PROOF_SEED=1           chooses extras and the order in which they are used
#   PROOF_PAIRS=41         turns of each measurement: A B A B ...
#
# make check proves the same with 100,000 codes (test/t/012_proof.pl). The speeds
# are printed as ratios of what ran in turn, and not judged. The last line is
# "N passed, N failed".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

codes=${PROOF_CODES:-10000000}
seed=${PROOF_SEED:-1}
pairs=${PROOF_PAIRS:-41}
[[ $codes =~ ^[1-9][0-9]{5,8}$ ]] || die "PROOF_CODES: a number from 100000 on"
[[ $seed =~ ^[0-9]{1,9}$ ]] || die "PROOF_SEED: a number"
[[ $pairs =~ ^[1-9][0-9]{0,2}$ ]] || die "PROOF_PAIRS: a number from 1 on"

on_leave() { summarise; }

# A database with the extension and nothing else
new_database() {
    "$bindir/createdb" "$1"
    "$bindir/psql" -X -q -d "$1" -c "CREATE EXTENSION coderring"
}

# prove PART TITLE: a part of proof.pl, counted
prove() {
    local part=$1 log=$work/log/$1 status=0 good bad

    say
    say "$2"
    new_database "$part"
    PGDATABASE=$part run_step 3600 "$log" \
        perl "$here/proof/proof.pl" "$part" "$codes" "$seed" || status=$?
    count_tap "$log" "$status"
    if ((bad > 0)); then
        cat "$log"
        say "not ok - $part: ended with status $status"
    else
        sed -n -e 's/^ok [0-9]* - /  ok: /p' -e 's/^# /      /p' "$log"
    fi
    count "$good" "$bad"
    "$bindir/dropdb" "$part"
}

# Statements of two kinds, two of each in turn, as psql runs them
turns() {
    local round i

    for ((round = 0; round < pairs; round++)); do
        for kind; do
            say "\\echo :: $kind"
            for ((i = 0; i < 2; i++)); do say "EXECUTE $kind($round);"; done
        done
    done
}

# A ratio, of 10,000 codes a statement
ratio() {
    perl "$here/bench/row.pl" "$work/speed" "$1" "$2" "time 20000" "" "$3"
}

speed() {
    local log=$work/log/speed

    new_database speed
    {
        cat <<'SQL'
SET plan_cache_mode = force_generic_plan;
CREATE TABLE one AS SELECT ''::text AS extra, n FROM generate_series(1, 10000) AS n;
CREATE TABLE many AS SELECT (1000 + random() * 1000)::int::text AS extra, n FROM generate_series(1, 10000) AS n;
SELECT coderring_create('one'), coderring_create('many');
ALTER TABLE one ADD code text;
ALTER TABLE many ADD code text;
UPDATE one SET code = coderring_get_code('one', extra);
UPDATE many SET code = coderring_get_code('many', extra);
VACUUM FULL ANALYZE one, many;
PREPARE filtered(int) AS SELECT count(coderring_get_code('english ' || $1)) FROM one;
PREPARE unfiltered(int) AS SELECT count(coderring_get_code('none ' || $1)) FROM one;
PREPARE issued_one(int) AS SELECT count(*) FILTER (WHERE coderring_issued('one', code)) FROM one;
PREPARE get_code_one(int) AS SELECT count(coderring_get_code('one', extra)) FROM one;
PREPARE issued_many(int) AS SELECT count(*) FILTER (WHERE coderring_issued('many', code)) FROM many;
PREPARE get_code_many(int) AS SELECT count(coderring_get_code('many', extra)) FROM many;
SQL
        # a fresh ring a turn: near the end of a cycle blocks are smaller
        say "SELECT coderring_create('english ' || i, blocklist => 'english')," \
            "coderring_create('none ' || i) FROM generate_series(0, $pairs - 1) AS i;"
        say "SELECT coderring_get_code('english ' || i)," \
            "coderring_get_code('none ' || i) FROM generate_series(0, $pairs - 1) AS i;"
        say "\\timing on"
        turns filtered unfiltered
        turns issued_one get_code_one
        turns issued_many get_code_many
    } >"$work/speed.sql"
    run_step 600 "$log" "$bindir/psql" -X -q -v ON_ERROR_STOP=1 -d speed \
        -o /dev/null -f "$work/speed.sql" || {
        cat "$log"
        say "not ok - speed: psql ended with an error"
        count 0 1
        return
    }
    perl "$here/bench/times.pl" "$log" >"$work/speed"
    say
    printf '%-40s %10s %10s %5s  %s\n' "Speed, ns a code: A : B" "A" "B" "A/B" "min..max"
    ratio filtered unfiltered "get_code, english list : none"
    ratio issued_one get_code_one "issued : get_code, 1 series"
    ratio issued_many get_code_many "issued : get_code, 1,000 series"
    "$bindir/dropdb" speed
}

enter "$@"
build WERROR=1
init_server
start_server "$work/log/server" -cautovacuum=off -cmax_wal_size=4GB \
    -cmaintenance_work_mem=256MB || give_up "the server does not start"
prove distinct "Codes are distinct, and decode to what they were asked with"
prove words "No code of a filtered ring holds a blocked word"
speed
stop_server fast || :
if grep -E 'terminated by signal|PANIC:|TRAP:' "$work/log/server"; then
    say "not ok - the server crashed"
    count 0 1
fi
say
finished=yes
