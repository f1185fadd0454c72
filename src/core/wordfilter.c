/*
 * wordfilter.c
 *		Texts that must not be handed out, and how many texts are left.
 *
 * What matches.  Texts and words are compared byte by byte after folding:
 * ASCII letters without case, and characters that look alike as one,
 *
 *		0 O		1 I L		2 Z		3 E		4 A		5 S		6 9 G		7 T		8 B
 *
 * Any other byte, punctuation and those from 0x80 up, is equal to itself only.
 * A word blocks every text that it occurs in, wherever, unless it is anchored:
 * one that begins with ^ only where it is the beginning of the text, one that
 * ends in $ only where it is the end.  A word of one character would block
 * nearly everything and has to be anchored.
 *
 * The beginning of a text may be somebody else's.  A word that lies in that
 * alone does not count (wordfilter_pass), one that reaches beyond it does.
 *
 * Matching.  All words make one automaton, that of Aho and Corasick
 * ("Efficient string matching", CACM 18, 1975), as a full table: a state is
 * the longest end of the text so far that some word begins with, and a
 * character costs one step, whatever the number of words.  A column is a
 * folded byte that some word has; one more column is of all other bytes, and
 * one each of what anchors a word, as if a text began and ended with it.
 * States are numbered breadth-first, by length, with START first, and so a
 * fail link (to the longest proper suffix that is a state) points to a smaller
 * number.
 *
 * The table is grown one length at a time, and is the trie too.  The row of a
 * new state begins as a copy of that of its fail link, which is shorter and so
 * complete; then the words write their own steps over it.  What such a step
 * led to before is, therefore, the fail link of the state it leads to from now
 * on.  Where a word ends, a step leads to BLOCKED.  If another word has that
 * step too and goes on, it has states behind it all the same, which are met
 * only where the shorter word did not count: the step to those is hidden, and
 * kept beside the table.
 *
 * Whole texts.  A list may also block what spreadsheet.c knows (wordfilter_join),
 * to which no characters look alike.  That is an automaton too, and the joined
 * list has pairs of states.  Most texts soon are, and stay, nothing to it: for
 * these pairs the states of the words stand, with their numbers.  The other pairs
 * come behind those, each with its word's state as fail link.  What it knows is
 * blocked by the step for the end alone, so it never lies in what is passed.
 * A column is then of bytes that neither of the two tells apart.
 *
 * Counting.  Let N(j, s, g) be how many texts of j alphabet characters, each
 * followed by its check character, go on from state s without ever coming to
 * BLOCKED; g is the state of the check in s.  Then N(j, s, g) is the sum of
 * N(j - 1, next(s, x), check_add(g, j, x)) over the alphabet's characters x:
 * exact at every length, without looking at a single text.  (That such counts
 * obey a linear recurrence given by the words' overlaps: Guibas and Odlyzko,
 * "String overlaps, pattern matching, and nontransitive games", J. Comb.
 * Theory A 30, 1981; the automaton's states stand for the overlaps here.)
 * A state and its fail link go to the same states except on the steps that a
 * word wrote, here "branches", and there is hardly one of these to a state:
 *
 *		N(j, s, g) = N(j, fail(s), g) + sum over the branches x of s of
 *			N(j - 1, next(s, x), g') - N(j - 1, next(fail(s), x), g')
 *
 * in the order of the state numbers.  (That is true of any two states, and short
 * where they differ on few steps, as the pairs of a joined list do.)  The
 * arithmetic is modulo 2^64, where subtraction is exact too.
 *
 * Plain C without PostgreSQL, without allocation, without state.
 */
#include "core/check.h"
#include "core/codec.h"
#include "core/spreadsheet.h"
#include "core/wordfilter.h"

#include <stdlib.h>
#include <string.h>

