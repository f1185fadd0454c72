/*
 * codec.c
 *		Numbers <-> text: base codes and uniquizers.
 *
 * A base code is a number of a fixed count of digits, most significant first,
 * in the alphabet's own order.  A uniquizer tells the cycles of a ring apart:
 * '' in cycle 0, then the numeral of cycle - 1 without leading zero digits, so
 * that there is one text for each cycle and no other.  Uniquizers of the
 * default alphabet are written in the digits that CoderRing 0.2.3 writes them
 * in, those of any other alphabet in its own order.
 *
 * Codes of an alphabet that has nothing but decimal digits are kept as numbers
 * by many, to whom 0600 and 600 are the same.  So where 0 is among them no
 * uniquizer begins with it: that of a cycle is the numeral of the cycle itself,
 * its digits being the alphabet's in the order of their values.
 *
 * Plain C without PostgreSQL, without allocation, without state.  None of the
 * texts is NUL-terminated.
 */
#include "core/codec.h"

#include <string.h>

/* log2 of a radix that is a power of two, 0 for the others */
static const uint8_t radix_bits[CODEC_MAX_ALPHABET + 1] = {
	[2] = 1, [4] = 2, [8] = 3, [16] = 4, [32] = 5, [64] = 6
};

/*
 * Write the digits of uniquizers to `digits`; returns what the first uniquizer
 * is the numeral of.
 */
static uint32_t
choose_digits(const char *alphabet, size_t len, char *digits)
{
	size_t		at = 0;

	memcpy(digits, alphabet, len);
	if (len == sizeof(CODEC_DEFAULT_ALPHABET) - 1 &&
		memcmp(alphabet, CODEC_DEFAULT_ALPHABET, len) == 0)
		memcpy(digits, CODEC_DEFAULT_DIGITS, len);
	if (memchr(alphabet, '0', len) == NULL)
		return 0;
	for (size_t i = 0; i < len; i++)
	{
		if (alphabet[i] < '0' || alphabet[i] > '9')
			return 0;
	}
	for (char c = '0'; c <= '9'; c++)
	{
		if (memchr(alphabet, c, len) != NULL)
			digits[at++] = c;
	}
	return 1;
}

/*
 * Prepare a codec.
 *
 * alphabet: alphabet_len characters, 2 to 64, printable ASCII without space,
 * no two alike; the first is digit 0.  base_length: characters in a base code,
 * 1 to 12, with at most 2^60 base codes.
 *
 * CODEC_OK, or the first thing that is wrong, in the order of CodecStatus's
 * members, but alphabet characters are looked at one by one; *codec is then
 * as it was.  For CODEC_ALPHABET_CHARACTER and CODEC_ALPHABET_DUPLICATE *bad,
 * unless bad is NULL, receives the index of the character (of a duplicate: of
 * the later one); it is not touched otherwise.
 */
CodecStatus
codec_set(Codec *codec, const char *alphabet, size_t alphabet_len,
		  int64_t base_length, size_t *bad)
{
	bool		seen[256] = {false};
	uint64_t	base_codes = 1;
	int64_t		place;
	size_t		i;

	if (alphabet == NULL ||
		alphabet_len < CODEC_MIN_ALPHABET || alphabet_len > CODEC_MAX_ALPHABET)
		return CODEC_ALPHABET_SIZE;
	for (i = 0; i < alphabet_len; i++)
	{
		unsigned char c = (unsigned char) alphabet[i];

		if (c <= 0x20 || c >= 0x7F || seen[c])
		{
			if (bad != NULL)
				*bad = i;
			return seen[c] ? CODEC_ALPHABET_DUPLICATE : CODEC_ALPHABET_CHARACTER;
		}
		seen[c] = true;
	}
	if (base_length < 1 || base_length > CODEC_MAX_BASE_LENGTH)
		return CODEC_BASE_LENGTH;
	for (place = 0; place < base_length; place++)
	{
		if (base_codes > CODEC_MAX_BASE_CODES / alphabet_len)
			return CODEC_TOO_MANY_CODES;
		base_codes *= alphabet_len;
	}

	memset(codec, 0, sizeof(*codec));
	memset(codec->base_value, -1, sizeof(codec->base_value));
	memset(codec->digit_value, -1, sizeof(codec->digit_value));
	codec->radix = (uint32_t) alphabet_len;
	codec->base_length = (uint32_t) base_length;
	codec->base_codes = base_codes;
	memcpy(codec->alphabet, alphabet, alphabet_len);
	codec->first_numeral = choose_digits(alphabet, alphabet_len, codec->digits);
	for (i = 0; i < alphabet_len; i++)
	{
		codec->base_value[(unsigned char) alphabet[i]] = (int8_t) i;
		codec->digit_value[(unsigned char) codec->digits[i]] = (int8_t) i;
	}
	return CODEC_OK;
}

