/*
 * test_permutation_domains.c
 *		Unit tests of src/core/permutation.c: whole domains, differences between keys
 *		and tweaks, bad arguments, and failures of the library under it.
 *
 * src/core/permutation.c is included, so that those calls can be made to fail, with
 * the arithmetic of compilers without a 128-bit type.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static int	calls;				/* of the library, since set to 0 */
static int	failing_call;		/* the one that fails, or 0 */

#define FAILS	(++calls == failing_call)
#define calloc(count, size) (FAILS ? NULL : calloc(count, size))
#define EVP_CIPHER_CTX_new() (FAILS ? NULL : EVP_CIPHER_CTX_new())
#define EVP_CIPHER_CTX_set_padding(ctx, pad) (FAILS ? 0 : EVP_CIPHER_CTX_set_padding(ctx, pad))
#define EVP_EncryptInit_ex(ctx, cipher, impl, key, iv) \
	(FAILS ? 0 : EVP_EncryptInit_ex(ctx, cipher, impl, key, iv))
#define EVP_EncryptUpdate(ctx, out, len, in, in_len) \
	(FAILS ? 0 : EVP_EncryptUpdate(ctx, out, len, in, in_len))

#define PERMUTATION_NO_INT128
#define power permutation_power
#define set permutation_set_any
#include "../../src/core/permutation.c"
#undef power
#undef set
#undef calloc

#define CHUNK	1000			/* codes at once, to cross the borders of sub-blocks */

static const uint8_t key[32] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F
};
static const uint8_t tweak[] = "coderring";
#define TWEAK_LEN	(sizeof(tweak) - 1)

static const uint8_t other_key[32] = "another key";

static Permutation *perm;

static uint64_t
power(uint64_t base, uint32_t exponent)
{
	uint64_t	product = 1;

	while (exponent-- > 0)
		product *= base;
	return product;
}

static bool
set(uint32_t radix, uint32_t length)
{
	return permutation_set(perm, key, sizeof(key), radix, length, tweak, TWEAK_LEN);
}

/* All of 24 orders are about as frequent: 48,000 tweaks, chi-square with 23 df. */
static void
test_shuffle_uniform(void)
{
	int			counts[256] = {0};
	int			orders = 0;
	double		chi = 0;

	for (uint32_t i = 0; i < 48000; i++)
	{
		uint8_t		cycle[2] = {(uint8_t) (i >> 8), (uint8_t) i};
		uint64_t	n[4];

		if (!permutation_set(perm, key, sizeof(key), 2, 2, cycle, sizeof(cycle)) ||
			!permutation_forward(perm, 0, 4, n))
			abort();
		counts[n[0] << 6 | n[1] << 4 | n[2] << 2 | n[3]]++;
	}
	for (int i = 0; i < 256; i++)
		if (counts[i] > 0)
		{
			orders++;
			chi += (counts[i] - 2000.0) * (counts[i] - 2000.0) / 2000.0;
		}
	/* 66.7 is exceeded once in 250,000 */
	ok(orders == 24 && chi < 66.7, "all 24 orders of 4 codes alike: chi-square %.1f", chi);
}

/* Every offset of a domain: bijective, inverted, the same in any partition into blocks. */
static void
test_whole_domain(uint32_t radix, uint32_t length)
{
	uint64_t	domain = power(radix, length);
	uint8_t    *seen = calloc((size_t) domain, 1);
	uint64_t	numbers[CHUNK];
	uint64_t	distinct = 0;
	uint64_t	at_home = 0;
	bool		inverse = true;

	if (seen == NULL || !set(radix, length))
		abort();
	for (uint64_t first = 0; first < domain; first += CHUNK)
	{
		size_t		count = domain - first < CHUNK ? (size_t) (domain - first) : CHUNK;

		if (!permutation_forward(perm, first, count, numbers))
			break;
		for (size_t i = 0; i < count; i++)
		{
			uint64_t	offset = domain;

			if (numbers[i] < domain && !seen[numbers[i]])
			{
				seen[numbers[i]] = 1;
				distinct++;
			}
			at_home += numbers[i] == first + i;
			inverse = inverse && permutation_inverse(perm, numbers[i], &offset) && offset == first + i;
		}
	}
	free(seen);
	ok(distinct == domain, "%u^%u: every code exactly once", (unsigned) radix, (unsigned) length);
	ok(inverse, "%u^%u: the inverse of every code", (unsigned) radix, (unsigned) length);
	/* fixed points of a random order are Poisson distributed with mean 1 */
	if (domain > 30)
		ok(at_home < 10, "%u^%u: %d codes at their own place", (unsigned) radix, (unsigned) length, (int) at_home);
}