/* By letter where a digit looks like one.  wordfilter_identity has a version for it. */
static const unsigned char folded[256] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F,
	' ', '!', '"', '#', '$', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'O', 'I', 'Z', 'E', 'A', 'S', 'G', 'T', 'B', 'G', ':', ';', '<', '=', '>', '?',
	'@', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'I', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '[', '\\', ']', '^', '_',
	'`', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'I', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '{', '|', '}', '~', 0x7F,
	0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F,
	0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F,
	0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF,
	0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE, 0xBF,
	0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF,
	0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF,
	0xE0, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xEB, 0xEC, 0xED, 0xEE, 0xEF,
	0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF
};

#define FOLD(c)		folded[(unsigned char) (c)]

/* What a list needs room for, before it is built; states is an upper bound. */
typedef struct Shape
{
	uint32_t	states;
	uint32_t	classes;
	uint8_t		begin_class;
	uint8_t		end_class;
	uint8_t		class_of[256];
} Shape;

/* A step of `state` that its fail link does otherwise. */
typedef struct Branch
{
	uint16_t	state;
	uint16_t	class;
	uint16_t	to;				/* where it leads */
	uint16_t	instead;		/* where it leads from the fail link */
} Branch;

struct FilterCounter
{
	uint32_t	states;
	uint32_t	checks;			/* states of the check, 1 without one */
	uint64_t	left[];			/* [level][state][check state]; set leaves its branches behind them */
};

/* The one folding of c and of all bytes that are taken for c. */
unsigned char
wordfilter_fold(unsigned char c)
{
	return folded[c];
}

static bool
begins(const FilterWord *word, size_t k)
{
	return k == 0 && word->text[0] == WORDFILTER_BEGIN;
}

static bool
ends(const FilterWord *word, size_t k)
{
	return k > 0 && k == word->len - 1 && word->text[k] == WORDFILTER_END;
}

/* How many states of `last`'s path `word` shares. */
static size_t
shared_states(const FilterWord *last, const FilterWord *word)
{
	size_t		most = (last->len < word->len ? last->len : word->len) - 1;
	size_t		same = 0;

	while (same < most && FOLD(last->text[same]) == FOLD(word->text[same]))
		same++;
	return same;
}

/*
 * Shape of the words' table.  False if a word is too short or all of them too
 * long.  Words that share a beginning share its states, which is seen here of
 * neighbours only: the bound is near the truth if the words are sorted.
 */
static bool
measure(Shape *shape, const FilterWord *words, size_t count)
{
	bool		used[256] = {false};
	bool		begin = false;
	bool		end = false;
	size_t		total = 0;
	size_t		i;

	memset(shape, 0, sizeof(*shape));
	shape->states = 2;
	for (i = 0; i < count; i++)
	{
		const FilterWord *word = &words[i];

		if (word->len < 2 || word->len > WORDFILTER_MAX_BYTES - total ||
			(word->len == 2 && begins(word, 0) && ends(word, 1)))
			return false;
		total += word->len;
		for (size_t k = 0; k < word->len; k++)
		{
			if (begins(word, k))
				begin = true;
			else if (ends(word, k))
				end = true;
			else
				used[FOLD(word->text[k])] = true;
		}
		shape->states += (uint32_t) (word->len - 1 - (i > 0 ? shared_states(&words[i - 1], word) : 0));
	}

	shape->classes = 1;
	for (i = 0; i < 256; i++)
		if (used[i])
			shape->class_of[i] = (uint8_t) shape->classes++;
	for (i = 0; i < 256; i++)
		shape->class_of[i] = shape->class_of[folded[i]];
	if (begin)
		shape->begin_class = (uint8_t) shape->classes++;
	if (end)
		shape->end_class = (uint8_t) shape->classes++;
	return true;
}

/* Numbers that are kept of a hidden step, of which there are less than states. */
#define HIDDEN	3

/*
 * Bytes that wordfilter_build needs for these words, in any order; the least
 * if they are sorted.  0 if a word has less than two bytes, or nothing but
 * anchors, or all of them together more than WORDFILTER_MAX_BYTES: then there
 * is no such list.
 */
