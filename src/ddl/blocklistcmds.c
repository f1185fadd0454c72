/*
 * blocklistcmds.c
 *		Lists of words: defined, replaced, dropped, and kept as they are.
 *
 * A list is an ordinary row.  Whoever gives it to a ring locks it to the end of the
 * transaction, before the ring's row: two who do so do not wait for each other.
 */
#include "postgres.h"

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
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "codes/capacity.h"
#include "core/wordfilter.h"
#include "ddl/blocklistcmds.h"
#include "ddl/options.h"
#include "shmem/locks.h"
#include "store/acl.h"
#include "store/blocklist.h"
#include "store/columns.h"
#include "store/pending.h"
#include "store/ring.h"
#include "store/rows.h"
#include "store/tables.h"

/*
 * Blanks around a word, the ends of lines that a file of words came with, and
 * the mark that such a file may begin with, are not part of it.
 */
static FilterWord
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
	return (FilterWord) {text, len};
}

/*
 * The words of an array that somebody defines a list by; empty ones are left
 * out.  Raises 22004 and 22023 for what is no word.
 */
static FilterWord *
parse_words(ArrayType *array, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	FilterWord *words;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	words = palloc(Max(n, 1) * sizeof(FilterWord));
	*count = 0;
	for (int i = 0; i < n; i++)
	{
		text	   *element;
		FilterWord	word;
		Objection	objection;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a blocked word must not be null")));
		element = DatumGetTextPP(elements[i]);
		word = trimmed(VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element));
		if (word.len == 0)
			continue;
		objection = blocklist_object_to(&word);
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
					 errdetail("No alphabet can contain its last character."),
					 errhint("Leave the word out, or end it before that character.")));
		words[(*count)++] = word;
	}
	return words;
}

static ArrayType *
array_of_words(const FilterWord *words, int count)
{
	Datum	   *elements = palloc(Max(count, 1) * sizeof(Datum));

	for (int i = 0; i < count; i++)
		elements[i] = PointerGetDatum(cstring_to_text_with_len(words[i].text, words[i].len));
	return construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT);
}

static void
lock_name(const char *name)
{
	locks_acquire(LOCK_NAME, hash_bytes((const unsigned char *) name, strlen(name)), LOCK_NAME_LIST, ExclusiveLock);
}

static void
unlock_name(const char *name)
{
	locks_release(LOCK_NAME, hash_bytes((const unsigned char *) name, strlen(name)), LOCK_NAME_LIST, ExclusiveLock);
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
blocklistcmds_lock(const Ring *ring)
{
	Relation	rel = tables_open(tables_relation("blocklist"), Natts_list, RowShareLock);
	ListCell   *cell;

	foreach(cell, blocklist_names(ring->blocklist))
	{
		WordList	list;

		do
		{
			if (!blocklist_read(lfirst(cell), &list))
				blocklist_report_missing(lfirst(cell), ring);
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
	if (!blocklist_read_row(rel, name, &dirty, &list))
	{
		if (!blocklist_read(name, &list))
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
 * Is there a ring whose codes are filtered with a list?
 */
bool
blocklistcmds_used(const char *list)
{
	ListCell   *cell;

	foreach(cell, ring_list(every_ring))
	{
		const Ring *ring = lfirst(cell);

		if (blocklist_used_by(ring, list))
			return true;
	}
	return false;
}

/*
 * Would a list with these words leave enough codes to all rings of this
 * server's own whose codes are filtered with it?
 */
bool
blocklistcmds_suits(const char *list, ArrayType *words)
{
	SupposedList this = {.name = list};
	List	   *rings = ring_list(every_ring);
	ListCell   *cell;
	bool		suits = true;

	this.list.words = blocklist_stored_words(words, &this.list.count);
	blocklist_supposed = &this;
	PG_TRY();
	{
		foreach(cell, rings)
		{
			Ring	   *ring = lfirst(cell);

			if (!ring->replicated && blocklist_used_by(ring, list) &&
				(!blocklist_find_id(ring) || !capacity_left(ring)))
				suits = false;
		}
	}
	PG_FINALLY();
	{
		blocklist_supposed = NULL;
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

		if (!blocklist_used_by(ring, list))
			continue;
		if (drop)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop blocklist \"%s\" because rings use it", list),
					 acl_may_use(ring, GetUserId()) ? errdetail("One of them is \"%s\".", ring->name) :
					 errdetail("One of them belongs to role \"%s\".",
							   GetUserNameFromId(ring->owner, true) != NULL ?
							   GetUserNameFromId(ring->owner, true) : ""),
					 errhint("Take it from them with coderring_set_blocklist first.")));
		blocklist_read_id(ring);
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
blocklistcmds_define(const char *list, ArrayType *words)
{
	Relation	rel;
	WordList	existing;
	bool		exists;
	bool		written = true;
	int			count = 0;
	FilterWord *parsed = words != NULL ? parse_words(words, &count) : NULL;

	options_check_list_name(list);
	if (words != NULL && !blocklist_fits(parsed, count))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("blocklist \"%s\" has too many words", list),
				 errdetail("All words together have at most %u bytes.", WORDFILTER_MAX_BYTES)));

	/* From before the row is looked up: who rewrites the table would move it. */
	rel = tables_open(tables_relation("blocklist"), Natts_list, RowExclusiveLock);

	do
	{
		exists = blocklist_read(list, &existing);

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
		blocklist_report_missing(list, NULL);

	pending_words_changed(list, NULL);
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
