/*
 * words.c
 *		Lists of words that codes must not contain: rows of coderring.blocklist.
 *
 * A ring may have several lists; what it is filtered with are the words of all
 * of them.  Words are known by their identity, a hash of what they block
 * (blocklist.c).  A ring's definition and the blocks in shared memory carry it,
 * so a block that was filtered with other words is told from one that was not
 * whatever the list is called and whoever changed it; and a session keeps the
 * automata it has built by identity, so that it need not build them again when
 * definitions change.
 *
 * The built-in list "spreadsheet" is not made of words but of what
 * spreadsheet.c knows.  Its row shows that as regular expressions, which nothing
 * here reads.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "parser/scansup.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "capacity.h"
#include "columns.h"
#include "grant.h"
#include "lifecycle.h"
#include "locks.h"
#include "options.h"
#include "rows.h"
#include "series.h"
#include "words.h"

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

/* Automata that a session keeps. */
#define KEPT	8

typedef struct Kept
{
	MemoryContext memory;		/* NULL for none */
	uint64		filter;
	uint64		used;
	Blocklist  *list;
} Kept;

/* A list as read from its row. */
typedef struct WordList
{
	ItemPointerData tid;
	bool		builtin;
	Oid			owner;
	NameData	owner_name;
	bool		spreadsheet;
	BlocklistWord *words;		/* NULL if there are some that can be none */
	int			count;
} WordList;

/* What codes are filtered with: all lists of a ring */
typedef struct Words
{
	BlocklistWord *words;
	int			count;
	bool		spreadsheet;	/* and what spreadsheet.c knows */
} Words;

/* A list that is looked at as if it had other words. */
typedef struct Supposed
{
	const char *name;
	WordList	list;
} Supposed;

static const Supposed *supposed = NULL;

static Kept kept[KEPT];
static uint64 uses = 0;

/*
 * Blanks around a word, the ends of lines that a file of words came with, and
 * the mark that such a file may begin with, are not part of it.
 */
static BlocklistWord
trimmed(const char *text, size_t len)
{
	static const char mark[] = "\xEF\xBB\xBF";

	if (len >= strlen(mark) && GetDatabaseEncoding() == PG_UTF8 && memcmp(text, mark, strlen(mark)) == 0)
	{
		text += strlen(mark);
		len -= strlen(mark);
	}
	while (len > 0 && scanner_isspace(text[len - 1]))
		len--;
	while (len > 0 && scanner_isspace(*text))
	{
		text++;
		len--;
	}
	return (BlocklistWord) {text, len};
}

/* What can be said against a word */
typedef enum Objection
{
	WORD_GOOD,
	WORD_SHORT,					/* it would block nearly everything */
	WORD_IMPOSSIBLE				/* it would block nothing: no ring can write its last character */
} Objection;

static Objection
object_to(const BlocklistWord *word)
{
	bool		begin = word->len > 0 && word->text[0] == BLOCKLIST_BEGIN;
	bool		end = word->len > (begin ? 1 : 0) && word->text[word->len - 1] == BLOCKLIST_END;
	const char *text = word->text + begin;
	size_t		len = word->len - begin - end;

	if (len == 0 || (!begin && !end && pg_mbstrlen_with_len(text, len) < 2))
		return WORD_SHORT;
	return text[len - 1] <= ' ' || text[len - 1] > '~' ? WORD_IMPOSSIBLE : WORD_GOOD;
}

/*
 * The words of an array that somebody defines a list by; empty ones are left
 * out.  Raises 22004 and 22023 for what is no word.
 */
