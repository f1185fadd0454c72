/*
 * mbtext.c
 *		Text of the database's encoding, one character after the other.
 *
 * Characters are told apart by their Unicode code points, whatever the
 * encoding of the database is: a check character must not change when a
 * database moves to another one.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "codes/mbtext.h"
#include "core/check.h"
#include "core/codec.h"

/*
 * Bytes of the first character of a text of len bytes, at least 1 and at most
 * len.
 */
uint32
mbtext_length(const char *text, uint32 len)
{
	if (!IS_HIGHBIT_SET(*text))
		return 1;
	return Min((uint32) Max(pg_mblen(text), 1), len);
}

/* Characters in a text of len bytes. */
uint32
mbtext_count(const char *text, uint32 len)
{
	uint32		count = 0;

	for (uint32 at = 0; at < len; at += mbtext_length(text + at, len - at))
	{
		if (++count % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return count;
}

/* Beyond all code points. */
#define NO_CODE_POINT	0x110000

/*
 * The Unicode code point of a character of len bytes.  Where the database's
 * encoding has none (SQL_ASCII, or a character that Unicode lacks), its bytes
 * as one number, beyond all code points.
 */
uint32
mbtext_code_point(const char *text, uint32 len)
{
	int			encoding = GetDatabaseEncoding();
	uint32		number = 0;

	if (len == 1 && !IS_HIGHBIT_SET(*text))
		return (unsigned char) *text;
	if (encoding == PG_UTF8 && pg_utf8_islegal((const unsigned char *) text, len))
		return utf8_to_unicode((const unsigned char *) text);
	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
	{
		Oid			conversion = FindDefaultConversionProc(encoding, PG_UTF8);
		unsigned char source[MAX_MULTIBYTE_CHAR_LEN + 1];
		unsigned char utf8[MAX_CONVERSION_GROWTH * (MAX_MULTIBYTE_CHAR_LEN + 1) + 1] = {0};

		if (OidIsValid(conversion) && len <= MAX_MULTIBYTE_CHAR_LEN)
		{
			memcpy(source, text, len);
			source[len] = '\0';
			if (pg_do_encoding_conversion_buf(conversion, encoding, PG_UTF8, source, len,
											  utf8, sizeof(utf8), true) == (int) len &&
				utf8[0] != '\0')
				return utf8_to_unicode(utf8);
		}
	}
	for (uint32 i = 0; i < len; i++)
		number = number << 8 | (unsigned char) text[i];
	return number + NO_CODE_POINT;
}

/*
 * Go on with a check from `state` over a text whose first character stands
 * `distance` places before the check character.
 */
uint32
mbtext_check(const Codec *codec, const CheckTable *check, uint32 state, uint32 distance,
			 const char *text, uint32 len)
{
	uint32		at = 0;

	while (at < len)
	{
		uint32		bytes = mbtext_length(text + at, len - at);
		int			value = bytes == 1 ? codec->base_value[(unsigned char) text[at]] : -1;

		if (value < 0)
			value = check_outside(check->radix, mbtext_code_point(text + at, bytes));
		state = check_add(check, state, distance--, value);
		at += bytes;
		if (distance % 4096 == 0)
			CHECK_FOR_INTERRUPTS(); /* it may be a whole book */
	}
	return state;
}