size_t
wordfilter_bytes(const FilterWord *words, size_t count)
{
	Shape		shape;

	if (!measure(&shape, words, count))
		return 0;
	/* table, fail links, hidden steps; where each word is, and those not done yet */
	return offsetof(WordFilter, next) +
		sizeof(uint16_t) * ((size_t) shape.states * (shape.classes + 1 + HIDDEN) + 2 * count);
}

/* Hidden steps are in the order of their states and classes. */
static int
compare_steps(const void *a, const void *b)
{
	const uint16_t *one = a;
	const uint16_t *other = b;

	return one[0] != other[0] ? one[0] - other[0] : one[1] - other[1];
}

/* Where a step leads that is hidden, START if there is none. */
static uint32_t
find_hidden(const uint16_t *hidden, uint32_t count, uint32_t state, uint32_t class)
{
	const uint16_t step[] = {(uint16_t) state, (uint16_t) class};
	const uint16_t *found = bsearch(step, hidden, count, sizeof(uint16_t) * HIDDEN, compare_steps);

	return found != NULL ? found[2] : WORDFILTER_START;
}

/* The state after one more character, if no word counts that ends with it. */
static uint32_t
pass(const WordFilter *list, const uint16_t *fail, const uint16_t *hidden, uint32_t state, uint32_t class)
{
	for (;;)
	{
		uint32_t	to = list->next[state * list->classes + class];

		if (to == WORDFILTER_BLOCKED)
			to = find_hidden(hidden, list->hidden, state, class);
		else
			return to;
		if (to != WORDFILTER_START || state == WORDFILTER_START)
			return to;
		state = fail[state];
	}
}

static uint32_t
class_at(const WordFilter *list, const FilterWord *word, size_t k)
{
	return begins(word, k) ? list->begin_class : ends(word, k) ? list->end_class :
		list->class_of[(unsigned char) word->text[k]];
}

/*
 * Grow the table from the n words, and the fail links and hidden steps beside
 * it.  at, active: room for n numbers each.
 */
static void
grow(WordFilter *list, uint16_t *fail, uint16_t *hidden, const FilterWord *words, size_t n,
	 uint16_t *at, uint16_t *active)
{
	size_t		row_bytes = sizeof(uint16_t) * list->classes;
	size_t		depth;
	size_t		i;

	fail[WORDFILTER_START] = WORDFILTER_START;
	fail[WORDFILTER_BLOCKED] = WORDFILTER_BLOCKED;
	for (i = 0; i < list->classes; i++)
	{
		list->next[i] = WORDFILTER_START;
		list->next[list->classes + i] = WORDFILTER_BLOCKED;
	}
	list->states = 2;
	list->hidden = 0;
	for (i = 0; i < n; i++)
	{
		at[i] = WORDFILTER_START;
		active[i] = (uint16_t) i;
	}

	for (depth = 0; n > 0; depth++)
	{
		uint32_t	first = list->states;	/* of the length that is added now */
		uint32_t	added = list->hidden;
		size_t		left = 0;

		/* words that end come first, because others may go on behind them */
		for (i = 0; i < n; i++)
		{
			const FilterWord *word = &words[active[i]];

			if (word->len == depth + 1)
				list->next[at[active[i]] * list->classes + class_at(list, word, depth)] = WORDFILTER_BLOCKED;
		}
		for (i = 0; i < n; i++)
		{
			const FilterWord *word = &words[active[i]];
			uint16_t   *here = &at[active[i]];
			uint32_t	class;
			uint16_t   *step;
			uint32_t	to;

			if (word->len == depth + 1)
				continue;
			class = class_at(list, word, depth);
			step = &list->next[*here * list->classes + class];
			to = *step;
			if (to == WORDFILTER_BLOCKED)
			{
				/* those of this length are not in order yet */
				uint16_t   *same = &hidden[list->hidden * HIDDEN];
				uint16_t   *new = &hidden[added * HIDDEN];

				while (same < new && (same[0] != *here || same[1] != class))
					same += HIDDEN;
				if (same < new)
					to = same[2];
				else
				{
					to = list->states++;
					fail[to] = (uint16_t) pass(list, fail, hidden, fail[*here], class);
					new[0] = *here;
					new[1] = (uint16_t) class;
					new[2] = (uint16_t) to;
					added++;
				}
			}
			else if (to < first)
			{
				fail[list->states] = *step;
				to = list->states++;
				*step = (uint16_t) to;
			}
			*here = (uint16_t) to;
			active[left++] = active[i];
		}
		n = left;
		qsort(&hidden[list->hidden * HIDDEN], added - list->hidden, sizeof(uint16_t) * HIDDEN, compare_steps);
		list->hidden = added;

		for (uint32_t state = first; state < list->states; state++)
			memcpy(&list->next[state * list->classes],
				   &list->next[fail[state] * list->classes], row_bytes);
	}
}

