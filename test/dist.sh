#!/usr/bin/env bash
# Makes coderring-VERSION.zip, as PGXN takes it, and coderring-VERSION.tar.gz from what
# is committed. Also: make dist
#
# What is changed and not committed is not in them, and is named.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
    printf 'coderring: %s\n' "$*" >&2
    exit 1
}

version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" coderring.control)
git rev-parse --git-dir >/dev/null 2>&1 || die "make dist needs the git repository, not an unpacked archive"
changed=$(git status --porcelain --untracked-files=no)
[[ -z $changed ]] || printf 'coderring: not committed, so not in the archives:\n%s\n' "$changed" >&2
for format in zip tar.gz; do
    git archive --format="$format" --prefix="coderring-$version/" \
        -o "coderring-$version.$format" HEAD
    printf '%s\n' "coderring-$version.$format"
done