/* Other keys, tweaks and shapes: at most a few of the first 200 codes in the same place. */
static void
test_differences(void)
{
	static const uint32_t domains[][2] = {{32, 2}, {32, 3}, {32, 4}};
	uint8_t		changed_key[32];
	uint64_t	base[200];

	for (size_t d = 0; d < 3; d++)
	{
		uint32_t	radix = domains[d][0];
		uint32_t	length = domains[d][1];
		uint64_t	last[200];
		bool		good = set(radix, length) && permutation_forward(perm, 0, 200, base);

		memcpy(last, base, sizeof(last));
		for (int i = 0; i < 600; i++)
		{
			uint8_t		cycle[8] = {0};
			uint64_t	numbers[200];
			int			same = 0;

			memcpy(changed_key, key, sizeof(key));
			cycle[6] = (uint8_t) (i >> 8);
			cycle[7] = (uint8_t) i;
			if (i < 256)
			{
				/* one bit of the key */
				changed_key[i / 8] ^= (uint8_t) (1 << i % 8);
				good = good && permutation_set(perm, changed_key, 32, radix, length, tweak, TWEAK_LEN);
			}
			else if (i < 264)
				/* a prefix of the tweak */
				good = good && permutation_set(perm, key, 32, radix, length, tweak, (size_t) i - 256);
			else if (i < 300)
				/* trailing zeros */
				good = good && permutation_set(perm, key, 32, radix, length, (const uint8_t[64]) {0}, (size_t) i - 263);
			else
				/* one cycle after another */
				good = good && permutation_set(perm, key, 32, radix, length, cycle, sizeof(cycle));
			good = good && permutation_forward(perm, 0, 200, numbers);
			for (int k = 0; k < 200; k++)
				same += (numbers[k] == base[k]) + (numbers[k] == last[k]);
			good = good && same < 12;
			memcpy(last, numbers, sizeof(last));
		}
		ok(good, "%u^%u: each bit of the key, each tweak, each cycle has its own order",
		   (unsigned) radix, (unsigned) length);
	}

	{
		uint64_t	a[200],
					b[200];
		int			same = 0;

		ok(permutation_set(perm, key, 16, 32, 4, tweak, TWEAK_LEN) && permutation_forward(perm, 0, 200, a) &&
		   permutation_set(perm, key, 24, 32, 4, tweak, TWEAK_LEN) && permutation_forward(perm, 0, 200, b) &&
		   set(32, 4) && permutation_forward(perm, 0, 200, base) && memcmp(a, b, sizeof(a)) != 0 &&
		   memcmp(a, base, sizeof(a)) != 0, "a part of a key is another key");
		ok(set(4, 6) && permutation_forward(perm, 0, 200, a) && set(64, 2) && permutation_forward(perm, 0, 200, b) &&
		   memcmp(a, b, sizeof(a)) != 0, "as many codes of another shape: another shuffle");
		if (!permutation_set_ff1(perm, key, 32, 32, 3, tweak, TWEAK_LEN) ||
			!permutation_forward(perm, 0, 200, a) || !set(32, 3) || !permutation_forward(perm, 0, 200, b))
			abort();
		for (int i = 0; i < 200; i++)
			same += a[i] == b[i];
		ok(same < 8, "more rounds: another order from the first round on");
		ok(permutation_set_ff1(perm, key, 32, 10, 10, tweak, TWEAK_LEN) && permutation_forward(perm, 0, 200, a) &&
		   set(10, 10) && permutation_forward(perm, 0, 200, b) && memcmp(a, b, sizeof(a)) == 0,
		   "from a million codes up, permutation_set is FF1");
	}
}

