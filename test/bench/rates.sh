# shellcheck shell=bash
# How many values a second: in loops and one call a statement, by some clients.
# Sourced by bench.sh.

# measure FILE CLIENTS TURN SCRIPT...: a turn of pgbench for each; with warm_up
# set, or with many clients, without the first second
measure() {
    local file=$1 clients=$2 turn=$3 kind rate
    local -a length=(-T "$seconds")

    shift 3
    ((clients <= 16)) && [[ -z ${warm_up:-} ]] || length=(-T $((seconds + 2)) -P 1)
    for kind; do
        rate=$(pgbench_on "$kind" "$clients" "${length[@]}")
        say "$rate $turn" >>"$file"
        if [[ $kind == *_retry_* ]]; then
            empty_retry "${kind##*_}"
        fi
    done
}

# rates FILE CLIENTS HOW: all of core in each turn. The others, which are far
# from coderring, in some; in the first and the last at least.
rates() {
    local file=$1 clients=$2 how=$3 turn name
    local -a often=() seldom=()

    : >"$file"
    [[ $how == loop ]] || often=(call_select_1)
    for name in get_code nextval cache32; do often+=("${how}_$name"); done
    for name in "${others[@]}"; do
        # in a transaction that goes on, each waits for the others' new codes
        # until the server finds a deadlock
        [[ $how == loop && $name == retry_* ]] && ((clients > 1)) && continue
        seldom+=("${how}_$name")
    done
    pgbench_on "${how}_get_code" "$clients" -T 1 >/dev/null
    sql CHECKPOINT
    for ((turn = 1; turn <= turns; turn++)); do
        measure "$file" "$clients" "$turn" "${often[@]}"
        if ((turn == 1 || turn == turns)) ||
            { ((turn % 2 == 1)) && [[ $clients =~ ^(1|8)$ ]]; }; then
            measure "$file" "$clients" "$turn" "${seldom[@]}"
        fi
    done
}

clients_text() { say "$1 client$( (($1 == 1)) || say s)"; }

# in_loops CLIENTS
in_loops() {
    local file=$work/loops.$1 name
    local -A aim=()

    if (($1 == 8)); then
        aim=([nextval]="at least 1.5" [cache32]="at least 1.00")
    fi
    rates "$file" "$1" loop
    title "In loops, $(clients_text "$1") on one ring: values a second"
    for name in nextval cache32 "${others[@]}"; do
        grep -q "^loop_$name " "$file" || continue
        row "$file" loop_get_code "loop_$name" "count" "${aim[$name]:-}"
    done
}

# one_by_one CLIENTS
one_by_one() {
    local file=$work/calls.$1 name aim=

    (($1 < 8)) || aim="at least 0.97"
    rates "$file" "$1" call
    title "One call a statement, $(clients_text "$1"): values a second"
    row "$file" call_get_code call_select_1 count "$aim"
    row "$file" call_nextval call_select_1 count
    for name in nextval cache32 "${others[@]}"; do
        row "$file" call_get_code "call_$name" count
    done
}

part_loops() {
    local clients

    for clients in $bench_clients; do in_loops "$clients"; done
}

part_calls() {
    local clients

    for clients in $bench_clients; do one_by_one "$clients"; done
}

# One session: psql, and its own times from question to answer.
part_one() {
    local round i executions=20

    {
        say "PREPARE get_code AS $(<"$work/sql/loop_get_code.sql")"
        say "PREPARE nextval AS $(<"$work/sql/loop_nextval.sql")"
        for ((i = 0; i < 20; i++)); do
            say "EXECUTE get_code; EXECUTE nextval;"
        done
        say "CHECKPOINT;"
        say '\timing on'
        for ((round = 0; round < turns * 4; round++)); do
            say '\echo :: get_code'
            for ((i = 0; i < executions; i++)); do say "EXECUTE get_code;"; done
            say '\echo :: nextval'
            for ((i = 0; i < executions; i++)); do say "EXECUTE nextval;"; done
        done
    } | times "$work/one"
    title "One session, prepared loops of 10,000: ns a value"
    row "$work/one" get_code nextval "time $((executions * 10000))" \
        "at most 0.66"
}

part_million() {
    local round

    {
        say "CREATE TEMPORARY SEQUENCE million;"
        say "SELECT count(c) FROM coderring_get_codes('widget', 100000) AS c;"
        say '\timing on'
        for ((round = 0; round < turns; round++)); do
            cat "$scripts/million.sql"
        done
    } | times "$work/million"
    title "A million in one statement: ns a value, and A - B"
    row "$work/million" get_codes series "over 1000000" "at most 60"
    row "$work/million" get_codes series_text "over 1000000"
    title "A million in one statement: ns a value"
    row "$work/million" get_codes series_text "time 1000000"
    row "$work/million" get_codes nextval "time 1000000"
}

# How long a caller waits, beside a statement that does nothing. The ring is
# asked by all, so refills flush all the time.
part_latency() {
    local turn kind what

    "${CC:-gcc}" -O2 -Wall -Wextra -Werror -I"$("$PG_CONFIG" --includedir)" -o "$work/latency-client" \
        "$scripts/latency.c" -L"$("$PG_CONFIG" --libdir)" -lpq ||
        die "latency.c does not compile"
    : >"$work/latency"
    for ((turn = 1; turn <= turns; turn++)); do
        for kind in get_code select_1; do
            PGDATABASE=$database "$work/latency-client" 8 $((seconds * 2)) \
                "$(<"$work/sql/call_$kind.sql")" >"$work/log/latency" ||
                die "waits could not be measured"
            sed "s/^/${kind}_/; s/\$/ $turn/" "$work/log/latency" >>"$work/latency"
        done
    done
    title "One call a statement, 8 clients: microseconds that a caller waits"
    for what in p50 p99 p99.9 max; do
        row "$work/latency" "get_code_$what" "select_1_$what" count \
            "$([[ $what != p99.9 ]] || say "at most 1.5")" \
            "get_code : SELECT 1, $what"
    done
}
