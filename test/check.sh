#!/usr/bin/env bash
# Builds coderring with warnings as errors and runs every test, on throw-away
# servers in a private directory. Also: make check
#
#   ONLY="unit regress"    these suites only: unit, regress, isolation, tap
#   TESTS="name name"      these tests only, of regress, isolation and tap
#   BUDGET=570             seconds that all may take together
#   KEEP=1                 leave the private directory behind, to look into it
#
# The regress and isolation tests run twice, without and with coderring in
# shared_preload_libraries, but for regress tests that only compute. TAP tests run
# beside them where there are two processors. The last line is "N passed, N failed".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/packages.sh
source "$here/packages.sh"

on_leave() { summarise; }

budget=${BUDGET:-570}
choose_suites "unit regress isolation tap"
# What one test needs beyond setup.sh: it compares docs/check-character.mjs.
if [[ -z $work ]] && wanted tap && ! command -v node >/dev/null &&
    [[ -z ${TESTS:-} || " $TESTS " == *" 031_check_character "* ]]; then
    install_missing nodejs
fi
enter "$@"
build WERROR=1
init_server
run_suites check
