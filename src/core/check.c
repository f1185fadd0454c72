/*
 * check.c
 *		The check character of a code, for 2 to 64 characters.
 *
 * Characters count by their values, 0 to radix - 1, in a group of radix
 * elements whose identity is 0.  A code x_d ... x_2 x_1 with check character c
 * is right if
 *
 *		phi^d(x_d) * ... * phi^2(x_2) * phi(x_1) * c = 0
 *
 * where phi is a permutation of the values.  The power of phi is a character's
 * distance from the check character, so the check character has power 0.
 *
 * One wrong character is always noticed: phi^d is a permutation, and in a
 * group the factors on both sides cancel.  Two unequal neighbours x and y that
 * have changed places are always noticed if phi is anti-symmetric, that is
 *
 *		phi(x) * y != phi(y) * x		for all x != y,
 *
 * because the factors on both sides cancel, and phi^d(x) and phi^d(y) are as
 * unequal as x and y.  This holds for a code of any length and includes the
 * check character and its neighbour.  What is to be found is an anti-symmetric
 * permutation for each radix:
 *
 * - Radix 2^k * m with m odd, and k = 0 or k >= 2: the additive group of
 *	 GF(2^k) x Z_m, and phi multiplies by u = (a, 2), where a is a generator of
 *	 GF(2^k)'s multiplicative group.  Anti-symmetry says (u - 1)(x - y) != 0,
 *	 which holds because u - 1 is a unit like u: 2 - 1 = 1, and a is neither 0
 *	 nor 1.  Such sums with geometric weights are classical.  Value v stands for
 *	 (v / m, v % m), the bits of v / m being the coefficients of a polynomial.
 *
 * - Radix 2m with m odd, m >= 3: no abelian group will do.  phi(x) - x would run
 *	 through all elements, whose sum is the one element of order 2, but all phi(x)
 *	 less all x are 0.  The dihedral group D_m does, with phi(r^t) = r^-t and
 *	 phi(r^t s) = r^(t+1) s.  For rotations r^a and r^b, anti-symmetry says
 *	 r^(b-a) != r^(a-b), for reflections r^a s and r^b s r^(a+1-b) != r^(b+1-a),
 *	 and equality would mean 2(a - b) = 0, but m is odd.  For r^a and r^b s it
 *	 says r^(b-a) s != r^(b-a+1) s.  Values 0 to m - 1 are the rotations r^v,
 *	 values m to 2m - 1 the reflections r^(v-m) s.  Verhoeff used D_5 for decimal
 *	 digits, Gumm D_m for all such m.
 *
 * - Radix 10 would be one of these, but ten digits are what the world has an
 *	 established scheme for: Verhoeff's own, so that other software can verify
 *	 codes of the alphabet 0123456789.  It is D_5 with another phi, in cycles
 *	 (0 1 5 8 9 4 2 7)(3 6), which notices more as well, see below.  Verhoeff
 *	 multiplies from the check digit to the first digit, here it is the other way
 *	 round.  So the group is D_5 with the factors exchanged, where a * b is what
 *	 b a is in D_5, and the products are the same.  No formula says that phi is
 *	 anti-symmetric, only looking at all 45 pairs; without the exchange it is not.
 *
 * - Radix 2 is what becomes of that for m = 1: D_1 = Z_2, phi is the identity,
 *	 the check character is the parity.  No check character of two others can
 *	 notice all swaps here.  One that notices every single error changes
 *	 whenever one character does, so it is the parity or the parity's opposite,
 *	 and 011 and 101 both have even parity, 001 and 010 both odd.
 *
 * What else is noticed, at any place, as a share of all pairs a != b and of all
 * triples with a != c:
 *
 *		radix						aa -> bb				abc -> cba
 *		2							none					none
 *		10							86 / 90					848 / 900
 *		6, 14, 18 ... 62 (n)		n / (2(n - 1))			3(n - 2) / (4(n - 1))
 *		other multiples of 3 (n)	(n - 3) / (n - 1)		(n - 3) / (n - 1)
 *		all others					all						all
 *
 * For 10 that is 43/45 and 212/225, and would be 5/9 and 2/3 like the others;
 * for 26 it is 13/25 and 18/25, for 36 33/35 and 33/35, for 32 and 64 all.
 *
 * A character of value 0 added or lost at the beginning is never noticed, as
 * phi(0) is 0.  Only for 10 it is, unless it stands a multiple of 8 places
 * before the check digit: of phi's powers, only every eighth leads from 0 to 0.
 *
 * Sources: J. Verhoeff, Error Detecting Decimal Codes, Mathematical Centre
 * Tracts 29, Amsterdam 1969; H. P. Gumm, A new class of check-digit methods for
 * arbitrary number systems, IEEE Transactions on Information Theory 31 (1985),
 * 102-105.
 *
 * Check characters are printed and remembered: the group, the permutation and
 * the values that stand for the group's elements must never change.
 *
 * Plain C without PostgreSQL, without allocation.  The tables of a radix are
 * built when it is first asked for, and then stay as they are; building is not
 * safe among threads.
 */
#include "core/check.h"

#include <stddef.h>

#define CHECK_MIN_RADIX		2
#define VERHOEFF_RADIX		10