static BlocklistWord *
parse_words(ArrayType *array, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	BlocklistWord *words;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	words = palloc(Max(n, 1) * sizeof(BlocklistWord));
	*count = 0;
	for (int i = 0; i < n; i++)
	{
		text	   *element;
		BlocklistWord word;
		Objection	objection;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a blocked word must not be null")));
		element = DatumGetTextPP(elements[i]);
		word = trimmed(VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element));
		if (word.len == 0)
			continue;
		objection = object_to(&word);
		if (objection == WORD_SHORT)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("blocked word \"%.*s\" is too short", (int) word.len, word.text),
					 errdetail("Words of one character would block every code that has it."),
					 errhint("Leave the character out of the ring's alphabet, or anchor the word with ^ or $.")));
		if (objection == WORD_IMPOSSIBLE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("blocked word \"%.*s\" cannot occur in a code", (int) word.len, word.text),
					 errdetail("No alphabet has its last character, so that a ring could write it."),
					 errhint("Leave the word out, or end it before that character.")));
		words[(*count)++] = word;
	}
	return words;
}

/* The words of an array that is stored; NULL if some are not as parse_words() has left them. */
static BlocklistWord *
stored_words(ArrayType *array, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	BlocklistWord *words;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, count);
	words = palloc(Max(*count, 1) * sizeof(BlocklistWord));
	for (int i = 0; i < *count; i++)
	{
		text	   *element;

		if (nulls[i])
			return NULL;
		element = DatumGetTextPP(elements[i]);
		words[i] = (BlocklistWord) {VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element)};
		if (object_to(&words[i]) != WORD_GOOD)
			return NULL;
	}
	return words;
}

static ArrayType *
array_of_words(const BlocklistWord *words, int count)
{
	Datum	   *elements = palloc(Max(count, 1) * sizeof(Datum));

	for (int i = 0; i < count; i++)
		elements[i] = PointerGetDatum(cstring_to_text_with_len(words[i].text, words[i].len));
	return construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT);
}

static void
begin_scan(RowScan *scan, Relation rel, const char *name, Snapshot snapshot)
{
	static const AttrNumber columns[] = {Anum_list_name};
	ScanKeyData key;

	ScanKeyInit(&key, Anum_list_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	scan_begin(scan, rel, snapshot, 1, &key, lengthof(columns), columns);
}

static bool
read_row(Relation rel, const char *name, Snapshot snapshot, WordList *list)
{
	RowScan		scan;
	HeapTuple	tuple;
	bool		found;

	begin_scan(&scan, rel, name, snapshot);
	tuple = scan_next(&scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		Datum		values[Natts_list];
		bool		nulls[Natts_list];

		columns_deform(tuple, RelationGetDescr(rel), values, nulls);
		list->tid = tuple->t_self;
		list->builtin = DatumGetBool(values[Anum_list_builtin - 1]);
		list->owner = DatumGetObjectId(values[Anum_list_owner - 1]);
		list->owner_name = *DatumGetName(values[Anum_list_owner_name - 1]);
		list->spreadsheet = list->builtin && strcmp(name, SPREADSHEET) == 0;
		list->count = 0;
		list->words = list->spreadsheet ? palloc(sizeof(BlocklistWord)) :
			stored_words(DatumGetArrayTypePCopy(values[Anum_list_words - 1]), &list->count);
	}
	scan_end(&scan);
	return found;
}

/*
 * Read a list as it is now.  A row that another transaction is just replacing
 * can be missed with SnapshotSelf, see ring_read().
 */
static bool
read_list(const char *name, WordList *list)
{
	Relation	rel;
	bool		found;

	if (supposed != NULL && strcmp(name, supposed->name) == 0)
	{
		*list = supposed->list;
		return true;
	}
	rel = ring_open(ring_relation("blocklist"), Natts_list, AccessShareLock);
	found = read_row(rel, name, SnapshotSelf, list);
	if (!found)
	{
		Snapshot	latest = RegisterSnapshot(ring_latest_snapshot());

		found = read_row(rel, name, latest, list);
		UnregisterSnapshot(latest);
	}
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * What words are known by; never 0, nor SERIES_FILTER_CHANGED.
 */
static uint64
identity_of(const Words *words)
{
	uint64		identity = blocklist_identity(words->words, words->count);

	if (words->spreadsheet)
		identity = blocklist_identity_joined(identity);
	return identity != SERIES_FILTER_CHANGED ? identity : 1;
}

/* `ring` is the one that is filtered with it, NULL if it is none's. */
static void
report_missing(const char *name, const Ring *ring)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("blocklist \"%s\" does not exist", name),
			 ring != NULL ? errdetail("Codes of ring \"%s\" are to be filtered with it.", ring->name) : 0,
			 errhint("There are \"english\", \"international\", \"spreadsheet\" and what coderring_define_blocklist has defined.")));
}

