/*
 * codec.h
 *		Numbers <-> text: base codes and uniquizers.  Plain C without PostgreSQL.
 */
#ifndef CODERRING_CODEC_H
#define CODERRING_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_MIN_ALPHABET		2
#define CODEC_MAX_ALPHABET		64
#define CODEC_MAX_BASE_LENGTH	12
#define CODEC_MAX_BASE_CODES	(UINT64_C(1) << 60)

/* Longest uniquizer: 63 binary digits. */
#define CODEC_MAX_UNIQUIZER		63

/* The alphabet of CoderRing 0.2.3 in its own order, and the digits of its uniquizers. */
#define CODEC_DEFAULT_ALPHABET	"VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N"
#define CODEC_DEFAULT_DIGITS	"XW23456789ABCDEFGHYJKLMNZPQRSTUV"

typedef struct Codec
{
	uint32_t	radix;			/* characters in the alphabet, 2 to 64 */
	uint32_t	base_length;	/* characters in a base code, 1 to 12 */
	uint64_t	base_codes;		/* radix ^ base_length, at most 2^60 */
	char		alphabet[CODEC_MAX_ALPHABET];	/* base code digits, most significant first */
	uint32_t	first_numeral;	/* what the uniquizer of cycle 1 is the numeral of: 0 or 1 */
	char		digits[CODEC_MAX_ALPHABET]; /* uniquizer digits */
	int8_t		base_value[256];	/* character -> base code digit, or -1 */
	int8_t		digit_value[256];	/* character -> uniquizer digit, or -1 */
} Codec;

typedef enum CodecStatus
{
	CODEC_OK,
	CODEC_ALPHABET_SIZE,		/* not 2 to 64 characters */
	CODEC_ALPHABET_CHARACTER,	/* not printable ASCII, or a space */
	CODEC_ALPHABET_DUPLICATE,
	CODEC_BASE_LENGTH,			/* not 1 to 12 */
	CODEC_TOO_MANY_CODES		/* radix ^ base_length above 2^60 */
} CodecStatus;

extern CodecStatus codec_set(Codec *codec, const char *alphabet, size_t alphabet_len,
							 int64_t base_length, size_t *bad);

extern void codec_write_base(const Codec *codec, uint64_t number, char *text);
extern bool codec_read_base(const Codec *codec, const char *text, uint64_t *number);

/* The number that the uniquizer of a cycle from 1 on is the numeral of; its digits grow as the cycle does. */
static inline uint64_t
codec_numeral(const Codec *codec, uint64_t cycle)
{
	return cycle - 1 + codec->first_numeral;
}

extern size_t codec_write_uniquizer(const Codec *codec, uint64_t cycle, char *text);
extern bool codec_read_uniquizer(const Codec *codec, const char *text, size_t len, uint64_t *cycle);
extern size_t codec_uniquizer_length(const Codec *codec, uint64_t cycle);
extern uint64_t codec_first_longer_cycle(const Codec *codec, uint64_t cycle);

#endif							/* CODERRING_CODEC_H */
