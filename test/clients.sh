#!/usr/bin/env bash
# Uses coderring from the clients that people have, each for real, on a throw-away
# server of its own: a code column by default, a raw query, the client's own way to
# call a function, bulk insert, and migrations that must not see our tables. Also:
# make clients
#
#   CLIENTS="psql django"   these clients only
#   ECTO_SOURCES=DIR        for ecto, which Debian lacks: a directory that all may
#                           read, with the sources of telemetry, decimal,
#                           db_connection, postgrex, ecto and ecto_sql in it;
#                           coder_ring (docs/coder_ring.ex) uses them as well
#   POOLED_PREPARED=yes     prepared statements through pgbouncer before 1.21 too,
#                           which knows none of them: to see what fails
#   KEEP=1                  leave the private directory behind
#
# Each client is a directory in test/clients, run by test/clients/run.sh. Its program
# makes extension, ring and table in an empty database whose owner is no
# superuser, and prints a line "KIND CODE" for each code that it was given and
# "ok - ..." or "not ok - ..." for what it has checked itself;
# test/clients/check.sql looks for the same codes in the database. Then all of it
# once more through pgbouncer in transaction mode. The examples of docs/clients.md are
# parts of these programs.
#
# Packages of Debian and npm that are missing are installed; those of npm, whose
# versions are in test/clients/package.json, run with the Node.js 18 of Debian 12. A
# client whose packages are not to be had is skipped, and so counts for nothing. The
# last line is "N passed, N failed, N skipped".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/packages.sh
source "$here/packages.sh"

all="psql psycopg psycopg2 sqlalchemy django activerecord node-postgres knex sequelize
typeorm drizzle prisma jdbc pq pdo ecto coder_ring"
all=${all//$'\n'/ }
installed=${CLIENTS_INSTALLED:-}
setup=${CLIENTS_SETUP:-0}
skipped=0
budget=7200

for client in ${CLIENTS:=$all}; do
    [[ " $all " == *" $client "* ]] || die "CLIENTS: $all; not \"$client\""
done

# describe CLIENT: sets needs to its Debian packages, there to a command that
# succeeds where they are installed, npm to its packages in package.json, and kinds
# to what the client must show.
describe() {
    needs=
    there=true
    npm=
    kinds="default raw bulk"
    case $1 in
        psql) ;;
        psycopg)
            needs=python3-psycopg
            there="$python -c 'import psycopg'"
            ;;
        psycopg2)
            needs=python3-psycopg2
            there="$python -c 'import psycopg2'"
            kinds+=" function"
            ;;
        sqlalchemy)
            needs="python3-sqlalchemy alembic python3-psycopg2"
            there="$python -c 'import sqlalchemy, alembic, psycopg2'"
            kinds+=" function migrations"
            ;;
        django)
            needs="python3-django python3-psycopg2"
            there="$python -c 'import django, psycopg2'"
            kinds+=" function migrations"
            ;;
        activerecord)
            needs="ruby-activerecord ruby-pg"
            there="ruby -e 'require \"active_record\"; require \"pg\"'"
            kinds+=" migrations"
            ;;
        node-postgres) npm="pg" ;;
        knex)
            npm="knex pg"
            kinds+=" function migrations"
            ;;
        sequelize)
            npm="sequelize pg"
            kinds+=" function migrations"
            ;;
        typeorm)
            npm="typeorm pg reflect-metadata typescript @types/node"
            kinds+=" function migrations"
            ;;
        drizzle)
            npm="drizzle-orm drizzle-kit pg"
            kinds+=" function migrations"
            ;;
        prisma)
            npm="prisma @prisma/client @prisma/adapter-pg"
            kinds+=" migrations"
            ;;
        jdbc)
            needs="default-jdk-headless libpostgresql-jdbc-java"
            there="command -v javac && test -e /usr/share/java/postgresql.jar"
            kinds+=" function"
            ;;
        pq)
            needs="golang-go golang-github-lib-pq-dev"
            there="command -v go && test -d /usr/share/gocode/src/github.com/lib/pq"
            ;;
        pdo)
            needs="php-cli php-pgsql"
            there="php -m | grep -qx pdo_pgsql"
            ;;
        ecto)
            needs="elixir erlang-dev"
            there="command -v elixirc && test -d /usr/lib/erlang/usr/include"
            kinds+=" function migrations"
            ;;
        coder_ring)
            needs=elixir
            there="command -v elixirc"
            kinds+=" function"
            ;;
    esac
    if [[ -n $npm ]]; then
        needs="nodejs npm ca-certificates"
        there="command -v node && command -v npm"
    fi
}

