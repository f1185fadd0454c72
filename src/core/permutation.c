/*
 * permutation.c
 *		The secret order of a cycle: offset <-> base code number.
 *
 * A cycle has radix^length base codes.  A key (one a ring) and a tweak (one a
 * series and cycle) select one order of them; without the key it looks like
 * any other.  Nothing is stored: offset i of a cycle is computed, in either
 * direction, by one of three methods, by the number of codes:
 *
 *	up to 4,096				an exact Fisher-Yates shuffle, drawn from AES-CTR
 *	4,097 to 999,999		FF1's Feistel network with 30 rounds below 2^14
 *							codes and 24 from there on
 *	1,000,000 and more		FF1 as in NIST SP 800-38G, ten rounds
 *
 * The middle one is OUTSIDE the standard, which demands at least a million
 * codes (SP 800-38G Rev. 1, section 5.1), because with few codes ten
 * rounds can be told from random with feasible effort.  Its round counts are
 * those of FFX, from which FF1 descends: Bellare, Rogaway and Spies, "The FFX
 * Mode of Operation for Format-Preserving Encryption" (2010), parameter
 * collection A2, has 30 rounds for 10 to 13 bits and 24 for 14 to 19.  As there,
 * the round count is part of block P.  Up to 4,096 codes a table is small enough.
 *
 * How FF1 gets cheap here.  Its round function is a CBC-MAC under AES of
 * P || Q, where P and all of Q but the last block depend on key and tweak
 * only.  That prefix is run once, in permutation_set; a round of one code is
 * then one AES call, and a round of a block of codes one ECB call over all of
 * them.  Halves are kept as numbers, never as strings of numerals.
 *
 * An order must never change between versions, since rings live on the promise
 * that an offset always means the same code: test/unit pins all three methods.
 *
 * Plain C with OpenSSL's libcrypto, without PostgreSQL; not thread-safe.
 */
#include "core/permutation.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define AES_BLOCK		16

#define BATCH			256		/* codes that go through the network together, on the stack */
#define STREAM_BLOCKS	64		/* of the shuffle's stream, made together */

#define MAX_RADIX		65536	/* SP 800-38G, section 5.1 */
#define MAX_DOMAIN		(UINT64_C(1) << 60)
#define FFX_14_BITS		(UINT64_C(1) << 14)

#define FF1_ROUNDS		10		/* always even */
#define FFX_ROUNDS_14	24		/* from 2^14 codes up */
#define FFX_ROUNDS_10	30		/* below */

/* First byte of the first block that is authenticated: what the key is used for. */
#define PURPOSE_FF1		1		/* VERS in SP 800-38G */
#define PURPOSE_SHUFFLE	0x53

typedef enum Method
{
	METHOD_NONE,				/* not set, or set failed */
	METHOD_SHUFFLE,
	METHOD_FEISTEL
} Method;

struct Permutation
{
	EVP_CIPHER_CTX *ctx;		/* AES-ECB, keyed with the first key_len bytes of key */
	size_t		ctx_key_len;	/* key length of the cipher in ctx */

	/* what was asked for; if key_len is 0, ctx has no key */
	Method		method;
	bool		force_ff1;
	uint32_t	radix;
	uint32_t	length;
	uint64_t	domain;			/* radix ^ length, or 0 if above 2^64 - 1 */
	size_t		key_len;
	size_t		tweak_len;
	uint8_t		key[PERMUTATION_KEY_LEN];
	uint8_t		tweak[PERMUTATION_MAX_TWEAK];

	/* METHOD_FEISTEL, in the letters of SP 800-38G, algorithm 7 */
	int			rounds;
	uint64_t	modulus[2];		/* radix^u for even rounds, radix^v for odd ones */
	bool		power_of_two;	/* so are both moduli */
	int			b;				/* bytes of NUM(B), 1 to 8 */
	int			d;				/* bytes of y, 8 or 12 */
	uint64_t	last_high;		/* CBC state xor last block of Q without round and B, */
	uint64_t	last_low;		/* as two big-endian numbers */

	/* METHOD_SHUFFLE */
	uint16_t	number_at[PERMUTATION_MAX_SHUFFLE];
	uint16_t	offset_of[PERMUTATION_MAX_SHUFFLE];
};

