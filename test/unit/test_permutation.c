/*
 * test_permutation.c
 *		Unit tests of src/core/permutation.c: the published FF1 samples, a second and
 *		plain implementation to compare with, large domains, pinned orders.
 *
 * Built twice, once for the arithmetic of compilers without a 128-bit type.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "core/permutation.h"
#include "tap.h"

#define CHUNK	1000			/* codes at once, to cross the borders of sub-blocks */

static const uint8_t key[32] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F
};
static const uint8_t tweak[] = "coderring";
#define TWEAK_LEN	(sizeof(tweak) - 1)

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

/*
 * The nine samples that NIST publishes with SP 800-38G ("FF1samples").
 */
static void
test_samples(void)
{
	static const uint8_t sample_key[32] = {
		0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C,
		0xEF, 0x43, 0x59, 0xD8, 0xD5, 0x80, 0xAA, 0x4F, 0x7F, 0x03, 0x6D, 0x6F, 0x04, 0xFC, 0x6A, 0x94
	};
	static const struct
	{
		size_t		key_len;
		uint32_t	radix;
		const char *tweak;
		const char *plain;
		const char *cipher;
	}			samples[] = {
		{16, 10, "", "0123456789", "2433477484"},
		{16, 10, "9876543210", "0123456789", "6124200773"},
		{16, 36, "7777pqrs777", "0123456789abcdefghi", "a9tv40mll9kdu509eum"},
		{24, 10, "", "0123456789", "2830668132"},
		{24, 10, "9876543210", "0123456789", "2496655549"},
		{24, 36, "7777pqrs777", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"},
		{32, 10, "", "0123456789", "6657667009"},
		{32, 10, "9876543210", "0123456789", "1001623463"},
		{32, 36, "7777pqrs777", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		uint32_t	n = (uint32_t) strlen(samples[i].plain);
		uint32_t	radix = samples[i].radix;
		uint64_t	half[2][2] = {{0, 0}, {0, 0}};	/* plain, cipher */
		uint64_t	a,
					b;
		bool		is_set;

		for (uint32_t place = 0; place < n; place++)
		{
			static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
			int			side = place >= n / 2;

			half[0][side] = half[0][side] * radix +
				(uint64_t) (strchr(digits, samples[i].plain[place]) - digits);
			half[1][side] = half[1][side] * radix +
				(uint64_t) (strchr(digits, samples[i].cipher[place]) - digits);
		}
		is_set = permutation_set_ff1(perm, sample_key, samples[i].key_len, radix, n,
									 (const uint8_t *) samples[i].tweak, strlen(samples[i].tweak));
		a = half[0][0];
		b = half[0][1];
		ok(is_set && permutation_ff1_halves(perm, true, &a, &b) && a == half[1][0] && b == half[1][1],
		   "FF1 sample %zu, encrypt", i + 1);
		a = half[1][0];
		b = half[1][1];
		ok(is_set && permutation_ff1_halves(perm, false, &a, &b) && a == half[0][0] && b == half[0][1],
		   "FF1 sample %zu, decrypt", i + 1);
		if (radix == 10)
		{
			uint64_t	number = 0;
			uint64_t	offset = 0;

			ok(permutation_set(perm, sample_key, samples[i].key_len, radix, n,
							   (const uint8_t *) samples[i].tweak, strlen(samples[i].tweak)) &&
			   permutation_forward(perm, 123456789, 1, &number) &&
			   number == strtoull(samples[i].cipher, NULL, 10) &&
			   permutation_inverse(perm, number, &offset) && offset == 123456789,
			   "FF1 sample %zu, as a code of a ring", i + 1);
		}
	}
}

/* AES-256 of whole blocks by any mode, zero IV unless given, for the references. */
static void
aes(const EVP_CIPHER *cipher, const uint8_t *iv, const uint8_t *in, uint8_t *out, int len)
{
	static const uint8_t zero[16];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int			done;

	if (ctx == NULL || EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv != NULL ? iv : zero) != 1 ||
		EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 ||
		EVP_EncryptUpdate(ctx, out, &done, in, len) != 1 || done != len)
		abort();
	EVP_CIPHER_CTX_free(ctx);
}

/*
 * SP 800-38G, algorithm 7, line by line on strings of numerals, with any
 * number of rounds; nothing is shared with src/core/permutation.c.  Both halves are
 * given and returned as numbers, below 2^63.
 */
static void
reference_ff1(uint32_t radix, uint32_t n, const uint8_t *t, size_t t_len, int rounds,
			  uint64_t *first, uint64_t *last)
{
	uint32_t	u = n / 2;
	uint32_t	v = n - u;
	int			b = (int) ceil(ceil(v * log2(radix)) / 8);
	int			d = 4 * (int) ceil(b / 4.0) + 4;
	uint8_t		digits[3 * 64];	/* A, then B */
	uint8_t	   *A = digits,
			   *B = digits + u;
	uint8_t		pq[512],
				mac[512];
	size_t		q_len = (t_len + 1 + (size_t) b + 15) / 16 * 16;
	uint32_t	a_len = u,
				b_len = v;

	for (uint32_t i = n; i-- > u; *last /= radix)
		digits[i] = (uint8_t) (*last % radix);
	for (uint32_t i = u; i-- > 0; *first /= radix)
		digits[i] = (uint8_t) (*first % radix);
	for (int i = 0; i < rounds; i++)
	{
		uint32_t	m = i % 2 == 0 ? u : v;
		uint64_t	modulus = power(radix, m);
		uint64_t	c = 0,
					num_b = 0,
					y = 0;
		uint8_t		C[64];

		memset(pq, 0, sizeof(pq));
		pq[0] = 1;
		pq[1] = 2;
		pq[2] = 1;
		pq[5] = (uint8_t) radix;
		pq[6] = (uint8_t) rounds;
		pq[7] = (uint8_t) u;
		pq[11] = (uint8_t) n;
		pq[15] = (uint8_t) t_len;
		memcpy(pq + 16, t, t_len);
		pq[16 + q_len - 1 - (size_t) b] = (uint8_t) i;
		for (uint32_t k = 0; k < b_len; k++)
			num_b = num_b * radix + B[k];
		for (int k = 0; k < b; k++, num_b >>= 8)
			pq[16 + q_len - 1 - (size_t) k] = (uint8_t) num_b;
		aes(EVP_aes_256_cbc(), NULL, pq, mac, (int) (16 + q_len));
		for (int bit = 0; bit < 8 * d; bit++)
			y = (2 * y + ((mac[q_len + (size_t) bit / 8] >> (7 - bit % 8)) & 1)) % modulus;
		for (uint32_t k = 0; k < a_len; k++)
			c = c * radix + A[k];
		c = (c + y) % modulus;
		for (uint32_t k = m; k-- > 0; c /= radix)
			C[k] = (uint8_t) (c % radix);
		memmove(digits, B, b_len);
		memcpy(digits + b_len, C, m);
		A = digits;
		B = digits + b_len;
		a_len = b_len;
		b_len = m;
	}
	for (uint32_t i = 0; i < u; i++)
		*first = *first * radix + digits[i];
	for (uint32_t i = u; i < n; i++)
		*last = *last * radix + digits[i];
}

static void
test_reference(void)
{
	static const struct
	{
		uint32_t	radix,
					length;
		int			rounds;
	}			cases[] = {
		{17, 3, 30}, {2, 13, 30}, {25, 3, 30}, {2, 14, 24}, {10, 5, 24}, {32, 3, 24}, {64, 3, 24},
		{99, 3, 24}, {10, 6, 10}, {2, 20, 10}, {3, 13, 10}, {32, 4, 10}, {32, 5, 10}, {31, 12, 10},
		{32, 12, 10}, {64, 10, 10}, {41, 11, 10}, {43, 11, 10}, {2, 60, 10}, {60, 9, 10}, {10, 18, 10},
		{100, 9, 10},
	};
	uint8_t		long_tweak[PERMUTATION_MAX_TWEAK];
	uint64_t	state = 3;

	for (size_t i = 0; i < sizeof(long_tweak); i++)
		long_tweak[i] = (uint8_t) (7 * i + 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		uint64_t	domain = power(cases[i].radix, cases[i].length);
		bool		good = true;

		for (size_t t_len = 0; t_len <= sizeof(long_tweak); t_len += i == 0 ? 1 : 1 + i)
		{
			uint64_t	offset = next_random(&state) % domain;
			uint64_t	low = power(cases[i].radix, cases[i].length - cases[i].length / 2);
			uint64_t	a = offset / low;
			uint64_t	b = offset % low;
			uint64_t	expected;
			uint64_t	number = domain;
			uint64_t	back = domain;

			reference_ff1(cases[i].radix, cases[i].length, long_tweak, t_len, cases[i].rounds, &a, &b);
			expected = a * low + b;
			good = good && permutation_set(perm, key, sizeof(key), cases[i].radix, cases[i].length,
										   long_tweak, t_len) &&
				permutation_forward(perm, offset, 1, &number) && number == expected &&
				permutation_inverse(perm, number, &back) && back == offset;
		}
		ok(good, "%u^%u is FF1 with %d rounds, as the plain reference computes it",
		   (unsigned) cases[i].radix, (unsigned) cases[i].length, cases[i].rounds);
	}
}

/* Halves of 5 to 8 bytes, which no ring has: the rest of FF1's arithmetic. */
static void
test_reference_halves(void)
{
	static const uint32_t cases[][2] = {
		{2, 66}, {2, 79}, {2, 81}, {2, 112}, {2, 113}, {2, 126}, {8, 42}, {64, 20}, {64, 19},
		{10, 20}, {10, 30}, {10, 36}, {10, 35}, {99, 18}, {3, 78},
	};
	uint8_t		long_tweak[PERMUTATION_MAX_TWEAK];
	uint64_t	state = 4;

	for (size_t i = 0; i < sizeof(long_tweak); i++)
		long_tweak[i] = (uint8_t) (5 * i + 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		uint32_t	radix = cases[i][0];
		uint32_t	n = cases[i][1];
		bool		good = true;

		for (size_t t_len = 0; t_len <= 40; t_len++)
		{
			const uint64_t start[2] = {next_random(&state) % power(radix, n / 2),
			next_random(&state) % power(radix, n - n / 2)};
			uint64_t	a = start[0],
						b = start[1],
						expected_a = a,
						expected_b = b;

			reference_ff1(radix, n, long_tweak, t_len, 10, &expected_a, &expected_b);
			good = good && permutation_set_ff1(perm, key, sizeof(key), radix, n, long_tweak, t_len) &&
				permutation_ff1_halves(perm, true, &a, &b) && a == expected_a && b == expected_b &&
				permutation_ff1_halves(perm, false, &a, &b) && a == start[0] && b == start[1];
		}
		ok(good, "%u^%u is FF1, as the plain reference computes its halves", (unsigned) radix, (unsigned) n);
	}
}

/* The shuffle, with OpenSSL's own CBC and CTR modes. */
static void
test_reference_shuffle(void)
{
	static const uint32_t cases[][2] = {{2, 1}, {2, 2}, {3, 1}, {10, 1}, {32, 1}, {64, 1}, {10, 2},
		{32, 2}, {10, 3}, {15, 3}, {16, 3}, {64, 2}, {4096, 1}, {2, 12}};
	static uint8_t stream[32768];
	static const uint8_t zeros[sizeof(stream)];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		uint32_t	codes = (uint32_t) power(cases[i][0], cases[i][1]);
		uint32_t	table[4096];
		uint64_t	numbers[4096];
		bool		good = true;

		for (size_t t_len = 0; t_len <= TWEAK_LEN + 32; t_len += 3)
		{
			uint8_t		input[16 + 48] = {0x53};
			uint8_t		mac[16 + 48];
			size_t		len = 16 + (t_len + 15) / 16 * 16;
			const uint8_t *at = stream;

			for (int k = 0; k < 4; k++)
			{
				input[4 + k] = (uint8_t) (cases[i][0] >> (24 - 8 * k));
				input[8 + k] = (uint8_t) (cases[i][1] >> (24 - 8 * k));
			}
			input[15] = (uint8_t) t_len;
			for (size_t k = 0; k < t_len; k++)
				input[16 + k] = (uint8_t) (k + 1);
			aes(EVP_aes_256_cbc(), NULL, input, mac, (int) len);
			aes(EVP_aes_256_ctr(), mac + len - 16, zeros, stream, (int) sizeof(stream));

			for (uint32_t k = 0; k < codes; k++)
				table[k] = k;
			for (uint32_t left = codes; left > 1; left--)
			{
				uint32_t	draw,
							swap;

				do
				{
					draw = (uint32_t) at[0] * 256 + at[1];
					at += 2;
				} while (draw / left == 65536 / left && 65536 % left != 0);
				swap = table[draw % left];
				table[draw % left] = table[left - 1];
				table[left - 1] = swap;
			}
			good = good && permutation_set(perm, key, sizeof(key), cases[i][0], cases[i][1], input + 16, t_len) &&
				permutation_forward(perm, 0, codes, numbers);
			for (uint32_t k = 0; good && k < codes; k++)
				good = numbers[k] == table[k];
		}
		ok(good, "%u^%u is the shuffle, as the plain reference makes it",
		   (unsigned) cases[i][0], (unsigned) cases[i][1]);
	}
}