/*
 * Build the list of these words in the wordfilter_bytes(words, count) bytes at
 * list, which are aligned as for a uint64_t.  Words may come in any order and
 * more than once; none at all block nothing.  They are not needed afterwards.
 *
 * False, and nothing written, where wordfilter_bytes says 0.
 */
bool
wordfilter_build(WordFilter *list, const FilterWord *words, size_t count)
{
	Shape		shape;
	uint16_t   *fail;
	uint16_t   *hidden;
	uint16_t   *at;
	uint16_t   *end;

	if (!measure(&shape, words, count))
		return false;
	list->classes = shape.classes;
	list->begin_class = shape.begin_class;
	list->end_class = shape.end_class;
	memcpy(list->class_of, shape.class_of, sizeof(list->class_of));

	/* for as many states as there might be */
	fail = list->next + (size_t) shape.states * shape.classes;
	hidden = fail + shape.states;
	at = hidden + (size_t) shape.states * HIDDEN;
	grow(list, fail, hidden, words, count, at, at + count);

	/* for as many as there are */
	end = list->next + (size_t) list->states * list->classes;
	memmove(end, fail, sizeof(uint16_t) * list->states);
	memmove(end + list->states, hidden, sizeof(uint16_t) * HIDDEN * list->hidden);
	return true;
}

/* Bytes that a list needs once it is built, the first of those it was given: the rest may be cut off. */
size_t
wordfilter_used_bytes(const WordFilter *list)
{
	return offsetof(WordFilter, next) +
		sizeof(uint16_t) * ((size_t) list->states * (list->classes + 1) + (size_t) list->hidden * HIDDEN);
}

/*
 * The state after the len characters at text, which a text begins with and
 * which are somebody else's: words that lie in them alone do not count.
 * Never WORDFILTER_BLOCKED.
 */
uint32_t
wordfilter_pass(const WordFilter *list, const char *text, size_t len)
{
	const uint16_t *fail = list->next + (size_t) list->states * list->classes;
	uint32_t	state = wordfilter_begin(list);

	for (size_t i = 0; i < len; i++)
		state = pass(list, fail, fail + list->states, state, list->class_of[(unsigned char) text[i]]);
	return state;
}

/* The state after the len characters at text; see wordfilter_next. */
uint32_t
wordfilter_run(const WordFilter *list, uint32_t state, const char *text, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
		state = wordfilter_next(list, state, (unsigned char) text[i]);
	return state;
}

/* Columns of a joined list: what a byte is to words, and to spreadsheet.c. */
typedef struct Columns
{
	uint32_t	count;			/* those of the beginning and the end come last */
	uint8_t		of[256];		/* byte -> column */
	uint8_t		word[256];		/* column -> the words' column */
	uint8_t		sheet[256];		/* column -> spreadsheet.c's class */
} Columns;

