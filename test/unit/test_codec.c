/*
 * test_codec.c
 *		Unit tests of src/core/codec.c: base codes, uniquizers, every error.
 */
#include <string.h>

#include "core/codec.h"
#include "tap.h"

/* 64 characters from both ends of what is allowed */
static const char many[] =
	"!~}|{zyxwvutsrqponmlkjihgfedcba`_^]\\[ZYXWVUTSRQPONMLKJIHGFEDCBA@0123";

static Codec codec;

static void
use(const char *alphabet, int64_t base_length)
{
	if (codec_set(&codec, alphabet, strlen(alphabet), base_length, NULL) != CODEC_OK)
	{
		printf("Bail out! cannot set codec\n");
		fflush(stdout);
	}
}

/* Uniquizer of cycle as a C string, in a static buffer guarded on both sides. */
static const char *
uniquizer(uint64_t cycle)
{
	static char buffer[CODEC_MAX_UNIQUIZER + 2];
	size_t		len;

	memset(buffer, '\1', sizeof(buffer));
	len = codec_write_uniquizer(&codec, cycle, buffer + 1);
	if (len > CODEC_MAX_UNIQUIZER || len != codec_uniquizer_length(&codec, cycle) ||
		buffer[0] != '\1' || buffer[len + 1] != '\1')
		return "(wrong length)";
	buffer[len + 1] = '\0';
	return buffer + 1;
}

static bool
reads(const char *text, uint64_t expected)
{
	uint64_t	cycle = UINT64_MAX;

	return codec_read_uniquizer(&codec, text, strlen(text), &cycle) && cycle == expected;
}

static bool
refuses(const char *text, size_t len)
{
	uint64_t	cycle = 4711;

	return !codec_read_uniquizer(&codec, text, len, &cycle) && cycle == 4711;
}

static void
test_errors(void)
{
	static const struct
	{
		const char *alphabet;
		size_t		len;
		int64_t		base_length;
		CodecStatus status;
		size_t		bad;
	}			cases[] = {
		{NULL, 0, 4, CODEC_ALPHABET_SIZE, 99},
		{"", 0, 4, CODEC_ALPHABET_SIZE, 99},
		{"A", 1, 4, CODEC_ALPHABET_SIZE, 99},
		{many, 65, 4, CODEC_ALPHABET_SIZE, 99},
		{" A", 2, 4, CODEC_ALPHABET_CHARACTER, 0},
		{"AB\t", 3, 4, CODEC_ALPHABET_CHARACTER, 2},
		{"AB\0C", 4, 4, CODEC_ALPHABET_CHARACTER, 2},
		{"A\x7F", 2, 4, CODEC_ALPHABET_CHARACTER, 1},
		{"A\xC3\xA4", 3, 4, CODEC_ALPHABET_CHARACTER, 1},
		{"A\xFF", 2, 4, CODEC_ALPHABET_CHARACTER, 1},
		{"ABCA", 4, 4, CODEC_ALPHABET_DUPLICATE, 3},
		{"AA ", 3, 4, CODEC_ALPHABET_DUPLICATE, 1},
		{"AB", 2, 0, CODEC_BASE_LENGTH, 99},
		{"AB", 2, -1, CODEC_BASE_LENGTH, 99},
		{"AB", 2, 13, CODEC_BASE_LENGTH, 99},
		{"AB", 2, INT64_MIN, CODEC_BASE_LENGTH, 99},
		{"AB", 2, INT64_MAX, CODEC_BASE_LENGTH, 99},
		{many, 64, 11, CODEC_TOO_MANY_CODES, 99},
		{many, 64, 12, CODEC_TOO_MANY_CODES, 99},
		{many, 33, 12, CODEC_TOO_MANY_CODES, 99},
		{many, 64, 10, CODEC_OK, 99},
		{many, 32, 12, CODEC_OK, 99},
		{many, 2, 1, CODEC_OK, 99},
		{many, 2, 12, CODEC_OK, 99},
		{"!~", 2, 1, CODEC_OK, 99},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Codec		before;
		size_t		bad = 99;
		CodecStatus status;

		memset(&codec, 0x5A, sizeof(codec));
		before = codec;
		status = codec_set(&codec, cases[i].alphabet, cases[i].len, cases[i].base_length, &bad);
		ok(status == cases[i].status && bad == cases[i].bad &&
		   (status == CODEC_OK || memcmp(&codec, &before, sizeof(codec)) == 0) &&
		   codec_set(&codec, cases[i].alphabet, cases[i].len, cases[i].base_length, NULL) == status,
		   "codec_set case %zu: status %d, character %zu", i, (int) status, bad);
	}
}

