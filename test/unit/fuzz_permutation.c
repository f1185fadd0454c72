/*
 * fuzz_permutation.c
 *		libFuzzer on permutation.c: every order against FF1 as the standard writes it
 *		down, or against a shuffle drawn from OpenSSL's own AES-CTR; forward and
 *		inverse; what is out of range is refused.
 *
 * The reference works on strings of numerals and with CBC and CTR of OpenSSL; it
 * shares nothing with what it tests.
 */
#include <openssl/evp.h>

#include "fuzz.h"
#include "core/permutation.h"

#define MAX_DIGITS	128
#define MAX_BLOCK	300			/* more than the network takes at once */

__extension__ typedef unsigned __int128 Wide;

typedef struct Case
{
	uint8_t		key[PERMUTATION_KEY_LEN];
	size_t		key_len;
	uint8_t		tweak[PERMUTATION_MAX_TWEAK];
	size_t		tweak_len;
	uint32_t	radix;
	uint32_t	length;
	int			rounds;
} Case;

/* len bytes, len a multiple of 16, under CBC with zeros as IV; the last block to mac. */
static void
cbc_mac(const Case *c, const uint8_t *bytes, size_t len, uint8_t *mac)
{
	static const uint8_t zeros[16];
	uint8_t		out[512];
	int			n;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = c->key_len == 16 ? EVP_aes_128_cbc() :
		c->key_len == 24 ? EVP_aes_192_cbc() : EVP_aes_256_cbc();

	MUST(len <= sizeof(out) && len % 16 == 0);
	MUST(EVP_EncryptInit_ex(ctx, cipher, NULL, c->key, zeros) == 1);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	MUST(EVP_EncryptUpdate(ctx, out, &n, bytes, (int) len) == 1 && n == (int) len);
	memcpy(mac, out + len - 16, 16);
	EVP_CIPHER_CTX_free(ctx);
}

static Wide
wide_power(uint64_t base, uint32_t exponent)
{
	Wide		result = 1;

	while (exponent-- > 0)
		result *= base;
	return result;
}

/* NUM_radix(X): SP 800-38G, algorithm 1 */
static Wide
num(const Case *c, const uint32_t *digits, uint32_t len)
{
	Wide		x = 0;

	for (uint32_t i = 0; i < len; i++)
		x = x * c->radix + digits[i];
	return x;
}

/* FF1.Encrypt, SP 800-38G, algorithm 7, in place */
static void
ff1_encrypt(const Case *c, uint32_t *x)
{
	uint32_t	n = c->length;
	uint32_t	u = n / 2;
	uint32_t	v = n - u;
	uint32_t	a[MAX_DIGITS];
	uint32_t	b[MAX_DIGITS];
	uint32_t	a_len = u;
	uint32_t	b_len = v;
	size_t		bytes = 0;
	size_t		d;
	uint8_t		p[16] = {1, 2, 1};

	memcpy(a, x, u * sizeof(uint32_t));
	memcpy(b, x + u, v * sizeof(uint32_t));
	for (Wide rest = wide_power(c->radix, v) - 1; rest > 0; rest /= 256)
		bytes++;				/* ceil(ceil(v log2(radix)) / 8) */
	d = 4 * ((bytes + 3) / 4) + 4;
	p[3] = (uint8_t) (c->radix >> 16);
	p[4] = (uint8_t) (c->radix >> 8);
	p[5] = (uint8_t) c->radix;
	p[6] = (uint8_t) c->rounds;
	p[7] = (uint8_t) (u % 256);
	for (int i = 0; i < 4; i++)
	{
		p[8 + i] = (uint8_t) (n >> (24 - 8 * i));
		p[12 + i] = (uint8_t) (c->tweak_len >> (24 - 8 * i));
	}
	for (int i = 0; i < c->rounds; i++)
	{
		uint8_t		pq[512] = {0};
		size_t		len = 16;
		uint8_t		r[16];
		uint32_t	m = i % 2 == 0 ? u : v;
		Wide		y = 0;
		Wide		sum;
		Wide		rest = num(c, b, b_len);

		memcpy(pq, p, 16);
		memcpy(pq + len, c->tweak, c->tweak_len);
		len += c->tweak_len;
		while ((len + 1 + bytes) % 16 != 0)
			len++;
		pq[len++] = (uint8_t) i;
		for (size_t k = bytes; k > 0; k--, rest /= 256)
			pq[len + k - 1] = (uint8_t) rest;
		cbc_mac(c, pq, len + bytes, r);
		MUST(d <= 16);
		for (size_t k = 0; k < d; k++)
			y = y * 256 + r[k];
		sum = (num(c, a, a_len) + y % wide_power(c->radix, m)) % wide_power(c->radix, m);
		memcpy(a, b, b_len * sizeof(uint32_t));
		a_len = b_len;
		b_len = m;
		for (uint32_t k = m; k > 0; k--, sum /= c->radix)
			b[k - 1] = (uint32_t) (sum % c->radix);
	}
	memcpy(x, a, a_len * sizeof(uint32_t));
	memcpy(x + a_len, b, b_len * sizeof(uint32_t));
}

