/*
 * normalize.c
 *		What somebody has typed, as the code that was meant.
 *
 * People type codes in lower case, with spaces and dashes, in full-width forms
 * on East Asian keyboards, or with letters of another script that look the
 * same, and paste them with what stood around them: quotes of all kinds,
 * brackets, the marks of Markdown, ="7GRY" as it is written for spreadsheets.
 * All of that is only dropped where it is no character of the alphabet.
 * Base code and uniquizer are read from the end, each character as the
 * one of the alphabet that it must be: itself, or in the other case, or the
 * only one that looks like it (0/O, 1/I/L, 2/Z, 5/S, 8/B).
 *
 * What is left at the front is an extra.  Only extras that the ring has used
 * can be meant, and none.  Candidates are ranked:
 *	1. extra and uniquizer are exactly as typed, with nothing dropped in between;
 *	2. they differ in case and separators;
 *	3. the uniquizer was typed with look-alikes
 * and the series has entered the cycle; then the same where it has not, but
 * may yet.  The best rank decides, and if it holds two different codes none
 * does.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_collation.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

#include "codes/cycles.h"
#include "codes/decode.h"
#include "codes/mbtext.h"
#include "codes/normalize.h"
#include "core/codec.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

/* What people and programs put around a code. */
#define BEFORE_CODE	"#=\"'`*|(<[{"
#define BEHIND_CODE	"\"'`*|)>]},;:.!?"

/* Nobody types more bytes than this and means a code. */
#define MAX_INPUT_BYTES	1000

#define SEPARATOR	((uint32) ' ')

#define RANKS		6

/* A character of the input. */
typedef struct Typed
{
	uint32		folded;			/* code point; SEPARATOR for what only separates */
	int			at;				/* its first byte */
} Typed;

/* A place where the input can be split, and what is before and behind it. */
typedef struct Split
{
	int			extra_len;		/* bytes of the input */
	int64		cycle;
	int			uniquizer_len;
	int			effort;			/* with which extra and uniquizer were read */
	char		uniquizer[CODEC_MAX_UNIQUIZER];
	char	   *folded;			/* the extra, as fold_extra() makes it */
} Split;

typedef struct Search
{
	const Ring *ring;
	const char *base;			/* ring->tail_length characters */
	Split	   *splits;
	int			nsplits;
	char	   *found[RANKS];	/* NULL for none */
	bool		several[RANKS];
} Search;