/* All codes of small domains, random ones of large domains, for every alphabet size. */
static void
test_base_codes(void)
{
	uint64_t	state = 1;

	for (size_t radix = 2; radix <= 64; radix++)
	{
		bool		good = true;

		for (int64_t base_length = 1; base_length <= CODEC_MAX_BASE_LENGTH; base_length++)
		{
			CodecStatus status = codec_set(&codec, many, radix, base_length, NULL);
			uint64_t	tries;
			char		last[CODEC_MAX_BASE_LENGTH + 1] = "";

			if (status == CODEC_TOO_MANY_CODES)
				continue;
			good = good && status == CODEC_OK;
			tries = codec.base_codes < 5000 ? codec.base_codes : 500;
			for (uint64_t i = 0; i < tries; i++)
			{
				uint64_t	number = tries == codec.base_codes ? i :
					i == 0 ? codec.base_codes - 1 : next_random(&state) % codec.base_codes;
				uint64_t	expected = number;
				uint64_t	back = UINT64_MAX;
				char		text[CODEC_MAX_BASE_LENGTH + 1];

				memset(text, '\1', sizeof(text));
				codec_write_base(&codec, number, text);
				good = good && text[base_length] == '\1' &&
					codec_read_base(&codec, text, &back) && back == number;
				/* the digits one by one, the slow way */
				for (int64_t place = base_length; place-- > 0; expected /= radix)
					good = good && text[place] == many[expected % radix];
				if (i > 0 && tries == codec.base_codes)
					good = good && memcmp(text, last, (size_t) base_length) != 0;
				memcpy(last, text, sizeof(last));
			}
		}
		ok(good, "base codes of %zu characters, every base_length", radix);
	}
}

static void
test_base_texts(void)
{
	char		text[CODEC_MAX_BASE_LENGTH];
	uint64_t	number = 4711;

	use(CODEC_DEFAULT_ALPHABET, 4);
	ok(codec.radix == 32 && codec.base_length == 4 && codec.base_codes == 1048576,
	   "the default ring has 1,048,576 base codes");
	codec_write_base(&codec, 0, text);
	ok(memcmp(text, "VVVV", 4) == 0, "0 is VVVV");
	codec_write_base(&codec, 1, text);
	ok(memcmp(text, "VVVS", 4) == 0, "1 is VVVS: most significant first");
	codec_write_base(&codec, 1048575, text);
	ok(memcmp(text, "NNNN", 4) == 0, "1,048,575 is NNNN");
	ok(codec_read_base(&codec, "7GRY", &number) &&
	   number == ((8 * 32 + 19) * 32 + 11) * 32 + 28, "7GRY is read");
	number = 4711;
	ok(!codec_read_base(&codec, "7GRI", &number) && number == 4711, "a character that is not in the alphabet");
	ok(!codec_read_base(&codec, "7gry", &number) && number == 4711, "case counts");
	ok(!codec_read_base(&codec, "7G", &number) && number == 4711, "a text that ends too early");
	ok(!codec_read_base(&codec, "7GR\xD9", &number) && number == 4711, "a byte above 127");
	codec_write_base(&codec, 1048576 + 1, text);
	ok(memcmp(text, "VVVS", 4) == 0, "a number too large: its low digits");
	use("abc", 2);
	codec_write_base(&codec, UINT64_MAX, text);
	ok(memcmp(text, "ca", 2) == 0 || memcmp(text, "ba", 2) == 0 || memcmp(text, "aa", 2) == 0,
	   "the largest number, alphabet of 3");
}