is_there() { bash -c "$there" >/dev/null 2>&1; }

now() { date +%s.%N; }

# since TIME: seconds, with one decimal
since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.1f", to - from }'; }

# Installs what the chosen clients need, one after the other, and notes in
# $installed, a line a client, how long it took, or why it cannot be had. What several
# need counts for each of them, as if it were the only one.
install_clients() {
    local client from reason seconds
    local -A took=()

    for client in $CLIENTS; do
        describe "$client"
        from=$(now)
        reason=
        if [[ $client == ecto && -z ${ECTO_SOURCES:-} ]]; then
            reason="not in Debian, and ECTO_SOURCES names no sources"
        elif ! is_there; then
            # shellcheck disable=SC2086 # a list of names
            if ! (install_missing $needs) || ! is_there; then
                reason="Debian packages not to be had: $needs"
            fi
        fi
        seconds=${took[x$needs]:=$(since "$from")}
        installed+="$client $seconds $reason"$'\n'
    done
    # pgbouncer itself is only unpacked: its package would start a service
    if ! type -P pgbouncer >/dev/null && command -v apt-cache >/dev/null; then
        needs=$(apt-cache depends pgbouncer 2>/dev/null |
            sed -n 's/^ *Depends: \(lib[a-z0-9.+-]*\)$/\1/p') || :
        # shellcheck disable=SC2086 # a list of names
        [[ -z $needs ]] || dpkg-query -W $needs >/dev/null 2>&1 ||
            (install_missing $needs) || :
    fi
}

# npm's settings, for the unprivileged user who goes on
keep_npm_settings() {
    local key value

    command -v npm >/dev/null || return 0
    for key in registry cafile proxy https-proxy noproxy; do
        value=$(npm config get "$key" 2>/dev/null) || continue
        [[ -z $value || $value == null ]] ||
            export "npm_config_${key//-/_}=$value"
    done
}

python=/usr/bin/python3
[[ -x $python ]] || python=python3
if [[ -z $work ]]; then
    setup=$(now)
    bash "$here/setup.sh" --silent || exit 1
    setup=$(since "$setup")
    install_clients
    keep_npm_settings
    export CLIENTS CLIENTS_INSTALLED=$installed CLIENTS_SETUP=$setup
fi

# The server and its pooler, on TCP with a password, as applications have them.
start_servers() {
    local reason

    password=$(head -c 12 /dev/urandom | od -A n -t x1 | tr -d ' \n')
    init_server
    {
        say "local all postgres trust"
        say "host all app 127.0.0.1/32 scram-sha-256"
    } >"$work/data/pg_hba.conf"
    say "password_encryption = 'scram-sha-256'" >>"$work/data/postgresql.conf"
    PGPORT=$(free_port)
    start_server "$work/log/server" -p "$PGPORT" -clisten_addresses=127.0.0.1 ||
        give_up "the server does not start"
    on_server postgres -c "CREATE ROLE app LOGIN CREATEDB PASSWORD '$password'"
    pool_port=
    if reason=$(start_pooler); then
        pool_port=$(<"$work/pool/port")
        pooled=
        say "pgbouncer $(<"$work/pool/version") in transaction mode"
        if [[ $(<"$work/pool/prepared") == no && ${POOLED_PREPARED:-} != yes ]]; then
            pooled=1
            say "  without prepared statements, which it knows from 1.21 on"
        fi
    else
        say "pgbouncer: skipped: $reason"
        ((skipped += 1))
    fi
}

free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1,
        LocalAddr => "127.0.0.1")->sockport'
}

# on_server DATABASE OPTION...: psql as superuser, without a word
on_server() {
    local database=$1

    shift
    "$bindir/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" "$@"
}

