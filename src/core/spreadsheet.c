/*
 * spreadsheet.c
 *		Texts that spreadsheets and readers of CSV take for something else.
 *
 * As whole texts, whatever the case of their letters:
 *
 *		numbers with an exponent	2E22  -2.5e+3  .5E1
 *		months with numbers			MAR2  2-MAR  2 March 2024  SEPT2
 *		hours						2PM  11 am
 *		words						NULL NONE NA N/A #N/A NAN INF INFINITY TRUE FALSE
 *
 * A month is its English name or what that begins with, from three letters on;
 * one to four digits are before it, behind it, or both, and any number of
 * dashes, slashes, points and blanks between.  A month's name alone is left
 * as it is.  Hours are 0 to 12.  NAN, INF and INFINITY may have a sign.  Nothing else is taken for what it
 * looks like: here a 3 is a digit, and no E.
 *
 * sql/ has the same as regular expressions, for people to read: the row of the
 * list "spreadsheet".  Whoever changes the one changes the other, and raises
 * the version in wordfilter_identity_joined.
 *
 * The texts make a deterministic automaton, which is computed and not stored.
 * A state is one of those listed below; or, inside a word, which words there
 * may be, how many characters of them have been seen, and the first of those
 * words in alphabetical order, which stands for all that begin like it.
 */
#include "core/spreadsheet.h"

#include <string.h>

/* Where a word can begin */
typedef enum Place
{
	PLACE_FIRST,
	PLACE_SIGNED,				/* behind a sign */
	PLACE_HASHED,				/* behind # */
	PLACE_HOUR,					/* behind digits that can be an hour */
	PLACE_DATE,					/* behind others, or behind what separates a month from them */
	PLACES
} Place;

#define FIRST	(1 << PLACE_FIRST)
#define SIGNED	(1 << PLACE_SIGNED)
#define HASHED	(1 << PLACE_HASHED)
#define HOUR	(1 << PLACE_HOUR)
#define MONTH	(FIRST | HOUR | (1 << PLACE_DATE))

/* In the order of their bytes */
static const struct
{
	const char *text;
	int			places;
}			words[] = {
	{"AM", HOUR},
	{"APRIL", MONTH},
	{"AUGUST", MONTH},
	{"DECEMBER", MONTH},
	{"FALSE", FIRST},
	{"FEBRUARY", MONTH},
	{"INF", FIRST | SIGNED},
	{"INFINITY", FIRST | SIGNED},
	{"JANUARY", MONTH},
	{"JULY", MONTH},
	{"JUNE", MONTH},
	{"MARCH", MONTH},
	{"MAY", MONTH},
	{"N/A", FIRST | HASHED},
	{"NA", FIRST | HASHED},
	{"NAN", FIRST | SIGNED},
	{"NONE", FIRST},
	{"NOVEMBER", MONTH},
	{"NULL", FIRST},
	{"OCTOBER", MONTH},
	{"PM", HOUR},
	{"SEPTEMBER", MONTH},
	{"TRUE", FIRST}
};

#define WORDS		(sizeof(words) / sizeof(words[0]))
#define MAX_LEN		9			/* of a word */
#define MIN_MONTH	3			/* characters that name a month */

enum
{
	NOTHING = SPREADSHEET_NOTHING,
	BEGIN = SPREADSHEET_BEGIN,
	SIGN,
	HASH,
	ZERO,						/* one digit */
	ONE,
	DIGIT1,						/* another one */
	HOUR2,						/* two digits, up to 12 */
	DIGIT2,						/* others */
	DIGIT3,
	DIGIT4,
	DIGITS,						/* more, or behind a sign: a number's, not a date's */
	HOUR_BLANK,					/* a blank behind an hour */
	SEPARATED,					/* behind one to four digits, more than that or another character */
	DATE_POINT,					/* a point behind one to four digits */
	POINT,						/* a point behind other digits */
	POINT_FIRST,				/* a point without digits before it */
	FRACTION,
	EXPONENT,					/* behind E */
	EXPONENT_SIGN,
	EXPONENT_DIGITS,
	MONTH_SEPARATED,			/* what separates a month from digits behind it */
	AFTER1,						/* so many digits behind a month */
	AFTER2,
	AFTER3,
	AFTER4,
	INSIDE						/* the first of those inside a word */
};

typedef char states_fit[INSIDE + PLACES * WORDS * (MAX_LEN + 1) <= SPREADSHEET_STATES ? 1 : -1];

static bool
is_separator(unsigned char class)
{
	return class == '-' || class == '/' || class == '.' || class == ' ';
}

/*
 * What stands for c and for all that are taken for c: 3 for the digits from 3
 * on, a capital for either case of a letter.  NUL for what is in none of the texts.
 */
unsigned char
spreadsheet_class(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c < '3' ? c : '3';
	if (c >= 'a' && c <= 'z')
		c = (unsigned char) (c - 'a' + 'A');
	return (c >= 'A' && c <= 'Z') || is_separator(c) || c == '+' || c == '#' ? c : '\0';
}

