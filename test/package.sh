#!/usr/bin/env bash
# Builds and tests the packages in clean Debian systems made by debootstrap: the sources as
# somebody who has cloned them, Debian's package, PGXN's archive, and the steps of the
# Dockerfile. Also: make package, as root
#
#   PACKAGE="source debian pgxn docker"   these only
#   PACKAGE_SUITE=bookworm         Debian's release
#   PACKAGE_MIRROR=URL             of Debian; else the first that apt uses
#   PACKAGE_DIR=DIR                where the base system is kept, /var/tmp/coderring-package
#
# The Dockerfile's steps run in a Debian system with Debian's own PostgreSQL, which is
# what the official image is made from, apart from where its server comes from. The last line
# is "N passed, N failed".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/packages.sh
source "$here/packages.sh"

((EUID == 0)) || die "make package needs root, for debootstrap, mount and chroot"
clean_environment
if [[ -z ${CODERRING_NAMESPACE:-} ]]; then
    unshare --mount true 2>/dev/null || die "make package needs the right to mount"
    export CODERRING_NAMESPACE=yes
    exec unshare --mount --propagation private bash "${BASH_SOURCE[0]}" "$@"
fi
type -P debootstrap >/dev/null || install_missing debootstrap

chosen=${PACKAGE:-source debian pgxn docker}
suite=${PACKAGE_SUITE:-bookworm}
case $suite in bookworm) major=15 ;; trixie) major=17 ;; *) die "PACKAGE_SUITE: bookworm or trixie" ;; esac
directory=${PACKAGE_DIR:-/var/tmp/coderring-package}
# shellcheck disable=SC2016 # apt's own
mirror=${PACKAGE_MIRROR:-$(apt-get indextargets --format '$(SITE)' \
    'Created-By: Packages' | grep -v security | head -n 1)}
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$top/coderring.control")
umask 022
mkdir -p "$directory"
directory=$(cd "$directory" && pwd -P)
[[ -O $directory ]] || die "$directory: must belong to root"
base=$directory/base-$suite
work=$(mktemp -d)
mount -t tmpfs -o mode=755 none "$work"

