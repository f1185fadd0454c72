#!/usr/bin/env bash
# Calls every function of the extension with random arguments, on a throw-away
# server of its own: random bytes, NULLs, huge texts and numbers, names of what is
# there, in transactions, as other roles, with timeouts. Also: make fuzz
#
#   FUZZ_SEED=1        the same seed makes the same calls
#   FUZZ_CALLS=20000   at least so many in each of four databases, which have
#                      different encodings
#   KEEP=1             leave the private directory behind, to look into it
#
# Errors are answers, but no internal ones; the server must not crash, and
# afterwards, and after a crash of the server, every ring must work, no code may
# have come twice, and coderring_issued must know them all. The last line is
# "N passed, N failed". make asan does the same under AddressSanitizer.

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/fuzz/run.sh
source "$here/fuzz/run.sh"

on_leave() { summarise; }

enter "$@"
build WERROR=1
init_server
run_fuzz "${FUZZ_CALLS:-20000}" 3000
finished=yes
