#!/usr/bin/env bash
# Runs pg_repack on the extension's tables and indexes, whole database and one by
# one, beside clients that take codes, make series, create, grant and drop rings;
# then nothing is missing, and after eviction, restart and crash no code comes twice.
# Also: make repack
#
#   KEEP=1             leave the private directory behind
#   PG_CONFIG=...      another server
#
# Needs Debian's package postgresql-MAJOR-repack, which is installed if it is
# missing. The last line is "N passed, N failed".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/packages.sh
source "$here/packages.sh"

on_leave() { summarise; }

# has_repack: is it in the PostgreSQL that pg_config finds?
has_repack() {
    [[ -x $("$1" --bindir)/pg_repack && -f $("$1" --sharedir)/extension/pg_repack.control ]]
}

if [[ -z $work ]]; then
    bash "$here/setup.sh" --silent
    resolve_pg_config
    if ! has_repack "$PG_CONFIG"; then
        install_missing "postgresql-$("$PG_CONFIG" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')-repack"
        has_repack "$PG_CONFIG" || die "the package has no pg_repack for $PG_CONFIG"
    fi
fi

enter "$@"
build
say "$("$bindir/pg_repack" --version), on $("$bindir/postgres" --version)."
status=0
run_step 900 "$work/log/repack" env -u PGHOST -u PGPORT -u PGUSER \
    make -s -C "$work/build" --no-print-directory PG_CONFIG="$pg_config" \
    REGRESS= ISOLATION= PROVE_FLAGS=--verbose PROVE_TESTS=test/repack/repack.pl installcheck ||
    status=$?
count_tap "$work/log/repack" "$status"
grep -E '^(ok|not ok|#) ' "$work/log/repack" || :
((bad == 0)) || tail -n 40 "$work/log/repack"
count "$good" "$bad"
finished=yes
