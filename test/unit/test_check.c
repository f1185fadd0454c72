/*
 * test_check.c
 *		Unit tests of src/core/check.c, for every radix: the group, the permutation,
 *		every error that must be noticed, and what is noticed besides; for ten
 *		characters, that the check digit is Verhoeff's.
 *
 * That all single errors and all swaps are noticed in codes of any length
 * follows from test_group, test_powers and test_anti_symmetry, which go through
 * all elements; the codes of test_all_codes and test_random_codes try it out.
 */
#include <string.h>

#include "core/check.h"
#include "tap.h"

#define LONGEST		76			/* characters before the check character */

/* State after the characters from `first` on; the check character is values[length - 1]. */
static uint32_t
state_from(const CheckTable *table, uint32_t state, const uint8_t *values, uint32_t first,
		   uint32_t length)
{
	for (uint32_t i = first; i < length; i++)
		state = check_add(table, state, length - 1 - i, values[i]);
	return state;
}

/* Write the check character to values[length - 1]. */
static void
complete(const CheckTable *table, uint8_t *values, uint32_t length)
{
	uint32_t	state = CHECK_START;

	for (uint32_t i = 0; i < length - 1; i++)
		state = check_add(table, state, length - 1 - i, values[i]);
	values[length - 1] = (uint8_t) check_value(table, state);
}