# Unpacks pgbouncer where there is none, and starts it; says why if it cannot. It
# has two sessions on the server and gives each transaction to the other one.
start_pooler() {
    local program version i

    mkdir -p "$work/pool"
    cd "$work/pool" || return
    program=$(PATH=$PATH:/usr/sbin type -P pgbouncer) || {
        if ! apt-get download pgbouncer >"$work/log/pool" 2>&1 ||
            ! dpkg-deb -x pgbouncer_*.deb . >>"$work/log/pool" 2>&1; then
            say "not to be had from Debian"
            return 1
        fi
        program=$work/pool/usr/sbin/pgbouncer
    }
    version=$("$program" --version 2>&1 | sed -n 's/^PgBouncer \([0-9.]*\).*/\1/p')
    [[ -n $version ]] || { "$program" --version 2>&1; return 1; }
    printf '%s\n' "$version" >version
    free_port >port
    say "\"app\" \"$password\"" >users
    {
        say "[databases]"
        say "* = host=127.0.0.1 port=$PGPORT"
        say "[pgbouncer]"
        say "listen_addr = 127.0.0.1"
        say "listen_port = $(<port)"
        say "unix_socket_dir ="
        say "auth_type = scram-sha-256"
        say "auth_file = $work/pool/users"
        say "pool_mode = transaction"
        say "default_pool_size = 2"
        say "server_round_robin = 1"
        say "ignore_startup_parameters = extra_float_digits"
        say "logfile = $work/log/pgbouncer"
        if [[ $(printf '%s\n' 1.21 "$version" | sort -V | head -n 1) == 1.21 ]]; then
            say "max_prepared_statements = 100"
            say yes >prepared
        else
            say no >prepared
        fi
    } >pgbouncer.ini
    # a copy, which is ended with all else that runs from here
    cp "$program" pgbouncer
    ./pgbouncer pgbouncer.ini >>"$work/log/pool" 2>&1 </dev/null &
    for ((i = 0; i < 100; i++)); do
        if PGPASSWORD=$password "$bindir/psql" -X -h 127.0.0.1 -p "$(<port)" -U app \
            -d postgres -c '' >>"$work/log/pool" 2>&1; then
            return
        fi
        sleep 0.1
    done
    say "it does not start"
    tail -n 5 "$work/log/pool"
    return 1
}

# prepare CLIENT: what Debian has no package of, in the client's directory: npm
# packages in the versions of package.json, or Ecto from its sources
prepare() {
    local dir=$work/run/$1

    if [[ -n $npm ]]; then
        # shellcheck disable=SC2086 # a list of names
        perl "$here/clients/packages.pl" "$here/clients/package.json" $npm \
            >"$dir/package.json" &&
            HOME=$work run_step 900 "$work/log/$1.prepare" npm install --prefix "$dir" \
                --no-package-lock --no-audit --no-fund --no-update-notifier \
                --cache "$work/npm"
    elif [[ $1 == ecto || $1 == coder_ring && -n ${ECTO_SOURCES:-} ]]; then
        run_step 900 "$work/log/$1.prepare" elixir "$here/clients/ecto/build.exs" "$ECTO_SOURCES" "$dir/lib"
    fi
}

# Two sessions of the pooler on the server, for its transactions to take turns
fill_pool() {
    local i pids=()

    for i in 1 2; do
        PGPASSWORD=$password "$bindir/psql" -X -q -h 127.0.0.1 -p "$pool_port" -U app \
            -d "$1" -c 'BEGIN; SELECT pg_sleep(0.3); COMMIT' >"$work/log/fill.$i" 2>&1 &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" || say "not ok - $1: the pooler has no two sessions"
    done
}

# use CLIENT DATABASE PORT POOLED: lets the client do its work in a database of its
# own, and counts what it and the database have to say. Sets result, and first to
# the seconds until it had a first code in its table.
use() {
    local client=$1 database=$2 port=$3 pooled=$4 dir=$work/run/$2
    local log=$work/log/$2 checks=$work/log/$2.checks status=0 good bad from pooler=

    on_server postgres -c "CREATE DATABASE \"$database\" OWNER app"
    : >"$checks"
    if [[ $port != "$PGPORT" ]]; then
        pooler=1
        fill_pool "$database" >>"$checks"
    fi
    rm -f "$work/first"
    from=$(now)
    PGHOST=127.0.0.1 PGPORT=$port PGUSER=app PGPASSWORD=$password \
        PGDATABASE=$database POOLER=$pooler POOLED=$pooled PYTHON=$python HOME=$work \
        DATABASE_URL=postgresql://app:$password@127.0.0.1:$port/$database \
        run_step 300 "$log" perl "$here/clients/first.pl" "$work/first" \
        bash "$here/clients/run.sh" "$client" "$dir" || status=$?
    first=
    [[ ! -s $work/first ]] || first=$(awk -v from="$from" '{ printf "%.1f", $1 - from }' "$work/first")
    {
        ((status == 0)) || say "not ok - ended with status $status"
        grep -E '^(not )?ok ' "$log" || :
        [[ " $kinds " != *" migrations "* ]] || grep -q '^ok - migrations: ' "$log" ||
            say "not ok - migrations: nothing was looked at"
        grep -E '^(default|raw|function|bulk|discarded) [!-~]+$' "$log" | tr ' ' '\t' |
            on_server "$database" -v kinds="$kinds" -f "$here/clients/check.sql" 2>&1 ||
            say "not ok - the database could not be looked at"
        if objects "$database" | diff "$work/objects" - >"$log.objects" 2>&1; then
            say "ok - the extension is as it was"
        else
            say "not ok - the extension is as it was"
            head -n 20 "$log.objects"
        fi
    } >>"$checks"
    good=$(grep -c '^ok ' "$checks") || :
    bad=$(grep -c '^not ok ' "$checks") || :
    if ((bad > 0)); then
        sed -n "s/^not ok - /not ok - $database: /p" "$checks"
        grep -Ev '^(not )?ok ' "$checks" || :
        say "--- what $database printed"
        grep -Ev '^(default|raw|function|bulk|ok|not ok) ' "$log" | tail -n 60 || :
        say "---"
    fi
    count "$good" "$bad"
    result="$good of $((good + bad))"
}

