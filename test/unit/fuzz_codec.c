/*
 * fuzz_codec.c
 *		libFuzzer on codec.c: alphabets, base codes and uniquizers against plain
 *		arithmetic on strings of digits, of any length; round trips both ways.
 */
#include "core/codec.h"
#include "fuzz.h"

#define DIGITS	80				/* of 2^64 in base 2, and some to spare */

__extension__ typedef unsigned __int128 Wide;

/* digits += 1, most significant first; false where that overflows */
static bool
count_up(uint8_t *digits, size_t len, uint32_t radix)
{
	while (len-- > 0)
	{
		if (++digits[len] < radix)
			return true;
		digits[len] = 0;
	}
	return false;
}

/* digits = number, by long division of its bytes */
static void
write_number(uint64_t number, uint32_t radix, uint8_t *digits, size_t len)
{
	uint8_t		bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t) (number >> (56 - 8 * i));
	while (len-- > 0)
	{
		uint32_t	rest = 0;

		for (int i = 0; i < 8; i++)
		{
			rest = rest * 256 + bytes[i];
			bytes[i] = (uint8_t) (rest / radix);
			rest %= radix;
		}
		digits[len] = (uint8_t) rest;
	}
}

/* What codec_set is to say, straight from codec.h. */
static CodecStatus
expected_status(const uint8_t *alphabet, size_t len, int64_t base_length, size_t *bad)
{
	Wide		codes = 1;

	if (len < 2 || len > 64)
		return CODEC_ALPHABET_SIZE;
	for (size_t i = 0; i < len; i++)
	{
		*bad = i;
		for (size_t k = 0; k < i; k++)
			if (alphabet[k] == alphabet[i])
				return CODEC_ALPHABET_DUPLICATE;
		if (alphabet[i] < '!' || alphabet[i] > '~')
			return CODEC_ALPHABET_CHARACTER;
	}
	*bad = SIZE_MAX;
	if (base_length < 1 || base_length > 12)
		return CODEC_BASE_LENGTH;
	for (int64_t i = 0; i < base_length; i++)
		codes *= len;
	return codes > (Wide) 1 << 60 ? CODEC_TOO_MANY_CODES : CODEC_OK;
}

/* The value of a character in an alphabet, or -1. */
static int
value_of(const char *alphabet, uint32_t radix, char c)
{
	for (uint32_t i = 0; i < radix; i++)
		if (alphabet[i] == c)
			return (int) i;
	return -1;
}

static void
test_base(const Codec *codec, const char *alphabet, uint64_t number)
{
	uint8_t		digits[DIGITS];
	char		text[CODEC_MAX_BASE_LENGTH + 1];
	uint64_t	back = ~number;

	write_number(number, codec->radix, digits, codec->base_length);
	text[codec->base_length] = '~';
	codec_write_base(codec, number, text);
	for (uint32_t i = 0; i < codec->base_length; i++)
		MUST(text[i] == alphabet[digits[i]]);
	MUST(text[codec->base_length] == '~');
	if (number < codec->base_codes)
	{
		MUST(codec_read_base(codec, text, &back) && back == number);
		if (number + 1 < codec->base_codes)
		{
			MUST(count_up(digits, codec->base_length, codec->radix));
			codec_write_base(codec, number + 1, text);
			for (uint32_t i = 0; i < codec->base_length; i++)
				MUST(text[i] == alphabet[digits[i]]);
		}
	}
}

/* Any text, which ends where it may be read to. */
static void
test_read_base(const Codec *codec, const char *alphabet, Input *input)
{
	char	   *text = malloc(codec->base_length);
	uint64_t	expected = 0;
	uint64_t	number = 12345;
	bool		good = true;

	for (uint32_t i = 0; i < codec->base_length; i++)
	{
		uint8_t		c = take_byte(input);
		int			value;

		text[i] = c < 240 ? alphabet[c % codec->radix] : (char) take_byte(input);
		value = value_of(alphabet, codec->radix, text[i]);
		good = good && value >= 0;
		expected = expected * codec->radix + (uint64_t) value;
	}
	MUST(codec_read_base(codec, text, &number) == good);
	MUST(number == (good ? expected : 12345));
	free(text);
}

/* 1 where uniquizers are the numbers of their cycles: of digits only, 0 the first of them; else 0. */
static uint64_t
are_numbers(const char *digits, uint32_t radix)
{
	for (uint32_t i = 0; i < radix; i++)
		if (digits[i] < '0' || digits[i] > '9')
			return 0;
	return digits[0] == '0';
}

