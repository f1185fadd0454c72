# shellcheck shell=bash
# Debian packages that one target needs beyond those of setup.sh. Sourced after
# lib.sh, before enter.

: "${here:?}"

# As root, by sudo if need be.
by_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "missing: $packages; install it as root first"
    fi
}

# install_missing PACKAGE...: as setup.sh does it. MAJOR in a name stands for the
# version of the first one, where that depends on PACKAGE-VERSION, as clang does.
install_missing() {
    local packages="$*" major

    command -v apt-get >/dev/null ||
        die "missing, by their names in Debian: ${packages//-MAJOR/}"
    if [[ $packages == *MAJOR* ]]; then
        by_root apt-get update >/dev/null 2>&1 ||
            say "coderring: apt-get update failed; going on with the old lists"
        major=$(apt-cache depends "$1" 2>/dev/null |
            sed -n "s/^ *Depends: $1-\([0-9][0-9]*\)\$/\1/p" | head -n 1)
        [[ -n $major ]] || die "apt knows no package $1"
        packages=${packages//MAJOR/$major}
    fi
    # shellcheck disable=SC2086 # a list of names
    by_root bash "$here/setup.sh" --install $packages ||
        die "the packages could not be installed: $packages"
}