/*
 * Write the base code of `number`, 0 to base_codes - 1, as exactly base_length
 * characters to text.  Of a number beyond, the low digits are written.
 */
void
codec_write_base(const Codec *codec, uint64_t number, char *text)
{
	uint32_t	radix = codec->radix;
	uint32_t	bits = radix_bits[radix];
	uint32_t	place = codec->base_length;

	if (bits != 0)
	{
		while (place-- > 0)
		{
			text[place] = codec->alphabet[number & (radix - 1)];
			number >>= bits;
		}
		return;
	}

	/* 64-bit division is slow on many processors, and far most numbers are short */
	while (number > UINT32_MAX && place > 0)
	{
		text[--place] = codec->alphabet[number % radix];
		number /= radix;
	}
	for (uint32_t low = (uint32_t) number; place > 0; low /= radix)
		text[--place] = codec->alphabet[low % radix];
}

/*
 * *number = the number of the base code in the base_length characters at text;
 * the inverse of codec_write_base.
 *
 * False, and *number as it was, at the first character that is not in the
 * alphabet.  Nothing is read beyond it, so a shorter text may end in NUL.
 */
bool
codec_read_base(const Codec *codec, const char *text, uint64_t *number)
{
	uint64_t	value = 0;
	uint32_t	place;

	for (place = 0; place < codec->base_length; place++)
	{
		int			digit = codec->base_value[(unsigned char) text[place]];

		if (digit < 0)
			return false;
		value = value * codec->radix + (uint64_t) digit;
	}
	*number = value;
	return true;
}

/*
 * Write the uniquizer of `cycle`, 0 to INT64_MAX, to text, which has room for
 * CODEC_MAX_UNIQUIZER characters, and return how many were written.  A cycle
 * beyond has no uniquizer: nothing is written and 0 returned.
 */
size_t
codec_write_uniquizer(const Codec *codec, uint64_t cycle, char *text)
{
	size_t		len;
	size_t		place;
	uint64_t	rest;

	if (cycle == 0 || cycle > INT64_MAX)
		return 0;
	len = codec_uniquizer_length(codec, cycle);
	rest = codec_numeral(codec, cycle);
	for (place = len; place > 0; rest /= codec->radix)
		text[--place] = codec->digits[rest % codec->radix];
	return len;
}

/*
 * *cycle = the cycle, 0 to INT64_MAX, whose uniquizer the len characters at
 * text are; the inverse of codec_write_uniquizer.
 *
 * False, and *cycle as it was, if they are no uniquizer: a character that is
 * no digit, a leading zero digit before others (or alone, where cycle 1 is not
 * 0), or a cycle above INT64_MAX.
 */
bool
codec_read_uniquizer(const Codec *codec, const char *text, size_t len, uint64_t *cycle)
{
	const uint64_t highest = codec_numeral(codec, INT64_MAX);
	uint64_t	value = 0;
	size_t		place;

	if (len == 0)
	{
		*cycle = 0;
		return true;
	}
	if ((len > 1 || codec->first_numeral > 0) && codec->digit_value[(unsigned char) text[0]] == 0)
		return false;
	for (place = 0; place < len; place++)
	{
		int			digit = codec->digit_value[(unsigned char) text[place]];

		if (digit < 0 || value > (highest - (uint64_t) digit) / codec->radix)
			return false;
		value = value * codec->radix + (uint64_t) digit;
	}
	*cycle = value + 1 - codec->first_numeral;
	return true;
}

/* Characters in the uniquizer of `cycle`, whatever its size: 0 to 64. */
size_t
codec_uniquizer_length(const Codec *codec, uint64_t cycle)
{
	size_t		len = 0;

	if (cycle > 0)
	{
		uint64_t	rest = codec_numeral(codec, cycle);

		do
			len++;
		while ((rest /= codec->radix) > 0);
	}
	return len;
}

/*
 * The first cycle whose uniquizer is longer than that of `cycle`, or
 * UINT64_MAX if that would not fit.
 */
uint64_t
codec_first_longer_cycle(const Codec *codec, uint64_t cycle)
{
	size_t		len = codec_uniquizer_length(codec, cycle);
	uint64_t	first = 1;		/* the least number of len + 1 digits */

	if (len == 0)
		return 1;
	while (len-- > 0)
	{
		if (first > (UINT64_MAX - 1 + codec->first_numeral) / codec->radix)
			return UINT64_MAX;
		first *= codec->radix;
	}
	return first + 1 - codec->first_numeral;
}
