#!/usr/bin/env bash
# Draws docs/rings.svg anew, from what sql/coderring-rings.psql prints on a throw-away
# server for the rings of test/rings/example.sql:
#
#   bash test/rings-picture.sh >docs/rings.svg
#
# test/t/020_rings_script.pl looks whether the picture is that of the script.

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

enter "$@"
build >&2
init_server >&2
start_server "$work/log/server" >&2 || exit 1
"$bindir/createdb" shop
"$bindir/psql" -X -q -d shop -c 'CREATE EXTENSION coderring' \
    -f "$here/rings/example.sql" >"$work/log/example"
{
    say 'shop=> \i coderring-rings.psql'
    PGCLIENTENCODING=UTF8 "$bindir/psql" -X -d shop -f "$top/sql/coderring-rings.psql"
} | perl "$here/rings/picture.pl"