/* Numbered in the order of the words' columns; the first is of what is nothing to both. */
static void
set_columns(Columns *columns, const WordFilter *words)
{
	memset(columns, 0, sizeof(*columns));
	columns->count = 1;
	for (uint32_t class = 0; class < words->classes; class++)
	{
		int			column_of[256] = {0};	/* spreadsheet.c's class -> column */

		for (uint32_t c = 0; c < 256; c++)
		{
			unsigned char sheet = spreadsheet_class((unsigned char) c);

			if (words->class_of[c] != class || (class == 0 && sheet == 0))
				continue;
			if (column_of[sheet] == 0)
			{
				columns->word[columns->count] = (uint8_t) class;
				columns->sheet[columns->count] = sheet;
				column_of[sheet] = (int) columns->count++;
			}
			columns->of[c] = (uint8_t) column_of[sheet];
		}
	}
	/* lower case is capitals' to both, so that these have numbers left */
	columns->word[columns->count++] = words->begin_class;
	columns->word[columns->count++] = words->end_class;
}

/* The state's number of a pair, which is added if it is new; WORDFILTER_BLOCKED if there is no room for it. */
static uint32_t
pair_number(FilterPairs *pairs, const WordFilter *words, uint32_t word, uint32_t sheet)
{
	uint64_t	key = (uint64_t) word * SPREADSHEET_STATES + sheet;
	uint32_t	place = (uint32_t) (key * UINT64_C(0x9E3779B97F4A7C15) >> 32);	/* 2^64 / golden ratio */
	uint32_t   *found;

	for (;; place++)
	{
		found = &pairs->found[place % WORDFILTER_PLACES];
		if (*found == 0)
			break;
		if (pairs->word[*found - 1] == word && pairs->sheet[*found - 1] == sheet)
			return words->states + *found - 1;
	}
	if (words->states + pairs->count >= WORDFILTER_MAX_STATES)
		return WORDFILTER_BLOCKED;
	pairs->word[pairs->count] = (uint16_t) word;
	pairs->sheet[pairs->count] = (uint16_t) sheet;
	*found = ++pairs->count;
	return words->states + *found - 1;
}

/*
 * Go from each pair of states to those that follow, from the first on: all are
 * found so.  Where the list is given, write their rows and hidden steps.  False if
 * they are too many.
 */
static bool
walk_pairs(FilterPairs *pairs, const WordFilter *words, const Columns *columns, WordFilter *list, uint16_t *hidden)
{
	const uint16_t *fail = words->next + (size_t) words->states * words->classes;

	if (pair_number(pairs, words, wordfilter_begin(words), SPREADSHEET_BEGIN) == WORDFILTER_BLOCKED)
		return false;
	for (uint32_t i = 0; i < pairs->count; i++)
	{
		uint16_t   *row = NULL;

		if (list != NULL)
		{
			row = &list->next[(words->states + i) * list->classes];
			memcpy(row, &list->next[pairs->word[i] * list->classes], sizeof(uint16_t) * list->classes);
			if (spreadsheet_ends(pairs->sheet[i]))
				row[list->end_class] = WORDFILTER_BLOCKED;
		}
		for (uint32_t column = 1; column < columns->count; column++)
		{
			uint32_t	sheet = spreadsheet_next(pairs->sheet[i], columns->sheet[column]);
			uint32_t	word;
			uint32_t	to;
			bool		blocked;

			if (sheet == SPREADSHEET_NOTHING)
				continue;
			word = words->next[pairs->word[i] * words->classes + columns->word[column]];
			blocked = word == WORDFILTER_BLOCKED;
			if (blocked)
				word = pass(words, fail, fail + words->states, pairs->word[i], columns->word[column]);
			to = pair_number(pairs, words, word, sheet);
			if (to == WORDFILTER_BLOCKED)
				return false;
			if (list == NULL)
				pairs->hidden += blocked;
			else if (!blocked)
				row[column] = (uint16_t) to;
			else
			{
				*hidden++ = (uint16_t) (words->states + i);
				*hidden++ = (uint16_t) column;
				*hidden++ = (uint16_t) to;
			}
		}
	}
	return true;
}

