/*
 * test_order.c
 *		Does the order of a cycle look random?  Statistical tests with fixed keys.
 *
 * A cycle is a sample WITHOUT replacement, so the textbook expectations for
 * independent draws do not hold.  All tests here are conditional on which codes
 * a sequence holds (all of the domain, or those of its prefix): then each
 * arrangement of its L codes is as likely as any other, which gives expected
 * values that hold also where a cycle has few codes:
 *
 * 1. Characters by place.  The sequence is cut into B blocks of K codes; a
 *	  table counts the r characters of one place of the code by block.  Both
 *	  margins are fixed, a cell expects K * m / L (m: codes in the sequence with
 *	  that character), and Pearson's sum of squares expects (B-1)(r-1) L/(L-1);
 *	  scaled by (L-1)/L it is chi-square with (B-1)(r-1) degrees of freedom.
 *	  Of a prefix the characters as a whole are tested too: chi-square with r-1
 *	  degrees of freedom when scaled by the finite population's (N-1)/(N-L).
 *
 * 2. Serial correlation of the numbers at lags 1 to 8, circular: R = sum of
 *	  x(i) x(i + lag), x centred.  Over all arrangements its mean is -S2/(L-1),
 *	  its variance (S2^2-S4)/(L-1) + (S2^2-2*S4)/((L-1)(L-2)) - S2^2/(L-1)^2 with
 *	  Sk = sum of x^k (Wald and Wolfowitz, Ann. Math. Stat. 14, 1943).
 *
 * 3. Next character.  A table counts the character at a place of a code by that
 *	  at the same place of the next code, circular.  A cell expects
 *	  m(a) m(b) / (L-1), on the diagonal m(a) (m(a)-1) / (L-1).  All margins are
 *	  fixed.  The symmetric part of the table has r(r-1)/2 degrees of freedom
 *	  (r(r-3)/2 if each character occurs once, as the diagonal is empty then)
 *	  and variance 1, the antisymmetric part (r-1)(r-2)/2 and L/(L-2).
 *
 * Tables are summed over several cycles where one has too few codes.  Each sum
 * becomes a standard normal score (Wilson and Hilferty, 1931), and one outside
 * +-4.265 fails: too uneven or too even, one in 100,000 on each side.  Of 524
 * scores none would fail in 99 of 100 choices of the fixed keys.
 *
 * The battery itself is tested: it must accept shuffles that have nothing to do
 * with src/core/permutation.c, with scores of mean 0 and deviation 1, and reject a
 * counter and other regular orders.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/permutation.h"
#include "tap.h"

#define LIMIT	4.265			/* of the absolute value of a score */
#define LAGS	8

typedef struct Sequence
{
	uint32_t	radix;
	uint32_t	length;
	size_t		cycles;			/* sequences one after another, more than 1 only if whole */
	size_t		codes;			/* L: codes of each */
	size_t		block;			/* K, a divisor of codes */
	uint64_t	domain;			/* N */
	uint64_t   *numbers;		/* cycles * codes of them */
} Sequence;

typedef struct Scores
{
	int			count;
	int			rejected;
	double		worst;			/* of largest absolute value */
	double		sum;
	double		squares;
} Scores;

static void
add_score(Scores *scores, double z)
{
	scores->count++;
	scores->sum += z;
	scores->squares += z * z;
	if (!(fabs(z) < LIMIT))
		scores->rejected++;
	if (!(fabs(z) <= fabs(scores->worst)))
		scores->worst = z;
}

/* Wilson and Hilferty's score of a sum with this mean and variance, like chi-square's. */
static void
add_chi_square(Scores *scores, double sum, double mean, double variance)
{
	double		scale = variance / (2 * mean);
	double		df = mean / scale;

	add_score(scores, (cbrt(sum / scale / df) - (1 - 2 / (9 * df))) / sqrt(2 / (9 * df)));
}

static void *
allocate(size_t count, size_t size)
{
	void	   *memory = calloc(count, size);

	if (memory == NULL)
		abort();
	return memory;
}

/* The character of each code at a place, 0 the last, and how often each occurs in a cycle. */
static void
characters(const Sequence *s, uint32_t place, uint8_t *chars, double *often)
{
	uint64_t	divisor = 1;

	while (place-- > 0)
		divisor *= s->radix;
	memset(often, 0, 64 * sizeof(double));
	for (size_t i = 0; i < s->cycles * s->codes; i++)
	{
		chars[i] = (uint8_t) (s->numbers[i] / divisor % s->radix);
		often[chars[i]] += 1.0 / (double) s->cycles;
	}
}

