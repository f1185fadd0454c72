# shellcheck shell=bash
# What coderring is compared with, and how each is asked for one value or for
# many. Sourced by bench.sh.

# In a loop: so many values in one statement.
declare -A loop_of=(
    [get_code]=10000 [nextval]=10000 [cache32]=10000 [uuid]=10000
    [counter]=100
    [retry_0]=100 [retry_50]=100 [retry_90]=100 [retry_99]=100
    [permuteseq]=10000 [hashids]=10000
)

declare -A value_of=(
    [get_code]="coderring_get_code('widget')"
    [nextval]="nextval('numbers')"
    [cache32]="nextval('numbers32')"
    [uuid]="gen_random_uuid()"
    [counter]="next_number()"
    [retry_0]="retry_0()" [retry_50]="retry_50()"
    [retry_90]="retry_90()" [retry_99]="retry_99()"
    [permuteseq]="permute_nextval('permuted'::regclass, 123456789)"
    [hashids]="id_encode(nextval('hashed'), 'a secret', 4)"
)

others=()               # besides get_code, nextval and cache32
fills=(0 50 90 99)      # per cent of the codes used, for random and retry
missing=()

# Extensions of others: taken where the server that is measured has them.
add_extension() {
    local extension=$1 name=$2 sequence=$3

    if [[ $(sql "SELECT count(*) FROM pg_available_extensions
                 WHERE name = '$extension'") != 1 ]]; then
        missing+=("$extension: not installed")
    elif ! psql_on >"$work/log/$extension" 2>&1 <<SQL
CREATE EXTENSION $extension;
$sequence
SELECT ${value_of[$name]} \\g /dev/null
SQL
    then
        missing+=("$extension: installed, but $(grep -m 1 ERROR "$work/log/$extension")")
    else
        others+=("$name")
        missing+=("$extension $(sql "SELECT extversion FROM pg_extension
            WHERE extname = '$extension'"): installed, measured")
    fi
}

# Codes of four characters of 32, so many per cent of them there already; what
# is there is spread evenly.
make_retry() {
    local fill=$1

    psql_on <<SQL
CREATE TABLE codes_$fill (code text NOT NULL);
INSERT INTO codes_$fill
    SELECT four_of((i * 387420489 & 1048575)::int)
    FROM generate_series(0, 1048576::bigint * $fill / 100 - 1) AS i;
CREATE UNIQUE INDEX ON codes_$fill (code);
CREATE FUNCTION retry_$fill() RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
    chosen text;
BEGIN
    LOOP
        INSERT INTO codes_$fill VALUES (four_of((random() * 1048576)::int & 1048575))
            ON CONFLICT DO NOTHING RETURNING code INTO chosen;
        IF FOUND THEN
            RETURN chosen;
        END IF;
    END LOOP;
END \$\$;
VACUUM ANALYZE codes_$fill;
SQL
    pages[$fill]=$(sql "SELECT pg_relation_size('codes_$fill') / current_setting('block_size')::int")
}

# The codes that a run has added go, so that the next finds the same fill.
empty_retry() {
    sql "DELETE FROM codes_$1 WHERE ctid >= '(${pages[$1]},0)'"
    sql "VACUUM (INDEX_CLEANUP ON, TRUNCATE ON) codes_$1"
}

make_systems() {
    local fill

    declare -gA pages
    psql_on <<'SQL'
CREATE SEQUENCE numbers32 CACHE 32;
CREATE TABLE counter (n bigint NOT NULL);
INSERT INTO counter VALUES (0);
CREATE FUNCTION next_number() RETURNS bigint LANGUAGE sql VOLATILE AS
    'UPDATE counter SET n = n + 1 RETURNING n';
CREATE FUNCTION four_of(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT substr('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', (n >> 15) + 1, 1) ||
           substr('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', (n >> 10 & 31) + 1, 1) ||
           substr('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', (n >> 5 & 31) + 1, 1) ||
           substr('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', (n & 31) + 1, 1) $$;
SQL
    others=(uuid counter)
    for fill in "${fills[@]}"; do
        make_retry "$fill"
        others+=("retry_$fill")
    done
    add_extension permuteseq permuteseq \
        "CREATE SEQUENCE permuted MINVALUE 0 MAXVALUE 1099511627775;"
    add_extension pg_hashids hashids "CREATE SEQUENCE hashed;"
}

make_scripts() {
    local name

    for name in "${!value_of[@]}"; do
        say "SELECT count(${value_of[$name]}) FROM generate_series(1, ${loop_of[$name]});" \
            >"$work/sql/loop_$name.sql"
        say "SELECT ${value_of[$name]};" >"$work/sql/call_$name.sql"
    done
    say "UPDATE counter SET n = n + 1 RETURNING n;" >"$work/sql/call_counter.sql"
    say "SELECT 1;" >"$work/sql/call_select_1.sql"
}