/* How many steps the words' hidden ones are in the columns of a joined list. */
static uint32_t
count_hidden(const WordFilter *words, const Columns *columns)
{
	const uint16_t *step = words->next + (size_t) words->states * (words->classes + 1);
	uint32_t	count = 0;

	for (uint32_t i = 0; i < words->hidden; i++, step += HIDDEN)
		for (uint32_t column = 0; column < columns->count; column++)
			count += columns->word[column] == step[1];
	return count;
}

/*
 * Bytes that wordfilter_join needs for these words.  0 if there would be more
 * states than there can be: then there is no such list.  pairs: memory for the
 * two of them, aligned as for a uint32_t, with anything in it.
 */
size_t
wordfilter_joined_bytes(const WordFilter *words, FilterPairs *pairs)
{
	Columns		columns;

	set_columns(&columns, words);
	memset(pairs, 0, sizeof(*pairs));
	if (!walk_pairs(pairs, words, &columns, NULL, NULL))
		return 0;
	return offsetof(WordFilter, next) +
		sizeof(uint16_t) * ((size_t) (words->states + pairs->count) * (columns.count + 1) +
							(size_t) (count_hidden(words, &columns) + pairs->hidden) * HIDDEN);
}

/*
 * Make the list of these words and of what spreadsheet.c knows, in the
 * wordfilter_joined_bytes(words, pairs) bytes at list, which are aligned as for a
 * uint64_t.  pairs: as that call has left them.  Neither they nor the words are
 * needed afterwards.
 */
void
wordfilter_join(WordFilter *list, const WordFilter *words, FilterPairs *pairs)
{
	const uint16_t *words_fail = words->next + (size_t) words->states * words->classes;
	const uint16_t *step = words_fail + words->states;
	Columns		columns;
	uint16_t   *fail;
	uint16_t   *hidden;

	set_columns(&columns, words);
	list->states = words->states + pairs->count;
	list->classes = columns.count;
	list->begin_class = (uint8_t) (columns.count - 2);
	list->end_class = (uint8_t) (columns.count - 1);
	memcpy(list->class_of, columns.of, sizeof(list->class_of));

	fail = list->next + (size_t) list->states * list->classes;
	memcpy(fail, words_fail, sizeof(uint16_t) * words->states);
	memcpy(fail + words->states, pairs->word, sizeof(uint16_t) * pairs->count);
	for (uint32_t state = 0; state < words->states; state++)
		for (uint32_t column = 0; column < columns.count; column++)
			list->next[state * list->classes + column] = words->next[state * words->classes + columns.word[column]];
	list->next[list->begin_class] = (uint16_t) words->states;

	/* in the order of their states and columns, as those of the words are */
	hidden = fail + list->states;
	list->hidden = count_hidden(words, &columns) + pairs->hidden;
	for (uint32_t i = 0; i < words->hidden; i++, step += HIDDEN)
		for (uint32_t column = 0; column < columns.count; column++)
			if (columns.word[column] == step[1])
			{
				*hidden++ = step[0];
				*hidden++ = (uint16_t) column;
				*hidden++ = step[2];
			}
	(void) walk_pairs(pairs, words, &columns, list, hidden);
}

/* Stafford's Mix13, the finalizer of SplitMix64 (Steele et al., 2014); one to one. */
static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* FNV-1a of the folded bytes, mixed; never 0. */
static uint64_t
word_hash(const FilterWord *word)
{
	uint64_t	hash = UINT64_C(0xCBF29CE484222325);
	size_t		i;

	for (i = 0; i < word->len; i++)
		hash = (hash ^ FOLD(word->text[i])) * UINT64_C(0x100000001B3);
	hash = mix(hash);
	return hash != 0 ? hash : 1;
}