/* Are codes of a ring filtered with a list? */
bool
words_used_by(const Ring *ring, const char *list)
{
	ListCell   *cell;

	if (ring->blocklist[0] == '\0')
		return false;
	foreach(cell, options_lists(ring->blocklist))
	{
		if (strcmp(lfirst(cell), list) == 0)
			return true;
	}
	return false;
}

/* Are these not more words than there can be? */
static bool
fit(const BlocklistWord *words, int count)
{
	size_t		bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += words[i].len;
	return bytes <= BLOCKLIST_MAX_BYTES;
}

/*
 * The automaton of a ring's words, in the current context.  NULL if it would have
 * too many states, which can only be with what spreadsheet.c knows.
 */
static Blocklist *
build(const Ring *ring, const Words *words)
{
	Blocklist  *automaton;
	Blocklist  *joined = NULL;
	BlocklistPairs *pairs;
	Size		size = blocklist_bytes(words->words, words->count);

	automaton = MemoryContextAllocHuge(CurrentMemoryContext, size);
	if (!blocklist_build(automaton, words->words, words->count))
		elog(ERROR, "cannot build the blocklist of ring \"%s\"", ring->name);
	if (!words->spreadsheet)
		return automaton;
	pairs = palloc(sizeof(BlocklistPairs));
	size = blocklist_joined_bytes(automaton, pairs);
	if (size > 0)
	{
		joined = MemoryContextAllocHuge(CurrentMemoryContext, size);
		blocklist_join(joined, automaton, pairs);
	}
	pfree(pairs);
	pfree(automaton);
	return joined;
}

/* The automaton of that identity that the session keeps, NULL if it does not. */
static Kept *
find_kept(uint64 filter)
{
	for (int i = 0; i < KEPT; i++)
	{
		if (kept[i].list != NULL && kept[i].filter == filter)
			return &kept[i];
	}
	return NULL;
}

/* Has the automaton of a ring's words room for what spreadsheet.c knows, if that is wanted? */
static bool
fit_together(const Ring *ring, const Words *words)
{
	static uint64 last = 0;		/* identity of the last ones that had it */
	uint64		identity;
	MemoryContext scratch;
	MemoryContext old;
	bool		fits;

	if (!words->spreadsheet || words->count == 0)
		return true;
	identity = identity_of(words);
	if (identity == last || find_kept(identity) != NULL)
		return true;
	scratch = AllocSetContextCreate(CurrentMemoryContext, "coderring words", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);
	fits = build(ring, words) != NULL;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	if (fits)
		last = identity;
	return fits;
}

/* 54000 */
static void
report_many(const Ring *ring, const Words *words)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("ring \"%s\" has too many blocked words", ring->name),
			 fit(words->words, words->count) ?
			 errdetail("They leave no room for the list \"%s\".", SPREADSHEET) :
			 errdetail("All words together have at most %u bytes.", BLOCKLIST_MAX_BYTES),
			 errhint("Give it fewer lists, or shorter ones.")));
}

/*
 * The words of all lists of a ring.  False if one of them is gone, or is not as
 * the extension's functions have left it, or all of them are too many; with
 * `raise` 42704, XX001 or 54000.
 */
