/*
 * blocklist.h
 *		Texts that must not be handed out, and how many texts are left.
 *
 * Plain C without PostgreSQL and without allocation: the caller brings the
 * memory, each structure is one piece of it and holds no pointers, so that it
 * may be copied, moved and kept in shared memory.
 */
#ifndef CODERRING_BLOCKLIST_H
#define CODERRING_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "codec.h"

/* Of all words together, in bytes, so that a state fits 16 bits. */
#define BLOCKLIST_MAX_BYTES	65535u

#define BLOCKLIST_START		0u	/* state in which no word has begun */
#define BLOCKLIST_BLOCKED	1u	/* state after a word was met, for good */

/* Where these are the first and the last character of a word, it is anchored. */
#define BLOCKLIST_BEGIN		'^'
#define BLOCKLIST_END		'$'

typedef struct BlocklistWord
{
	const char *text;			/* need not end in NUL */
	size_t		len;
} BlocklistWord;

typedef struct Blocklist
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
} Blocklist;

extern size_t blocklist_bytes(const BlocklistWord *words, size_t count);
extern bool blocklist_build(Blocklist *list, const BlocklistWord *words, size_t count);
extern size_t blocklist_used_bytes(const Blocklist *list);

extern uint32_t blocklist_pass(const Blocklist *list, const char *text, size_t len);
extern uint32_t blocklist_run(const Blocklist *list, uint32_t state, const char *text, size_t len);

extern unsigned char blocklist_fold(unsigned char c);
extern uint64_t blocklist_identity(const BlocklistWord *words, size_t count);

/* Pairs of states, one of the words and one of spreadsheet.c. */
#define BLOCKLIST_MAX_STATES	65536u
#define BLOCKLIST_PLACES		(2 * BLOCKLIST_MAX_STATES)

typedef struct BlocklistPairs
{
	uint32_t	count;
	uint32_t	hidden;			/* hidden steps of all of them */
	uint16_t	word[BLOCKLIST_MAX_STATES];
	uint16_t	sheet[BLOCKLIST_MAX_STATES];
	uint32_t	found[BLOCKLIST_PLACES];	/* hash table: a pair's place above, plus one; 0 for none */
} BlocklistPairs;

extern size_t blocklist_joined_bytes(const Blocklist *words, BlocklistPairs *pairs);
extern void blocklist_join(Blocklist *list, const Blocklist *words, BlocklistPairs *pairs);
extern uint64_t blocklist_identity_joined(uint64_t identity);

typedef struct BlocklistCounter BlocklistCounter;

extern size_t blocklist_counter_bytes(const Blocklist *list, const Codec *codec,
									  const CheckTable *check, uint32_t levels);
extern void blocklist_counter_set(BlocklistCounter *counter, const Blocklist *list,
								  const Codec *codec, const CheckTable *check, uint32_t levels);
extern uint64_t blocklist_counter_get(const BlocklistCounter *counter, uint32_t level,
									  uint32_t state, uint32_t check_state);

/* The state before the first character of a text. */
static inline uint32_t
blocklist_begin(const Blocklist *list)
{
	return list->next[list->begin_class];
}

/*
 * The state after one more character c.  state: what blocklist_begin,
 * blocklist_pass or an earlier call for the same list returned; from
 * BLOCKLIST_BLOCKED no character leads away.
 */
static inline uint32_t
blocklist_next(const Blocklist *list, uint32_t state, unsigned char c)
{
	return list->next[state * list->classes + list->class_of[c]];
}

/* Is a text blocked that ends in a state, and is longer than what was passed? */
static inline bool
blocklist_blocks(const Blocklist *list, uint32_t state)
{
	return list->next[state * list->classes + list->end_class] == BLOCKLIST_BLOCKED;
}

#endif							/* CODERRING_BLOCKLIST_H */