static void
test_places(const Sequence *s, const uint8_t *chars, const double *often, Scores *scores)
{
	size_t		r = s->radix;
	size_t		blocks = s->codes / s->block;
	uint32_t   *table = allocate(blocks * r, sizeof(uint32_t));
	double		codes = (double) s->codes;
	double		df = (double) ((blocks - 1) * (r - 1));
	double		sum = 0;

	for (size_t i = 0; i < s->cycles * s->codes; i++)
		table[i % s->codes / s->block * r + chars[i]]++;
	for (size_t i = 0; i < blocks * r; i++)
	{
		double		expected = (double) (s->cycles * s->block) * often[i % r] / codes;
		double		off = table[i] - expected;

		sum += off * off / expected;
	}
	add_chi_square(scores, sum * (codes - 1) / codes, df, 2 * df);
	free(table);

	if (s->codes < s->domain)
	{
		double		expected = codes / (double) r;
		double		population = (double) s->domain;

		sum = 0;
		for (size_t i = 0; i < r; i++)
			sum += (often[i] - expected) * (often[i] - expected) / expected;
		add_chi_square(scores, sum * (population - 1) / (population - codes),
					   (double) r - 1, 2 * ((double) r - 1));
	}
}

static void
test_next(const Sequence *s, const uint8_t *chars, const double *often, Scores *scores)
{
	size_t		r = s->radix;
	uint32_t	table[64][64] = {{0}};
	double		codes = (double) s->codes;
	double		symmetric = (double) r * ((double) r - 1) / 2;
	double		antisymmetric = (double) (r - 1) * ((double) r - 2) / 2;
	double		variance = codes / (codes - 2);
	double		sum = 0;

	if (s->codes == r)
		symmetric -= (double) r;
	for (size_t c = 0; c < s->cycles; c++)
	{
		const uint8_t *cycle = chars + c * s->codes;

		for (size_t i = 0; i < s->codes; i++)
			table[cycle[i]][cycle[i + 1 < s->codes ? i + 1 : 0]]++;
	}
	for (size_t a = 0; a < r; a++)
		for (size_t b = 0; b < r; b++)
		{
			double		expected = (double) s->cycles * often[a] * (often[b] - (a == b)) / (codes - 1);
			double		off = table[a][b] - expected;

			if (expected > 0)
				sum += off * off / expected;
			else if (table[a][b] > 0)
				sum = INFINITY;
		}
	add_chi_square(scores, sum, symmetric + antisymmetric * variance,
				   2 * (symmetric + antisymmetric * variance * variance));
}

static void
test_serial(const Sequence *s, Scores *scores)
{
	double	   *x = allocate(s->codes, sizeof(double));
	double		n = (double) s->codes;
	double		off[LAGS + 1] = {0};
	double		variance = 0;

	for (size_t c = 0; c < s->cycles; c++)
	{
		const uint64_t *cycle = s->numbers + c * s->codes;
		double		mean = 0,
					s2 = 0,
					s4 = 0;

		for (size_t i = 0; i < s->codes; i++)
			mean += (double) cycle[i] / n;
		for (size_t i = 0; i < s->codes; i++)
		{
			x[i] = ((double) cycle[i] - mean) / (double) s->domain;
			s2 += x[i] * x[i];
			s4 += x[i] * x[i] * x[i] * x[i];
		}
		for (size_t lag = 1; lag <= LAGS; lag++)
		{
			double		r = 0;

			for (size_t i = 0; i < s->codes; i++)
				r += x[i] * x[i + lag < s->codes ? i + lag : (i + lag) % s->codes];
			off[lag] += r + s2 / (n - 1);
		}
		variance += (s2 * s2 - s4) / (n - 1) + (s2 * s2 - 2 * s4) / ((n - 1) * (n - 2)) -
			s2 * s2 / ((n - 1) * (n - 1));
	}
	/* at half of n, and at n, pairs are counted twice: another variance */
	for (size_t lag = 1; lag <= LAGS; lag++)
		if (2 * lag % s->codes != 0)
			add_score(scores, off[lag] / sqrt(variance));
	free(x);
}

/* Scores of the three tests; returns how many were rejected in all. */
static int
battery(const Sequence *s, Scores *scores)
{
	uint8_t    *chars = allocate(s->cycles * s->codes, 1);

	memset(scores, 0, 3 * sizeof(Scores));
	test_serial(s, &scores[1]);
	for (uint32_t place = 0; place < s->length; place++)
	{
		double		often[64];

		characters(s, place, chars, often);
		test_places(s, chars, often, &scores[0]);
		test_next(s, chars, often, &scores[2]);
	}
	free(chars);
	return scores[0].rejected + scores[1].rejected + scores[2].rejected;
}