/*
 * A number that stands for these words: the same for the same set of words
 * whatever their order, repetitions and spelling among what folding takes for
 * equal, on every platform; another one, as far as 64 bits go and nobody is
 * out to forge it, for any other set.  Never 0.  Words of any length count, and
 * their anchors.
 *
 * The distinct hashes of the words are chained in ascending order.  They are
 * found in several rounds, a handful of the smallest not yet taken each, since
 * there is no memory to sort them in.
 */
uint64_t
wordfilter_identity(const FilterWord *words, size_t count)
{
	uint64_t	smallest[256];
	const size_t room = sizeof(smallest) / sizeof(smallest[0]);
	uint64_t	identity = mix(2);	/* version of the rules above: raised if they change */
	uint64_t	taken = 0;		/* all hashes up to this */
	size_t		n;

	do
	{
		n = 0;
		for (size_t i = 0; i < count; i++)
		{
			uint64_t	hash = word_hash(&words[i]);
			size_t		place = n;

			if (hash <= taken || (n == room && hash >= smallest[n - 1]))
				continue;
			while (place > 0 && smallest[place - 1] > hash)
				place--;
			if (place > 0 && smallest[place - 1] == hash)
				continue;
			if (n < room)
				n++;
			memmove(&smallest[place + 1], &smallest[place], sizeof(uint64_t) * (n - 1 - place));
			smallest[place] = hash;
		}
		for (size_t i = 0; i < n; i++)
		{
			taken = smallest[i];
			identity = mix(identity ^ taken);
		}
	} while (n == room);
	return identity != 0 ? identity : 1;
}

/*
 * The same for the words of an identity together with what spreadsheet.c knows.
 */
uint64_t
wordfilter_identity_joined(uint64_t identity)
{
	identity = mix(identity + mix(1));	/* version of what spreadsheet.c knows: raised if that changes */
	return identity != 0 ? identity : 1;
}

/*
 * Branches of all states on the classes that the codec's alphabet has, in the
 * order of the states, to `branches`, unless that is NULL.  Returns how many.
 */
static size_t
find_branches(const WordFilter *list, const Codec *codec, Branch *branches)
{
	const uint16_t *fail = list->next + (size_t) list->states * list->classes;
	bool		occurs[256] = {false};
	size_t		n = 0;
	uint32_t	state;
	uint32_t	class;

	for (uint32_t x = 0; x < codec->radix; x++)
		occurs[list->class_of[(unsigned char) codec->alphabet[x]]] = true;
	for (state = 2; state < list->states; state++)
	{
		const uint16_t *own = &list->next[state * list->classes];
		const uint16_t *others = &list->next[fail[state] * list->classes];

		for (class = 1; class < list->classes; class++)
			if (own[class] != others[class] && occurs[class])
			{
				if (branches != NULL)
					branches[n] = (Branch) {
						(uint16_t) state, (uint16_t) class, own[class], others[class]
					};
				n++;
			}
	}
	return n;
}

/*
 * Bytes that wordfilter_counter_set needs for the same arguments, 0 if there
 * cannot be that many.
 */
size_t
wordfilter_counter_bytes(const WordFilter *list, const Codec *codec,
						 const CheckTable *check, uint32_t levels)
{
	uint64_t	bytes = (uint64_t) list->states * (check ? codec->radix : 1) * sizeof(uint64_t);

	if (levels >= (SIZE_MAX >> 1) / bytes)
		return 0;
	bytes = offsetof(FilterCounter, left) + bytes * (levels + (uint64_t) 1) +
		find_branches(list, codec, NULL) * (uint64_t) sizeof(Branch);
	return bytes <= (SIZE_MAX >> 1) ? (size_t) bytes : 0;
}

/*
 * Count the texts over the codec's alphabet that can follow each state, at
 * each level from 0 to levels, for wordfilter_counter_get.
 *
 * counter: wordfilter_counter_bytes() bytes, aligned as for a uint64_t.  check:
 * NULL if no check character follows, else the table for codec->radix.  List,
 * codec and check are not needed afterwards.
 */