/* Verhoeff's scheme, as it is published: the tables, and the use of them from right to left. */
static const uint8_t verhoeff_d[10][10] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
	{1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
	{2, 3, 4, 0, 1, 7, 8, 9, 5, 6},
	{3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
	{4, 0, 1, 2, 3, 9, 5, 6, 7, 8},
	{5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
	{6, 5, 9, 8, 7, 1, 0, 4, 3, 2},
	{7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
	{8, 7, 6, 5, 9, 3, 2, 1, 0, 4},
	{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}
};
static const uint8_t verhoeff_p[8][10] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
	{1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
	{5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
	{8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
	{9, 4, 5, 3, 1, 2, 6, 8, 7, 0},
	{4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
	{2, 7, 9, 3, 8, 0, 6, 4, 1, 5},
	{7, 0, 4, 6, 9, 1, 3, 2, 5, 8}
};
static const uint8_t verhoeff_inv[10] = {0, 4, 3, 2, 1, 5, 6, 7, 8, 9};

/* The check digit of `length` digits. */
static uint32_t
verhoeff_check(const uint8_t *digits, uint32_t length)
{
	uint32_t	c = 0;

	for (uint32_t i = 1; i <= length; i++)
		c = verhoeff_d[c][verhoeff_p[i % 8][digits[length - i]]];
	return verhoeff_inv[c];
}

/* Is a number right whose last digit, the first to be looked at, is the check digit? */
static bool
verhoeff_right(const uint8_t *digits, uint32_t length)
{
	uint32_t	c = 0;

	for (uint32_t i = 0; i < length; i++)
		c = verhoeff_d[c][verhoeff_p[i % 8][digits[length - 1 - i]]];
	return c == 0;
}

/*
 * The check character of `length` values by other means than check.c: Verhoeff's
 * tables, long division of polynomials, doubling, 2x2 matrices, and trying all
 * values.
 */
static uint32_t
slow_check(uint32_t radix, const uint8_t *values, uint32_t length)
{
	static const uint8_t exponent[7] = {0, 0, 1, 1, 1, 2, 1};	/* x^k + x^exponent + 1 */
	uint32_t	odd = radix;
	uint32_t	degree = 0;

	for (; odd % 2 == 0; odd /= 2)
		degree++;

	if (radix == 2)
	{
		uint32_t	ones = 0;

		for (uint32_t i = 0; i < length; i++)
			ones += values[i];
		return ones % 2;
	}

	if (radix == 10)
		return verhoeff_check(values, length);

	if (degree != 1)
	{
		uint8_t		coefficient[LONGEST + 8] = {0};
		uint32_t	sum = 0;
		uint32_t	field = 0;
		uint32_t	check;

		for (uint32_t i = 0; i < length; i++)
		{
			uint32_t	term = values[i] % odd;

			for (uint32_t bit = 0; bit < degree; bit++)
				coefficient[bit + length - i] ^= (values[i] / odd) >> bit & 1;
			for (uint32_t d = length - i; d > 0; d--)
				term = (term + term) % odd;
			sum += term;
		}
		for (uint32_t power = LONGEST + 7; power >= degree && degree > 0; power--)
		{
			if (coefficient[power])
			{
				coefficient[power] = 0;
				coefficient[power - degree + exponent[degree]] ^= 1;
				coefficient[power - degree] ^= 1;
			}
		}
		for (uint32_t bit = 0; bit < degree; bit++)
			field |= (uint32_t) coefficient[bit] << bit;
		for (check = 0; (check + sum) % odd != 0;)
			check++;
		return field * odd + check;
	}

	/* t -> turn t + shift, over the integers modulo radix / 2 */
	for (uint32_t check = 0; check < radix; check++)
	{
		int32_t		m = (int32_t) odd;
		int32_t		product[2][2] = {{1, 0}, {0, 1}};

		for (uint32_t i = 0; i <= length; i++)
		{
			int32_t		v = i < length ? values[i] : (int32_t) check;
			int32_t		d = (int32_t) (length - i);
			int32_t		factor[2][2] = {{1, 0}, {0, 1}};
			int32_t		next[2][2];

			if (v >= m)
			{
				factor[0][0] = -1;
				factor[0][1] = v - m + d;
			}
			else
				factor[0][1] = d % 2 == 0 ? v : -v;
			for (int row = 0; row < 2; row++)
			{
				for (int column = 0; column < 2; column++)
					next[row][column] = (product[row][0] * factor[0][column] +
										 product[row][1] * factor[1][column]) % m;
			}
			memcpy(product, next, sizeof(product));
		}
		if ((product[0][0] - 1) % m == 0 && product[0][1] == 0)
			return check;
	}
	return UINT32_MAX;
}

static void
test_ranges(void)
{
	bool		good = true;
	const CheckTable *first = check_table(2);

	ok(check_table(0) == NULL && check_table(1) == NULL && check_table(65) == NULL &&
	   check_table(UINT32_MAX) == NULL, "no tables of 0, 1, 65 or 4,294,967,295 characters");
	for (uint32_t radix = 2; radix <= CHECK_MAX_RADIX; radix++)
	{
		const CheckTable *table = check_table(radix);
		CheckTable	before = *table;

		good = good && table->radix == radix && check_table(radix) == table &&
			memcmp(&before, table, sizeof(before)) == 0;
	}
	ok(good && check_table(2) == first, "tables of 2 to 64 characters, which stay");

	good = !check_catches_swaps(0) && !check_catches_swaps(1) && !check_catches_swaps(2) &&
		!check_catches_swaps(65) && !check_catches_swaps(UINT32_MAX);
	for (uint32_t radix = 3; radix <= CHECK_MAX_RADIX; radix++)
		good = good && check_catches_swaps(radix);
	ok(good, "swaps are noticed from 3 to 64");
}

/* The axioms, for all elements, pairs and triples. */
static void
test_group(void)
{
	for (uint32_t radix = 2; radix <= CHECK_MAX_RADIX; radix++)
	{
		const CheckTable *table = check_table(radix);
		bool		closed = true;
		bool		good = true;

		for (uint32_t a = 0; a < radix; a++)
		{
			closed = closed && table->inverse[a] < radix;
			for (uint32_t b = 0; b < radix; b++)
				closed = closed && table->combine[a][b] < radix;
		}
		for (uint32_t a = 0; a < radix && closed; a++)
		{
			good = good && table->combine[a][CHECK_START] == a &&
				table->combine[CHECK_START][a] == a &&
				table->combine[a][table->inverse[a]] == CHECK_START &&
				table->combine[table->inverse[a]][a] == CHECK_START &&
				check_value(table, a) == table->inverse[a];
			for (uint32_t b = 0; b < radix; b++)
			{
				for (uint32_t c = 0; c < radix; c++)
					good = good && table->combine[table->combine[a][b]][c] ==
						table->combine[a][table->combine[b][c]];
			}
		}
		ok(closed && good, "a group of %" PRIu32, radix);
	}
}

/* How often phi has to be applied until all is as before, by number theory. */
static uint32_t
expected_period(uint32_t radix)
{
	uint32_t	odd = radix;
	uint32_t	field = 1;
	uint32_t	order = 1;
	uint32_t	period;

	if (radix == 2)
		return 1;
	if (radix == 10)
		return 8;				/* (0 1 5 8 9 4 2 7)(3 6) */
	if (radix % 4 == 2)
		return radix;			/* 2 for the rotations, radix / 2 for the reflections */
	for (; odd % 2 == 0; odd /= 2)
		field *= 2;
	for (uint32_t power = 2 % odd; power != 1 % odd; power = power * 2 % odd)
		order++;
	for (period = order; field > 1 && period % (field - 1) != 0;)
		period += order;
	return period;
}

/* The rows of weigh: permutations, the powers of phi, from 0 to just before 0 again. */
static void
test_powers(void)
{
	for (uint32_t radix = 2; radix <= CHECK_MAX_RADIX; radix++)
	{
		const CheckTable *table = check_table(radix);
		uint32_t	period = table->period;
		bool		good = period > 0 && period <= CHECK_MAX_PERIOD &&
			period == expected_period(radix);

		for (uint32_t power = 0; good && power < period; power++)
		{
			const uint8_t *row = table->weigh[power];
			const uint8_t *next = table->weigh[(power + 1) % period];
			const uint8_t *phi = table->weigh[1 % period];
			uint64_t	seen = 0;
			bool		identity = true;

			for (uint32_t value = 0; value < radix; value++)
			{
				good = good && row[value] < radix;
				seen |= UINT64_C(1) << (row[value] & 63);
				identity = identity && row[value] == value;
			}
			good = good && seen == UINT64_MAX >> (64 - radix) && identity == (power == 0);
			for (uint32_t value = 0; good && value < radix; value++)
				good = next[value] == phi[row[value]];
		}
		ok(good, "the permutation of %" PRIu32 " has period %" PRIu32, radix, period);
	}
}

/* All pairs at all distances, the check character's too. */
static void
test_anti_symmetry(void)
{
	for (uint32_t radix = 3; radix <= CHECK_MAX_RADIX; radix++)
	{
		const CheckTable *table = check_table(radix);
		bool		good = true;

		for (uint32_t distance = 0; distance < table->period; distance++)
		{
			const uint8_t *right = table->weigh[distance];
			const uint8_t *left = table->weigh[(distance + 1) % table->period];

			for (uint32_t a = 0; a < radix; a++)
			{
				for (uint32_t b = 0; b < radix; b++)
					good = good && (a == b || table->combine[left[a]][right[b]] !=
									table->combine[left[b]][right[a]]);
			}
		}
		ok(good, "the permutation of %" PRIu32 " is anti-symmetric", radix);
	}
}

/* Is every single error in a right code noticed, and, if swaps is true, every swap of neighbours? */
static bool
all_noticed(const CheckTable *table, const uint8_t *code, uint32_t length, bool swaps)
{
	uint8_t		wrong[LONGEST + 1];
	uint32_t	before = CHECK_START;

	if (state_from(table, CHECK_START, code, 0, length) != CHECK_START)
		return false;
	memcpy(wrong, code, length);
	for (uint32_t i = 0; i < length; i++)
	{
		for (uint32_t value = 0; value < table->radix; value++)
		{
			wrong[i] = (uint8_t) value;
			if (value != code[i] && state_from(table, before, wrong, i, length) == CHECK_START)
				return false;
		}
		wrong[i] = code[i];
		if (swaps && i + 1 < length && code[i] != code[i + 1])
		{
			wrong[i] = code[i + 1];
			wrong[i + 1] = code[i];
			if (state_from(table, before, wrong, i, length) == CHECK_START)
				return false;
			wrong[i] = code[i];
			wrong[i + 1] = code[i + 1];
		}
		before = check_add(table, before, length - 1 - i, code[i]);
	}
	return true;
}

static void
test_all_codes(void)
{
	for (uint32_t radix = 2; radix <= 16; radix++)
	{
		const CheckTable *table = check_table(radix);
		bool		good = true;
		uint32_t	codes = 1;

		for (uint32_t length = 2; length <= 4; length++)
		{
			codes *= radix;
			for (uint32_t number = 0; number < codes; number++)
			{
				uint8_t		code[4];
				uint32_t	rest = number;
				uint32_t	right = 0;

				for (uint32_t i = 0; i < length - 1; i++, rest /= radix)
					code[i] = (uint8_t) (rest % radix);
				complete(table, code, length);
				good = good && code[length - 1] == slow_check(radix, code, length - 1) &&
					all_noticed(table, code, length, check_catches_swaps(radix));

				/* no other check character is right */
				for (uint32_t value = 0; value < radix; value++)
				{
					code[length - 1] = (uint8_t) value;
					right += state_from(table, CHECK_START, code, 0, length) == CHECK_START;
				}
				good = good && right == 1;
			}
		}
		ok(good, "all errors in all codes of 1 to 3 of %" PRIu32 " characters", radix);
	}
}

static void
test_random_codes(void)
{
	uint64_t	random = 1;

	for (uint32_t radix = 2; radix <= CHECK_MAX_RADIX; radix++)
	{
		const CheckTable *table = check_table(radix);
		bool		noticed = true;
		bool		same = true;

		for (uint32_t length = 2; length <= LONGEST + 1; length++)
		{
			uint8_t		code[LONGEST + 1];

			for (uint32_t i = 0; i < length - 1; i++)
				code[i] = (uint8_t) (next_random(&random) % radix);
			complete(table, code, length);
			same = same && code[length - 1] == slow_check(radix, code, length - 1);
			noticed = noticed && all_noticed(table, code, length, check_catches_swaps(radix));
		}
		ok(same, "codes of 1 to 76 of %" PRIu32 " characters: check characters", radix);
		ok(noticed, "codes of 1 to 76 of %" PRIu32 " characters: errors", radix);
	}
}

/*
 * Two characters: of all 16 check characters of two others, those that notice
 * single errors are the parity and its opposite, and both miss a swap.
 */
static void
test_binary(void)
{
	const CheckTable *table = check_table(2);
	uint8_t		code[3] = {0, 1, 0};
	uint32_t	singles = 0;
	uint32_t	swaps = 0;
	uint32_t	found = 0;

	for (uint32_t function = 0; function < 16; function++)
	{
		bool		right[8];
		bool		single = true;
		bool		swap = true;

		/* codes x y c, as bits 2, 1 and 0 */
		for (uint32_t xyc = 0; xyc < 8; xyc++)
			right[xyc] = (function >> (xyc >> 1) & 1) == (xyc & 1);
		for (uint32_t xyc = 0; xyc < 8; xyc++)
		{
			for (uint32_t bit = 1; bit < 8; bit *= 2)
				single = single && !(right[xyc] && right[xyc ^ bit]);
		}
		swap = !(right[3] && right[5]) && !(right[1] && right[2]);
		singles += single;
		swaps += single && swap;
		if (single)
			found = found * 16 + function;
	}
	ok(singles == 2 && found == (6 * 16 + 9) && swaps == 0,
	   "2 characters: only the parity and its opposite notice single errors, and no swaps");

	complete(table, code, 3);
	ok(code[2] == 1 && table->period == 1, "2 characters: the parity");
	code[0] = 1;
	code[1] = 0;
	ok(state_from(table, CHECK_START, code, 0, 3) == CHECK_START &&
	   !check_catches_swaps(2), "2 characters: a swap is not noticed");
}

static uint32_t
check_of(uint32_t radix, const uint8_t *values, uint32_t length)
{
	uint8_t		code[LONGEST + 1];

	memcpy(code, values, length);
	complete(check_table(radix), code, length + 1);
	return code[length];
}

/*
 * These never change: people hold codes that end in them.  The numbers are from
 * yet another program, which turns polygons' corners and has long integers.
 */
static void
test_known_answers(void)
{
	static const struct
	{
		uint32_t	radix;
		uint32_t	one;		/* check of 1 */
		uint32_t	last;		/* of radix - 1 */
		uint32_t	zero_one;	/* of 0, 1 */
		uint32_t	counted;	/* of 1, 2, 3, 4, modulo radix */
		uint32_t	mixed;		/* of radix - 1, radix - 2, radix / 2, 0 */
		uint32_t	lasts;		/* of 12 times radix - 1 */
	}			answers[] = {
		{2, 1, 1, 1, 0, 0, 0},
		{6, 1, 3, 1, 1, 4, 0},
		{10, 5, 1, 0, 0, 8, 9},
		{16, 2, 13, 2, 4, 13, 6},
		{26, 1, 13, 1, 2, 17, 7},
		{32, 2, 27, 2, 4, 7, 24},
		{36, 7, 11, 7, 2, 32, 0},
		{58, 1, 29, 1, 2, 33, 23},
		{62, 1, 31, 1, 2, 35, 25},
		{64, 2, 61, 2, 4, 30, 46},
	};

	/* by radix, from 2, the check of the 76 values i^3 + 7 i + 3 modulo radix */
	static const uint8_t longs[] = {
		0, 1, 0, 0, 4, 3, 1, 4, 2, 0, 10, 8, 9, 10, 3, 5, 6, 13, 5, 10, 4, 8, 7, 5, 17, 22, 3, 6,
		19, 29, 20, 22, 1, 10, 22, 6, 6, 34, 25, 40, 38, 26, 22, 40, 25, 30, 19, 38, 24, 22, 47,
		26, 17, 0, 24, 13, 35, 28, 25, 50, 26, 31, 49
	};
	bool		good = sizeof(longs) == CHECK_MAX_RADIX - 1;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
	{
		uint32_t	radix = answers[i].radix;
		uint8_t		last = (uint8_t) (radix - 1);
		uint8_t		values[6][12] = {
			{1}, {last}, {0, 1},
			{(uint8_t) (1 % radix), (uint8_t) (2 % radix), (uint8_t) (3 % radix), (uint8_t) (4 % radix)},
			{last, (uint8_t) (radix - 2), (uint8_t) (radix / 2), 0},
		};

		memset(values[5], last, sizeof(values[5]));
		ok(check_of(radix, values[0], 1) == answers[i].one &&
		   check_of(radix, values[1], 1) == answers[i].last &&
		   check_of(radix, values[2], 2) == answers[i].zero_one &&
		   check_of(radix, values[3], 4) == answers[i].counted &&
		   check_of(radix, values[4], 4) == answers[i].mixed &&
		   check_of(radix, values[5], 12) == answers[i].lasts,
		   "known answers for %" PRIu32 " characters", radix);
	}
	for (uint32_t radix = 2; radix <= CHECK_MAX_RADIX; radix++)
	{
		uint8_t		values[LONGEST];

		for (uint32_t i = 0; i < LONGEST; i++)
			values[i] = (uint8_t) ((i * i * i + 7 * i + 3) % radix);
		good = good && check_of(radix, values, LONGEST) == longs[radix - 2];
	}
	ok(good, "known answers for every radix, 76 characters");
}

/*
 * Ten characters: the tables are those that are published, our group having
 * the factors exchanged, and check digits are the same in both directions.
 */
static void
test_verhoeff(void)
{
	static const struct
	{
		const char *number;
		uint32_t	check;
	}			published[] = {
		{"236", 3},
		{"12345", 1},
		{"142857", 0},
		{"123456789012", 0},
		{"1234", 0},			/* by python-stdnum */
		{"58564", 9},			/* by programmingalgorithms.com */
		{"1456789", 4},			/* by Perl's Algorithm::CheckDigits */
	};
	const CheckTable *table = check_table(10);
	bool		good = table->period == 8;
	uint32_t	numbers = 1;

	for (uint32_t a = 0; a < 10; a++)
	{
		good = good && table->inverse[a] == verhoeff_inv[a];
		for (uint32_t b = 0; b < 10; b++)
			good = good && table->combine[a][b] == verhoeff_d[b][a];
		for (uint32_t power = 0; power < 8; power++)
			good = good && table->weigh[power][a] == verhoeff_p[power][a];
	}
	ok(good, "10 characters: Verhoeff's tables");

	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++)
	{
		uint32_t	length = (uint32_t) strlen(published[i].number);
		uint8_t		digits[LONGEST];

		for (uint32_t j = 0; j < length; j++)
			digits[j] = (uint8_t) (published[i].number[j] - '0');
		ok(check_of(10, digits, length) == published[i].check &&
		   verhoeff_check(digits, length) == published[i].check,
		   "10 characters: %s has check digit %" PRIu32, published[i].number, published[i].check);
	}

	good = true;
	for (uint32_t length = 1; length <= 6; length++)
	{
		numbers *= 10;
		for (uint32_t number = 0; number < numbers; number++)
		{
			uint8_t		code[7];
			uint32_t	rest = number;

			for (uint32_t i = 0; i < length; i++, rest /= 10)
				code[i] = (uint8_t) (rest % 10);
			complete(table, code, length + 1);
			good = good && code[length] == verhoeff_check(code, length) &&
				verhoeff_right(code, length + 1);
		}
	}
	ok(good, "10 characters: Verhoeff's check digits of all numbers of 1 to 6 digits");
}

/*
 * aa -> bb and abc -> cba, at every distance: the numbers missed, to be exact
 * those that the head comment of check.c says.
 */
static void
test_other_errors(void)
{
	for (uint32_t radix = 2; radix <= CHECK_MAX_RADIX; radix++)
	{
		const CheckTable *table = check_table(radix);
		uint32_t	pairs = radix * (radix - 1);
		uint32_t	triples = pairs * radix;
		uint32_t	twins = 0;
		uint32_t	jumps = 0;
		bool		good = true;

		for (uint32_t distance = 0; distance < table->period; distance++)
		{
			const uint8_t *right = table->weigh[distance];
			const uint8_t *middle = table->weigh[(distance + 1) % table->period];
			const uint8_t *left = table->weigh[(distance + 2) % table->period];

			twins = jumps = 0;
			for (uint32_t a = 0; a < radix; a++)
			{
				for (uint32_t c = 0; c < radix; c++)
				{
					if (a == c)
						continue;
					twins += table->combine[middle[a]][right[a]] ==
						table->combine[middle[c]][right[c]];
					for (uint32_t b = 0; b < radix; b++)
						jumps += table->combine[table->combine[left[a]][middle[b]]][right[c]] ==
							table->combine[table->combine[left[c]][middle[b]]][right[a]];
				}
			}

			if (radix == 2)
				good = good && twins == pairs && jumps == triples;
			else if (radix == 10)
				good = good && pairs == 90 && pairs - twins == 86 &&
					triples == 900 && triples - jumps == 848;
			else if (radix % 4 == 2)
				good = good && (pairs - twins) * 2 * (radix - 1) == pairs * radix &&
					(triples - jumps) * 4 * (radix - 1) == triples * 3 * (radix - 2);
			else if (radix % 3 == 0)
				good = good && (pairs - twins) * (radix - 1) == pairs * (radix - 3) &&
					(triples - jumps) * (radix - 1) == triples * (radix - 3);
			else
				good = good && twins == 0 && jumps == 0;
		}
		ok(good, "%" PRIu32 " characters: %.2f %% of aa -> bb noticed, %.2f %% of abc -> cba", radix,
		   100.0 * (pairs - twins) / pairs, 100.0 * (triples - jumps) / triples);
	}
}

/*
 * A value 0 in front of codes of all lengths: noticed by the codes of ten
 * characters alone, except where it is a multiple of 8 places before the check
 * digit.  What counts is whether it weighs nothing there, whatever follows.
 */
static void
test_leading_zero(void)
{
	uint64_t	random = 2;
	bool		others = true;
	bool		ten = true;

	for (uint32_t radix = 2; radix <= CHECK_MAX_RADIX; radix++)
	{
		const CheckTable *table = check_table(radix);

		for (uint32_t length = 1; length <= LONGEST; length++)
		{
			uint8_t		code[LONGEST] = {0};
			bool		weighs = check_add(table, CHECK_START, length, 0) != CHECK_START;
			bool		noticed;

			for (uint32_t i = 1; i < length; i++)
				code[i] = (uint8_t) (next_random(&random) % radix);
			noticed = check_of(radix, code, length) != check_of(radix, code + 1, length - 1);
			if (radix == 10)
				ten = ten && weighs == (length % 8 != 0) && noticed == weighs;
			else
				others = others && !weighs && !noticed;
		}
	}
	ok(others, "a character of value 0 at the beginning is not noticed");
	ok(ten, "10 characters: a 0 at the beginning is noticed, but for every eighth place");
}

static void
test_outside(void)
{
	bool		good = true;

	for (uint32_t radix = 2; radix <= CHECK_MAX_RADIX; radix++)
	{
		for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point += 997)
		{
			uint32_t	value = check_outside(radix, code_point);

			good = good && value < radix && value == code_point - code_point / radix * radix &&
				check_outside(radix, code_point + radix) == value &&
				check_outside(radix, code_point + 1) == (value + 1 < radix ? value + 1 : 0);
		}
		good = good && check_outside(radix, UINT32_MAX) < radix;
	}
	ok(good, "characters outside of the alphabet, every radix");
	ok(check_outside(32, 0x20) == 0 && check_outside(10, 0xE4) == 8 &&
	   check_outside(58, 0x1F600) == 42 && check_outside(64, UINT32_MAX) == 63,
	   "values of a space, an umlaut, a face, and no character at all");
}

int
main(void)
{
	test_ranges();
	test_group();
	test_powers();
	test_anti_symmetry();
	test_all_codes();
	test_random_codes();
	test_binary();
	test_known_answers();
	test_verhoeff();
	test_other_errors();
	test_leading_zero();
	test_outside();
	return done_testing();
}
