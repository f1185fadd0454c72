#!/usr/bin/env bash
# Runs libFuzzer on the files that need no PostgreSQL, under AddressSanitizer and
# UBSan: permutation, codec, check, wordfilter, spreadsheet. Also: make libfuzzer
#
#   LIBFUZZER_SECONDS=30   so long for each target
#   LIBFUZZER_SEED=0       of libFuzzer; 0 is another one each time
#   TARGETS="name name"    these only: permutation, portable (permutation as for
#                          compilers without 128-bit numbers), codec, check, wordfilter,
#                          spreadsheet
#   CLANG=clang-14         the compiler; found, or installed, if not given
#
# Each target (test/unit/fuzz_*.c) compares its file with an independent reference.
# First come the canaries: copies of a file with one deliberate error each, which
# the target must find, or the run fails. No corpus is kept: the inputs are short.
# What a target fails on is shown in base64. The last line is "N passed, N failed".

set -euo pipefail
# shellcheck source=test/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=test/packages.sh
source "$here/packages.sh"

seconds=${LIBFUZZER_SECONDS:-30}
seed=${LIBFUZZER_SEED:-0}
targets=${TARGETS:-permutation portable codec check wordfilter spreadsheet}
[[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || die "LIBFUZZER_SECONDS: a number from 1 on"
[[ $seed =~ ^[0-9]{1,9}$ ]] || die "LIBFUZZER_SEED: a number"
for target in $targets; do
    [[ $target =~ ^(permutation|portable|codec|check|wordfilter|spreadsheet)$ ]] ||
        die "TARGETS: permutation, portable, codec, check, wordfilter, spreadsheet; not \"$target\""
done

flags="-g -O1 -Wall -Wextra -Werror -fno-omit-frame-pointer \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all"

on_leave() { summarise; }

# fuzzes COMPILER: can it build a target?
fuzzes() {
    local dir status=0

    command -v "$1" >/dev/null || return 1
    dir=$(mktemp -d)
    # shellcheck disable=SC2086 # flags are several
    printf 'int LLVMFuzzerTestOneInput(const void *p, unsigned long n);\n%s\n' \
        'int LLVMFuzzerTestOneInput(const void *p, unsigned long n) { return p && !n; }' |
        "$1" $flags -x c -o "$dir/fuzz" - >/dev/null 2>&1 || status=1
    rm -rf "$dir"
    return "$status"
}

# Sets clang to a compiler that can, or to nothing.
find_clang() {
    local candidate

    for candidate in ${CLANG:-clang clang-14 clang-15 clang-16 clang-17 clang-18 clang-19 clang-20 clang-21}; do
        clang=$candidate
        if fuzzes "$clang"; then
            return
        fi
    done
    clang=
}

# fuzz SECONDS SEED LOG PROGRAM: 0 if it found nothing
fuzz() {
    local artifact=$work/tmp/input

    rm -f "$artifact"
    run_step $(($1 + 60)) "$3" "$4" -max_total_time="$1" -seed="$2" -max_len=256 \
        -len_control=0 -timeout=30 -rss_limit_mb=1024 -detect_leaks=0 \
        -print_final_stats=1 -exact_artifact_path="$artifact"
}

# sources TARGET [DIR]: what it is built of, its own file from DIR
sources() {
    local dir=${2:-$core}

    case $1 in
        permutation | portable) say fuzz_permutation.c "$dir/permutation.c" -lcrypto ;;
        codec) say fuzz_codec.c "$dir/codec.c" ;;
        check) say fuzz_check.c "$dir/check.c" ;;
        wordfilter) say fuzz_wordfilter.c "$dir/wordfilter.c" "$core/spreadsheet.c" "$core/check.c" "$core/codec.c" ;;
        spreadsheet) say fuzz_spreadsheet.c "$dir/spreadsheet.c" ;;
    esac
    [[ $1 != portable ]] || say -DPERMUTATION_NO_INT128
}

# compile TARGET PROGRAM [DIR [OPTION...]]
compile() {
    local -a files

    read -r -d '' -a files < <(sources "$1" "${3:-}") || :
    # shellcheck disable=SC2086 # flags are several
    (cd "$unit" && "$clang" $flags -I"$src" "${@:4}" -o "$2" "${files[@]}")
}

