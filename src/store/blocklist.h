/*
 * blocklist.h
 *		Lists of words that codes must not contain: rows of coderring.blocklist.
 */
#ifndef CODERRING_BLOCKLIST_H
#define CODERRING_BLOCKLIST_H

#include "postgres.h"

#include "utils/array.h"

#include "compat.h"
#include "core/wordfilter.h"
#include "store/ring.h"

/* Columns of coderring.blocklist */
enum
{
	Anum_list_name = 1,
	Anum_list_builtin,
	Anum_list_owner,
	Anum_list_owner_name,
	Anum_list_words,
	Anum_list_replicated,
	Natts_list = Anum_list_replicated
};

/* The built-in list that has no words */
#define SPREADSHEET	"spreadsheet"

/* What can be said against a word */
typedef enum Objection
{
	WORD_GOOD,
	WORD_SHORT,					/* it would block nearly everything */
	WORD_IMPOSSIBLE				/* it would block nothing: no ring can write its last character */
} Objection;

/* A list as read from its row. */
typedef struct WordList
{
	ItemPointerData tid;
	bool		builtin;
	Oid			owner;
	NameData	owner_name;
	bool		spreadsheet;
	FilterWord *words;			/* NULL if there are some that can be none */
	int			count;
} WordList;

/* A list that is looked at as if it had other words. */
typedef struct SupposedList
{
	const char *name;
	WordList	list;
} SupposedList;

/* It is looked at like that by all that reads lists; NULL for none. */
extern const SupposedList *blocklist_supposed;

extern FilterWord *blocklist_stored_words(ArrayType *array, int *count);
extern void blocklist_read_id(Ring *ring);
extern bool blocklist_find_id(Ring *ring);
extern const WordFilter *blocklist_filter(const Ring *ring, uint64 *blocklist_id);
extern uint64 blocklist_id_of(const WordFilter *list);
extern bool blocklist_used_by(const Ring *ring, const char *list);
extern bool blocklist_exists(const char *list);
extern List *blocklist_names(const char *lists);
extern bool blocklist_read_row(Relation rel, const char *name, Snapshot snapshot, WordList *list);
extern bool blocklist_read(const char *name, WordList *list);
extern bool blocklist_fits(const FilterWord *words, int count);
extern void blocklist_report_missing(const char *name, const Ring *ring) pg_attribute_noreturn();
extern Objection blocklist_object_to(const FilterWord *word);

#endif							/* CODERRING_BLOCKLIST_H */