static Sequence
new_sequence(uint32_t radix, uint32_t length, size_t cycles, size_t codes, size_t block)
{
	Sequence	s = {radix, length, cycles, codes, block, 1, NULL};

	for (uint32_t i = 0; i < length; i++)
		s.domain *= radix;
	if (s.codes == 0)
		s.codes = (size_t) s.domain;
	if (s.codes % block != 0 || (s.codes < s.domain && cycles > 1))
		abort();
	s.numbers = allocate(cycles * s.codes, sizeof(uint64_t));
	return s;
}

static const char *const names[3] = {"characters by place", "serial correlation", "next character"};

static void
test_permutation(Permutation *perm, uint8_t seed, uint32_t radix, uint32_t length,
				 size_t cycles, size_t codes, size_t block)
{
	Sequence	s = new_sequence(radix, length, cycles, codes, block);
	Scores		scores[3];
	uint8_t		key[PERMUTATION_KEY_LEN];

	memset(key, seed, sizeof(key));
	for (size_t c = 0; c < cycles; c++)
	{
		uint8_t		tweak[8] = {0, 0, 0, 0, 0, 0, (uint8_t) (c >> 8), (uint8_t) c};

		if (!permutation_set(perm, key, sizeof(key), radix, length, tweak, sizeof(tweak)) ||
			!permutation_forward(perm, 0, s.codes, s.numbers + c * s.codes))
			abort();
	}
	battery(&s, scores);
	for (int i = 0; i < 3; i++)
		ok(scores[i].rejected == 0, "%u^%u, key %u, %zu cycles of %zu: %s, %d scores, worst %+.2f",
		   (unsigned) radix, (unsigned) length, seed, cycles, s.codes, names[i],
		   scores[i].count, scores[i].worst);
	free(s.numbers);
}

/* Fisher-Yates over another generator: the battery must find nothing here. */
static void
shuffle(Sequence *s, uint64_t *state)
{
	for (size_t c = 0; c < s->cycles; c++)
	{
		uint64_t   *cycle = s->numbers + c * s->codes;

		for (size_t i = 0; i < s->codes; i++)
		{
			size_t		other = (size_t) (next_random(state) % (i + 1));

			cycle[i] = cycle[other];
			cycle[other] = i;
		}
	}
}

/* Scores of many shuffles: their mean and deviation show whether what is expected is right. */
static void
test_expectations(uint32_t radix, uint32_t length, size_t cycles, size_t block, int runs)
{
	Sequence	s = new_sequence(radix, length, cycles, 0, block);
	Scores		total[3] = {{0}};
	uint64_t	state = 5;

	for (int run = 0; run < runs; run++)
	{
		Scores		scores[3];

		shuffle(&s, &state);
		battery(&s, scores);
		for (int i = 0; i < 3; i++)
		{
			total[i].count += scores[i].count;
			total[i].rejected += scores[i].rejected;
			total[i].sum += scores[i].sum;
			total[i].squares += scores[i].squares;
		}
	}
	for (int i = 0; i < 3; i++)
	{
		double		mean = total[i].sum / total[i].count;
		double		deviation = sqrt(total[i].squares / total[i].count - mean * mean);
		double		error = 1 / sqrt(total[i].count);

		ok(total[i].rejected == 0 && fabs(mean) < 4 * error + 0.02 && fabs(deviation - 1) < 3 * error + 0.02,
		   "%u^%u, shuffles: %s, %d scores, mean %+.3f, deviation %.3f",
		   (unsigned) radix, (unsigned) length, names[i], total[i].count, mean, deviation);
	}
	free(s.numbers);
}

/* Orders that are regular, which a code's next reader could continue. */

static uint64_t
counter(uint64_t i, uint64_t domain, uint32_t radix)
{
	(void) domain;
	(void) radix;
	return i;
}

static uint64_t
affine(uint64_t i, uint64_t domain, uint32_t radix)
{
	/* the golden section of the domain, made prime to any radix below 64 */
	uint64_t	a = (uint64_t) (0.6180339887 * (double) domain);
	static const uint64_t primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61};

	for (size_t p = 0; p < sizeof(primes) / sizeof(primes[0]); p++)
		if (radix % primes[p] == 0 && a % primes[p] == 0)
		{
			a++;
			p = (size_t) -1;
		}
	return (a * i + domain / 3) % domain;
}

