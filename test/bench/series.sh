# shellcheck shell=bash
# Many series and rings: their speed, what they take on disk, in WAL and in
# shared memory. Sourced by bench.sh.

in_use=(1 100 10000)    # series in use

# So many series in use, asked in random order, each as often as chance will
# have it. The same statement for one: what reads its table is not measured.
part_series() {
    local n turn what title
    local -a loops=() calls=()

    sql "SELECT coderring_create('many')" >/dev/null
    # each ring that a transaction creates takes one of its locks
    for ((n = 1; n <= 10000; n += 1000)); do
        sql "SELECT count(coderring_create('ring ' || i))
             FROM generate_series($n, $((n + 999))) AS i" >/dev/null
    done
    for n in "${in_use[@]}"; do
        psql_on -o /dev/null <<SQL
CREATE TABLE used_$n AS
    SELECT 'extra ' || n AS extra, 'ring ' || n AS ring
    FROM (SELECT 1 + floor(random() * $n)::int AS n
          FROM generate_series(1, 10000) OFFSET 0) AS chosen;
VACUUM ANALYZE used_$n;
SQL
        for what in extra ring; do
            loop_of[${what}_$n]=10000
            loops+=("loop_${what}_$n")
        done
        say "SELECT count(coderring_get_code('many', extra)) FROM used_$n;" \
            >"$work/sql/loop_extra_$n.sql"
        say "SELECT count(coderring_get_code(ring)) FROM used_$n;" \
            >"$work/sql/loop_ring_$n.sql"
        cat >"$work/sql/call_extra_$n.sql" <<SQL
\\set n random(1, $n)
SELECT coderring_get_code('many', 'extra ' || (:n)::text);
SQL
        calls+=("call_extra_$n")
    done
    # what a sequence for each would be
    for ((n = 1; n <= 10000; n += 1000)); do
        sql "DO \$\$ BEGIN FOR i IN $n .. $((n + 999)) LOOP
                 EXECUTE format('CREATE SEQUENCE sequence_%s', i);
             END LOOP; END \$\$"
    done
    cat >"$work/sql/call_sequence_10000.sql" <<'SQL'
\set n random(1, 10000)
SELECT nextval(('sequence_' || (:n)::text)::regclass);
SQL
    calls+=(call_sequence_10000)
    # warm: each series has been asked, and those in use have been for a while
    cat >"$work/sql/warm.sql" <<'SQL'
SELECT count(coderring_get_code('many', 'extra ' || i)),
    count(coderring_get_code('ring ' || i))
FROM generate_series(1 + :client_id, 10000, 8) AS i;
SQL
    pgbench_on warm 8 -t 1 >/dev/null
    for what in "${loops[@]}"; do
        pgbench_on "$what" 1 -T $((seconds * 2)) >/dev/null
    done
    sql CHECKPOINT
    : >"$work/series"
    for ((turn = 1; turn <= turns; turn++)); do
        measure "$work/series" 1 "$turn" "${loops[@]}"
    done
    title "Series in use, in random order, one session in loops: codes a second"
    for what in extra ring; do
        row "$work/series" "loop_${what}_100" "loop_${what}_1" count \
            "" "100 ${what}s : 1"
        row "$work/series" "loop_${what}_10000" "loop_${what}_1" count \
            "at least 0.91" "10,000 ${what}s : 1"
    done
    # a session that has just begun knows none of the series: not what is measured
    warm_up=yes
    for ((turn = 1; turn <= turns; turn++)); do
        measure "$work/series" 8 "$turn" "${calls[@]}"
    done
    warm_up=
    title "Series in use, in random order, one call a statement, 8 clients: codes a second"
    row "$work/series" call_extra_100 call_extra_1 count "" "100 extras : 1"
    row "$work/series" call_extra_10000 call_extra_1 count "at least 0.91" "10,000 extras : 1"
    row "$work/series" call_extra_10000 call_sequence_10000 count "" "10,000 extras : 10,000 sequences"
}

# wal KIND OPTION...: bytes of WAL for what pgbench runs, as a line
wal() {
    local kind=$1 before

    before=$(sql 'SELECT pg_current_wal_insert_lsn()')
    pgbench_on "$kind" 1 "${@:2}" >/dev/null
    sql "SELECT '$kind', pg_current_wal_insert_lsn() - '$before'" | tr '|' ' '
}