/* A refused permutation_set leaves nothing usable behind, and the next one works. */
static void
test_arguments(void)
{
	static const uint8_t many[PERMUTATION_MAX_TWEAK + 1] = {0};
	const struct
	{
		const uint8_t *key;
		size_t		key_len;
		uint32_t	radix,
					length;
		const uint8_t *tweak;
		size_t		tweak_len;
		const char *name;
	}			bad[] = {
		{NULL, 32, 32, 4, tweak, TWEAK_LEN, "no key"},
		{key, 0, 32, 4, tweak, TWEAK_LEN, "an empty key"},
		{key, 31, 32, 4, tweak, TWEAK_LEN, "a short key"},
		{many, 33, 32, 4, tweak, TWEAK_LEN, "a long key"},
		{key, 32, 0, 4, tweak, TWEAK_LEN, "radix 0"},
		{key, 32, 1, 4, tweak, TWEAK_LEN, "radix 1"},
		{key, 32, 65537, 4, tweak, TWEAK_LEN, "radix 65537"},
		{key, 32, 32, 0, tweak, TWEAK_LEN, "length 0"},
		{key, 32, 32, 13, tweak, TWEAK_LEN, "2^65 codes"},
		{key, 32, 2, 61, tweak, TWEAK_LEN, "2^61 codes"},
		{key, 32, 2, 64, tweak, TWEAK_LEN, "2^64 codes"},
		{key, 32, 2, UINT32_MAX, tweak, TWEAK_LEN, "far too many codes"},
		{key, 32, 4097, 1, tweak, TWEAK_LEN, "a network over one digit"},
		{key, 32, 32, 4, NULL, 1, "no tweak"},
		{key, 32, 32, 4, many, PERMUTATION_MAX_TWEAK + 1, "a long tweak"},
	};
	uint64_t	one[1] = {7};
	uint64_t	a = 0,
				b = 0;
	Permutation *fresh = permutation_create();

	ok(fresh != NULL && !permutation_forward(fresh, 0, 1, one) && !permutation_forward(fresh, 0, 0, NULL) &&
	   !permutation_inverse(fresh, 0, one) && !permutation_ff1_halves(fresh, true, &a, &b),
	   "nothing works before permutation_set");
	permutation_destroy(fresh);
	permutation_destroy(NULL);
	ok(!permutation_set(NULL, key, 32, 32, 4, NULL, 0) && !permutation_forward(NULL, 0, 1, one) &&
	   !permutation_inverse(NULL, 0, one) && !permutation_ff1_halves(NULL, true, &a, &b),
	   "NULL is no permutation");

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(set(32, 4) &&
		   !permutation_set(perm, bad[i].key, bad[i].key_len, bad[i].radix, bad[i].length,
							bad[i].tweak, bad[i].tweak_len) &&
		   !permutation_forward(perm, 0, 1, one) && !permutation_inverse(perm, 0, one) &&
		   !permutation_ff1_halves(perm, true, &a, &b) && one[0] == 7,
		   "refused: %s", bad[i].name);
	ok(!permutation_set_ff1(perm, key, 32, 32, 1, NULL, 0) &&
	   !permutation_set_ff1(perm, key, 32, 2, 128, NULL, 0) &&
	   permutation_set_ff1(perm, key, 32, 2, 126, NULL, 0) &&
	   permutation_set_ff1(perm, key, 32, 2, 2, NULL, 0), "limits of permutation_set_ff1");
	ok(permutation_set(perm, key, 32, 2, 60, many, PERMUTATION_MAX_TWEAK) &&
	   permutation_set(perm, key, 32, 4096, 1, NULL, 0) && permutation_set(perm, key, 32, 65536, 2, NULL, 0),
	   "limits of permutation_set");

	for (uint32_t length = 1; length <= 4; length++)
	{
		uint64_t	domain = power(32, length);

		ok(set(32, length) && permutation_forward(perm, domain, 0, NULL) &&
		   permutation_forward(perm, domain - 1, 1, one) &&
		   !permutation_forward(perm, domain + 1, 0, NULL) && !permutation_forward(perm, domain, 1, one) &&
		   !permutation_forward(perm, domain - 1, 2, one) && !permutation_forward(perm, UINT64_MAX, 2, one) &&
		   !permutation_forward(perm, 1, SIZE_MAX, one) && !permutation_inverse(perm, domain, one) &&
		   !permutation_inverse(perm, UINT64_MAX, one), "32^%u: offsets and numbers beyond", (unsigned) length);
	}
	a = 1024;
	ok(set(32, 4) && !permutation_ff1_halves(perm, true, &a, &b) && !permutation_ff1_halves(perm, true, &b, &a) &&
	   set(32, 2) && !permutation_ff1_halves(perm, true, &b, &b), "halves that are none");
	ok(permutation_set_ff1(perm, key, 32, 36, 19, NULL, 0) && !permutation_forward(perm, 0, 1, one) &&
	   !permutation_inverse(perm, 0, one), "above 2^64 codes there are only halves");
	a = b = UINT64_MAX / 2;
	ok(permutation_set_ff1(perm, key, 32, 2, 126, NULL, 0) && permutation_ff1_halves(perm, true, &a, &b) &&
	   permutation_ff1_halves(perm, false, &a, &b) && a == UINT64_MAX / 2 && b == a, "halves of 63 bits");
}

/* Numbers of 96 bits by small and by the largest divisors. */
static void
test_modulo(void)
{
	uint64_t	state = 6;
	bool		small = true;
	bool		large = true;

	for (int i = 0; i < 20000; i++)
	{
		uint32_t	high = (uint32_t) next_random(&state) >> i % 32;
		uint64_t	low = next_random(&state) >> i % 64;
		uint64_t	modulus = (uint64_t) i % 500 + 2;
		uint64_t	two_64 = (UINT64_MAX % modulus + 1) % modulus;

		small = small && modulo_96(high, low, modulus) == (high * two_64 + low % modulus) % modulus;
		/* 2^64 is 1 more than UINT64_MAX */
		large = large && modulo_96(high, low, UINT64_MAX) == add_modulo(low % UINT64_MAX, high, UINT64_MAX);
	}
	ok(small && modulo_96(1, 0, 2) == 0 && modulo_96(UINT32_MAX, UINT64_MAX, 3) == 0,
	   "96 bits modulo small numbers");
	ok(large && modulo_96(0, UINT64_MAX, UINT64_MAX) == 0 && modulo_96(1, 0, UINT64_MAX - 1) == 2,
	   "96 bits modulo large numbers");
}