/* The digits of the counter from right to left. */
static uint64_t
mirrored(uint64_t i, uint64_t domain, uint32_t radix)
{
	uint64_t	result = 0;

	for (; domain > 1; domain /= radix, i /= radix)
		result = result * radix + i % radix;
	return result;
}

/* x -> 5x + 1 mod 2^k again and again: full period, but short ones in the low digits. */
static uint64_t
congruential(uint64_t i, uint64_t domain, uint32_t radix)
{
	static uint64_t x;

	(void) radix;
	return x = i == 0 ? 1 : (5 * x + 1) % domain;
}

/* Four rounds of a Feistel network, but round functions that only multiply by a key. */
static uint64_t
weak_network(uint64_t i, uint64_t domain, uint32_t radix)
{
	uint64_t	half = (uint64_t) sqrt((double) domain);
	uint64_t	a = i / half;
	uint64_t	b = i % half;

	(void) radix;
	for (uint64_t round = 0; round < 4; round++)
	{
		uint64_t	c = (a + b * (7 * round + 13) + 5) % half;

		a = b;
		b = c;
	}
	return a * half + b;
}

static void
test_regular(const char *name, uint64_t (*order) (uint64_t, uint64_t, uint32_t),
			 uint32_t radix, uint32_t length, size_t block)
{
	Sequence	s = new_sequence(radix, length, 1, 0, block);
	Scores		scores[3];
	uint8_t    *seen = allocate((size_t) s.domain, 1);
	size_t		distinct = 0;
	int			rejected;

	for (size_t i = 0; i < s.codes; i++)
	{
		s.numbers[i] = order(i, s.domain, radix);
		distinct += s.numbers[i] < s.domain && !seen[s.numbers[i]];
		seen[s.numbers[i]] = 1;
	}
	rejected = battery(&s, scores);
	ok(distinct == s.codes && rejected > 0,
	   "%u^%u, %s: rejected by %d, %d and %d of %d scores", (unsigned) radix, (unsigned) length, name,
	   scores[0].rejected, scores[1].rejected, scores[2].rejected,
	   scores[0].count + scores[1].count + scores[2].count);
	free(seen);
	free(s.numbers);
}

int
main(void)
{
	Permutation *perm = permutation_create();

	if (perm == NULL)
		abort();

	/* the battery rejects what it should, in all sizes, and accepts shuffles */
	test_regular("counter", counter, 32, 2, 64);
	test_regular("counter", counter, 32, 3, 512);
	test_regular("counter", counter, 32, 4, 16384);
	test_regular("counter", counter, 10, 5, 1000);
	test_regular("affine", affine, 32, 2, 64);
	test_regular("affine", affine, 32, 3, 512);
	test_regular("affine", affine, 32, 4, 16384);
	test_regular("affine", affine, 10, 5, 1000);
	test_regular("mirrored counter", mirrored, 32, 4, 16384);
	test_regular("linear congruential", congruential, 32, 4, 16384);
	test_regular("weak network of 4 rounds", weak_network, 32, 4, 16384);
	test_expectations(10, 1, 500, 1, 150);
	test_expectations(32, 1, 500, 1, 50);
	test_expectations(10, 2, 20, 20, 150);
	test_expectations(32, 2, 10, 64, 50);
	test_expectations(10, 3, 1, 100, 300);
	test_expectations(32, 3, 1, 512, 20);

	/* the order of a cycle */
	for (uint8_t key = 1; key <= 2; key++)
	{
		test_permutation(perm, key, 32, 1, 1000, 0, 1);
		test_permutation(perm, key, 32, 2, 32, 0, 16);
		test_permutation(perm, key, 32, 3, 1, 0, 512);
		test_permutation(perm, key, 32, 3, 8, 0, 512);
		test_permutation(perm, key, 32, 4, 1, 0, 256);
		test_permutation(perm, key, 32, 4, 1, 0, 16384);
		test_permutation(perm, key, 32, 5, 1, 1 << 19, 8192);
		test_permutation(perm, key, 10, 1, 1000, 0, 1);
		test_permutation(perm, key, 10, 2, 100, 0, 4);
		test_permutation(perm, key, 10, 3, 10, 0, 20);
		test_permutation(perm, key, 10, 4, 2, 0, 200);
		test_permutation(perm, key, 10, 5, 1, 0, 1000);
		test_permutation(perm, key, 64, 2, 4, 0, 256);
		test_permutation(perm, key, 64, 3, 1, 0, 1024);
		test_permutation(perm, key, 17, 3, 10, 0, 289);
		test_permutation(perm, key, 2, 20, 1, 0, 4096);
	}
	permutation_destroy(perm);
	return done_testing();
}