/* Large domains at random places, at both ends, and in blocks against one by one. */
static void
test_large_domain(uint32_t radix, uint32_t length)
{
	uint64_t	domain = power(radix, length);
	uint64_t	state = radix * 100 + length;
	uint64_t	numbers[CHUNK];
	bool		good = set(radix, length);
	bool		same = true;

	for (int i = 0; i < 2000; i++)
	{
		uint64_t	offset = i == 0 ? 0 : i == 1 ? domain - 1 : next_random(&state) % domain;
		uint64_t	number = domain;
		uint64_t	back = domain;

		good = good && permutation_forward(perm, offset, 1, &number) && number < domain &&
			permutation_inverse(perm, number, &back) && back == offset &&
			permutation_inverse(perm, offset, &back) && permutation_forward(perm, back, 1, &number) &&
			number == offset;
	}
	ok(good, "%u^%u: forward and inverse at 2000 places", (unsigned) radix, (unsigned) length);

	for (int i = 0; i < 20; i++)
	{
		size_t		count = (size_t) (next_random(&state) % CHUNK) + 1;
		uint64_t	first;
		size_t		kinds[] = {1, 2, 255, 256, 257, 512, 513};

		if (i < 7)
			count = kinds[i];
		if (count > domain)
			continue;
		first = i % 2 == 0 ? domain - count : next_random(&state) % (domain - count + 1);
		same = same && permutation_forward(perm, first, count, numbers);
		for (size_t k = 0; same && k < count; k++)
		{
			uint64_t	one;

			same = permutation_forward(perm, first + k, 1, &one) && one == numbers[k];
		}
	}
	ok(same, "%u^%u: blocks are the same as one by one", (unsigned) radix, (unsigned) length);
}