/* Big-endian numbers at any address, written so that compilers make a swap and a move of it. */
static inline uint32_t
load_be32(const uint8_t *p)
{
	return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

static inline uint64_t
load_be64(const uint8_t *p)
{
	return (uint64_t) load_be32(p) << 32 | load_be32(p + 4);
}

static inline void
store_be32(uint8_t *p, uint32_t x)
{
	x = load_be32((const uint8_t *) &x);
	memcpy(p, &x, sizeof(x));
}

static inline void
store_be64(uint8_t *p, uint64_t x)
{
	x = load_be64((const uint8_t *) &x);
	memcpy(p, &x, sizeof(x));
}

/* base ^ exponent; false if it does not fit. */
static bool
power(uint64_t base, uint32_t exponent, uint64_t *result)
{
	for (*result = 1; exponent > 0; exponent--)
	{
		if (*result > UINT64_MAX / base)
			return false;
		*result *= base;
	}
	return true;
}

/* (x + y) mod modulus, for x and y below it; never overflows. */
static inline uint64_t
add_modulo(uint64_t x, uint64_t y, uint64_t modulus)
{
	return x >= modulus - y ? x - (modulus - y) : x + y;
}

/* (high * 2^64 + low) mod modulus */
static inline uint64_t
modulo_96(uint32_t high, uint64_t low, uint64_t modulus)
{
#if defined(__SIZEOF_INT128__) && !defined(PERMUTATION_NO_INT128)
	__extension__ typedef unsigned __int128 Wide;

	return (uint64_t) ((((Wide) high << 64) | low) % modulus);
#else
	uint64_t	rest = high % modulus;

	for (int bit = 63; bit >= 0; bit--)
	{
		rest = add_modulo(rest, rest, modulus);
		rest = add_modulo(rest, (low >> bit) & 1, modulus);
	}
	return rest;
#endif
}

/* AES of `blocks` whole blocks, each for itself; in and out may be the same. */
static bool
encrypt_blocks(Permutation *perm, const uint8_t *in, uint8_t *out, size_t blocks)
{
	int			len;

	return EVP_EncryptUpdate(perm->ctx, out, &len, in, (int) (blocks * AES_BLOCK)) == 1 &&
		len == (int) (blocks * AES_BLOCK);
}

/*
 * CBC-MAC, PRF in SP 800-38G, algorithm 6: of `block`, then of `blocks` blocks
 * of the tweak, zeros after its end.  `block` receives the one after those.
 */
static bool
mac_tweak(Permutation *perm, uint8_t *state, uint8_t *block, size_t blocks)
{
	memset(state, 0, AES_BLOCK);
	for (size_t at = 0;; at += AES_BLOCK)
	{
		for (int i = 0; i < AES_BLOCK; i++)
			state[i] ^= block[i];
		if (!encrypt_blocks(perm, state, state, 1))
			return false;
		memset(block, 0, AES_BLOCK);
		if (at < perm->tweak_len)
			memcpy(block, perm->tweak + at,
				   perm->tweak_len - at < AES_BLOCK ? perm->tweak_len - at : AES_BLOCK);
		if (at == blocks * AES_BLOCK)
			return true;
	}
}

/* Give the cipher its key, unless it has that one. */
static bool
set_key(Permutation *perm, const uint8_t *key, size_t key_len)
{
	const EVP_CIPHER *cipher = NULL;	/* the same as before */

	/* Both are the caller's own, so the time this takes tells nobody anything. */
	if (key_len == perm->key_len && memcmp(key, perm->key, key_len) == 0)
		return true;

	perm->key_len = 0;
	if (key_len != perm->ctx_key_len)
	{
		cipher = key_len == 32 ? EVP_aes_256_ecb() :
			key_len == 24 ? EVP_aes_192_ecb() : EVP_aes_128_ecb();
		perm->ctx_key_len = 0;
	}
	if (EVP_EncryptInit_ex(perm->ctx, cipher, NULL, key, NULL) != 1 ||
		EVP_CIPHER_CTX_set_padding(perm->ctx, 0) != 1)
		return false;

	perm->ctx_key_len = key_len;
	memcpy(perm->key, key, key_len);
	perm->key_len = key_len;
	return true;
}

/* Fill bytes from AES-CTR (SP 800-38A, section 6.5), and advance the counter. */
static bool
fill_stream(Permutation *perm, uint8_t *counter, uint8_t *bytes)
{
	for (size_t i = 0; i < STREAM_BLOCKS; i++)
	{
		int			place = AES_BLOCK - 1;

		memcpy(bytes + i * AES_BLOCK, counter, AES_BLOCK);
		while (place >= 0 && ++counter[place] == 0)
			place--;
	}
	return encrypt_blocks(perm, bytes, bytes, STREAM_BLOCKS);
}

/*
 * Fill the tables with an order of `domain` numbers, each order as likely as
 * any other: Fisher-Yates (Knuth, TAOCP vol. 2, section 3.4.2, algorithm P)
 * with draws of 16 bits; those that would favour low numbers are drawn again.
 *
 * The counter starts from a CBC-MAC of radix, length, tweak length and tweak.
 * The lengths stand in the first block, so that no input is a prefix of
 * another, which CBC-MAC needs to be a pseudo-random function.
 */
static bool
set_shuffle(Permutation *perm)
{
	uint8_t		counter[AES_BLOCK];
	uint8_t		bytes[STREAM_BLOCKS * AES_BLOCK];
	size_t		used = sizeof(bytes);
	uint8_t		block[AES_BLOCK] = {PURPOSE_SHUFFLE};
	uint32_t	codes = (uint32_t) perm->domain;

	store_be32(block + 4, perm->radix);
	store_be32(block + 8, perm->length);
	store_be32(block + 12, (uint32_t) perm->tweak_len);
	if (!mac_tweak(perm, counter, block, (perm->tweak_len + AES_BLOCK - 1) / AES_BLOCK))
		return false;

	for (uint32_t i = 0; i < codes; i++)
		perm->number_at[i] = (uint16_t) i;
	for (uint32_t i = codes; i > 1; i--)
	{
		uint32_t	limit = 65536 - 65536 % i;
		uint32_t	draw;
		uint16_t	swap;

		do
		{
			if (used == sizeof(bytes))
			{
				if (!fill_stream(perm, counter, bytes))
					return false;
				used = 0;
			}
			draw = (uint32_t) bytes[used] << 8 | bytes[used + 1];
			used += 2;
		} while (draw >= limit);
		draw %= i;
		swap = perm->number_at[i - 1];
		perm->number_at[i - 1] = perm->number_at[draw];
		perm->number_at[draw] = swap;
	}
	for (uint32_t i = 0; i < codes; i++)
		perm->offset_of[perm->number_at[i]] = (uint16_t) i;
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return true;
}

/*
 * Everything of FF1 that does not depend on the code: SP 800-38G, algorithm 7
 * (FF1.Encrypt), steps 1 to 5, and step 6 up to the last block of Q, without
 * round and NUM(B): they take at most 9 bytes, so all else is constant.
 */
static bool
set_feistel(Permutation *perm)
{
	uint32_t	u = perm->length / 2;
	uint8_t		state[AES_BLOCK];
	uint8_t		block[AES_BLOCK];

	perm->b = 0;				/* step 3, then 4 */
	for (uint64_t rest = perm->modulus[1] - 1; rest != 0; rest >>= 8)
		perm->b++;
	perm->d = 4 * ((perm->b + 3) / 4) + 4;
	perm->power_of_two = (perm->radix & (perm->radix - 1)) == 0;

	/* P, step 5 */
	store_be32(block + 2, perm->radix);
	block[0] = PURPOSE_FF1;
	block[1] = 2;				/* METHOD: alternating Feistel */
	block[2] = 1;				/* ADDITION: of numbers, not of digits; then 3 bytes of radix */
	block[6] = (uint8_t) perm->rounds;
	block[7] = (uint8_t) u;
	store_be32(block + 8, perm->length);
	store_be32(block + 12, (uint32_t) perm->tweak_len);

	/* Q, step 6 i: the tweak, zeros; then one byte for the round and b for NUM(B) */
	if (!mac_tweak(perm, state, block, (perm->tweak_len + (size_t) perm->b) / AES_BLOCK))
		return false;
	perm->last_high = load_be64(state) ^ load_be64(block);
	perm->last_low = load_be64(state + 8) ^ load_be64(block + 8);
	return true;
}

/* permutation_set and permutation_set_ff1 */
static bool
set(Permutation *perm, bool force_ff1, const uint8_t *key, size_t key_len,
	uint32_t radix, uint32_t length, const uint8_t *tweak, size_t tweak_len)
{
	uint64_t	domain = 0;
	uint64_t	modulus[2] = {0, 0};	/* stays 0 for a shuffle */

	if (perm == NULL)
		return false;
	if (perm->method != METHOD_NONE && perm->force_ff1 == force_ff1 &&
		perm->radix == radix && perm->length == length &&
		perm->key_len == key_len && perm->tweak_len == tweak_len &&
		(tweak_len == 0 ||
		 (tweak != NULL && memcmp(perm->tweak, tweak, tweak_len) == 0)) &&
		key != NULL && memcmp(perm->key, key, key_len) == 0)
		return true;

	perm->method = METHOD_NONE;
	if (key == NULL || (key_len != 16 && key_len != 24 && key_len != 32) ||
		radix < 2 || radix > MAX_RADIX || length < 1 ||
		tweak_len > PERMUTATION_MAX_TWEAK || (tweak == NULL && tweak_len > 0))
		return false;
	if (!power(radix, length, &domain))
		domain = 0;
	if (!force_ff1 && (domain == 0 || domain > MAX_DOMAIN))
		return false;
	if ((force_ff1 || domain > PERMUTATION_MAX_SHUFFLE) &&
		(length < 2 || !power(radix, length / 2, &modulus[0]) ||
		 !power(radix, length - length / 2, &modulus[1])))
		return false;
	if (!set_key(perm, key, key_len))
		return false;
	perm->force_ff1 = force_ff1;
	perm->radix = radix;
	perm->length = length;
	perm->domain = domain;
	perm->tweak_len = tweak_len;
	if (tweak_len > 0)
		memcpy(perm->tweak, tweak, tweak_len);

	memcpy(perm->modulus, modulus, sizeof(modulus));
	perm->rounds = force_ff1 || domain >= PERMUTATION_FF1_DOMAIN ? FF1_ROUNDS :
		domain >= FFX_14_BITS ? FFX_ROUNDS_14 : FFX_ROUNDS_10;
	if (modulus[0] == 0 ? set_shuffle(perm) : set_feistel(perm))
		perm->method = modulus[0] == 0 ? METHOD_SHUFFLE : METHOD_FEISTEL;
	return perm->method != METHOD_NONE;
}

/*
 * The network itself, over up to BATCH pairs of halves at once: SP 800-38G,
 * algorithms 7 and 8 (FF1.Encrypt and FF1.Decrypt), step 6.
 *
 * There A and B change places after each round.  Here even rounds change a and
 * odd ones b, which is the same, since the number of rounds is even.
 */
static bool
feistel(Permutation *perm, bool encrypt, size_t count, uint64_t *a, uint64_t *b)
{
	uint8_t		in[BATCH * AES_BLOCK];
	uint8_t		out[BATCH * AES_BLOCK];
	const int	d = perm->d;

	for (int step = 0; step < perm->rounds; step++)
	{
		int			round = encrypt ? step : perm->rounds - 1 - step;
		bool		odd = (round & 1) != 0;
		uint64_t   *changed = odd ? b : a;
		uint64_t   *hashed = odd ? a : b;
		uint64_t	modulus = perm->modulus[odd];
		/* the round number stands right before the b bytes of NUM(B) */
		uint64_t	high = perm->last_high ^ (perm->b == 8 ? (uint64_t) round : 0);
		uint64_t	low = perm->last_low ^ (perm->b == 8 ? 0 : (uint64_t) round << 8 * perm->b);

		if (step == 0 || perm->b == 8)
			for (size_t i = 0; i < count; i++)
				store_be64(in + i * AES_BLOCK, high);
		for (size_t i = 0; i < count; i++)
			store_be64(in + i * AES_BLOCK + 8, low ^ hashed[i]);
		if (!encrypt_blocks(perm, in, out, count))
			return false;

		/*
		 * y is the number in the first d bytes (steps iii and iv; d <= 12, so R
		 * is never extended), c = (changed +- y) mod radix^m (step vi).
		 */
		for (size_t i = 0; i < count; i++)
		{
			const uint8_t *y = out + i * AES_BLOCK;
			uint64_t	add;

			if (perm->power_of_two)
			{
				add = load_be64(y + d - 8);
				changed[i] = (changed[i] + (encrypt ? add : 0 - add)) & (modulus - 1);
				continue;
			}
			if (d == 8)
				add = load_be64(y) % modulus;
			else
				add = modulo_96(load_be32(y), load_be64(y + 4), modulus);
			if (!encrypt && add != 0)
				add = modulus - add;
			changed[i] = add_modulo(changed[i], add, modulus);
		}
	}
	return true;
}

/*
 * A new permutation, not set yet.  NULL when memory is short or OpenSSL gives
 * no AES.  All memory that AES-256 ever needs is taken here.
 */
Permutation *
permutation_create(void)
{
	Permutation *perm = calloc(1, sizeof(Permutation));

	if (perm == NULL)
		return NULL;
	perm->ctx = EVP_CIPHER_CTX_new();
	if (perm->ctx == NULL ||
		EVP_EncryptInit_ex(perm->ctx, EVP_aes_256_ecb(), NULL, NULL, NULL) != 1)
	{
		permutation_destroy(perm);
		return NULL;
	}
	perm->ctx_key_len = 32;
	return perm;
}

/* Free it, and wipe the key and all that was made from it.  NULL is allowed. */
void
permutation_destroy(Permutation *perm)
{
	if (perm == NULL)
		return;
	EVP_CIPHER_CTX_free(perm->ctx);
	OPENSSL_cleanse(perm, sizeof(*perm));
	free(perm);
}

/*
 * Choose an order of the numbers 0 to radix^length - 1.
 *
 * key_len: 16, 24 or 32 bytes.  radix: 2 to 65,536.  length: digits, at least
 * 1, and at least 2 above 4,096 codes; radix^length at most 2^60.  tweak: 0 to
 * PERMUTATION_MAX_TWEAK bytes, not secret, NULL allowed if there are none; each
 * one selects another order.  The same arguments as last time cost nothing; a
 * tweak alone spares the key schedule.
 *
 * False if an argument is out of range or OpenSSL fails; the permutation
 * cannot be used then until it is set again.
 */
bool
permutation_set(Permutation *perm, const uint8_t *key, size_t key_len,
				uint32_t radix, uint32_t length, const uint8_t *tweak, size_t tweak_len)
{
	return set(perm, false, key, key_len, radix, length, tweak, tweak_len);
}

/*
 * The same, but FF1 with ten rounds whatever the domain, for the published
 * samples: length at least 2, radix^ceil(length / 2) below 2^64.  Where
 * radix^length is not, only permutation_ff1_halves works on it.
 */
bool
permutation_set_ff1(Permutation *perm, const uint8_t *key, size_t key_len,
					uint32_t radix, uint32_t length, const uint8_t *tweak, size_t tweak_len)
{
	return set(perm, true, key, key_len, radix, length, tweak, tweak_len);
}

/*
 * numbers[i] = the number at offset first + i, for `count` offsets; a block at
 * a time costs a fraction of one by one.  numbers may be NULL if count is 0.
 *
 * False if first + count is above radix^length, if the permutation is not set,
 * or if OpenSSL fails; numbers is then undefined.
 */
bool
permutation_forward(Permutation *perm, uint64_t first, size_t count, uint64_t *numbers)
{
	uint64_t	a[BATCH],
				b[BATCH];
	uint64_t	next_a,
				next_b;

	if (perm == NULL || perm->method == METHOD_NONE ||
		first > perm->domain || count > perm->domain - first)
		return false;

	if (perm->method == METHOD_SHUFFLE)
	{
		for (size_t i = 0; i < count; i++)
			numbers[i] = perm->number_at[first + i];
		return true;
	}

	next_a = first / perm->modulus[1];
	next_b = first % perm->modulus[1];
	while (count > 0)
	{
		size_t		batch = count < BATCH ? count : BATCH;

		for (size_t i = 0; i < batch; i++)
		{
			a[i] = next_a;
			b[i] = next_b;
			if (++next_b == perm->modulus[1])
			{
				next_b = 0;
				next_a++;
			}
		}
		if (!feistel(perm, true, batch, a, b))
			return false;
		for (size_t i = 0; i < batch; i++)
			numbers[i] = a[i] * perm->modulus[1] + b[i];
		numbers += batch;
		count -= batch;
	}
	return true;
}

/*
 * *offset = where `number` stands in the order: the inverse of
 * permutation_forward.
 *
 * False, and *offset as it was, if number is not below radix^length, if the
 * permutation is not set, or if OpenSSL fails.
 */
bool
permutation_inverse(Permutation *perm, uint64_t number, uint64_t *offset)
{
	uint64_t	a,
				b;

	if (perm == NULL || perm->method == METHOD_NONE || number >= perm->domain)
		return false;

	if (perm->method == METHOD_SHUFFLE)
	{
		*offset = perm->offset_of[number];
		return true;
	}

	a = number / perm->modulus[1];
	b = number % perm->modulus[1];
	if (!feistel(perm, false, 1, &a, &b))
		return false;
	*offset = a * perm->modulus[1] + b;
	return true;
}

/*
 * FF1.Encrypt or FF1.Decrypt (SP 800-38G, algorithms 7 and 8) of one string,
 * given and returned as the number *a of its first floor(length / 2) digits
 * and the number *b of the others.  Works wherever the permutation is a
 * network, also if radix^length does not fit in 64 bits.
 *
 * False, and *a and *b undefined, if a half is out of range, if the
 * permutation is not set or is a shuffle, or if OpenSSL fails.
 */
bool
permutation_ff1_halves(Permutation *perm, bool encrypt, uint64_t *a, uint64_t *b)
{
	if (perm == NULL || perm->method != METHOD_FEISTEL ||
		*a >= perm->modulus[0] || *b >= perm->modulus[1])
		return false;
	return feistel(perm, encrypt, 1, a, b);
}
