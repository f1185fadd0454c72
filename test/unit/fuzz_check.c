/*
 * fuzz_check.c
 *		libFuzzer on check.c: for codes of any length, one wrong character is noticed,
 *		and so are two neighbours that have changed places; ten digits are Verhoeff's,
 *		and the other values are those of the groups that check.c describes.
 */
#include "core/check.h"
#include "fuzz.h"

#define MAX_LEN		140			/* of extra, uniquizer and base code */

/* a * b in the group, computed each time */
static uint32_t
product(uint32_t radix, uint32_t a, uint32_t b)
{
	uint32_t	odd = radix;
	uint32_t	m = radix / 2;

	if (radix % 4 == 2)
	{
		/* r^i or r^i s, and s r^j = r^-j s */
		uint32_t	i = a % m;
		uint32_t	j = b % m;

		return (a < m ? (i + j) % m : (i + m - j) % m) + ((a < m) == (b < m) ? 0 : m);
	}
	while (odd % 2 == 0)
		odd /= 2;
	return ((a / odd) ^ (b / odd)) * odd + (a % odd + b % odd) % odd;
}

/* phi once */
static uint32_t
turn(uint32_t radix, uint32_t a)
{
	/* x^k modulo a primitive polynomial, by k */
	static const uint32_t overflow[] = {[2] = 3, [3] = 3, [4] = 3, [5] = 5, [6] = 3};
	uint32_t	odd = radix;
	uint32_t	degree = 0;
	uint32_t	high;

	if (radix % 4 == 2)
	{
		uint32_t	m = radix / 2;

		return a < m ? (m - a) % m : m + (a - m + 1) % m;
	}
	while (odd % 2 == 0)
	{
		odd /= 2;
		degree++;
	}
	high = a / odd * 2;
	if (high >= 1u << degree)
		high = (high - (1u << degree)) ^ overflow[degree];
	return high * odd + a % odd * 2 % odd;
}

/* Verhoeff's check digit, from his tables. */
static uint32_t
verhoeff(const uint32_t *digits, size_t len)
{
	static const uint8_t d[10][10] = {
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5}, {2, 3, 4, 0, 1, 7, 8, 9, 5, 6},
		{3, 4, 0, 1, 2, 8, 9, 5, 6, 7}, {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
		{6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3}, {8, 7, 6, 5, 9, 3, 2, 1, 0, 4},
		{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}
	};
	static const uint8_t p[8][10] = {
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4}, {5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
		{8, 9, 1, 6, 0, 4, 3, 5, 2, 7}, {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
		{2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}
	};
	static const uint8_t inverse[10] = {0, 4, 3, 2, 1, 5, 6, 7, 8, 9};
	uint32_t	c = 0;

	for (size_t i = 0; i < len; i++)
		c = d[c][p[(i + 1) % 8][digits[len - 1 - i]]];
	return inverse[c];
}

/* The state after all of a code, the check character last. */
static uint32_t
end_state(const CheckTable *table, const uint32_t *code, size_t len)
{
	uint32_t	state = CHECK_START;

	for (size_t i = 0; i < len; i++)
		state = check_add(table, state, (uint32_t) (len - 1 - i), code[i]);
	return state;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = {data, size};
	uint32_t	radix = take_byte(&input);
	const CheckTable *table = check_table(radix);
	uint32_t	code[MAX_LEN + 1];
	size_t		len;
	size_t		place;
	uint32_t	state = CHECK_START;
	uint32_t	was;
	uint32_t	code_point;

	if (radix < 2 || radix > 64)
	{
		MUST(table == NULL && !check_catches_swaps(radix));
		return 0;
	}
	MUST(table != NULL && table->radix == radix && table == check_table(radix));
	MUST(check_catches_swaps(radix) == (radix != 2));

	len = take_between(&input, 1, MAX_LEN);
	for (size_t i = 0; i < len; i++)
		code[i] = take_byte(&input) % radix;

	/* the check character, and that of the reference */
	for (size_t i = 0; i < len; i++)
		state = check_add(table, state, (uint32_t) (len - i), code[i]);
	code[len] = check_value(table, state);
	MUST(code[len] < radix);
#ifndef FUZZ_NO_REFERENCE		/* to see that what comes below would notice, too */
	if (radix == 10)
		MUST(code[len] == verhoeff(code, len));
	else
	{
		uint32_t	all = 0;
		uint32_t	check = 0;

		for (size_t i = 0; i < len; i++)
		{
			uint32_t	value = code[i];

			for (size_t k = len - i; k > 0; k--)
				value = turn(radix, value);
			all = product(radix, all, value);
		}
		while (product(radix, all, check) != 0)
			check++;
		MUST(code[len] == check);
	}
#endif
	len++;
	MUST(end_state(table, code, len) == 0);

	/* every wrong character at one place, and at the check character's own */
	for (int turns = 0; turns < 2; turns++)
	{
		place = turns == 0 ? take_byte(&input) % len : len - 1;
		was = code[place];
		for (code[place] = 0; code[place] < radix; code[place]++)
			MUST((end_state(table, code, len) == 0) == (code[place] == was));
		code[place] = was;
	}

	/* all neighbours */
	for (place = 0; place + 1 < len; place++)
	{
		was = code[place];
		code[place] = code[place + 1];
		code[place + 1] = was;
		if (check_catches_swaps(radix))
			MUST((end_state(table, code, len) == 0) == (code[place] == was));
		code[place + 1] = code[place];
		code[place] = was;
	}

	code_point = (uint32_t) take_number(&input, 4);
	MUST(check_outside(radix, code_point) < radix);
	MUST(check_outside(radix, code_point) == check_outside(radix, code_point - code_point / radix * radix));
	return 0;
}