static void
test_uniquizer(const Codec *codec, const char *digits, uint64_t cycle)
{
	uint8_t		values[DIGITS];
	char		text[CODEC_MAX_UNIQUIZER];
	size_t		len = codec_write_uniquizer(codec, cycle, text);
	size_t		zeros = 0;
	uint64_t	back = ~cycle;
	uint64_t	longer = codec_first_longer_cycle(codec, cycle);
	Wide		power = 1;
	uint64_t	one = are_numbers(digits, codec->radix);

	write_number(cycle - 1 + one, codec->radix, values, DIGITS);
	while (zeros < DIGITS - 1 && values[zeros] == 0)
		zeros++;
	if (cycle == 0)
		zeros = DIGITS;
	MUST(codec_uniquizer_length(codec, cycle) == DIGITS - zeros);
	if (cycle > INT64_MAX)
		MUST(len == 0);
	else
	{
		MUST(len == DIGITS - zeros);
		for (size_t i = 0; i < len; i++)
			MUST(text[i] == digits[values[zeros + i]]);
		MUST(codec_read_uniquizer(codec, text, len, &back) && back == cycle);
	}

	/* the first that is longer: radix ^ len + 1, of numbers radix ^ len, and 1 after none */
	for (size_t i = zeros; i < DIGITS; i++)
		power *= codec->radix;
	power = cycle == 0 ? 1 : power + 1 - one;
	MUST(longer == (power > UINT64_MAX ? UINT64_MAX : (uint64_t) power));
	if (longer != UINT64_MAX)
		MUST(codec_uniquizer_length(codec, longer) == DIGITS - zeros + 1 &&
			 codec_uniquizer_length(codec, longer - 1) == DIGITS - zeros);
}

static void
test_read_uniquizer(const Codec *codec, const char *digits, Input *input)
{
	size_t		len = take_between(input, 0, 70);
	char	   *text = malloc(len > 0 ? len : 1);
	Wide		expected = 0;
	bool		good = true;
	uint64_t	cycle = 12345;
	uint64_t	one = are_numbers(digits, codec->radix);

	for (size_t i = 0; i < len; i++)
	{
		uint8_t		c = take_byte(input);
		int			value;

		text[i] = c < 250 ? digits[c % codec->radix] : (char) take_byte(input);
		value = value_of(digits, codec->radix, text[i]);
		good = good && value >= 0 && (i > 0 || value > 0 || (len == 1 && one == 0));
		if (good)
			expected = expected * codec->radix + (uint64_t) value;
		good = good && expected < (Wide) INT64_MAX + one;
	}
	if (len > 0)
		expected += 1 - one;
	MUST(codec_read_uniquizer(codec, text, len, &cycle) == good);
	MUST(cycle == (good ? (uint64_t) expected : 12345));
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = {data, size};
	Codec		codec;
	uint8_t		alphabet[300];
	char		numbers[64];
	const char *digits = (const char *) alphabet;
	uint8_t		kind = take_byte(&input);
	size_t		len = kind % 4 == 0 ? take_between(&input, 0, 255) : take_between(&input, 2, 64);
	int64_t		base_length = kind % 8 == 1 ? (int64_t) take_number(&input, 8) : (int64_t) take_between(&input, 1, 13);
	uint8_t		first = take_byte(&input);
	size_t		bad = SIZE_MAX;
	size_t		expected_bad = SIZE_MAX;
	CodecStatus expected;

	/* most often all different; the one of the library; now and then with a flaw */
	for (size_t i = 0; i < len; i++)
		alphabet[i] = (uint8_t) ('!' + (first + i) % 94);
	if (kind & 16)
	{
		len = strlen(CODEC_DEFAULT_ALPHABET);
		memcpy(alphabet, CODEC_DEFAULT_ALPHABET, len);
		digits = CODEC_DEFAULT_DIGITS;
	}
	if ((kind & 96) == 96 && len > 0)
	{
		alphabet[take_byte(&input) % len] = take_byte(&input);
		if (len != 32 || memcmp(alphabet, CODEC_DEFAULT_ALPHABET, len) != 0)
			digits = (const char *) alphabet;
	}
	if (kind >= 128 && (kind & 16) == 0)
	{
		/* some digits, from any place on, up or down; uniquizers are in the order of their values if 0 is there */
		size_t		at = 0;
		bool		zero = false;

		len = len % 9 + 2;
		for (size_t i = 0; i < len; i++)
		{
			alphabet[i] = (uint8_t) ('0' + (first + (kind & 8 ? i : 10 - i)) % 10);
			zero = zero || alphabet[i] == '0';
		}
		digits = (const char *) alphabet;
		for (char c = '0'; zero && c <= '9'; c++)
			if (memchr(alphabet, c, len) != NULL)
				numbers[at++] = c;
		if (zero)
			digits = numbers;
	}
	expected = expected_status(alphabet, len, base_length, &expected_bad);
	memset(&codec, 0x5A, sizeof(codec));
	MUST(codec_set(&codec, (const char *) alphabet, len, base_length, &bad) == expected);
	MUST(bad == (expected == CODEC_ALPHABET_CHARACTER || expected == CODEC_ALPHABET_DUPLICATE ? expected_bad : SIZE_MAX));
	if (expected != CODEC_OK)
	{
		for (size_t i = 0; i < sizeof(codec); i++)
			MUST(((uint8_t *) &codec)[i] == 0x5A);
		return 0;
	}
	MUST(codec.radix == len && codec.base_length == base_length);

	test_base(&codec, (const char *) alphabet, 0);
	test_base(&codec, (const char *) alphabet, codec.base_codes - 1);
	test_base(&codec, (const char *) alphabet, take_number(&input, 8) % codec.base_codes);
	test_base(&codec, (const char *) alphabet, take_number(&input, 8));
	test_read_base(&codec, (const char *) alphabet, &input);
	test_uniquizer(&codec, digits, take_number(&input, 8));
	test_uniquizer(&codec, digits, take_number(&input, 2));
	test_uniquizer(&codec, digits, take_byte(&input) % 2 ? INT64_MAX : (uint64_t) INT64_MAX + 1);
	test_read_uniquizer(&codec, digits, &input);
	return 0;
}
