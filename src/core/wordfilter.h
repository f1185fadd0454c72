/*
 * wordfilter.h
 *		Texts that must not be handed out, and how many texts are left.
 *
 * Plain C without PostgreSQL and without allocation: the caller brings the
 * memory, each structure is one piece of it and holds no pointers, so that it
 * may be copied, moved and kept in shared memory.
 */
#ifndef CODERRING_WORDFILTER_H
#define CODERRING_WORDFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/check.h"
#include "core/codec.h"

/* Of all words together, in bytes, so that a state fits 16 bits. */
#define WORDFILTER_MAX_BYTES	65535u

#define WORDFILTER_START		0u	/* state in which no word has begun */
#define WORDFILTER_BLOCKED	1u	/* state after a word was met, for good */

/* Where these are the first and the last character of a word, it is anchored. */
#define WORDFILTER_BEGIN		'^'
#define WORDFILTER_END		'$'

typedef struct FilterWord
{
	const char *text;			/* need not end in NUL */
	size_t		len;
} FilterWord;

typedef struct WordFilter
{
	uint32_t	states;			/* rows of the table, those of START and BLOCKED included */
	uint32_t	classes;		/* columns; 0 is of all bytes that are in no word */
	uint32_t	hidden;			/* steps to words that go on behind another one */
	uint8_t		begin_class;	/* columns of what is before a text and behind it, 0 if no word has them */
	uint8_t		end_class;
	uint8_t		class_of[256];	/* byte -> column */

	/*
	 * next[state * classes + class], then for each state the state of its
	 * longest proper suffix (its fail link), then the hidden steps, three
	 * numbers each: state, class, and where it leads.
	 */
	uint16_t	next[];
} WordFilter;

extern size_t wordfilter_bytes(const FilterWord *words, size_t count);
extern bool wordfilter_build(WordFilter *list, const FilterWord *words, size_t count);
extern size_t wordfilter_used_bytes(const WordFilter *list);

extern uint32_t wordfilter_pass(const WordFilter *list, const char *text, size_t len);
extern uint32_t wordfilter_run(const WordFilter *list, uint32_t state, const char *text, size_t len);

extern unsigned char wordfilter_fold(unsigned char c);
extern uint64_t wordfilter_identity(const FilterWord *words, size_t count);

/* Pairs of states, one of the words and one of spreadsheet.c. */
#define WORDFILTER_MAX_STATES	65536u
#define WORDFILTER_PLACES		(2 * WORDFILTER_MAX_STATES)

typedef struct FilterPairs
{
	uint32_t	count;
	uint32_t	hidden;			/* hidden steps of all of them */
	uint16_t	word[WORDFILTER_MAX_STATES];
	uint16_t	sheet[WORDFILTER_MAX_STATES];
	uint32_t	found[WORDFILTER_PLACES];	/* hash table: a pair's place above, plus one; 0 for none */
} FilterPairs;

extern size_t wordfilter_joined_bytes(const WordFilter *words, FilterPairs *pairs);
extern void wordfilter_join(WordFilter *list, const WordFilter *words, FilterPairs *pairs);
extern uint64_t wordfilter_identity_joined(uint64_t identity);

typedef struct FilterCounter FilterCounter;

extern size_t wordfilter_counter_bytes(const WordFilter *list, const Codec *codec,
									   const CheckTable *check, uint32_t levels);
extern void wordfilter_counter_set(FilterCounter *counter, const WordFilter *list,
								   const Codec *codec, const CheckTable *check, uint32_t levels);
extern uint64_t wordfilter_counter_get(const FilterCounter *counter, uint32_t level,
									   uint32_t state, uint32_t check_state);

/* The state before the first character of a text. */
static inline uint32_t
wordfilter_begin(const WordFilter *list)
{
	return list->next[list->begin_class];
}

/*
 * The state after one more character c.  state: what wordfilter_begin,
 * wordfilter_pass or an earlier call for the same list returned; from
 * WORDFILTER_BLOCKED no character leads away.
 */
static inline uint32_t
wordfilter_next(const WordFilter *list, uint32_t state, unsigned char c)
{
	return list->next[state * list->classes + list->class_of[c]];
}

/* Is a text blocked that ends in a state, and is longer than what was passed? */
static inline bool
wordfilter_blocks(const WordFilter *list, uint32_t state)
{
	return list->next[state * list->classes + list->end_class] == WORDFILTER_BLOCKED;
}

#endif							/* CODERRING_WORDFILTER_H */