void
wordfilter_counter_set(FilterCounter *counter, const WordFilter *list,
					   const Codec *codec, const CheckTable *check, uint32_t levels)
{
	const uint16_t *fail = list->next + (size_t) list->states * list->classes;
	const uint32_t states = list->states;
	const uint32_t checks = check ? codec->radix : 1;
	const size_t level_size = (size_t) states * checks;
	uint64_t   *now = counter->left;
	Branch	   *branches = (Branch *) (now + level_size * (levels + (size_t) 1));
	const size_t branch_count = find_branches(list, codec, branches);
	uint8_t		first[257];		/* where in sorted the characters of each class begin */
	uint8_t		sorted[CODEC_MAX_ALPHABET]; /* characters' values by class */
	uint8_t		after[CODEC_MAX_ALPHABET][CODEC_MAX_ALPHABET];	/* check state after a character, from each */
	uint32_t	n = 0;
	uint32_t	level;
	uint32_t	state;
	uint32_t	class;
	uint32_t	x;
	uint32_t	g;

	counter->states = states;
	counter->checks = checks;

	for (class = 0; class < list->classes; class++)
	{
		first[class] = (uint8_t) n;
		for (x = 0; x < codec->radix; x++)
			if (list->class_of[(unsigned char) codec->alphabet[x]] == class)
				sorted[n++] = (uint8_t) x;
	}
	first[class] = (uint8_t) n;

	/* level 0: what matters is the check character alone, and that the text ends there */
	for (g = 0; g < checks; g++)
		for (state = 0; state < states; state++)
		{
			uint32_t	end = state;

			if (check)
				end = wordfilter_next(list, state,
									  (unsigned char) codec->alphabet[check_value(check, g)]);
			now[(size_t) state * checks + g] = !wordfilter_blocks(list, end);
		}

	for (level = 1; level <= levels; level++)
	{
		const uint64_t *before = now;
		size_t		branch = 0;

		now += level_size;
		for (x = 0; x < codec->radix; x++)
			for (g = 0; g < checks; g++)
				after[x][g] = check ? (uint8_t) check_add(check, g, level, x) : 0;

		/* START has no fail link, nothing gets away from BLOCKED */
		memset(now, 0, sizeof(uint64_t) * 2 * checks);
		for (x = 0; x < codec->radix; x++)
		{
			uint32_t	to = wordfilter_next(list, WORDFILTER_START, (unsigned char) codec->alphabet[x]);

			for (g = 0; g < checks; g++)
				now[g] += before[(size_t) to * checks + after[x][g]];
		}

		for (state = 2; state < states; state++)
		{
			uint64_t   *mine = &now[(size_t) state * checks];

			memcpy(mine, &now[(size_t) fail[state] * checks], sizeof(uint64_t) * checks);
			for (; branch < branch_count && branches[branch].state == state; branch++)
			{
				const uint64_t *to = &before[(size_t) branches[branch].to * checks];
				const uint64_t *instead = &before[(size_t) branches[branch].instead * checks];

				class = branches[branch].class;
				for (n = first[class]; n < first[class + 1]; n++)
					for (x = sorted[n], g = 0; g < checks; g++)
						mine[g] += to[after[x][g]] - instead[after[x][g]];
			}
		}
	}
}

/*
 * How many texts of `level` alphabet characters, followed by their check
 * character if there is one, can come after `state` without ever being
 * blocked; modulo 2^64, so exact where radix ^ level is less.
 *
 * level: at most the levels that were set.  state: of the list, 0 for
 * WORDFILTER_BLOCKED.  check_state: that of the check before these characters,
 * 0 if there is no check.
 */
uint64_t
wordfilter_counter_get(const FilterCounter *counter, uint32_t level,
					   uint32_t state, uint32_t check_state)
{
	return counter->left[((size_t) level * counter->states + state) * counter->checks + check_state];
}
