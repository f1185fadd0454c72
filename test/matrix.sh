#!/usr/bin/env bash
# Builds coderring for other majors of PostgreSQL and runs "make check" on each,
# in Debian systems of their own (debootstrap and chroot), and takes rings in use
# from an old major to a new one by pg_upgrade. Also: make matrix
#
#   MATRIX="17 upgrade"    these only: 15, 17, 18, 19, upgrade; all but 15 are
#                          the default
#   MATRIX_DIR=DIR         where the systems are kept, /var/tmp/coderring-matrix
#   MATRIX_FRESH=1         make them anew; else what is there is used as it is
#   MATRIX_MIRROR=URL      of Debian; else the first that apt uses
#   ONLY, TESTS            as for check.sh
#
# Needs root, the right to mount, and about 1.5 GB for each major. The first run
# takes a minute or two more for each. What cannot be had is skipped, unless
# MATRIX names it. The last line is "N passed, M failed, K skipped".
#
# Everything is mounted in a namespace of this process: it is gone when the
# script is, however that ends. For a major that Debian does not have, such as
# 14 and 16: make check PG_CONFIG=..., with that server's.
#
#   PG_CONFIG=NEW test/matrix.sh --upgrade OLD       the upgrade alone, between
#                                                    two that are installed

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

old_major=15
new_major=18            # the newest that has been released
budget=14400
skipped=0

# source_of NAME: Debian's release, and a second one for what the first lacks
source_of() {
    case $1 in
        15)      say bookworm ;;
        17)      say trixie ;;
        18)      say sid ;;
        19)      say sid experimental ;;
        upgrade) say sid bookworm ;;
        *)       return 1 ;;
    esac
}

# packages NAME: beyond those that all need
packages() {
    local major
    local -a majors=("$1")

    [[ $1 != upgrade ]] || majors=("$old_major" "$new_major")
    for major in "${majors[@]}"; do
        say "postgresql-$major postgresql-server-dev-$major"
    done
}

#
# The upgrade alone
#

# upgrade OLD: from that pg_config to the one that PG_CONFIG names.
upgrade() {
    local old log=$work/log/upgrade status=0 good bad file

    old=$(type -P -- "$1") || die "$1: not found"
    build WERROR=1
    say "Building coderring for $("$old" --version), the old one."
    if ! PG_CONFIG=$old run_step 600 "$work/log/old" \
        bash "$here/private.sh" "$work/old" WERROR=1; then
        cat "$work/log/old"
        give_up "build for the old one"
    fi
    old=$("$work/old/pg_config" --bindir)
    CODERRING_OLD=${old%/bin} run_step "$limit" "$log" \
        make -s -C "$work/build" --no-print-directory \
        PG_CONFIG="$pg_config" REGRESS= ISOLATION= PROVE_FLAGS=--verbose \
        PROVE_TESTS=test/matrix/upgrade.pl installcheck || status=$?
    count_tap "$log" "$status"
    if ((bad > 0)); then
        cat "$log"
        for file in "$work"/build/tmp_check/log/*; do
            say "--- ${file##*/}"
            tail -n 60 "$file"
        done
        say "not ok - upgrade: ended with status $status"
    else
        sed -n -e 's/^ok [0-9]* - /  ok: /p' -e 's/^# /      /p' "$log"
    fi
    count "$good" "$bad"
    finished=yes
}

