#!/usr/bin/env bash
# Runs what docs/operations/ has for real, on a throw-away server: the queries through
# postgres_exporter, the alerts through promtool, the Nagios plugin. Also: make operations
#
#   KEEP=1             leave the private directory behind
#   PG_CONFIG=...      another server
#
# Needs Debian's packages prometheus and prometheus-postgres-exporter, which are
# installed if they are missing; their services are not needed. The last line is
# "N passed, N failed".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/packages.sh
source "$here/packages.sh"

files=$top/docs/operations
packages=
type -P promtool >/dev/null || packages="prometheus"
type -P prometheus-postgres-exporter >/dev/null || packages="$packages prometheus-postgres-exporter"
# shellcheck disable=SC2086 # a list of names
[[ -z $packages ]] || install_missing $packages

on_leave() { summarise; }

# expect TITLE COMMAND...: one test, of its exit status
expect() {
    local title=$1

    shift
    if "$@" >"$work/log/expect" 2>&1 </dev/null; then
        say "  ok: $title"
        count 1 0
    else
        cat "$work/log/expect"
        say "not ok - $title"
        count 0 1
    fi
}

# plugin STATUS TEXT ARGUMENT...: what the Nagios plugin exits with and begins with
plugin() {
    local status=0 wanted=$1 text=$2

    shift 2
    sh "$files/check_coderring.sh" "$@" >"$work/log/plugin" 2>&1 || status=$?
    expect "plugin, $*: $wanted, $text" \
        grep -q "^$wanted $text" <(say "$status $(cat "$work/log/plugin")")
}

has_metric() { grep -qF -- "$1" "$work/metrics"; }

scrape() {
    local tries

    for ((tries = 0; tries < 300; tries++)); do
        if perl -MIO::Socket::INET -e '
            my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or exit 1;
            print $s "GET /metrics HTTP/1.0\r\n\r\n"; print while <$s>' "$1" >"$work/metrics" 2>/dev/null; then
            return
        fi
        sleep 0.1
    done
    return 1
}

enter "$@"
build
init_server
start_server "$work/log/server" || give_up "the server does not start"
"$bindir/createdb" shop
export PGDATABASE=shop

plugin 3 "UNKNOWN: .*does not exist" -U postgres
"$bindir/psql" -X -q -v ON_ERROR_STOP=1 >"$work/log/sql" <<'SQL'
CREATE EXTENSION coderring;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
CREATE ROLE nobody_special LOGIN;
SQL
plugin 0 "OK: no codes were taken yet" -U watcher
"$bindir/psql" -X -q -o /dev/null -c "SELECT coderring_create('order'), coderring_create('end', max_length => 4)" \
    -c "SELECT coderring_get_code('order')"
plugin 0 "OK: 'order '" -U watcher
"$bindir/psql" -X -q -o /dev/null -c "SELECT coderring_advance('order', '', 0, 1000000)"
plugin 1 "WARNING: 'order ': 48576 codes until they get longer" -U watcher
plugin 0 "OK" 1 1 -U watcher
plugin 2 "CRITICAL: 'order '" 20 10 -U watcher
plugin 0 "OK: no codes" -U nobody_special
"$bindir/psql" -X -q -o /dev/null -c "SELECT coderring_advance('end', '', 0, 1000000)"
plugin 2 "CRITICAL: 'end ': 48576 codes until the end" -U watcher

say
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
DATA_SOURCE_NAME="user=watcher host=$work/s dbname=shop sslmode=disable" \
    prometheus-postgres-exporter --disable-default-metrics --disable-settings-metrics \
    --web.listen-address="127.0.0.1:$port" --extend.query-path="$files/queries.yaml" \
    >"$work/log/exporter" 2>&1 </dev/null &
exporter=$!
expect "postgres_exporter answers" scrape "$port"
for metric in 'coderring_series_codes_until_longer{datname="shop",extra="",ring="order"' \
    'coderring_series_cycle_remaining{' 'coderring_series_codes_per_cycle{' \
    'coderring_series_code_length{' 'coderring_series_cycle{' 'coderring_series_ends{' \
    'coderring_ring_issued_total{datname="shop",ring="order"' 'coderring_ring_skipped_total{' \
    'coderring_ring_refills_total{' 'coderring_ring_refill_waits_total{' \
    'coderring_ring_refill_seconds_total{'; do
    expect "metric $metric" has_metric "$metric"
done
expect "order has 48,576 codes left" grep -Eq '^coderring_series_codes_until_longer\{.*ring="order".*\} 48576$' "$work/metrics"
expect "end is said to end" grep -Eq '^coderring_series_ends\{.*ring="end".*\} 1$' "$work/metrics"
kill "$exporter" 2>/dev/null || :
wait "$exporter" 2>/dev/null || :

say
cp "$files"/*.yml "$work/tmp/"
expect "promtool accepts the alerts" promtool check rules "$work/tmp/alerts.yml"
expect "the alerts come in time, and only then" promtool test rules "$work/tmp/alerts_test.yml"
# Each metric of an alert is one that the exporter has shown.
for metric in $(grep -o 'coderring_[a-z_]*' "$files/alerts.yml" | sort -u); do
    expect "$metric of the alerts is there" has_metric "$metric{"
done

stop_server fast || :
say
finished=yes