on_exit() {
    local process

    trap - EXIT
    for process in /proc/[0-9]*; do
        if [[ $(readlink "$process/root" 2>/dev/null) == "$directory"/* ]]; then
            kill -KILL "${process#/proc/}" 2>/dev/null || :
        fi
    done
    rm -rf --one-file-system "$directory/system" 2>/dev/null || :
    cd /
    umount "$work" 2>/dev/null && rmdir "$work" || :
    summarise
}
trap on_exit EXIT
trap 'exit 130' HUP INT TERM

# new_system: a copy of the base system in $directory/system, with the sources of HEAD's tree
new_system() {
    umount -R "$directory/system/proc" "$directory/system/dev/shm" 2>/dev/null || :
    rm -rf --one-file-system "$directory/system"
    if [[ ! -f $base/done ]]; then
        rm -rf --one-file-system "$base"
        debootstrap --variant=minbase "$suite" "$base" "$mirror" >"$work/out" 2>&1 ||
            { tail -n 20 "$work/out"; give_up "debootstrap"; }
        printf '#!/bin/sh\nexit 101\n' >"$base/usr/sbin/policy-rc.d"
        chmod 755 "$base/usr/sbin/policy-rc.d"
        rm -f "$base"/var/cache/apt/archives/*.deb
        touch "$base/done"
    fi
    cp -a --reflink=auto "$base" "$directory/system"
    cp /etc/resolv.conf "$directory/system/etc/resolv.conf"
    [[ ! -f /etc/apt/apt.conf ]] || cp /etc/apt/apt.conf "$directory/system/etc/apt/"
    mount -t proc proc "$directory/system/proc"
    mkdir -p "$directory/system/dev/shm"
    mount -t tmpfs -o mode=1777 none "$directory/system/dev/shm"
    [[ -e $directory/system/dev/fd ]] || ln -s /proc/self/fd "$directory/system/dev/fd"
}

inside() {
    chroot "$directory/system" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} bash -euc "$1"
}

# expect_inside TITLE COMMANDS: one test, with what it printed if it fails
expect_inside() {
    local title=$1

    if inside "$2" >"$work/out" 2>&1 </dev/null; then
        say "  ok: $title"
        count 1 0
    else
        tail -n 60 "$work/out"
        say "not ok - $title"
        count 0 1
    fi
}

# What somebody does first, in a new server of that major
first_code() {
    expect_inside "$1: a ring, a code" "
        pg_createcluster $major first --start >/dev/null
        cd /
        runuser -u postgres -- psql -X -v ON_ERROR_STOP=1 -p \$(pg_lsclusters -h | awk '\$2 == \"first\" {print \$3}') \
            -c 'CREATE EXTENSION coderring' -c \"SELECT coderring_create('order')\" \
            -Atc \"SELECT coderring_get_code('order') ~ '^[0-9A-Z]{4}\$'\" | grep -qx t
        pg_dropcluster --stop $major first"
}

# LANG is set nowhere, as in a container
if [[ " $chosen " == *" source "* ]]; then
    say "The sources, on $suite"
    new_system
    copy_tree "$directory/system/tmp/coderring"
    expect_inside "packages that every page takes for granted" "apt-get update -qq
        apt-get install -y -qq --no-install-recommends gcc make"
    expect_inside "make setup" "cd /tmp/coderring; unset LC_ALL; make setup | tee /tmp/steps"
    expect_inside "what it says to type" "cd /tmp/coderring; unset LC_ALL
        sed -n 's/^    //p' /tmp/steps >/tmp/typed; test \$(wc -l </tmp/typed) -ge 4; bash -ex /tmp/typed"
    expect_inside "it says less where a server runs" "cd /tmp/coderring; unset LC_ALL
        make setup >/tmp/steps; ! grep -q pg_createcluster /tmp/steps; grep -q 'psql -c' /tmp/steps"
    expect_inside "the same where the server is stopped, and where there is another" "cd /tmp/coderring; unset LC_ALL
        pg_ctlcluster $major main stop; pg_createcluster $major other >/dev/null
        make setup | sed -n 's/^    //p' | sed 's/CREATE EXTENSION/& IF NOT EXISTS/' >/tmp/typed
        grep -q 'pg_ctlcluster $major main start' /tmp/typed; grep -q -e '--cluster $major/main' /tmp/typed
        bash -ex /tmp/typed"
    expect_inside "make installcheck by a user who is superuser of the database" "cd /tmp/coderring; unset LC_ALL
        useradd -m builder; chown -R builder .
        runuser -u postgres -- createuser --cluster $major/main -s builder
        runuser -u postgres -- psql -q --cluster $major/main -c 'ALTER SYSTEM SET fsync = off' -c 'SELECT pg_reload_conf()'
        PGCLUSTER=$major/main runuser -u builder -- make installcheck TAP_TESTS="
    expect_inside "make try" "cd /tmp/coderring; unset LC_ALL; make try | tee /tmp/shown
        grep -q 'coderring_get_code' /tmp/shown; grep -q 'make install' /tmp/shown"
    say
fi

if [[ " $chosen " == *" debian "* ]]; then
    say "Debian's package, on $suite"
    new_system
    copy_tree "$directory/system/tmp/coderring"
    expect_inside "packages to build with" "apt-get update -qq; apt-get install -y -qq --no-install-recommends \
        build-essential fakeroot debhelper devscripts libssl-dev postgresql-all postgresql-server-dev-all libipc-run-perl lintian"
    expect_inside "the package is built" "useradd -m builder; chown -R builder /tmp/coderring; cd /tmp/coderring
        runuser -u builder -- pg_buildext updatecontrol
        cd /tmp; tar czf coderring_$version.orig.tar.gz --exclude=debian coderring; chown builder coderring_$version.orig.tar.gz
        chmod 1777 /tmp; cd coderring; runuser -u builder -- dpkg-buildpackage -us -uc"
    expect_inside "lintian has no error" "cd /tmp; runuser -u builder -- lintian --fail-on error coderring_*.changes"
    expect_inside "it is installed" "apt-get install -y -qq /tmp/postgresql-$major-coderring_*.deb"
    expect_inside "its files are where they belong" "test -f /usr/lib/postgresql/$major/lib/coderring.so
        test -f /usr/share/postgresql/$major/extension/coderring--$version.sql
        test -f /usr/share/postgresql/$major/extension/coderring-rings.psql
        test -f /usr/share/doc/postgresql-$major-coderring/README.md.gz -o -f /usr/share/doc/postgresql-$major-coderring/README.md"
    expect_inside "its own check: pg_regress and isolation tests on the installed package" "cd /tmp/coderring
        runuser -u builder -- debian/tests/installcheck"
    first_code "Debian's package"
    expect_inside "it is removed" "apt-get purge -y -qq postgresql-$major-coderring
        test ! -e /usr/lib/postgresql/$major/lib/coderring.so"
fi

if [[ " $chosen " == *" pgxn "* ]]; then
    say
    say "PGXN's archive, on $suite"
    new_system
    copy_tree "$work/coderring-$version"
    (cd "$work" && python3 -c "import shutil; shutil.make_archive('coderring-$version', 'zip', '.', 'coderring-$version')")
    cp "$work/coderring-$version.zip" "$directory/system/tmp/"
    expect_inside "packages that pgxn needs" "apt-get update -qq; apt-get install -y -qq --no-install-recommends \
        gcc make libssl-dev pgxnclient postgresql-$major postgresql-server-dev-$major"
    expect_inside "pgxn install" "pgxn install --yes /tmp/coderring-$version.zip"
    first_code "PGXN's archive"
fi

if [[ " $chosen " == *" docker "* ]]; then
    say
    say "The steps of the Dockerfile, on $suite with Debian's PostgreSQL $major"
    new_system
    expect_inside "the server, which the image has" "apt-get update -qq; apt-get install -y -qq --no-install-recommends postgresql-$major"
    copy_tree "$directory/system/tmp/coderring"
    steps=$(perl -0777 -ne 's/\\\n//g; print "$1\n" while /^RUN (.*)$/mg' "$top/Dockerfile")
    expect_inside "its steps" "export PG_MAJOR=$major; $steps"
    expect_inside "nothing to build with is left" "! type -P gcc make; test ! -e /tmp/coderring"
    first_code "Docker"
fi

say
finished=yes