static bool
read_words(const Ring *ring, bool raise, Words *words)
{
	ListCell   *cell;

	words->words = palloc(sizeof(BlocklistWord));
	words->count = 0;
	words->spreadsheet = false;
	foreach(cell, options_lists(ring->blocklist))
	{
		const char *name = lfirst(cell);
		WordList	list;
		bool		found = read_list(name, &list);

		if (!found && raise)
			report_missing(name, ring);
		if (found && list.words == NULL && raise)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("blocklist \"%s\" is damaged", name),
					 errdetail("Codes of ring \"%s\" are to be filtered with it. It has words that none can be.", ring->name),
					 errhint("Define it again: coderring_define_blocklist.")));
		if (!found || list.words == NULL)
			return false;
		words->words = repalloc_huge(words->words, (words->count + list.count + 1) * sizeof(BlocklistWord));
		memcpy(words->words + words->count, list.words, list.count * sizeof(BlocklistWord));
		words->count += list.count;
		words->spreadsheet = words->spreadsheet || list.spreadsheet;
	}
	if (raise && !fit(words->words, words->count))
		report_many(ring, words);
	return fit(words->words, words->count);
}

/*
 * Sets ring->filter.  With `raise` an error, otherwise false, if words are
 * missing or too many.  Needs a lot of memory for a moment.
 */
static bool
find_filter(Ring *ring, bool raise)
{
	MemoryContext scratch;
	MemoryContext old;
	Words		words;
	bool		found;

	ring->filter = 0;
	if (ring->blocklist[0] == '\0')
		return true;
	scratch = AllocSetContextCreate(CurrentMemoryContext, "coderring words", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);
	found = read_words(ring, raise, &words);
	if (found && !fit_together(ring, &words))
	{
		if (raise)
			report_many(ring, &words);
		found = false;
	}
	if (found)
		ring->filter = identity_of(&words);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return found;
}

/*
 * Find out with which words the codes of a ring are filtered: sets
 * ring->filter.  42704 if a list of the ring's is gone, XX001 if one is damaged,
 * 54000 if all words are too many.
 */
void
words_read_filter(Ring *ring)
{
	(void) find_filter(ring, true);
}

/*
 * The same for somebody who looks at rings that may be gone by now: false if
 * a list is, or is damaged, or all words are too many.
 */
bool
words_find_filter(Ring *ring)
{
	return find_filter(ring, false);
}

/*
 * The automaton of the words that a ring's codes are filtered with, NULL if
 * they are not.  *filter is their identity: of the list as it is now, should
 * ring->filter not be in memory any more.  Good until the next call.
 */
const Blocklist *
words_automaton(const Ring *ring, uint64 *filter)
{
	Kept	   *entry;
	MemoryContext old;
	MemoryContext scratch;
	Words		words;
	Size		size;
	Blocklist  *automaton;

	*filter = ring->filter;
	if (ring->filter == 0)
		return NULL;
	entry = find_kept(ring->filter);
	if (entry != NULL)
	{
		entry->used = ++uses;
		return entry->list;
	}

	scratch = AllocSetContextCreate(CurrentMemoryContext, "coderring words", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);
	(void) read_words(ring, true, &words);
	*filter = identity_of(&words);
	entry = &kept[0];
	for (int i = 1; i < KEPT; i++)
	{
		if (kept[i].used < entry->used)
			entry = &kept[i];
	}
	entry->list = NULL;
	entry->used = 0;
	if (entry->memory == NULL)
		entry->memory = AllocSetContextCreate(TopMemoryContext, "coderring automaton", ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(entry->memory);
	automaton = build(ring, &words);
	if (automaton == NULL)
		report_many(ring, &words);

	/* That was the most that it could take. */
	size = blocklist_used_bytes(automaton);
	entry->list = MemoryContextAllocHuge(entry->memory, size);
	memcpy(entry->list, automaton, size);
	entry->filter = *filter;
	entry->used = ++uses;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return entry->list;
}

/*
 * The identity of an automaton that words_automaton has returned.
 */
uint64
words_filter_of(const Blocklist *list)
{
	for (int i = 0; i < KEPT; i++)
	{
		if (kept[i].list == list)
			return kept[i].filter;
	}
	return 0;
}

static void
lock_name(const char *name)
{
	ring_lock(LOCK_NAME, hash_bytes((const unsigned char *) name, strlen(name)), LOCK_NAME_LIST, ExclusiveLock);
}

static void
unlock_name(const char *name)
{
	ring_unlock(LOCK_NAME, hash_bytes((const unsigned char *) name, strlen(name)), LOCK_NAME_LIST, ExclusiveLock);
}

static void
report_changing(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("blocklist \"%s\" is being changed by SQL", name)));
}

