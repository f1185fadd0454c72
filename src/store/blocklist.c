/*
 * blocklist.c
 *		Lists of words that codes must not contain: rows of coderring.blocklist.
 *
 * A ring may have several lists; what it is filtered with are the words of all
 * of them.  Words are known by their identity, a hash of what they block
 * (wordfilter.c).  A ring's definition and the blocks in shared memory carry it,
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

#include "core/wordfilter.h"
#include "store/blocklist.h"
#include "store/columns.h"
#include "store/ring.h"
#include "store/scan.h"
#include "store/state.h"
#include "store/tables.h"

/* Automata that a session keeps. */
#define KEPT	8

typedef struct Kept
{
	MemoryContext memory;		/* NULL for none */
	uint64		blocklist_id;
	uint64		used;
	WordFilter *filter;
} Kept;

/* What codes are filtered with: all lists of a ring */
typedef struct Words
{
	FilterWord *words;
	int			count;
	bool		spreadsheet;	/* and what spreadsheet.c knows */
} Words;

const SupposedList *blocklist_supposed = NULL;

static Kept kept[KEPT];
static uint64 uses = 0;

Objection
blocklist_object_to(const FilterWord *word)
{
	bool		begin = word->len > 0 && word->text[0] == WORDFILTER_BEGIN;
	bool		end = word->len > (begin ? 1 : 0) && word->text[word->len - 1] == WORDFILTER_END;
	const char *text = word->text + begin;
	size_t		len = word->len - begin - end;

	if (len == 0 || (!begin && !end && pg_mbstrlen_with_len(text, len) < 2))
		return WORD_SHORT;
	return text[len - 1] <= ' ' || text[len - 1] > '~' ? WORD_IMPOSSIBLE : WORD_GOOD;
}

/* The words of an array that is stored; NULL if some are not as parse_words() has left them. */
FilterWord *
blocklist_stored_words(ArrayType *array, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	FilterWord *words;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, count);
	words = palloc(Max(*count, 1) * sizeof(FilterWord));
	for (int i = 0; i < *count; i++)
	{
		text	   *element;

		if (nulls[i])
			return NULL;
		element = DatumGetTextPP(elements[i]);
		words[i] = (FilterWord) {VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element)};
		if (blocklist_object_to(&words[i]) != WORD_GOOD)
			return NULL;
	}
	return words;
}

static void
begin_scan(RowScan *scan, Relation rel, const char *name, Snapshot snapshot)
{
	static const AttrNumber columns[] = {Anum_list_name};
	ScanKeyData key;

	ScanKeyInit(&key, Anum_list_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	scan_begin(scan, rel, snapshot, 1, &key, lengthof(columns), columns);
}

bool
blocklist_read_row(Relation rel, const char *name, Snapshot snapshot, WordList *list)
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
		list->words = list->spreadsheet ? palloc(sizeof(FilterWord)) :
			blocklist_stored_words(DatumGetArrayTypePCopy(values[Anum_list_words - 1]), &list->count);
	}
	scan_end(&scan);
	return found;
}

/*
 * Read a list as it is now.  A row that another transaction is just replacing
 * can be missed with SnapshotSelf, see ring_read().
 */
bool
blocklist_read(const char *name, WordList *list)
{
	Relation	rel;
	bool		found;

	if (blocklist_supposed != NULL && strcmp(name, blocklist_supposed->name) == 0)
	{
		*list = blocklist_supposed->list;
		return true;
	}
	rel = tables_open(tables_relation("blocklist"), Natts_list, AccessShareLock);
	found = blocklist_read_row(rel, name, SnapshotSelf, list);
	if (!found)
	{
		Snapshot	latest = RegisterSnapshot(scan_latest_snapshot());

		found = blocklist_read_row(rel, name, latest, list);
		UnregisterSnapshot(latest);
	}
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * What words are known by; never 0, nor BLOCKLIST_ID_CHANGED.
 */
static uint64
identity_of(const Words *words)
{
	uint64		identity = wordfilter_identity(words->words, words->count);

	if (words->spreadsheet)
		identity = wordfilter_identity_joined(identity);
	return identity != BLOCKLIST_ID_CHANGED ? identity : 1;
}

/* `ring` is the one that is filtered with it, NULL if it is none's. */
void
blocklist_report_missing(const char *name, const Ring *ring)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("blocklist \"%s\" does not exist", name),
			 ring != NULL ? errdetail("Codes of ring \"%s\" are to be filtered with it.", ring->name) : 0,
			 errhint("There are \"english\", \"international\", \"spreadsheet\" and what coderring_define_blocklist has defined.")));
}

/* Are codes of a ring filtered with a list? */
bool
blocklist_used_by(const Ring *ring, const char *list)
{
	ListCell   *cell;

	if (ring->blocklist[0] == '\0')
		return false;
	foreach(cell, blocklist_names(ring->blocklist))
	{
		if (strcmp(lfirst(cell), list) == 0)
			return true;
	}
	return false;
}

/* Are these not more words than there can be? */
bool
blocklist_fits(const FilterWord *words, int count)
{
	size_t		bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += words[i].len;
	return bytes <= WORDFILTER_MAX_BYTES;
}

/*
 * The automaton of a ring's words, in the current context.  NULL if it would have
 * too many states, which can only be with what spreadsheet.c knows.
 */