/* By degree, a polynomial over GF(2) of which x generates the multiplicative group. */
static const uint8_t primitive_polynomial[] = {
	[2] = 0x07,					/* x^2 + x + 1 */
	[3] = 0x0B,					/* x^3 + x + 1 */
	[4] = 0x13,					/* x^4 + x + 1 */
	[5] = 0x25,					/* x^5 + x^2 + 1 */
	[6] = 0x43					/* x^6 + x + 1 */
};

/* J. Verhoeff's permutation of the decimal digits. */
static const uint8_t verhoeff_permutation[VERHOEFF_RADIX] = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};

static CheckTable tables[CHECK_MAX_RADIX + 1];

/* The additive group of GF(2^k) x Z_m, and multiplication by (x, 2). */
static void
build_ring(CheckTable *table, uint8_t *phi, uint32_t radix)
{
	uint32_t	odd = radix;
	uint32_t	degree = 0;

	for (; odd % 2 == 0; odd /= 2)
		degree++;
	for (uint32_t a = 0; a < radix; a++)
	{
		uint32_t	shifted = a / odd * 2;

		if (shifted >> degree != 0)
			shifted ^= primitive_polynomial[degree];
		phi[a] = (uint8_t) (shifted * odd + a % odd * 2 % odd);

		for (uint32_t b = 0; b < radix; b++)
			table->combine[a][b] = (uint8_t)
				(((a / odd) ^ (b / odd)) * odd + (a % odd + b % odd) % odd);
	}
}

/* The dihedral group of radix / 2 rotations, an odd number. */
static void
build_dihedral(CheckTable *table, uint8_t *phi, uint32_t radix)
{
	uint32_t	turns = radix / 2;

	for (uint32_t a = 0; a < radix; a++)
	{
		bool		a_mirrors = a >= turns;

		phi[a] = (uint8_t) (a_mirrors ? turns + (a + 1) % turns : (turns - a) % turns);

		for (uint32_t b = 0; b < radix; b++)
		{
			bool		b_mirrors = b >= turns;
			uint32_t	turn = (a_mirrors ? a + radix - b : a + b) % turns;

			table->combine[a][b] = (uint8_t) (a_mirrors != b_mirrors ? turns + turn : turn);
		}
	}
}

/* The dihedral group of 5 rotations with the factors exchanged, and Verhoeff's permutation. */
static void
build_verhoeff(CheckTable *table, uint8_t *phi)
{
	build_dihedral(table, phi, VERHOEFF_RADIX);
	for (uint32_t a = 0; a < VERHOEFF_RADIX; a++)
	{
		phi[a] = verhoeff_permutation[a];

		for (uint32_t b = 0; b < a; b++)
		{
			uint8_t		product = table->combine[a][b];

			table->combine[a][b] = table->combine[b][a];
			table->combine[b][a] = product;
		}
	}
}

static void
build(CheckTable *table, uint32_t radix)
{
	uint8_t		phi[CHECK_MAX_RADIX];
	bool		again;

	if (radix == VERHOEFF_RADIX)
		build_verhoeff(table, phi);
	else if (radix % 4 == 2)
		build_dihedral(table, phi, radix);
	else
		build_ring(table, phi, radix);

	for (uint32_t a = 0; a < radix; a++)
	{
		table->weigh[0][a] = (uint8_t) a;
		for (uint32_t b = 0; b < radix; b++)
		{
			if (table->combine[a][b] == CHECK_START)
				table->inverse[a] = (uint8_t) b;
		}
	}

	/* the powers of phi until they repeat: at most 63, of radix 64 */
	table->period = 0;
	do
	{
		const uint8_t *last = table->weigh[table->period++];

		again = true;
		for (uint32_t a = 0; a < radix; a++)
			again = again && phi[last[a]] == a;
		for (uint32_t a = 0; a < radix && !again; a++)
			table->weigh[table->period][a] = phi[last[a]];
	} while (!again);

	table->radix = radix;
}

/*
 * The tables for codes of `radix` different characters, 2 to 64, and NULL for
 * any other radix.  They are built at the first call, and stay where they are.
 */
const CheckTable *
check_table(uint32_t radix)
{
	if (radix < CHECK_MIN_RADIX || radix > CHECK_MAX_RADIX)
		return NULL;
	if (tables[radix].radix == 0)
		build(&tables[radix], radix);
	return &tables[radix];
}

/*
 * True if every swap of two unequal neighbours is noticed: for a radix of 3 to
 * 64.  False for 2, and for those that have no check character.
 */
bool
check_catches_swaps(uint32_t radix)
{
	return radix > CHECK_MIN_RADIX && radix <= CHECK_MAX_RADIX;
}

/*
 * The value, 0 to radix - 1, of a character that is not in the alphabet, by its
 * Unicode code point, any number; a code's extra may hold any character.
 * radix: 2 to 64.
 *
 * A check character of n values cannot tell more than n characters apart at one
 * place.  Two characters with the same value count as the same one: nothing is
 * noticed if one stands for the other, or if the two, side by side, change
 * places.  So it is with two characters outside of the alphabet if their code
 * points differ by a multiple of n, and one outside has the same value as one
 * within.  All errors among characters of unequal values are noticed as
 * described above, hence always those among characters of the alphabet.
 */
uint32_t
check_outside(uint32_t radix, uint32_t code_point)
{
	return code_point % radix;
}