# canary TARGET TITLE SCRIPT [OPTION...]: a copy of the file that sed has changed must
# fail; the options are the compiler's. FUZZ_NO_REFERENCE leaves out the comparison
# that would find it first.
canary() {
    local target=$1 title="canary, $1: $2" file=$1.c dir=$work/broken log=$work/log/canary status=0

    [[ " $targets " == *" $target "* ]] || return 0
    [[ $target != portable ]] || file=permutation.c
    mkdir -p "$dir"
    sed -e "$3" "$core/$file" >"$dir/$file"
    if cmp -s "$core/$file" "$dir/$file"; then
        say "not ok - $title: the change does not fit $file any more"
        count 0 1
        return
    fi
    if ! compile "$target" "$work/canary" "$dir" -w "${@:4}" >"$log" 2>&1; then
        say "not ok - $title: does not compile"
        cat "$log"
        count 0 1
        return
    fi
    fuzz 60 1 "$log" "$work/canary" || status=$?
    if ((status != 0)) && grep -Eq 'does not hold|ERROR: AddressSanitizer|runtime error:' "$log"; then
        count 1 0
        say "$title: found ($(grep -Eo -m 1 'does not hold: .*|AddressSanitizer: [a-z-]*|runtime error: .*' "$log" | cut -c 1-70))"
    else
        say "not ok - $title: not found"
        tail -n 20 "$log"
        count 0 1
    fi
}

run_target() {
    local target=$1 log=$work/log/fuzz-$1 status=0

    if ! compile "$target" "$work/fuzz" >"$log" 2>&1; then
        say "not ok - $target: does not compile"
        cat "$log"
        count 0 1
        return
    fi
    fuzz "$seconds" "$seed" "$log" "$work/fuzz" || status=$?
    if ((status == 0)) && grep -q '^Done [1-9]' "$log"; then
        count 1 0
        say "$target: $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log") inputs in $seconds s," \
            "$(sed -n 's/^#.*DONE *cov: \([0-9]*\) .*/\1/p' "$log") places reached, nothing found"
    else
        say "not ok - $target: ended with status $status"
        grep -Ev '^(#|INFO:|	NEW_FUNC)' "$log" | tail -n 80
        count 0 1
    fi
}

if [[ -z $work ]]; then
    find_clang
    if [[ -z $clang ]]; then
        [[ -z ${CLANG:-} ]] || die "$CLANG cannot build what libFuzzer runs"
        install_missing clang libclang-rt-MAJOR-dev
        hash -r
        find_clang
        [[ -n $clang ]] || die "no compiler that has libFuzzer"
    fi
    export CLANG=$clang
fi
enter "$@"
clang=$CLANG
copy_tree "$work/copy"
src=$work/copy/src
core=$src/core
unit=$work/copy/test/unit