/*
 * Lock the row of a list that is there, to the end of the transaction.  False
 * if it is another one by now.
 */
static bool
lock_list(Relation rel, const char *name, WordList *list, LockTupleMode mode)
{
	switch (rows_lock(rel, &list->tid, mode))
	{
		case TM_Ok:
			return true;
		case TM_Updated:
		case TM_Deleted:
			return false;
		default:
			report_changing(name);
	}
	return false;
}

/*
 * Keep the lists of a ring as they are until the end of the transaction, so that
 * it may be given to them.  Those that are built in stay for ever.
 */
void
words_lock_lists(const Ring *ring)
{
	Relation	rel = ring_open(ring_relation("blocklist"), Natts_list, RowShareLock);
	ListCell   *cell;

	foreach(cell, options_lists(ring->blocklist))
	{
		WordList	list;

		do
		{
			if (!read_list(lfirst(cell), &list))
				report_missing(lfirst(cell), ring);
		}
		while (!list.builtin && !lock_list(rel, lfirst(cell), &list, LockTupleShare));
	}
	table_close(rel, NoLock);
}

/*
 * Reserve the name of a list that is not there, under a lock on it, until the
 * row is.  Waits to see what becomes of one that is not committed; false if it
 * has to be looked up again.
 */
static bool
reserve_name(Relation rel, const char *name)
{
	SnapshotData dirty;
	WordList	list;

	InitDirtySnapshot(dirty);
	lock_name(name);
	if (!read_row(rel, name, &dirty, &list))
	{
		if (!read_list(name, &list))
			return true;
		dirty.xmin = InvalidTransactionId;
	}
	unlock_name(name);
	if (TransactionIdIsValid(dirty.xmin))
		XactLockTableWait(dirty.xmin, NULL, NULL, XLTW_None);
	CHECK_FOR_INTERRUPTS();
	return false;
}

static bool
every_ring(const Ring *ring, Oid user)
{
	return true;
}

/*
 * Is there a list of that name?
 */
bool
words_list_exists(const char *list)
{
	WordList	existing;

	return read_list(list, &existing);
}

/*
 * Is there a ring whose codes are filtered with a list?
 */
bool
words_list_used(const char *list)
{
	ListCell   *cell;

	foreach(cell, ring_list(every_ring))
	{
		const Ring *ring = lfirst(cell);

		if (words_used_by(ring, list))
			return true;
	}
	return false;
}

/*
 * Would a list with these words leave enough codes to all rings of this
 * server's own whose codes are filtered with it?
 */
bool
words_list_suits(const char *list, ArrayType *words)
{
	Supposed	this = {.name = list};
	List	   *rings = ring_list(every_ring);
	ListCell   *cell;
	bool		suits = true;

	this.list.words = stored_words(words, &this.list.count);
	supposed = &this;
	PG_TRY();
	{
		foreach(cell, rings)
		{
			Ring	   *ring = lfirst(cell);

			if (!ring->replicated && words_used_by(ring, list) &&
				(!words_find_filter(ring) || !capacity_left(ring)))
				suits = false;
		}
	}
	PG_FINALLY();
	{
		supposed = NULL;
	}
	PG_END_TRY();
	return suits;
}

/*
 * Refuse what would leave a ring without a list or with too few codes.
 */