static void
test_uniquizer_texts(void)
{
	static const struct
	{
		uint64_t	cycle;
		const char *text;
	}			cases[] = {
		{0, ""}, {1, "X"}, {2, "W"}, {3, "2"}, {32, "V"}, {33, "WX"}, {34, "WW"},
		{1024, "VV"}, {1025, "WXX"}, {32768, "VVV"}, {32769, "WXXX"},
		{INT64_MAX, "7VVVVVVVVVVVU"},
	};

	use(CODEC_DEFAULT_ALPHABET, 4);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(strcmp(uniquizer(cases[i].cycle), cases[i].text) == 0 &&
		   reads(cases[i].text, cases[i].cycle),
		   "cycle %" PRIu64 " is '%s'", cases[i].cycle, cases[i].text);
	ok(memcmp(codec.digits, CODEC_DEFAULT_DIGITS, 32) == 0 &&
	   memcmp(codec.alphabet, CODEC_DEFAULT_ALPHABET, 32) == 0, "digits of the default alphabet");

	ok(refuses("XW", 2) && refuses("XX", 2) && refuses("X7", 2), "a leading zero digit");
	ok(refuses("I", 1) && refuses("2O", 2) && refuses("x", 1) && refuses("2 ", 2) &&
	   refuses("2\0", 2) && refuses("\xFF", 1), "characters that are no digits");
	ok(refuses("7VVVVVVVVVVVV", 13) && refuses("8XXXXXXXXXXXX", 13), "the cycle after the last");
	ok(refuses("WXXXXXXXXXXXXX", 14) && refuses("VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV", 44),
	   "far too large a cycle");
	ok(codec_write_uniquizer(&codec, (uint64_t) INT64_MAX + 1, NULL) == 0 &&
	   codec_write_uniquizer(&codec, UINT64_MAX, NULL) == 0, "no uniquizer above the last cycle");

	/* the same characters in another order are another alphabet */
	use("SVE293AH7Q6R4BT5CLXGJZFPDWUKYM8N", 4);
	ok(strcmp(uniquizer(1), "S") == 0 && strcmp(uniquizer(2), "V") == 0 &&
	   strcmp(uniquizer(33), "VS") == 0, "any other alphabet counts in its own order");
	use("VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8", 4);
	ok(strcmp(uniquizer(1), "V") == 0, "a part of the default alphabet is another one");
	use("ab", 12);
	ok(strcmp(uniquizer(INT64_MAX),
			  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbba") == 0,
	   "63 binary digits");
	ok(refuses("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 63),
	   "63 binary digits of the cycle after the last");
}

/* Digits only: numbers, and none begins with 0. */
static void
test_numbers(void)
{
	static const struct
	{
		const char *alphabet;
		uint64_t	cycle;
		const char *text;
	}			cases[] = {
		{"0123456789", 0, ""}, {"0123456789", 1, "1"}, {"0123456789", 9, "9"}, {"0123456789", 10, "10"},
		{"0123456789", 11, "11"}, {"0123456789", 100, "100"}, {"0123456789", INT64_MAX, "9223372036854775807"},
		{"9876543210", 1, "1"}, {"9876543210", 120, "120"}, {"1234567890", 10, "10"},
		{"01", 1, "1"}, {"01", 2, "10"}, {"10", 5, "101"},
		{"420", 1, "2"}, {"420", 2, "4"}, {"420", 3, "20"}, {"420", 9, "200"},
		/* without 0 as any other alphabet */
		{"123456789", 1, "1"}, {"123456789", 9, "9"}, {"123456789", 10, "21"}, {"97531", 1, "9"}, {"97531", 6, "79"},
		/* and with 0 and a letter as well */
		{"0123456789A", 1, "0"}, {"0123456789A", 12, "10"}, {"0-", 1, "0"}, {"0123456789ABCDEF", 1, "0"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		use(cases[i].alphabet, 1);
		ok(strcmp(uniquizer(cases[i].cycle), cases[i].text) == 0 && reads(cases[i].text, cases[i].cycle),
		   "%s: cycle %" PRIu64 " is '%s'", cases[i].alphabet, cases[i].cycle, cases[i].text);
	}
	use("0123456789", 1);
	ok(refuses("0", 1) && refuses("00", 2) && refuses("07", 2), "0 is no uniquizer, nor does one begin with it");
	ok(refuses("9223372036854775808", 19) && refuses("10000000000000000000", 20), "the cycle after the last, in digits");
	ok(codec_first_longer_cycle(&codec, 0) == 1 && codec_first_longer_cycle(&codec, 1) == 10 &&
	   codec_first_longer_cycle(&codec, 9) == 10 && codec_first_longer_cycle(&codec, 10) == 100 &&
	   codec_first_longer_cycle(&codec, INT64_MAX) == UINT64_C(10000000000000000000) &&
	   codec_first_longer_cycle(&codec, UINT64_C(10000000000000000000)) == UINT64_MAX,
	   "first longer cycles of digits: 1, 10, 100");
	use("01", 1);
	ok(codec_first_longer_cycle(&codec, UINT64_C(1) << 62) == UINT64_C(1) << 63 &&
	   codec_first_longer_cycle(&codec, UINT64_C(1) << 63) == UINT64_MAX &&
	   codec_uniquizer_length(&codec, (UINT64_C(1) << 63) - 1) == 63 &&
	   codec_uniquizer_length(&codec, UINT64_C(1) << 63) == 64,
	   "first longer cycle at the upper end, in binary numbers");
	ok(codec_numeral(&codec, 7) == 7, "the uniquizer of a cycle is the numeral of the cycle");
	use("ab", 1);
	ok(codec_numeral(&codec, 7) == 6, "of other alphabets that of the cycle before");
}

/* Round trips, lengths and first_longer, for every alphabet size. */
static void
test_uniquizers(void)
{
	uint64_t	state = 2;

	for (size_t radix = 2; radix <= 64 + 9; radix++)
	{
		bool		good = true;
		uint64_t	cycle = 0;
		size_t		len = 0;

		/* the last ones are of digits, in falling order from 1, with 0 at the end */
		if (radix <= 64)
			codec_set(&codec, many, radix, 1, NULL);
		else
			codec_set(&codec, &"9876543210"[64 + 9 - radix], radix - 64 + 1, 1, NULL);
		for (uint64_t i = 0; i < 1500; i++)
		{
			uint64_t	any = i < 1000 ? i : next_random(&state) >> (1 + i % 63);

			if (i == 1499)
				any = INT64_MAX;
			good = good && reads(uniquizer(any), any);
		}
		/* from each first cycle of a length to the next: strictly longer, one by one */
		while (len < 65 && (cycle = codec_first_longer_cycle(&codec, cycle)) != UINT64_MAX)
		{
			len++;
			good = good && codec_uniquizer_length(&codec, cycle) == len &&
				codec_uniquizer_length(&codec, cycle - 1) == len - 1 &&
				codec_first_longer_cycle(&codec, cycle - 1) == cycle;
			if (cycle <= INT64_MAX)
				good = good && reads(uniquizer(cycle), cycle) &&
					reads(uniquizer(cycle - 1), cycle - 1);
		}
		/* as many digits as 2^64 - 2 has */
		good = good && len == codec_uniquizer_length(&codec, UINT64_MAX) &&
			codec_first_longer_cycle(&codec, UINT64_MAX) == UINT64_MAX &&
			codec_first_longer_cycle(&codec, UINT64_MAX - 1) == UINT64_MAX;
		ok(good, "uniquizers of %" PRIu32 " %s", codec.radix, radix <= 64 ? "characters" : "digits");
	}

	use(CODEC_DEFAULT_ALPHABET, 4);
	ok(codec_first_longer_cycle(&codec, 0) == 1 && codec_first_longer_cycle(&codec, 1) == 33 &&
	   codec_first_longer_cycle(&codec, 32) == 33 && codec_first_longer_cycle(&codec, 33) == 1025,
	   "first longer cycles of the default ring: 1, 33, 1025");
	use("ab", 1);
	ok(codec_first_longer_cycle(&codec, (UINT64_C(1) << 63) + 1) == UINT64_MAX &&
	   codec_first_longer_cycle(&codec, UINT64_C(1) << 63) == (UINT64_C(1) << 63) + 1,
	   "first longer cycle at the upper end");
}

/* Short texts over few characters: exactly those that were written are read. */
static void
test_canonical(void)
{
	int			read = 0;
	bool		good = true;

	use("abc", 1);
	for (size_t len = 0; len <= 6; len++)
	{
		size_t		texts = 1;

		for (size_t i = 0; i < len; i++)
			texts *= 4;
		for (size_t t = 0; t < texts; t++)
		{
			char		text[7] = "";
			uint64_t	cycle;

			for (size_t i = 0, rest = t; i < len; i++, rest /= 4)
				text[i] = "abcd"[rest % 4];
			if (codec_read_uniquizer(&codec, text, len, &cycle))
			{
				read++;
				good = good && strcmp(uniquizer(cycle), text) == 0;
			}
		}
	}
	ok(good && read == 1 + 729, "one text for one cycle: %d of all up to 6 characters", read);
}

int
main(void)
{
	test_errors();
	test_base_codes();
	test_base_texts();
	test_uniquizer_texts();
	test_numbers();
	test_uniquizers();
	test_canonical();
	return done_testing();
}
