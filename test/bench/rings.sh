# shellcheck shell=bash
# Creating rings, and the speed within a cycle. Sourced by bench.sh.

rings=200               # created in one go

part_create() {
    local round length i together title

    {
        say '\timing on'
        for ((round = 0; round < turns; round++)); do
            for length in 2 4 8; do
                say "\\echo :: together_$length"
                say "SELECT coderring_create(format('t %s %s %s', $length, $round, i), $length)"
                say "FROM generate_series(1, $rings) AS i;"
            done
            for length in 2 4 8; do
                say "\\echo :: alone_$length"
                for ((i = 0; i < rings; i++)); do
                    say "SELECT coderring_create('a $length $round $i', $length);"
                done
            done
        done
    } | times "$work/create"
    title "Creating a ring, $rings at a time: us a ring"
    for together in alone together; do
        title=${together/#alone/a transaction each}
        title=${title/#together/all in one}
        for length in 2 4; do
            row "$work/create" "${together}_$length" "${together}_8" \
                "us $rings" "" "base_length $length : 8, $title"
        done
    done
}

# Fresh rings, moved to where they are to be measured; 8 of them a turn.
part_places() {
    local round i percent

    {
        say "SET plan_cache_mode = force_generic_plan;"
        say "PREPARE take(text) AS SELECT count(coderring_get_code(\$1))" \
            "FROM generate_series(1, 10000);"
        for ((round = 0; round < turns * 2; round++)); do
            for percent in 0 50 99; do
                say "\\timing off"
                say "SELECT coderring_create(format('p $round $percent %s', i)) FROM generate_series(1, 8) AS i;"
                ((percent == 0)) ||
                    say "SELECT coderring_advance(format('p $round $percent %s', i)," \
                        "to_cycle => 0, to_offset => 1048576 * $percent / 100 + 1)" \
                        "FROM generate_series(1, 8) AS i;"
                say "SELECT coderring_get_code(format('p $round $percent %s', i)) FROM generate_series(1, 8) AS i;"
                say "\\timing on"
                say "\\echo :: at_$percent"
                for ((i = 1; i <= 8; i++)); do
                    say "EXECUTE take('p $round $percent $i');"
                done
            done
        done
    } | times "$work/places"
    title "Values a second within a cycle of 1,048,576, the next 10,000 codes"
    row "$work/places" at_50 at_0 "speed 80000"
    row "$work/places" at_99 at_0 "speed 80000" "0.95 to 1.05"
}