static void
check_rings(const char *list, bool drop)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "coderring rings", ALLOCSET_DEFAULT_SIZES);
	List	   *rings = ring_list(every_ring);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	ListCell   *cell;

	foreach(cell, rings)
	{
		Ring	   *ring = lfirst(cell);

		if (!words_used_by(ring, list))
			continue;
		if (drop)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop blocklist \"%s\" because rings use it", list),
					 grant_may_use(ring, GetUserId()) ? errdetail("One of them is \"%s\".", ring->name) :
					 errdetail("One of them belongs to role \"%s\".",
							   GetUserNameFromId(ring->owner, true) != NULL ?
							   GetUserNameFromId(ring->owner, true) : ""),
					 errhint("Take it from them with coderring_set_blocklist first.")));
		words_read_filter(ring);
		capacity_check(ring);
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}

/*
 * Define a list, or replace it, or drop it (words NULL).  42939 for one that
 * is built in, 42501 for that of others, 42704 if there is none to drop, 2BP01
 * if rings use what is to be dropped, 54000 if there are too many words, 22023
 * if a ring would keep too few codes.
 */
void
words_define(const char *list, ArrayType *words)
{
	Relation	rel;
	WordList	existing;
	bool		exists;
	bool		written = true;
	int			count = 0;
	BlocklistWord *parsed = words != NULL ? parse_words(words, &count) : NULL;

	options_check_list_name(list);
	if (words != NULL && !fit(parsed, count))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("blocklist \"%s\" has too many words", list),
				 errdetail("All words together have at most %u bytes.", BLOCKLIST_MAX_BYTES)));

	/* From before the row is looked up: who rewrites the table would move it. */
	rel = ring_open(ring_relation("blocklist"), Natts_list, RowExclusiveLock);

	do
	{
		exists = read_list(list, &existing);

		/* Whoever may not change a list must not hold it up either. */
		if (exists && existing.builtin)
			ereport(ERROR,
					(errcode(ERRCODE_RESERVED_NAME),
					 errmsg("blocklist \"%s\" is built in", list),
					 errhint("Define one under another name.")));
		if (exists && !superuser() && !(OidIsValid(existing.owner) && has_privs_of_role(GetUserId(), existing.owner)))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of blocklist \"%s\"", list)));
	}
	while (exists ? !lock_list(rel, list, &existing, words == NULL ? LockTupleExclusive : LockTupleNoKeyExclusive) :
		   !reserve_name(rel, list));
	if (!exists && words == NULL)
		report_missing(list, NULL);

	lifecycle_words_changed(list, NULL);
	if (words == NULL)
		check_rings(list, true);
	if (words == NULL)
		written = rows_delete(rel, &existing.tid);
	else
	{
		NameData	owner_name;
		Oid			owner = exists ? existing.owner : GetUserId();
		char	   *name = OidIsValid(owner) ? GetUserNameFromId(owner, true) : NULL;
		Datum		values[Natts_list];
		bool		nulls[Natts_list] = {false};

		/* Of an owner who is gone the name is kept, for a restore elsewhere. */
		if (name != NULL)
			namestrcpy(&owner_name, name);
		else
			owner_name = existing.owner_name;
		values[Anum_list_name - 1] = CStringGetTextDatum(list);
		values[Anum_list_builtin - 1] = BoolGetDatum(false);
		values[Anum_list_owner - 1] = ObjectIdGetDatum(owner);
		values[Anum_list_owner_name - 1] = NameGetDatum(&owner_name);
		values[Anum_list_words - 1] = PointerGetDatum(array_of_words(parsed, count));

		/* Whatever it has come by, it is this server's now. */
		values[Anum_list_replicated - 1] = BoolGetDatum(false);
		if (exists)
		{
			bool		replace[Natts_list] = {true, true, true, true, true, true};

			written = rows_update(rel, &existing.tid, columns_form(RelationGetDescr(rel), values, nulls), replace);
		}
		else
		{
			rows_insert(rel, values, nulls);
			unlock_name(list);
		}
	}
	if (!written)
		report_changing(list);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	if (words != NULL && exists)
		check_rings(list, false);
}