if [[ ${1:-} == --upgrade ]]; then
    # shellcheck disable=SC2317 # called on leaving
    on_leave() { summarise; }
    (($# == 2)) || die "usage: PG_CONFIG=NEW test/matrix.sh --upgrade OLD"
    enter "$@"
    upgrade "$2"
    exit
fi

#
# Systems. All of them lie in $directory, which belongs to this run alone.
#

# those_in SIGNAL: send it to all that runs in them; false if nothing does.
those_in() {
    local process found=

    for process in /proc/[0-9]*; do
        if [[ $(readlink "$process/root" 2>/dev/null) == "$directory"/* ]]; then
            found=yes
            kill "-$1" "${process#/proc/}" 2>/dev/null || :
        fi
    done
    [[ -n $found ]]
}

# End what still runs in them, and unmount what is mounted there.
release() {
    local i target

    if those_in TERM; then
        for ((i = 0; i < 30; i++)); do
            those_in 0 || break
            sleep 0.5
        done
        ! those_in KILL || sleep 1
    fi
    # the last mounted is the first to go
    tac /proc/self/mounts | while read -r _ target _; do
        if [[ $target == "$directory"/* ]]; then
            umount "$target" 2>/dev/null || umount -l "$target" || :
        fi
    done
}

# On every way out, first of all.
end_all() {
    trap - EXIT
    trap '' HUP INT TERM
    release
    leave
}

# remove_tree DIR: never with something mounted in it
remove_tree() {
    if grep -qF " $1/" /proc/self/mounts; then
        die "something is mounted in $1"
    fi
    rm -rf --one-file-system "$1"
}

# mount_in DIR: what a system needs; its /tmp is in our work directory.
mount_in() {
    mkdir -p "$work/root-tmp"
    chmod 1777 "$work/root-tmp"
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mount --bind "$work/root-tmp" "$1/tmp"
    cp -L /etc/resolv.conf "$1/etc/resolv.conf" 2>/dev/null || :
}

# enter_system DIR: sets inside, which runs a command there, with nothing of
# this machine's environment.
enter_system() {
    mount_in "$1"
    inside=(chroot "$1" /usr/bin/env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8
        PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive)
}

# make_system NAME: with all packages, in $directory/NAME
make_system() {
    local name=$1 new=$directory/$1.new first second

    read -r first second <<<"$(source_of "$name")"
    remove_tree "$new"
    debootstrap --variant=minbase "$first" "$new" "$mirror"

    # no server is to start, nor a cluster to be made; sid can be past its date
    printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"
    chmod 755 "$new/usr/sbin/policy-rc.d"
    mkdir -p "$new/etc/postgresql-common/createcluster.d"
    say 'create_main_cluster = false' \
        >"$new/etc/postgresql-common/createcluster.d/ci.conf"
    {
        say 'Acquire::Check-Valid-Until "false";'
        say 'Acquire::Retries "3";'
        apt-config dump | grep -E '^Acquire::https?::Proxy ' || :
    } >"$new/etc/apt/apt.conf.d/99coderring"
    say "deb $mirror $first main" >"$new/etc/apt/sources.list"
    if [[ -n $second ]]; then
        say "deb $mirror $second main" >>"$new/etc/apt/sources.list"
        {
            say "Package: *"
            say "Pin: release n=$second"
            say "Pin-Priority: 100"
            say
            say "Package: src:postgresql-$name"
            say "Pin: release a=$second"
            say "Pin-Priority: 600"
        } >"$new/etc/apt/preferences.d/coderring"
    fi

    enter_system "$new"
    "${inside[@]}" apt-get update
    # shellcheck disable=SC2046 # a list of names
    "${inside[@]}" apt-get install -y --no-install-recommends \
        $(packages "$name") gcc make libc6-dev libssl-dev libipc-run-perl
    "${inside[@]}" apt-get clean
    release
    mv "$new" "$directory/$name"
}

# have_system NAME: make it if it is not there; false if that fails, which
# counts only where MATRIX names it.
have_system() {
    local log=$work/log/make-$1

    if [[ -n ${MATRIX_FRESH:-} ]]; then
        remove_tree "$directory/$1"
    fi
    [[ ! -d $directory/$1 ]] || return 0
    say "$1: making a system with $(source_of "$1" | tr ' ' ,) in $directory/$1"
    if CODERRING_WORK=$work run_step 1800 "$log" \
        bash "${BASH_SOURCE[0]}" --make "$1"; then
        return
    fi
    release
    grep -E '^(E|W): ' "$log" || tail -n 5 "$log"
    if [[ -n ${MATRIX:-} ]]; then
        say "not ok - $1: cannot be had"
        count 0 1
    else
        say "$1: cannot be had, skipped"
        ((skipped += 1))
    fi
    return 1
}

# test_in NAME TITLE VARIABLE=VALUE... COMMAND...: counts what its last line
# says, and shows all of it where a test fails. TITLE: or what it says it built.
test_in() {
    local name=$1 title=$2 root=$directory/$1 log=$work/log/$1
    local status=0 good bad line

    shift 2
    remove_tree "$root/coderring"
    copy_tree "$root/coderring"
    enter_system "$root"
    run_step 3600 "$log" "${inside[@]}" ONLY="${ONLY:-}" TESTS="${TESTS:-}" \
        BUDGET=3600 "$@" || status=$?
    release
    line=$(grep -Ex '[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1) || :
    read -r good _ bad _ <<<"${line:-0 passed, 0 failed}"
    if ((bad == 0 && (status != 0 || good == 0))); then
        bad=1
        say "not ok - $name: ended with status $status"
    fi
    ((bad == 0)) || grep -Ev '^ok [0-9]+' "$log" || :
    count "$good" "$bad"
    line=$(sed -n 's/^Building coderring for \(PostgreSQL [^ ]*\) .*/\1/p' "$log" |
        head -n 1)
    say "${title:-${line:-PostgreSQL $name}}: $good passed, $bad failed"
}

on_leave() {
    if [[ -z $finished ]]; then
        say "not ok - the tests did not come to their end"
        count 0 1
    fi
    say "$passed passed, $failed failed, $skipped skipped"
    ((failed == 0 && passed > 0)) || exit 1
}

chosen=${MATRIX:-17 18 19 upgrade}
chosen=${chosen//,/ }
for name in $chosen; do
    source_of "$name" >/dev/null ||
        die "MATRIX: 15, 17, 18, 19, upgrade; not \"$name\""
done
((EUID == 0)) || die "make matrix needs root, for debootstrap, mount and chroot"
clean_environment
if [[ -z ${CODERRING_NAMESPACE:-} ]]; then
    unshare --mount true 2>/dev/null || die "make matrix needs the right to mount"
    export CODERRING_NAMESPACE=yes
    exec unshare --mount --propagation private bash "${BASH_SOURCE[0]}" "$@"
fi

umask 022
directory=${MATRIX_DIR:-/var/tmp/coderring-matrix}
mkdir -p "$directory"
directory=$(cd "$directory" && pwd -P)
[[ -O $directory && $(stat -c %A "$directory") == d????-??-? ]] ||
    die "$directory: only root may be able to write there"
# shellcheck disable=SC2016 # apt's own
mirror=${MATRIX_MIRROR:-$(apt-get indextargets --format '$(SITE)' \
    'Created-By: Packages' | grep -v security | head -n 1)}
[[ -n $mirror ]] || die "apt names no mirror of Debian: MATRIX_MIRROR=URL does"

if [[ ${1:-} == --make ]]; then
    make_system "$2"
    exit
fi

exec 9>"$directory/lock"
flock -n 9 || die "another make matrix uses $directory"
command -v debootstrap >/dev/null ||
    bash "$here/setup.sh" --install debootstrap
make_work
trap end_all EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$work/log"

for name in $chosen; do
    have_system "$name" || continue
    if [[ $name == upgrade ]]; then
        test_in upgrade "pg_upgrade, $old_major to $new_major" \
            PG_CONFIG=/usr/lib/postgresql/$new_major/bin/pg_config \
            bash /coderring/test/matrix.sh --upgrade \
            /usr/lib/postgresql/$old_major/bin/pg_config
    else
        test_in "$name" "" make -C /coderring --no-print-directory check
    fi
done
finished=yes
