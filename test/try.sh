#!/usr/bin/env bash
# Shows coderring at work on a throw-away server of its own: builds it, starts
# the server, hands out some codes. Also: make try
#
# In a terminal it ends in psql on that server; on leaving psql, and on every
# other way out, the server is stopped and all files of it are removed.

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

database=playground

on_leave() {
    [[ -n ${KEEP:-} ]] || say "The server and its files are gone again."
}

demonstrate() {
    "$bindir/psql" -X -q -a -P pager=off -v ON_ERROR_STOP=1 -d "$database" -f - <<'SQL'
CREATE EXTENSION coderring WITH SCHEMA public;
SELECT coderring_create('order');
SELECT coderring_get_code('order');
SELECT coderring_get_code('order');

-- With an extra, here the year, as a prefix; each extra has its own series.
SELECT coderring_get_code('order', '26');

-- Many at once.
SELECT * FROM coderring_get_codes('order', 5);

\x on
SELECT * FROM coderring.rings;
SELECT * FROM coderring.series;
SQL
}

enter "$@"
build
say "Starting a private server, on a Unix socket only."
init_server
start_server "$work/log/server" || exit 1
"$bindir/createdb" "$database"
say
demonstrate

if [[ -t 0 && -t 1 ]]; then
    say "Now it is your turn: psql on the private server. Leave with \\q."
    say
    export PSQL_HISTORY=$work/psql_history
    set -m              # Ctrl-C is for psql alone
    "$bindir/psql" -d "$database" || :
    set +m
else
    say "To go on in psql on a server like this one, run this in a terminal:"
    say
    say "    make try"
    say
    say "To have it on your own server:"
    say
    next_steps
    say
fi