static uint64_t
reference_number(const Case *c, uint64_t offset)
{
	uint32_t	x[MAX_DIGITS];

	for (uint32_t k = c->length; k > 0; k--, offset /= c->radix)
		x[k - 1] = (uint32_t) (offset % c->radix);
	ff1_encrypt(c, x);
	return (uint64_t) num(c, x, c->length);
}

/* The shuffle of `domain` numbers, from AES-CTR that starts where permutation.c says. */
static void
reference_shuffle(const Case *c, uint32_t domain, uint32_t *order)
{
	static const uint8_t zeros[65536];
	static uint8_t stream[65536];
	uint8_t		head[16 + PERMUTATION_MAX_TWEAK + 16] = {0x53};
	uint8_t		counter[16];
	size_t		at = 0;
	int			n;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = c->key_len == 16 ? EVP_aes_128_ctr() :
		c->key_len == 24 ? EVP_aes_192_ctr() : EVP_aes_256_ctr();

	for (int i = 0; i < 4; i++)
	{
		head[4 + i] = (uint8_t) (c->radix >> (24 - 8 * i));
		head[8 + i] = (uint8_t) (c->length >> (24 - 8 * i));
		head[12 + i] = (uint8_t) (c->tweak_len >> (24 - 8 * i));
	}
	memcpy(head + 16, c->tweak, c->tweak_len);
	cbc_mac(c, head, 16 + (c->tweak_len + 15) / 16 * 16, counter);
	MUST(EVP_EncryptInit_ex(ctx, cipher, NULL, c->key, counter) == 1);
	MUST(EVP_EncryptUpdate(ctx, stream, &n, zeros, sizeof(zeros)) == 1);
	EVP_CIPHER_CTX_free(ctx);

	for (uint32_t i = 0; i < domain; i++)
		order[i] = i;
	for (uint32_t i = domain; i > 1; i--)
	{
		uint32_t	draw;
		uint32_t	other;

		do
		{
			draw = stream[at] * 256u + stream[at + 1];
			at += 2;
		} while (draw / i == 65536 / i && 65536 % i != 0);	/* the last, shorter row of all draws */
		draw %= i;
		other = order[draw];
		order[draw] = order[i - 1];
		order[i - 1] = other;
	}
}

static void
test_shuffle(Permutation *perm, const Case *c, uint32_t domain)
{
	static uint32_t order[PERMUTATION_MAX_SHUFFLE];
	static uint64_t numbers[PERMUTATION_MAX_SHUFFLE];

	reference_shuffle(c, domain, order);
	MUST(permutation_forward(perm, 0, domain, numbers));
	for (uint32_t i = 0; i < domain; i++)
	{
		uint64_t	offset = UINT64_MAX;

		MUST(numbers[i] == order[i]);
		MUST(permutation_inverse(perm, numbers[i], &offset) && offset == i);
	}
}

static void
test_network(Permutation *perm, const Case *c, uint64_t domain, Input *input)
{
	uint64_t	numbers[MAX_BLOCK];
	size_t		count = take_between(input, 1, MAX_BLOCK);
	uint64_t	first;

	if (count > domain)
		count = domain;
	/* at the beginning, at the end, anywhere */
	first = take_byte(input) % 4;
	first = first == 0 ? 0 : first == 1 ? domain - count : take_between(input, 0, domain - count);
	MUST(permutation_forward(perm, first, count, numbers));
	for (size_t i = 0; i < count; i++)
	{
		uint64_t	offset = UINT64_MAX;
		uint64_t	alone;

		MUST(numbers[i] < domain);
		MUST(permutation_inverse(perm, numbers[i], &offset) && offset == first + i);
		if (i % 64 == 0 || i == count - 1)
		{
			MUST(permutation_forward(perm, first + i, 1, &alone) && alone == numbers[i]);
			MUST(numbers[i] == reference_number(c, first + i));
		}
	}
	/* the other way round: a number, its offset, the same number */
	first = take_between(input, 0, domain - 1);
	MUST(permutation_inverse(perm, first, &numbers[0]) && numbers[0] < domain);
	MUST(permutation_forward(perm, numbers[0], 1, &numbers[1]) && numbers[1] == first);
}