part_wal() {
    local kind

    # whole pages are written once after the checkpoint: not in the measurement
    for kind in loop_get_code loop_nextval call_get_code call_nextval; do
        wal "$kind" -t 10 >/dev/null
        if [[ $kind == loop_* ]]; then
            wal "$kind" -t 100
        else
            wal "$kind" -t 20000
        fi
    done >"$work/wal"
    title "WAL: bytes a value"
    row "$work/wal" loop_get_code loop_nextval "bytes 1000000" "" "in loops, of a million"
    row "$work/wal" call_get_code call_nextval "bytes 20000" "" "one call a statement, of 20,000"
}

# A thousand rings, and a thousand series of one; what they are on disk includes
# their indexes.
part_sizes() {
    local what of

    of="(SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c
         WHERE c.relnamespace = 'coderring'::regnamespace
             AND c.relkind IN ('r', 'S'))"
    {
        say "SELECT coderring_create('size 0');"
        say "SELECT coderring_get_code('size 0', 'x');"
        for what in ring series; do
            say "SELECT pg_current_wal_insert_lsn() AS lsn, $of AS size \\gset"
            if [[ $what == ring ]]; then
                say "SELECT count(coderring_create('size ' || i)) FROM generate_series(1, 1000) AS i;"
            else
                say "SELECT count(coderring_get_code('size 0', 'size ' || i)) FROM generate_series(1, 1000) AS i;"
            fi
            say "SELECT '= ${what}_wal ' || pg_current_wal_insert_lsn() - :'lsn';"
            say "SELECT '= ${what}_disk ' || $of - :size;"
        done
    } | psql_on -A -t | sed -n 's/^= //p' >"$work/sizes"
    title "Bytes, of 1,000"
    row "$work/sizes" ring_disk - "bytes 1000" "" "a ring, on disk"
    row "$work/sizes" ring_wal - "bytes 1000" "" "a ring, WAL"
    row "$work/sizes" series_disk - "bytes 1000" "" "a series, on disk"
    row "$work/sizes" series_wal - "bytes 1000" "" "a series and its first code, WAL"
}

# restart OPTION...: a fresh server, with no series in its memory. It is not to
# be measured how fast the disk is.
restart() {
    stop_server fast || :
    start_server "$work/log/server" "${settings[@]}" -cfsync=off || exit 1
}

# Shared memory grows by segments: what an idle series takes is measured from
# one growth to a later one.
part_memory() {
    local first series=10000

    restart
    psql_on -o /dev/null <<'SQL'
SELECT coderring_create('memory');
CREATE FUNCTION take(extra text, n int) RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT count(coderring_get_code(''memory'', $1)) FROM generate_series(1, $2)';
CREATE FUNCTION mapped() RETURNS bigint LANGUAGE sql AS $$
    SELECT coalesce(sum(('x' || lpad(range[2], 16, '0'))::bit(64)::bigint -
                        ('x' || lpad(range[1], 16, '0'))::bit(64)::bigint), 0)::bigint
    FROM regexp_matches(pg_read_file('/proc/self/maps'),
        '^([0-9a-f]+)-([0-9a-f]+) [^\n]* /dev/shm/PostgreSQL\.[0-9]+', 'gn') AS range $$;
SQL
    {
        say "SELECT '= before ' || mapped();"
        for ((first = 1; first <= series * 2; first += 50)); do
            say "SELECT sum(take('idle ' || i, 1)) FROM generate_series($first, $((first + 49))) AS i;"
            say "SELECT '= $((first + 49)) ' || mapped();"
        done
    } | psql_on -A -t | sed -n 's/^= //p' >"$work/growth"
    {
        perl "$scripts/growth.pl" "$work/growth"
        sql "SELECT 'fixed', sum(allocated_size) FROM pg_shmem_allocations
             WHERE name ILIKE '%coderring%' HAVING count(*) > 0" | tr '|' ' '
    } >"$work/memory"
    title "Shared memory, bytes"
    ! grep -q '^fixed ' "$work/memory" ||
        row "$work/memory" fixed - count "" "of the server, before any code"
    row "$work/memory" idle - count "at most 300" "a series that has given one code"

    # each gives 2,000 codes at once, in turn, and so has a large block
    restart
    {
        say "SELECT take('busy 0', 1);"
        for ((first = 1; first <= series; first += 1000)); do
            say "SELECT sum(take('busy ' || i, 2000)) FROM generate_series($first, $((first + 999))) AS i;"
            say "SELECT '= ' || mapped();"
        done
    } | psql_on -A -t | sed -n 's/^= //p' | tail -n 1 |
        awk -v n="$series" '{ print "all", $1 / 1048576; print "one", $1 / n }' >"$work/busy"
    row "$work/busy" one - count "" "a busy series, of 10,000"
    title "Shared memory, MB of /dev/shm"
    row "$work/busy" all - count "at most 64" "10,000 busy series"
}