/*
 * Each call of the library fails in turn, once: permutation_set and the rest
 * must say so, not be half set, and work again at the next attempt.
 */
static void
test_failures(void)
{
	static const uint32_t domains[][2] = {{32, 1}, {32, 2}, {17, 3}, {32, 3}, {32, 4}};
	uint64_t	expected[CHUNK];
	uint64_t	numbers[CHUNK];
	uint64_t	before[CHUNK];	/* of another key */
	uint64_t	offset;
	int			creations = 0;
	bool		good = true;

	for (failing_call = 1;; failing_call++)
	{
		Permutation *fresh;

		calls = 0;
		fresh = permutation_create();
		permutation_destroy(fresh);
		if (calls < failing_call)
			break;
		creations++;
		good = good && fresh == NULL;
	}
	ok(good && creations == 3, "permutation_create: %d calls that can fail", creations);

	for (size_t d = 0; d < sizeof(domains) / sizeof(domains[0]); d++)
	{
		size_t		count = power(domains[d][0], domains[d][1]) < CHUNK ? 32 : CHUNK;
		int			set_calls = 0;
		int			forward_calls = 0;

		good = true;
		failing_call = 0;
		if (!set(domains[d][0], domains[d][1]) || !permutation_forward(perm, 0, count, expected))
			abort();
		for (failing_call = 1;; failing_call++)
		{
			bool		is_set;

			/* another key, so that everything has to be made again */
			calls = -1000000;
			if (!permutation_set(perm, other_key, 32, 10, 4, NULL, 0) ||
				!permutation_forward(perm, 0, CHUNK, before))
				abort();
			calls = 0;
			is_set = set(domains[d][0], domains[d][1]);
			if (calls < failing_call)
				break;
			set_calls++;
			good = good && !is_set && !permutation_forward(perm, 0, 1, numbers) &&
				!permutation_inverse(perm, 0, &offset) &&
				permutation_set(perm, other_key, 32, 10, 4, NULL, 0) &&
				permutation_forward(perm, 0, CHUNK, numbers) &&
				memcmp(numbers, before, sizeof(before)) == 0 &&
				set(domains[d][0], domains[d][1]) &&
				permutation_forward(perm, 0, count, numbers) &&
				memcmp(numbers, expected, count * sizeof(numbers[0])) == 0;
		}
		ok(good && set_calls >= 3, "%u^%u: each of %d calls of permutation_set fails",
		   (unsigned) domains[d][0], (unsigned) domains[d][1], set_calls);

		good = true;
		for (failing_call = 1;; failing_call++)
		{
			bool		done;

			calls = 0;
			done = permutation_forward(perm, 0, count, numbers);
			if (calls < failing_call)
				break;
			forward_calls++;
			calls = -1000000;
			good = good && !done && permutation_forward(perm, 0, count, numbers) &&
				memcmp(numbers, expected, count * sizeof(numbers[0])) == 0;
			calls = failing_call - 1;	/* the very next call fails */
			good = good && (domains[d][1] < 3 || !permutation_inverse(perm, 0, &offset));
		}
		ok(good && (forward_calls > 0) == (domains[d][1] > 2), "%u^%u: each of %d calls of permutation_forward fails",
		   (unsigned) domains[d][0], (unsigned) domains[d][1], forward_calls);
	}
	failing_call = 0;
}

int
main(void)
{
	static const uint32_t whole[][2] = {
		{2, 1}, {2, 2}, {2, 5}, {2, 12}, {3, 1}, {10, 1}, {32, 1}, {64, 1}, {32, 2}, {10, 3}, {64, 2}, {4096, 1},
		{2, 13}, {17, 3}, {3, 8}, {70, 2}, {25, 3}, {2, 14}, {10, 5}, {32, 3}, {64, 3}, {999, 2},
		{10, 6}, {32, 4}, {2, 20}, {1000, 2},
	};

	perm = permutation_create();
	if (perm == NULL)
		abort();
	test_shuffle_uniform();
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		test_whole_domain(whole[i][0], whole[i][1]);
	test_differences();
	test_arguments();
	test_modulo();
	test_failures();
	permutation_destroy(perm);
	return done_testing();
}