/* FF1 proper, also where the whole does not fit in 64 bits. */
static void
test_halves(Permutation *perm, Case *c, Input *input)
{
	uint32_t	x[MAX_DIGITS];
	uint32_t	u;
	uint64_t	a,
				b,
				a_was,
				b_was;

	c->length = (uint32_t) take_between(input, 2, MAX_DIGITS - 2);
	for (;; c->length--)
	{
		Wide		half = 1;

		for (uint32_t i = 0; i < (c->length + 1) / 2 && half >> 64 == 0; i++)
			half *= c->radix;
		if (half >> 64 == 0)
			break;
	}
	c->rounds = 10;
	u = c->length / 2;
	MUST(permutation_set_ff1(perm, c->key, c->key_len, c->radix, c->length, c->tweak, c->tweak_len));
	for (uint32_t i = 0; i < c->length; i++)
		x[i] = (uint32_t) take_number(input, 2) % c->radix;
	a = a_was = (uint64_t) num(c, x, u);
	b = b_was = (uint64_t) num(c, x + u, c->length - u);
	MUST(permutation_ff1_halves(perm, true, &a, &b));
	ff1_encrypt(c, x);
	MUST(a == (uint64_t) num(c, x, u) && b == (uint64_t) num(c, x + u, c->length - u));
	MUST(permutation_ff1_halves(perm, false, &a, &b) && a == a_was && b == b_was);
	a = (uint64_t) wide_power(c->radix, u);
	MUST(!permutation_ff1_halves(perm, true, &a, &b));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Permutation *perm = NULL;	/* goes from one order to the next, as in a server */
	Input		input = {data, size};
	Case		c = {0};
	uint64_t	numbers[2];
	Wide		domain;
	uint8_t		kind = take_byte(&input);

	if (perm == NULL)
		perm = permutation_create();
	MUST(perm != NULL);
	c.key_len = kind % 8 == 0 ? 16 : kind % 8 == 1 ? 24 : 32;
	for (size_t i = 0; i < 4; i++)
		c.key[i] = take_byte(&input);
	c.tweak_len = take_between(&input, 0, PERMUTATION_MAX_TWEAK);
	for (size_t i = 0; i < c.tweak_len; i++)
		c.tweak[i] = i < 9 ? take_byte(&input) : (uint8_t) i;
	c.radix = (uint32_t) (kind & 32 ? take_between(&input, 2, 65536) : take_between(&input, 2, 64));
	if (kind & 64)
	{
		test_halves(perm, &c, &input);
		return 0;
	}
	c.length = (uint32_t) take_between(&input, 1, kind & 128 ? 60 : 4);
	domain = 1;
	for (uint32_t i = 0; i < c.length && domain <= (UINT64_C(1) << 60); i++)
		domain *= c.radix;
	if (domain > (UINT64_C(1) << 60) || (c.length < 2 && domain > PERMUTATION_MAX_SHUFFLE))
	{
		MUST(!permutation_set(perm, c.key, c.key_len, c.radix, c.length, c.tweak, c.tweak_len));
		MUST(!permutation_forward(perm, 0, 1, numbers) && !permutation_inverse(perm, 0, numbers));
		return 0;
	}
	c.rounds = domain >= 1000000 ? 10 : domain >= (1 << 14) ? 24 : 30;
	MUST(permutation_set(perm, c.key, c.key_len, c.radix, c.length, c.tweak, c.tweak_len));

	/* beyond the end */
	numbers[0] = 12345;
	MUST(!permutation_inverse(perm, (uint64_t) domain, numbers) && numbers[0] == 12345);
	MUST(!permutation_forward(perm, (uint64_t) domain, 1, numbers));
	MUST(!permutation_forward(perm, (uint64_t) domain - 1, 2, numbers));
	MUST(!permutation_forward(perm, UINT64_MAX, 2, numbers));
	MUST(permutation_forward(perm, (uint64_t) domain, 0, NULL));

	if (domain <= PERMUTATION_MAX_SHUFFLE)
		test_shuffle(perm, &c, (uint32_t) domain);
	else
		test_network(perm, &c, (uint64_t) domain, &input);
	return 0;
}