/*
 * The orders of this version, for ever: rings live on them.  A hash (FNV-1a,
 * 64 bits) over the first 4,096 numbers, and the first three to look at.
 */
static void
test_pinned(void)
{
	static const struct
	{
		uint32_t	radix,
					length;
		uint64_t	first[3];
		uint64_t	hash;
	}			pins[] = {
		{32, 1, {14, 27, 13}, UINT64_C(0xD01A6C3F0D2AB125)},
		{10, 3, {994, 560, 359}, UINT64_C(0x718CA65FFCC1D755)},
		{32, 2, {377, 479, 704}, UINT64_C(0xE3A200ECE7B25EB9)},
		{64, 2, {1806, 2013, 1410}, UINT64_C(0x48701E7D64BD3FED)},
		{17, 3, {2516, 3478, 459}, UINT64_C(0x3B387D8CE5D92580)},
		{2, 13, {6858, 2278, 237}, UINT64_C(0xEA5DF772CDB4362D)},
		{10, 5, {92869, 15045, 20607}, UINT64_C(0xF857EAE750153237)},
		{32, 3, {13176, 3363, 30564}, UINT64_C(0xD2A58410CDBFDE11)},
		{10, 6, {374411, 624821, 711793}, UINT64_C(0x1C951F2419BBE398)},
		{32, 4, {637425, 725194, 24047}, UINT64_C(0xAFFB180E074FC8DE)},
		{32, 5, {27968617, 18917681, 20416043}, UINT64_C(0xBF73CCC157343484)},
		{43, 11, {669859158711502503, 26471993309312577, 828318136674883918}, UINT64_C(0xFD8BC1667BD413A7)},
		{64, 10, {406827561548722629, 27409200935847961, 1133076498537739982}, UINT64_C(0x9731123B4D63783C)},
	};

	for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++)
	{
		uint64_t	domain = power(pins[i].radix, pins[i].length);
		size_t		count = domain < 4096 ? (size_t) domain : 4096;
		uint64_t	numbers[4096];
		uint64_t	hash = UINT64_C(0xCBF29CE484222325);

		if (!set(pins[i].radix, pins[i].length) || !permutation_forward(perm, 0, count, numbers))
			abort();
		for (size_t k = 0; k < count; k++)
			for (int byte = 56; byte >= 0; byte -= 8)
				hash = (hash ^ ((numbers[k] >> byte) & 0xFF)) * UINT64_C(0x100000001B3);
		if (!ok(memcmp(numbers, pins[i].first, sizeof(pins[i].first)) == 0 && hash == pins[i].hash,
				"%u^%u: the order is the one it has always been",
				(unsigned) pins[i].radix, (unsigned) pins[i].length))
			printf("# {%u, %u, {%" PRIu64 ", %" PRIu64 ", %" PRIu64 "}, UINT64_C(0x%016" PRIX64 ")},\n",
				   (unsigned) pins[i].radix, (unsigned) pins[i].length,
				   numbers[0], numbers[1], numbers[2], hash);
	}
}

int
main(void)
{
	static const uint32_t large[][2] = {
		{32, 2}, {17, 3}, {32, 3}, {32, 4}, {33, 4}, {32, 8}, {64, 10}, {2, 21}, {2, 59}, {2, 60}, {10, 12}, {10, 18},
		{32, 12}, {31, 12}, {41, 11}, {42, 11}, {43, 11}, {63, 10}, {65536, 2}, {65535, 3},
	};

	perm = permutation_create();
	if (perm == NULL)
		abort();
	test_samples();
	test_reference();
	test_reference_halves();
	test_reference_shuffle();
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++)
		test_large_domain(large[i][0], large[i][1]);
	test_pinned();
	permutation_destroy(perm);
	return done_testing();
}