/* One more digit, of those that a text begins with. */
static uint32_t
next_digit(uint32_t state, unsigned char class)
{
	switch (state)
	{
		case BEGIN:
			return class == '0' ? ZERO : class == '1' ? ONE : DIGIT1;
		case ZERO:
			return HOUR2;
		case ONE:
			return class <= '2' ? HOUR2 : DIGIT2;
		case DIGIT1:
			return DIGIT2;
		case HOUR2:
		case DIGIT2:
			return DIGIT3;
		case DIGIT3:
			return DIGIT4;
		default:
			return DIGITS;
	}
}

/* One more character of a word: behind `seen` of them, in the words from `word` on that begin so. */
static uint32_t
next_in_word(Place place, size_t word, size_t seen, unsigned char class)
{
	for (size_t i = word; i < WORDS && strncmp(words[i].text, words[word].text, seen) == 0; i++)
		if ((words[i].places & (1 << place)) != 0 && (unsigned char) words[i].text[seen] == class)
			return INSIDE + (uint32_t) ((place * WORDS + i) * (MAX_LEN + 1) + seen + 1);
	return NOTHING;
}

static uint32_t
begin_word(Place place, unsigned char class)
{
	return class != '\0' ? next_in_word(place, 0, 0, class) : NOTHING;
}

/* Is a state behind a month's name, or enough of it? */
static bool
is_month(uint32_t state)
{
	size_t		inside = state - INSIDE;

	return state >= INSIDE && inside % (MAX_LEN + 1) >= MIN_MONTH &&
		words[inside / (MAX_LEN + 1) % WORDS].places == MONTH;
}

/*
 * The state after one more character.  state: SPREADSHEET_BEGIN or what an
 * earlier call returned; class: what spreadsheet_class says of the character.
 * SPREADSHEET_NOTHING leads to itself.
 */
uint32_t
spreadsheet_next(uint32_t state, unsigned char class)
{
	bool		digit = class >= '0' && class <= '9';
	bool		hour = state >= ZERO && state <= HOUR2;
	bool		sign = class == '+' || class == '-';
	bool		separator = is_separator(class);

	switch (state)
	{
		case BEGIN:
			return digit ? next_digit(state, class) : sign ? SIGN : class == '.' ? POINT_FIRST : class == '#' ? HASH :
				begin_word(PLACE_FIRST, class);
		case SIGN:
			return digit ? DIGITS : class == '.' ? POINT_FIRST : begin_word(PLACE_SIGNED, class);
		case HASH:
			return begin_word(PLACE_HASHED, class);
		case ZERO:
		case ONE:
		case DIGIT1:
		case HOUR2:
		case DIGIT2:
		case DIGIT3:
		case DIGIT4:
			if (digit)
				return next_digit(state, class);
			if (class == '.')
				return DATE_POINT;
			if (class == 'E')
				return EXPONENT;
			if (separator)
				return class == ' ' && hour ? HOUR_BLANK : SEPARATED;
			return begin_word(hour ? PLACE_HOUR : PLACE_DATE, class);
		case DIGITS:
			return digit ? DIGITS : class == '.' ? POINT : class == 'E' ? EXPONENT : NOTHING;
		case HOUR_BLANK:
			return separator ? SEPARATED : begin_word(PLACE_HOUR, class);
		case SEPARATED:
			return separator ? SEPARATED : begin_word(PLACE_DATE, class);
		case DATE_POINT:
			return digit ? FRACTION : class == 'E' ? EXPONENT : separator ? SEPARATED : begin_word(PLACE_DATE, class);
		case POINT:
		case FRACTION:
			return digit ? FRACTION : class == 'E' ? EXPONENT : NOTHING;
		case POINT_FIRST:
			return digit ? FRACTION : NOTHING;
		case EXPONENT:
			return digit ? EXPONENT_DIGITS : sign ? EXPONENT_SIGN : NOTHING;
		case EXPONENT_SIGN:
		case EXPONENT_DIGITS:
			return digit ? EXPONENT_DIGITS : NOTHING;
		case MONTH_SEPARATED:
			return digit ? AFTER1 : separator ? MONTH_SEPARATED : NOTHING;
		case AFTER1:
		case AFTER2:
		case AFTER3:
			return digit ? state + 1 : NOTHING;
		default:
			if (state < INSIDE)
				return NOTHING;
			if (is_month(state) && (digit || separator))
				return digit ? AFTER1 : MONTH_SEPARATED;
			if (class == '\0')
				return NOTHING;
			state -= INSIDE;
			return next_in_word((Place) (state / (MAX_LEN + 1) / WORDS), state / (MAX_LEN + 1) % WORDS,
								state % (MAX_LEN + 1), class);
	}
}

/* Is a text that ends in a state taken for something else? */
bool
spreadsheet_ends(uint32_t state)
{
	if (state < INSIDE)
		return state == EXPONENT_DIGITS || (state >= AFTER1 && state <= AFTER4);
	if (is_month(state))
		return (state - INSIDE) / (MAX_LEN + 1) / WORDS != PLACE_FIRST;
	state -= INSIDE;
	return words[state / (MAX_LEN + 1) % WORDS].text[state % (MAX_LEN + 1)] == '\0' &&
		words[state / (MAX_LEN + 1) % WORDS].places != MONTH;
}