say "Fuzzing with $("$clang" --version | head -n 1), $seconds s a target (LIBFUZZER_SECONDS)."
canary permutation "fewer rounds" 's/^#define FFX_ROUNDS_14.*/#define FFX_ROUNDS_14 22/'
canary permutation "one sum decrypted wrong" 's/if (!encrypt && add != 0)/if (!encrypt \&\& add > 1)/'
canary permutation "a shuffle that favours low numbers" 's/65536 - 65536 % i/65536/'
canary permutation "no carry from half to half" 's/if (++next_b == perm->modulus\[1\])/if (++next_b > perm->modulus[1])/'
canary permutation "one number too many" 's/number >= perm->domain)/number > perm->domain)/'
canary permutation "a half out of range" 's/\*a >= perm->modulus\[0\] || //'
canary permutation "a shift by 64" 's/(perm->b == 8 ? 0 : (uint64_t) round << 8 \* perm->b)/((uint64_t) round << 8 * perm->b)/'
canary permutation "a tweak forgotten" '/^set(/,/^}/s/memcmp(perm->tweak, tweak, tweak_len) == 0/true/'
canary portable "one bit left out" 's/bit = 63;/bit = 62;/'
canary codec "a cycle too many" 's/(highest - (uint64_t) digit) \/ codec->radix/highest \/ codec->radix/'
canary codec "leading zeros" 's/if ((len > 1 ||/if ((len > 9 ||/'
canary codec "long numbers cut off" 's/while (number > UINT32_MAX && place/while (number > UINT64_MAX \/ 16 \&\& place/'
canary codec "a character twice" 's/ || seen\[c\])/)/'
canary codec "one cycle too early" 's/return first + 1 - codec->first_numeral;/return first;/'
canary codec "numbers begin with 0" 's/^	return 1;$/	return 0;/'
canary codec "a wrong logarithm" 's/\[32\] = 5/[32] = 4/'
canary codec "a character too many" 's/CODEC_MAX_BASE_CODES \/ alphabet_len)/CODEC_MAX_BASE_CODES)/'
canary codec "a write beyond the text" '/^codec_write_base/,/^}/s/text\[place\]/text[place + 1]/'
canary check "another polynomial" 's/\[5\] = 0x25/[5] = 0x29/'
canary check "Verhoeff with two digits exchanged" 's/8, 3, 0, 9, 4};/8, 3, 0, 4, 9};/'
canary check "another permutation of reflections" 's/turns + (a + 1) % turns/turns + (a + 2) % turns/'
canary check "swaps, in rings" 's/a % odd \* 2 % odd/a % odd/' -DFUZZ_NO_REFERENCE
canary check "swaps, in dihedral groups" 's/turns + (a + 1) % turns/turns + a % turns/' -DFUZZ_NO_REFERENCE
canary check "single errors" 's/^	table->radix = radix;/	table->combine[radix - 1][1] = table->combine[radix - 1][0];&/' -DFUZZ_NO_REFERENCE
canary check "swaps promised of two characters" 's/return radix > CHECK_MIN_RADIX/return radix >= CHECK_MIN_RADIX/'
canary wordfilter "a digit that looks like a letter" "s/'O', 'I', 'Z', 'E', 'A', 'S',/'O', 'I', 'Z', 'E', 'A', '5',/"
canary wordfilter "no fail links" 's/&list->next\[fail\[state\] \* list->classes\], row_bytes/\&list->next[0], row_bytes/'
canary wordfilter "a word that goes on behind another" 's/new\[2\] = (uint16_t) to;/new[2] = fail[to];/'
canary wordfilter "counts, one branch" 's/ - instead\[after\[x\]\[g\]\];/;/'
canary wordfilter "counts, the check character" 's/check_add(check, g, level, x)/check_add(check, g, level + 1, x)/'
canary wordfilter "words that are passed" '/^wordfilter_pass/,/^}/s/state = pass(.*/state = wordfilter_next(list, state, (unsigned char) text[i]);/'
canary wordfilter "a word anchored where it ends" 's/end = true;/used[0] = true;/'
canary wordfilter "a word anchored where it begins" 's/uint32_t	state = wordfilter_begin(list);/uint32_t	state = WORDFILTER_START;/'
canary wordfilter "hidden steps cut off" '/^wordfilter_used_bytes/,/^}/s/ + (size_t) list->hidden \* HIDDEN//'
canary wordfilter "identity, words that come twice" 's/if (place > 0 && smallest\[place - 1\] == hash)/if (place > room)/'
canary wordfilter "identity, spelling" 's/(hash ^ FOLD(word->text\[i\]))/(hash ^ (unsigned char) word->text[i])/'
canary wordfilter "identity, the last character" '/^word_hash/,/^}/s/i < word->len/i + 1 < word->len/'
canary wordfilter "joined, words that are passed" 's/word = pass(words, fail, /word = 0 * pass(words, fail, /'
canary wordfilter "joined, where there is no word" '/^walk_pairs/,/^}/s/wordfilter_begin(words)/WORDFILTER_START/'
canary wordfilter "joined, digits that look like letters" 's/sheet = spreadsheet_class((unsigned char) c);/sheet = spreadsheet_class(folded[c]);/'
canary wordfilter "joined, whole texts that end" 's/row\[list->end_class\] = WORDFILTER_BLOCKED;/row[0] = WORDFILTER_BLOCKED;/'
canary spreadsheet "a month alone" 's/ != PLACE_FIRST;/ < PLACES;/'
canary spreadsheet "a month of two letters" 's/^#define MIN_MONTH	3/#define MIN_MONTH	2/'
canary spreadsheet "five digits before a month" 's/^			return DIGITS;/			return DIGIT4;/'
canary spreadsheet "words by their first letters" 's/text\[state % (MAX_LEN + 1)\] == .*&&/text[0] != 0 \&\&/'
for target in $targets; do
    run_target "$target"
done
finished=yes
