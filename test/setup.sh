#!/usr/bin/env bash
# Installs the Debian packages that are missing to build and test coderring.
# Where nothing is missing it does nothing, and needs neither root nor network.
# No PostgreSQL server is created or started by it; in the end it says how to.
#
#   test/setup.sh                        also: make setup
#   test/setup.sh --silent              without a word where nothing is missing
#   PG_CONFIG=... test/setup.sh          with a PostgreSQL of your own

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

dropin=/etc/postgresql-common/createcluster.d/zz-coderring-setup.conf

compiles() {
    printf '#include <%s>\n' "$1" | "${CC:-gcc}" -E -x c - >/dev/null 2>&1
}

# Set missing to the packages that are not there; MAJOR in a name stands for
# the major version that the Debian release ships.
find_missing() {
    local major=MAJOR config bindir server

    missing=()
    command -v "${CC:-gcc}" >/dev/null || missing+=(gcc)
    command -v make >/dev/null || missing+=(make)
    compiles stdio.h || missing+=(libc6-dev)
    compiles openssl/evp.h || missing+=(libssl-dev)
    { command -v prove && perl -MTest::More -MTime::HiRes -e 1; } \
        >/dev/null 2>&1 || missing+=(perl)
    perl -MIPC::Run -e 1 2>/dev/null || missing+=(libipc-run-perl)

    # Debian's client package has PGXS and libpq-dev has pg_config, so neither
    # says that the server's headers are there.
    config=${PG_CONFIG:-pg_config}
    if bindir=$("$config" --bindir 2>/dev/null) && [[ -f $("$config" --pgxs) ]]; then
        server=$bindir/postgres
        major=$("$config" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
        [[ -f $("$config" --includedir-server)/postgres.h ]] ||
            missing+=("postgresql-server-dev-$major")
        [[ -x $server && -x $bindir/initdb && -x $bindir/psql ]] ||
            missing+=("postgresql-$major")
        if [[ $config != pg_config && "${missing[*]}" == *postgresql-* ]]; then
            die "$config: there is no server in $bindir, or not its development files"
        fi
        return
    fi
    [[ $config == pg_config ]] ||
        die "$config: not found, or without its server development files"
    for server in /usr/lib/postgresql/*/bin/postgres; do
        [[ ! -x $server ]] || major=$(cut -d / -f 5 <<<"$server")
    done
    missing+=("postgresql-$major" "postgresql-server-dev-$major")
}

# quietly COMMAND...: its output is shown only if it fails.
quietly() {
    local log status=0

    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    ((status == 0)) || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

# As root: install the packages named.
install_packages() {
    local major packages
    local -a get=(apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)

    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    quietly "${get[@]}" -o APT::Update::Error-Mode=any update ||
        say "coderring: apt-get update failed; going on with the old lists"
    packages="$*"
    if [[ $packages == *MAJOR* ]]; then
        major=$(apt-cache depends postgresql 2>/dev/null |
            sed -n 's/^ *Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
        [[ -n $major ]] || die "apt knows no package postgresql"
        packages=${packages//MAJOR/$major}
    fi
    say "coderring: installing $packages"
    say "coderring: and what they need; this can take a few minutes"
    if [[ " $packages" =~ " postgresql-"[0-9] ]]; then
        # The server package creates and starts a server unless told not to.
        quietly "${get[@]}" install -y --no-install-recommends postgresql-common
        trap 'rm -f "$dropin"' EXIT
        trap 'exit 130' HUP INT TERM
        mkdir -p "${dropin%/*}"
        say 'create_main_cluster = false' >"$dropin"
        chmod 644 "$dropin"
    fi
    # shellcheck disable=SC2086 # a list of names
    quietly "${get[@]}" install -y --no-install-recommends $packages
}

if [[ ${1:-} == --install ]]; then
    shift
    umask 022
    install_packages "$@"
    exit
fi

clean_environment
find_missing
if ((${#missing[@]} > 0)); then
    wanted=${missing[*]}
    command -v apt-get >/dev/null ||
        die "missing, by their names in Debian: ${wanted//-MAJOR/}"
    if ((EUID == 0)); then
        bash "${BASH_SOURCE[0]}" --install "${missing[@]}"
    elif command -v sudo >/dev/null; then
        say "coderring: missing: ${wanted//-MAJOR/}; installing by sudo"
        sudo bash "${BASH_SOURCE[0]}" --install "${missing[@]}"
    else
        die "missing: ${wanted//-MAJOR/}; run \"make setup\" as root first"
    fi || die "the packages could not be installed"

    hash -r
    find_missing
    ((${#missing[@]} == 0)) || die "still missing: ${missing[*]}"
fi
[[ ${1:-} != --silent ]] || exit 0

resolve_pg_config
say "Nothing is missing to build and test coderring. To see it work: make try"
say "This has started no server. To have coderring on one of your own:"
say
next_steps
say