# objects DATABASE: what belongs to the extension there
objects() { on_server "$1" -f "$here/clients/objects.sql"; }

# row NAME SECONDS FIRST DIRECT POOLED REMARK: a line of the table
row() {
    printf '%-14s %9s %11s  %-9s %-9s %s\n' "$@"
}

skip() {
    row "$1" "" "" skipped "" "$2"
    ((skipped += 1))
}

use_client() {
    local client=$1 seconds=$2 reason=$3 from first result direct version part

    describe "$client"
    if [[ -n $reason ]]; then
        skip "$client" "$reason"
        return
    fi
    cp -r "$here/clients/$client" "$work/run/$client"
    from=$(now)
    if ! prepare "$client"; then
        skip "$client" "not to be had: ${npm:-what ECTO_SOURCES names}"
        tail -n 20 "$work/log/$client.prepare"
        return
    fi
    seconds=$(awk -v a="$seconds" -v b="$(since "$from")" 'BEGIN { printf "%.1f", a + b }')
    if [[ -n $pool_port ]]; then
        cp -r "$here/clients/$client" "$work/run/$client-pooled"
        for part in node_modules lib; do
            [[ ! -e $work/run/$client/$part ]] ||
                ln -s "../$client/$part" "$work/run/$client-pooled/$part"
        done
    fi
    use "$client" "$client" "$PGPORT" ""
    version=$(sed -n 's/^version //p' "$work/log/$client" | head -n 1)
    direct=$result
    local until_first=$first
    result=-
    [[ -z $pool_port ]] || use "$client" "$client-pooled" "$pool_port" "$pooled"
    row "$client" "$seconds" "$until_first" "$direct" "$result" "$version"
}

on_leave() {
    if [[ -z $finished ]]; then
        say "not ok - the clients did not come to their end"
        count 0 1
    fi
    say "$passed passed, $failed failed, $skipped skipped"
    ((failed == 0 && passed > 0)) || exit 1
}

enter "$@"
entered=$(now)
build
start_servers
# the same in a database that no client has seen
on_server postgres -c 'CREATE DATABASE untouched OWNER app'
on_server untouched -c 'SET ROLE app; CREATE EXTENSION coderring'
objects untouched >"$work/objects"
say "Seconds for the packages of PostgreSQL, and to build and start it: $setup, $(since "$entered")"
say
mkdir "$work/run"
row client packages "first code" direct pooled
while read -r client seconds reason; do
    [[ -z $client ]] || use_client "$client" "$seconds" "$reason"
done <<<"$installed"
if ((passed + failed == 0)); then
    say "not ok - no client was to be had"
    count 0 1
fi
status=0
run_step 60 "$work/log/page" prove --verbose "$here/t/023_clients.pl" || status=$?
count_tap "$work/log/page" "$status"
count "$good" "$bad"
say
say "docs/clients.md: $good of $((good + bad)) passed"
((bad == 0)) || grep -Ev '^ok ' "$work/log/page" || :
if grep -E 'terminated by signal|PANIC:|TRAP:' "$work/log/server"; then
    say "not ok - the server crashed"
    count 0 1
fi
say
finished=yes