/* Letters that look like those of ASCII, by code point.  (Small nu looks like v, and its capital like N: left out.) */
static const struct
{
	uint16		code_point;
	char		ascii;
}			look_alikes[] =
{
	/* Greek */
	{0x0391, 'A'}, {0x0392, 'B'}, {0x0395, 'E'}, {0x0396, 'Z'}, {0x0397, 'H'}, {0x0399, 'I'},
	{0x039A, 'K'}, {0x039C, 'M'}, {0x039D, 'N'}, {0x039F, 'O'}, {0x03A1, 'P'}, {0x03A4, 'T'},
	{0x03A5, 'Y'}, {0x03A7, 'X'}, {0x03B1, 'a'}, {0x03B2, 'b'}, {0x03B5, 'e'}, {0x03B6, 'z'},
	{0x03B9, 'i'}, {0x03BA, 'k'}, {0x03BF, 'o'}, {0x03C1, 'p'}, {0x03C4, 't'}, {0x03C7, 'x'},
	/* Cyrillic */
	{0x0405, 'S'}, {0x0406, 'I'}, {0x0408, 'J'}, {0x0410, 'A'}, {0x0412, 'B'}, {0x0415, 'E'},
	{0x0417, '3'}, {0x041A, 'K'}, {0x041C, 'M'}, {0x041D, 'H'}, {0x041E, 'O'}, {0x0420, 'P'},
	{0x0421, 'C'}, {0x0422, 'T'}, {0x0423, 'Y'}, {0x0425, 'X'}, {0x0430, 'a'}, {0x0432, 'b'},
	{0x0435, 'e'}, {0x0437, '3'}, {0x043A, 'k'}, {0x043C, 'm'}, {0x043D, 'h'}, {0x043E, 'o'},
	{0x0440, 'p'}, {0x0441, 'c'}, {0x0442, 't'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'},
	{0x0456, 'i'}, {0x0458, 'j'},
	/* Latin that is not ASCII */
	{0x0130, 'I'}, {0x0131, 'i'}, {0x017F, 's'}, {0x212A, 'K'}
};

/* Quotes, brackets and marks that do the same as one of ASCII, by code point. */
static const struct
{
	uint16		first;
	uint16		last;
	char		ascii;
}			marks[] =
{
	{0x00AB, 0x00AB, '"'}, {0x00B4, 0x00B4, '\''}, {0x00BB, 0x00BB, '"'},	/* guillemets, acute accent */
	{0x02B9, 0x02BD, '\''},		/* modifier letters */
	{0x2018, 0x201B, '\''}, {0x201C, 0x201F, '"'},	/* curly quotes */
	{0x2026, 0x2026, '.'},		/* ellipsis */
	{0x2032, 0x2032, '\''}, {0x2033, 0x2033, '"'}, {0x2035, 0x2035, '\''}, {0x2036, 0x2036, '"'},	/* primes */
	{0x2039, 0x203A, '\''},		/* single guillemets */
	{0x2044, 0x2044, '/'}, {0x2215, 0x2215, '/'},	/* slashes of fractions */
	{0x276E, 0x276F, '"'}, {0x275B, 0x275C, '\''}, {0x275D, 0x275E, '"'},	/* ornaments */
	{0x3001, 0x3001, ','}, {0x3002, 0x3002, '.'},	/* of East Asia, as full-width forms of ASCII are */
	{0x3008, 0x3011, '"'}, {0x3014, 0x301B, '"'}, {0x301D, 0x301F, '"'},
	{0xFF61, 0xFF61, '.'}, {0xFF62, 0xFF63, '"'}, {0xFF64, 0xFF64, ','}
};

/* The zeros of scripts whose ten digits follow each other. */
static const uint16 zeros[] = {0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50};

/* Groups of characters that look alike. */
static const char *const alike[] = {"0Oo", "1IiLl", "2Zz", "5Ss", "8Bb"};

/*
 * A code point as the ASCII character that looks like it or does the same, or
 * SEPARATOR, or as it is.
 */
static uint32
fold(uint32 c)
{
	if (c >= 0xFF01 && c <= 0xFF5E)
		c -= 0xFEE0;			/* full-width forms */
	if (c < 0x80)
		return c <= ' ' || c == 0x7F ? SEPARATOR : c;
	if (c == 0x85 || c == 0xA0 || c == 0xAD || c == 0xB7 || c == 0x061C || c == 0x1680 ||
		(c >= 0x2000 && c <= 0x2015) ||
		(c >= 0x2022 && c <= 0x2025) ||
		(c >= 0x2027 && c <= 0x202F) ||
		c == 0x2043 || (c >= 0x205F && c <= 0x206F) || c == 0x2212 ||
		c == 0x3000 || (c >= 0xFE00 && c <= 0xFE0F) || c == 0x30FC || c == 0xFE58 || c == 0xFE63 || c == 0xFEFF || c == 0xFF70)
		return SEPARATOR;		/* spaces, dashes, dots, and what cannot be seen */
	for (int i = 0; i < (int) lengthof(look_alikes); i++)
	{
		if (look_alikes[i].code_point == c)
			return (unsigned char) look_alikes[i].ascii;
	}
	for (int i = 0; i < (int) lengthof(marks); i++)
	{
		if (c >= marks[i].first && c <= marks[i].last)
			return (unsigned char) marks[i].ascii;
	}
	for (int i = 0; i < (int) lengthof(zeros); i++)
	{
		if (c >= zeros[i] && c < (uint32) zeros[i] + 10)
			return '0' + (c - zeros[i]);
	}
	return c;
}

static bool
separates(uint32 folded)
{
	return folded == SEPARATOR || folded == '-' || folded == '_' || folded == '.' || folded == '/';
}

/* How far what was typed is from what is meant. */
enum
{
	AS_TYPED,
	CASE_OR_SEPARATORS,
	LOOK_ALIKES
};

/*
 * The character of the alphabet that is meant by a folded one, or -1.  *effort
 * is raised to what it takes.
 */
static int
in_alphabet(const Codec *codec, uint32 folded, int *effort)
{
	char		other;
	int			meant = -1;

	if (folded >= 0x80)
		return -1;
	if (codec->base_value[folded] >= 0)
		return folded;
	other = pg_ascii_toupper(folded) != folded ? pg_ascii_toupper(folded) : pg_ascii_tolower(folded);
	*effort = Max(*effort, CASE_OR_SEPARATORS);
	if (codec->base_value[(unsigned char) other] >= 0)
		return other;
	*effort = LOOK_ALIKES;
	for (int i = 0; i < (int) lengthof(alike); i++)
	{
		if (strchr(alike[i], folded) == NULL)
			continue;
		for (const char *c = alike[i]; *c != '\0'; c++)
		{
			if (codec->base_value[(unsigned char) *c] < 0)
				continue;
			if (meant >= 0)
				return -1;		/* two could be */
			meant = *c;
		}
	}
	return meant;
}

/*
 * Does a character only separate others?  Not where it is one of a code.
 */
static bool
to_be_skipped(const Codec *codec, uint32 folded)
{
	return separates(folded) && (folded >= 0x80 || codec->base_value[folded] < 0);
}

/*
 * An extra without case, separators and what may stand before it, for
 * comparison.
 */
static char *
fold_extra(const Codec *codec, const char *extra, int len)
{
	char	   *lower = str_tolower(extra, len, DEFAULT_COLLATION_OID);
	int			bytes = strlen(lower);
	char	   *folded = palloc(bytes + 1);
	int			to = 0;

	for (int at = 0; at < bytes;)
	{
		int			char_len = mbtext_length(lower + at, bytes - at);
		uint32		c = fold(mbtext_code_point(lower + at, char_len));

		if (to_be_skipped(codec, c) ||
			(to == 0 && c < 0x80 && codec->base_value[c] < 0 && strchr(BEFORE_CODE, c) != NULL))
			;
		else if (c < 0x80)
			folded[to++] = pg_ascii_tolower(c);
		else
		{
			memcpy(folded + to, lower + at, char_len);
			to += char_len;
		}
		at += char_len;
	}
	folded[to] = '\0';
	pfree(lower);
	return folded;
}

/*
 * A code that the input may mean.
 */
static void
add_candidate(Search *search, const Split *split, const char *extra, uint32 extra_len, int effort,
			  const SeriesNumbers *numbers)
{
	const Ring *ring = search->ring;
	int			len = extra_len + split->uniquizer_len + ring->tail_length;
	char	   *code = palloc(len + 1);
	SeriesId	id;
	int			rank = Max(split->effort, effort);

	memcpy(code, extra, extra_len);
	memcpy(code + extra_len, split->uniquizer, split->uniquizer_len);
	memcpy(code + extra_len + split->uniquizer_len, search->base, ring->tail_length);
	code[len] = '\0';
	if (!decode_checks_out(ring, code, len) ||
		decode_never_emitted(ring, numbers != NULL ? numbers->blocklist_id : ring->blocklist_id, extra_len, code, len))
		return;

	ring_series_id(ring, &id);
	id.extra_len = extra_len;
	memcpy(id.extra, extra, extra_len);
	if (numbers == NULL || !cycles_owned(ring, &id, split->cycle, numbers->reserved_to))
		rank += RANKS / 2;
	if (search->found[rank] != NULL && strcmp(search->found[rank], code) != 0)
		search->several[rank] = true;
	search->found[rank] = code;
}

/* For every series of the ring: is its extra one of those that may be meant? */
static void
compare_series(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
			   const SeriesNumbers *numbers, void *arg)
{
	Search	   *search = arg;
	char	   *folded;

	if (extra_len == 0)
		return;					/* it has been added as it is */
	folded = fold_extra(&search->ring->codec, extra, extra_len);
	for (int i = 0; i < search->nsplits; i++)
	{
		if (strcmp(search->splits[i].folded, folded) == 0)
			add_candidate(search, &search->splits[i], extra, extra_len, CASE_OR_SEPARATORS, numbers);
	}
	pfree(folded);
}

/*
 * The characters of the input; returns how many.
 */
static int
read_input(const char *input, int len, Typed *typed)
{
	int			count = 0;

	for (int at = 0; at < len;)
	{
		int			char_len = mbtext_length(input + at, len - at);

		typed[count].folded = fold(mbtext_code_point(input + at, char_len));
		typed[count++].at = at;
		at += char_len;
	}
	typed[count].at = len;
	return count;
}

/*
 * The base code, and the check character, that the input ends with: characters
 * of the alphabet.  Returns how many characters are before it, -1 if it has not
 * so many.
 */
static int
read_base(Search *search, const Typed *typed, int count)
{
	const Codec *codec = &search->ring->codec;
	uint32		wanted = search->ring->tail_length;
	int			effort = AS_TYPED;	/* the same for all candidates */
	char	   *base = palloc(wanted);
	int			at = count;

	while (at > 0 && (to_be_skipped(codec, typed[at - 1].folded) ||
					  (typed[at - 1].folded < 0x80 && codec->base_value[typed[at - 1].folded] < 0 &&
					   strchr(BEHIND_CODE, typed[at - 1].folded) != NULL)))
		at--;
	while (wanted > 0)
	{
		int			c;

		if (at == 0)
			return -1;
		at--;
		if (to_be_skipped(codec, typed[at].folded))
			continue;
		c = in_alphabet(codec, typed[at].folded, &effort);
		if (c < 0)
			return -1;
		base[--wanted] = c;
	}
	search->base = base;
	return at;
}

/*
 * Every way to split what is before the base code into an extra and a uniquizer.
 */
static void
find_splits(Search *search, const char *input, const Typed *typed, int at)
{
	const Ring *ring = search->ring;
	const Codec *codec = &ring->codec;
	char		digits[CODEC_MAX_UNIQUIZER];	/* the last ones are in use */
	int			ndigits = 0;
	int			effort = AS_TYPED;

	search->splits = palloc((at + 1) * sizeof(Split));
	for (;;)
	{
		Split	   *split = &search->splits[search->nsplits];
		uint64		cycle;
		int			c;

		if (codec_read_uniquizer(codec, digits + CODEC_MAX_UNIQUIZER - ndigits, ndigits, &cycle) &&
			cycle < (uint64) (PG_INT64_MAX / ring->base_codes))
		{
			split->extra_len = typed[at].at;
			split->effort = effort;
			if (to_be_skipped(codec, typed[at].folded))
				split->effort = Max(effort, CASE_OR_SEPARATORS);
			split->cycle = cycle;
			split->uniquizer_len = ndigits;
			memcpy(split->uniquizer, digits + CODEC_MAX_UNIQUIZER - ndigits, ndigits);
			split->folded = fold_extra(codec, input, split->extra_len);
			search->nsplits++;
		}
		if (at == 0)
			break;
		at--;
		if (to_be_skipped(codec, typed[at].folded))
			continue;
		c = in_alphabet(codec, typed[at].folded, &effort);
		if (c < 0 || ndigits == CODEC_MAX_UNIQUIZER)
			break;
		digits[CODEC_MAX_UNIQUIZER - ++ndigits] = c;
	}
}

/* For every split: is its extra one that there is, as it was typed? */
static void
look_up_splits(Search *search, const char *input)
{
	for (int i = 0; i < search->nsplits; i++)
	{
		Split	   *split = &search->splits[i];
		SeriesNumbers numbers;
		SeriesId	id;
		bool		exists;

		CHECK_FOR_INTERRUPTS();
		ring_series_id(search->ring, &id);
		if (split->folded[0] == '\0')
		{
			/* No extra, which a series need not have been used for. */
			exists = series_read(&id, &numbers);
			add_candidate(search, split, "", 0, split->extra_len > 0 ? CASE_OR_SEPARATORS : AS_TYPED,
						  exists ? &numbers : NULL);
		}
		if (split->extra_len > 0 && split->extra_len <= EXTRA_MAX_LEN)
		{
			id.extra_len = split->extra_len;
			memcpy(id.extra, input, split->extra_len);
			if (series_read(&id, &numbers))
				add_candidate(search, split, input, split->extra_len, AS_TYPED, &numbers);
		}
	}
}

/*
 * Find the code of a ring that is meant by an input; NULL if there is none, or
 * more than one.
 */
char *
normalize_input(const Ring *ring, const char *input, int len)
{
	Search		search = {.ring = ring};
	Typed	   *typed;
	int			before;			/* characters in front of the base code */
	Decoded		decoded;

	if (len > MAX_INPUT_BYTES)
		return NULL;
	if (decode_code(ring, input, len, &decoded) && decoded.owned &&
		!decode_never_emitted(ring, decoded.blocklist_id, decoded.id.extra_len, input, len))
		return pnstrdup(input, len);	/* as it stands */

	typed = palloc((len + 1) * sizeof(Typed));
	before = read_base(&search, typed, read_input(input, len, typed));
	if (before < 0)
		return NULL;
	find_splits(&search, input, typed, before);
	look_up_splits(&search, input);
	if (search.found[0] == NULL)
		series_visit(&ring->incarnation, compare_series, &search);
	for (int rank = 0; rank < RANKS; rank++)
	{
		if (search.found[rank] != NULL)
			return search.several[rank] ? NULL : search.found[rank];
	}
	return NULL;
}