static WordFilter *
build(const Ring *ring, const Words *words)
{
	WordFilter *automaton;
	WordFilter *joined = NULL;
	FilterPairs *pairs;
	Size		size = wordfilter_bytes(words->words, words->count);

	automaton = MemoryContextAllocHuge(CurrentMemoryContext, size);
	if (!wordfilter_build(automaton, words->words, words->count))
		elog(ERROR, "cannot build the blocklist of ring \"%s\"", ring->name);
	if (!words->spreadsheet)
		return automaton;
	pairs = palloc(sizeof(FilterPairs));
	size = wordfilter_joined_bytes(automaton, pairs);
	if (size > 0)
	{
		joined = MemoryContextAllocHuge(CurrentMemoryContext, size);
		wordfilter_join(joined, automaton, pairs);
	}
	pfree(pairs);
	pfree(automaton);
	return joined;
}

/* The automaton of that identity that the session keeps, NULL if it does not. */
static Kept *
find_kept(uint64 blocklist_id)
{
	for (int i = 0; i < KEPT; i++)
	{
		if (kept[i].filter != NULL && kept[i].blocklist_id == blocklist_id)
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
			 blocklist_fits(words->words, words->count) ?
			 errdetail("They leave no room for the list \"%s\".", SPREADSHEET) :
			 errdetail("All words together have at most %u bytes.", WORDFILTER_MAX_BYTES),
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

	words->words = palloc(sizeof(FilterWord));
	words->count = 0;
	words->spreadsheet = false;
	foreach(cell, blocklist_names(ring->blocklist))
	{
		const char *name = lfirst(cell);
		WordList	list;
		bool		found = blocklist_read(name, &list);

		if (!found && raise)
			blocklist_report_missing(name, ring);
		if (found && list.words == NULL && raise)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("blocklist \"%s\" is damaged", name),
					 errdetail("Codes of ring \"%s\" are to be filtered with it. It has words that none can be.", ring->name),
					 errhint("Define it again: coderring_define_blocklist.")));
		if (!found || list.words == NULL)
			return false;
		words->words = repalloc_huge(words->words, (words->count + list.count + 1) * sizeof(FilterWord));
		memcpy(words->words + words->count, list.words, list.count * sizeof(FilterWord));
		words->count += list.count;
		words->spreadsheet = words->spreadsheet || list.spreadsheet;
	}
	if (raise && !blocklist_fits(words->words, words->count))
		report_many(ring, words);
	return blocklist_fits(words->words, words->count);
}

/*
 * Sets ring->blocklist_id.  With `raise` an error, otherwise false, if words are
 * missing or too many.  Needs a lot of memory for a moment.
 */
static bool
find_id(Ring *ring, bool raise)
{
	MemoryContext scratch;
	MemoryContext old;
	Words		words;
	bool		found;

	ring->blocklist_id = 0;
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
		ring->blocklist_id = identity_of(&words);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return found;
}

/*
 * Find out with which words the codes of a ring are filtered: sets
 * ring->blocklist_id.  42704 if a list of the ring's is gone, XX001 if one is damaged,
 * 54000 if all words are too many.
 */
void
blocklist_read_id(Ring *ring)
{
	(void) find_id(ring, true);
}

/*
 * The same for somebody who looks at rings that may be gone by now: false if
 * a list is, or is damaged, or all words are too many.
 */
bool
blocklist_find_id(Ring *ring)
{
	return find_id(ring, false);
}

/*
 * The automaton of the words that a ring's codes are filtered with, NULL if
 * they are not.  *blocklist_id is their identity: of the list as it is now, should
 * ring->blocklist_id not be in memory any more.  Good until the next call.
 */
const WordFilter *
blocklist_filter(const Ring *ring, uint64 *blocklist_id)
{
	Kept	   *entry;
	MemoryContext old;
	MemoryContext scratch;
	Words		words;
	Size		size;
	WordFilter *automaton;

	*blocklist_id = ring->blocklist_id;
	if (ring->blocklist_id == 0)
		return NULL;
	entry = find_kept(ring->blocklist_id);
	if (entry != NULL)
	{
		entry->used = ++uses;
		return entry->filter;
	}

	scratch = AllocSetContextCreate(CurrentMemoryContext, "coderring words", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);
	(void) read_words(ring, true, &words);
	*blocklist_id = identity_of(&words);
	entry = &kept[0];
	for (int i = 1; i < KEPT; i++)
	{
		if (kept[i].used < entry->used)
			entry = &kept[i];
	}
	entry->filter = NULL;
	entry->used = 0;
	if (entry->memory == NULL)
		entry->memory = AllocSetContextCreate(TopMemoryContext, "coderring automaton", ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(entry->memory);
	automaton = build(ring, &words);
	if (automaton == NULL)
		report_many(ring, &words);

	/* That was the most that it could take. */
	size = wordfilter_used_bytes(automaton);
	entry->filter = MemoryContextAllocHuge(entry->memory, size);
	memcpy(entry->filter, automaton, size);
	entry->blocklist_id = *blocklist_id;
	entry->used = ++uses;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return entry->filter;
}

/*
 * The identity of an automaton that blocklist_filter has returned.
 */
uint64
blocklist_id_of(const WordFilter *list)
{
	for (int i = 0; i < KEPT; i++)
	{
		if (kept[i].filter == list)
			return kept[i].blocklist_id;
	}
	return 0;
}

/*
 * Is there a list of that name?
 */
bool
blocklist_exists(const char *list)
{
	WordList	existing;

	return blocklist_read(list, &existing);
}

/*
 * The names of lists, which commas are between, without blanks around them.
 */
List *
blocklist_names(const char *lists)
{
	List	   *names = NIL;
	const char *at = lists;

	for (;;)
	{
		const char *next = at + strcspn(at, ",");
		const char *end = next;

		while (end > at && scanner_isspace(end[-1]))
			end--;
		while (at < end && scanner_isspace(*at))
			at++;
		names = lappend(names, pnstrdup(at, end - at));
		if (*next == '\0')
			return names;
		at = next + 1;
	}
}
