#!/usr/bin/env bash
# Builds the working copy and makes a private PostgreSQL that has it, so that
# nothing is ever installed into the system's own directories for a test.
#
#   test/private.sh DIR [VARIABLE=VALUE...]     variables are given to make
#
# DIR/build is the copy that is built, DIR/root the private tree, and
# DIR/pg_config leads to its pg_config: PG_CONFIG=DIR/pg_config then means a
# PostgreSQL that has coderring. initdb and server run from there as usual.
#
# It works because PostgreSQL finds its libraries and shared files by the path
# of its own executable, relative to it. Links among them are resolved to the
# original, so the executables are copied; all else is linked.

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($# > 0)) || die "usage: test/private.sh DIR [VARIABLE=VALUE...]"
mkdir -p "$1"
dir=$(cd "$1" && pwd -P)
[[ $dir/ != "$top"/* ]] || die "$dir is in the working copy, which is copied there"
shift
clean_environment
resolve_pg_config
"$PG_CONFIG" --version ||
    die "$PG_CONFIG does not run for user $(id -un)"

# place OPTION: the directory that pg_config names, and the one it becomes
place() {
    from=$("$PG_CONFIG" "$1")
    to=$dir/root$from
    mkdir -p "${to%/*}"
}

rm -rf "$dir/root" "$dir/build"
place --bindir
cp -rL --reflink=auto "$from/." "$to"
ln -sfn "$to/pg_config" "$dir/pg_config"

for option in --pkglibdir --sharedir; do
    place $option
    cp -rs "$from/." "$to"
    # a coderring that the system has already
    find "$to" -name 'coderring*' -prune -exec rm -rf {} +
done

# Headers and client libraries, to build against the private pg_config.
for option in --includedir-server --pkgincludedir --includedir --libdir; do
    place $option
    [[ -e $to ]] || ln -s "$from" "$to"
done

copy_tree "$dir/build"
# What was built of the same sources before, but for files that have changed since
[[ -z ${CODERRING_OBJECTS:-} ]] || (cd "$CODERRING_OBJECTS" && find . -name '*.o' -exec cp -p --parents -t "$dir/build/src" {} +)
jobs=$(nproc 2>/dev/null || say 1)
make -C "$dir/build" -j "$jobs" --no-print-directory \
    PG_CONFIG="$PG_CONFIG" with_llvm=no "$@" all
make -C "$dir/build" --no-print-directory \
    PG_CONFIG="$PG_CONFIG" with_llvm=no "$@" DESTDIR="$dir/root" install
