/*
 * lifecycle.c
 *		Create, drop, rename and reset rings, in transactions.
 *
 * A definition is an ordinary row, so the change of one commits or rolls back
 * with its transaction.  What is in shared memory has to follow:
 *
 * - drop and reset close the ring's blocks at once, while the definition lock
 *	 keeps everybody from making others, and leave them in doubt.  From then on
 *	 the ring's row says that it is about to go, so nobody gets a code until it
 *	 is known how the transaction ends.  If it rolls back, the next caller opens
 *	 the blocks again and goes on where they stopped.
 * - at commit the shared epoch is raised: every session compares it at every
 *	 call, and reads definitions again.  (On a standby a relcache invalidation,
 *	 which is in the WAL of the commit, does that.)  The slots of an incarnation that is
 *	 gone for good are given up, at commit those of dropped and reset rings,
 *	 at rollback those of rings that were created or reset.
 *
 * What has happened to rings is noted by nesting level, as PostgreSQL notes the
 * files that it is to delete, so that savepoints work.  The callbacks that work
 * it off allocate nothing: they cannot fail.
 *
 * A transaction may create and change any number of rings.  So what it notes is
 * found by a hash, and what it locks to its end are rows, not entries of the
 * lock table.  Two who give the same name to a ring meet under a lock on the
 * name, which is released as soon as the row is there for the other to see.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "capacity.h"
#include "failover.h"
#include "grant.h"
#include "lifecycle.h"
#include "locks.h"
#include "rows.h"
#include "series.h"
#include "words.h"

/* Told apart from every key that is made at random. */
#define TEST_SEED_PREFIX	"coderring test_seed 1:"

typedef enum NoteKind
{
	NOTE_CHANGED,				/* some definition, the uuid is 0 */
	NOTE_CREATED,				/* this incarnation, which is not committed */
	NOTE_REPLACED,				/* this incarnation: dropped or reset */
	NOTE_DELETED,				/* the series of this incarnation */
	NOTE_WORDS,					/* of this ring, others than before */
	NOTE_LIST					/* of words, replaced; the uuid is made of its name */
} NoteKind;

typedef struct NoteKey
{
	NoteKind	kind;
	pg_uuid_t	uuid;
} NoteKey;

typedef struct Note
{
	struct Note *older;
	struct Note *older_alike;	/* of the same key */
	int			nest_level;
	NoteKey		key;
	List	   *slots;			/* of Slot: to give up, of CREATED at abort, of REPLACED at commit */
} Note;

typedef struct NoteEntry
{
	NoteKey		key;
	Note	   *newest;
} NoteEntry;

/* In TopTransactionContext.  From one note to the next the level never rises. */
static Note *newest_note = NULL;
static HTAB *notes_by_key = NULL;

static void
bury_slots(const Note *note)
{
	ListCell   *cell;

	foreach(cell, note->slots)
		slot_bury(lfirst(cell), &note->key.uuid);
}

static void
on_transaction_end(XactEvent event, void *arg)
{
	NoteKind	over = NOTE_CREATED;

	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (newest_note != NULL)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has created or changed rings"),
						 errhint("Change rings in a transaction that ends with COMMIT.")));
			return;
		case XACT_EVENT_COMMIT:
			if (newest_note != NULL)
				block_raise_epoch();
			over = NOTE_REPLACED;
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	for (const Note *note = newest_note; note != NULL; note = note->older)
	{
		if (note->key.kind == over)
			bury_slots(note);
	}
	if (newest_note != NULL)
		ring_forget();
	newest_note = NULL;			/* its memory goes with the transaction */
	notes_by_key = NULL;
}

static void
on_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	int			nest_level = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (Note *note = newest_note; note != NULL && note->nest_level >= nest_level; note = note->older)
			note->nest_level = nest_level - 1;
	}
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		for (; newest_note != NULL && newest_note->nest_level >= nest_level; newest_note = newest_note->older)
		{
			NoteEntry  *entry = hash_search(notes_by_key, &newest_note->key, HASH_FIND, NULL);

			entry->newest = newest_note->older_alike;
			if (newest_note->key.kind == NOTE_CREATED)
				bury_slots(newest_note);
			ring_forget();
		}
	}
}

void
lifecycle_init(void)
{
	RegisterXactCallback(on_transaction_end, NULL);
	RegisterSubXactCallback(on_subtransaction_end, NULL);
}

static NoteKey
note_key(NoteKind kind, const pg_uuid_t *uuid)
{
	NoteKey		key;

	memset(&key, 0, sizeof(key));
	key.kind = kind;
	if (uuid != NULL)
		key.uuid = *uuid;
	return key;
}

/* The newest note of a kind about a ring, an incarnation or (NULL) neither; NULL if there is none. */
static Note *
find_note(NoteKind kind, const pg_uuid_t *uuid)
{
	NoteKey		key;
	NoteEntry  *entry;

	if (newest_note == NULL)
		return NULL;
	key = note_key(kind, uuid);
	entry = hash_search(notes_by_key, &key, HASH_FIND, NULL);
	return entry != NULL ? entry->newest : NULL;
}

/*
 * Note what has happened in this transaction.  An error leaves everything as it
 * was.
 */
static Note *
make_note(NoteKind kind, const pg_uuid_t *uuid)
{
	int			nest_level = GetCurrentTransactionNestLevel();
	Note	   *note = MemoryContextAllocZero(TopTransactionContext, sizeof(Note));
	NoteEntry  *entry;
	bool		found;

	if (notes_by_key == NULL)
	{
		HASHCTL		info = {0};

		info.keysize = sizeof(NoteKey);
		info.entrysize = sizeof(NoteEntry);
		info.hcxt = TopTransactionContext;
		notes_by_key = hash_create("coderring notes", 16, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	/* The epoch does not reach the sessions of a standby; this does.  Once a level is enough. */
	if (newest_note == NULL || newest_note->nest_level != nest_level)
		CacheInvalidateRelcacheByRelid(ring_relation("ring"));

	note->nest_level = nest_level;
	note->key = note_key(kind, uuid);
	entry = hash_search(notes_by_key, &note->key, HASH_ENTER, &found);
	note->older_alike = found ? entry->newest : NULL;
	entry->newest = note;
	note->older = newest_note;
	newest_note = note;
	ring_forget();
	return note;
}

/*
 * A definition was changed in this transaction, perhaps one of very many.
 */
void
lifecycle_definitions_changed(void)
{
	if (newest_note == NULL || newest_note->nest_level != GetCurrentTransactionNestLevel())
		(void) make_note(NOTE_CHANGED, NULL);
	ring_forget();
}

/* The newest note of a kind, if it was made at the present nesting level. */
static const Note *
find_note_here(NoteKind kind, const pg_uuid_t *uuid)
{
	const Note *note = find_note(kind, uuid);

	return note != NULL && note->nest_level == GetCurrentTransactionNestLevel() ? note : NULL;
}

/* What a list is noted by */
static pg_uuid_t
list_uuid(const char *list)
{
	uint64		hashes[2];
	pg_uuid_t	uuid;

	StaticAssertStmt(sizeof(hashes) == sizeof(uuid), "two hashes make a uuid");
	for (int i = 0; i < 2; i++)
		hashes[i] = hash_bytes_extended((const unsigned char *) list, strlen(list), i + 1);
	memcpy(&uuid, hashes, sizeof(uuid));
	return uuid;
}

/*
 * The words of a list or of a ring, whichever is not NULL, were changed in this
 * transaction.  (The extension's functions say so before they write the row, the
 * row's trigger says so again.)
 */
void
lifecycle_words_changed(const char *list, const pg_uuid_t *ring)
{
	if (ring != NULL && find_note_here(NOTE_WORDS, ring) == NULL)
		(void) make_note(NOTE_WORDS, ring);
	if (list != NULL)
	{
		pg_uuid_t	uuid = list_uuid(list);

		if (find_note_here(NOTE_LIST, &uuid) == NULL)
			(void) make_note(NOTE_LIST, &uuid);
	}
}

/*
 * Does it hang on the running transaction, or on a part of it, with which
 * words the codes of a ring are filtered?  Not if the ring does so as well.
 */
bool
lifecycle_words_open(const Ring *ring)
{
	const Note *created = find_note(NOTE_CREATED, &ring->incarnation);
	const Note *words = find_note(NOTE_WORDS, &ring->id);
	int			created_at = created != NULL ? created->nest_level : 0;
	ListCell   *cell;

	if (words != NULL && words->nest_level > created_at)
		return true;
	if (newest_note == NULL || ring->blocklist[0] == '\0')
		return false;
	foreach(cell, options_lists(ring->blocklist))
	{
		pg_uuid_t	uuid = list_uuid(lfirst(cell));
		const Note *list = find_note(NOTE_LIST, &uuid);

		if (list != NULL && list->nest_level > created_at)
			return true;
	}
	return false;
}

/*
 * Has the running transaction deleted the series of an incarnation?
 */
bool
lifecycle_deleted(const pg_uuid_t *incarnation)
{
	return find_note(NOTE_DELETED, incarnation) != NULL;
}

/* Do rows of a ring name other lists of words? */
static bool
other_lists(HeapTuple old, HeapTuple new, TupleDesc desc)
{
	bool		none_before;
	bool		none_now;
	Datum		before = heap_getattr(old, Anum_ring_blocklist, desc, &none_before);
	Datum		now = heap_getattr(new, Anum_ring_blocklist, desc, &none_now);

	if (none_before || none_now)
		return none_before != none_now;
	return strcmp(TextDatumGetCString(before), TextDatumGetCString(now)) != 0;
}

/*
 * A row of coderring.ring was deleted (new is NULL) or updated, by whomever:
 * delete what belongs to the ring, or to the incarnation, that is no longer
 * there.
 */
void
lifecycle_row_gone(HeapTuple old, HeapTuple new, TupleDesc desc)
{
	bool		isnull;
	pg_uuid_t  *id = DatumGetUUIDP(heap_getattr(old, Anum_ring_id, desc, &isnull));
	pg_uuid_t  *incarnation = DatumGetUUIDP(heap_getattr(old, Anum_ring_incarnation, desc, &isnull));

	if (new != NULL && other_lists(old, new, desc))
		lifecycle_words_changed(NULL, id);
	if (new == NULL)
		grant_delete_all(id, TextDatumGetCString(heap_getattr(old, Anum_ring_name, desc, &isnull)));
	else if (memcmp(incarnation, DatumGetUUIDP(heap_getattr(new, Anum_ring_incarnation, desc, &isnull)),
					sizeof(pg_uuid_t)) == 0)
		return;
	series_delete_all(incarnation);

	/* It must not come back in this transaction: it would begin at 0. */
	(void) make_note(NOTE_DELETED, incarnation);
}

/*
 * Does the fate of this incarnation, or of its slots, hang on the running
 * transaction?
 */
bool
lifecycle_open(const pg_uuid_t *incarnation)
{
	return find_note(NOTE_CREATED, incarnation) != NULL || find_note(NOTE_REPLACED, incarnation) != NULL;
}

/* Remember a slot that is to be given up with what was noted. */
static void
add_slot(Note *note, Slot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	note->slots = lappend(note->slots, slot);
	MemoryContextSwitchTo(old);
}

/*
 * Remember a slot if it is to be given up should this transaction fail.
 */
void
lifecycle_note_slot(Slot *slot)
{
	Note	   *created = find_note(NOTE_CREATED, &slot->key.incarnation);

	if (created != NULL)
		add_slot(created, slot);
}

static void
random_bytes(void *bytes, size_t len)
{
	if (!pg_strong_random(bytes, len))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
}

/* A random one. */
static pg_uuid_t
make_uuid(void)
{
	return *DatumGetUUIDP(DirectFunctionCall1(gen_random_uuid, (Datum) 0));
}

/* A key that is SHA-256 of the seed: repeatable, and as guessable as it. */
static void
make_test_key(const char *seed, uint8 *key)
{
	char	   *input = psprintf(TEST_SEED_PREFIX "%s", seed);

	StaticAssertStmt(PERMUTATION_KEY_LEN == 32, "SHA-256 makes a key");
	if (!EVP_Digest(input, strlen(input), key, NULL, EVP_sha256(), NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute SHA-256")));
	pfree(input);
}

static Datum
bytea_datum(const uint8 *bytes, int len)
{
	bytea	   *result = palloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	memcpy(VARDATA(result), bytes, len);
	return PointerGetDatum(result);
}

static void
lock_name(const char *name)
{
	ring_lock(LOCK_NAME, hash_bytes((const unsigned char *) name, strlen(name)), 0, ExclusiveLock);
}

static void
unlock_name(const char *name)
{
	ring_unlock(LOCK_NAME, hash_bytes((const unsigned char *) name, strlen(name)), 0, ExclusiveLock);
}

/*
 * Reserve a name for a ring: until unlock_name(), by when the caller has written
 * the row, nobody else gives it to one.  False, and *existing set, if there is a
 * ring of that name; waits to see what becomes of one that is not committed.
 */
static bool
reserve_name(Relation rel, const char *name, Ring *existing)
{
	/* Only who is about to give a name has to lock it. */
	while (!ring_read(rel, name, existing))
	{
		TransactionId maker = InvalidTransactionId;

		lock_name(name);
		if (!ring_being_named(rel, name, &maker) && !ring_read(rel, name, existing))
			return true;
		unlock_name(name);
		if (TransactionIdIsValid(maker))
			XactLockTableWait(maker, NULL, NULL, XLTW_None);
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

static void
report_duplicate(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("ring \"%s\" already exists", name)));
}

/*
 * Create a ring.  Raises 22023 for a bad option, 42704 for a blocklist that
 * does not exist and 42710 for a duplicate.
 */
void
lifecycle_create(const char *name, const RingOptions *options, bool if_not_exists)
{
	Ring		wanted;
	Relation	rel;
	Ring		existing;
	bool		exists;
	uint8		key[PERMUTATION_KEY_LEN];
	pg_uuid_t	incarnation;
	pg_uuid_t	id;
	NameData	owner_name;
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};

	options_make_ring(&wanted, name, options);

	rel = ring_open(ring_relation("ring"), Natts_ring, RowExclusiveLock);
	exists = ring_read(rel, name, &existing);

	/* Before the name, with which nobody waits for a transaction */
	if (!exists && options->blocklist != NULL)
	{
		words_lock_lists(&wanted);
		words_read_filter(&wanted);
		capacity_check(&wanted);
	}
	if (exists || !reserve_name(rel, name, &existing))
	{
		table_close(rel, NoLock);
		if (!if_not_exists)
			report_duplicate(name);
		options_report_existing(&existing, options, &wanted);
		return;
	}
	if (wanted.check != NULL)
		options_report_check(&wanted);

	id = make_uuid();
	incarnation = make_uuid();
	random_bytes(key, sizeof(key));
	namestrcpy(&owner_name, GetUserNameFromId(GetUserId(), false));

	(void) make_note(NOTE_CREATED, &incarnation);

	values[Anum_ring_id - 1] = UUIDPGetDatum(&id);
	values[Anum_ring_name - 1] = CStringGetTextDatum(name);
	values[Anum_ring_incarnation - 1] = UUIDPGetDatum(&incarnation);
	values[Anum_ring_key - 1] = bytea_datum(key, sizeof(key));
	values[Anum_ring_owner - 1] = ObjectIdGetDatum(GetUserId());
	values[Anum_ring_owner_name - 1] = NameGetDatum(&owner_name);
	values[Anum_ring_first_cycle - 1] = Int64GetDatum(options->first_cycle);
	values[Anum_ring_base_length - 1] = Int32GetDatum(options->base_length);
	values[Anum_ring_max_length - 1] = Int32GetDatum(options->max_length);
	nulls[Anum_ring_max_length - 1] = !options->have_max_length;
	values[Anum_ring_alphabet - 1] =
		PointerGetDatum(cstring_to_text_with_len(wanted.codec.alphabet, wanted.codec.radix));
	values[Anum_ring_blocklist - 1] = CStringGetTextDatum(wanted.blocklist);
	nulls[Anum_ring_blocklist - 1] = options->blocklist == NULL;
	values[Anum_ring_check_character - 1] = BoolGetDatum(options->check_character);
	values[Anum_ring_new_series_cycle - 1] = Int64GetDatum(0);
	values[Anum_ring_timeline - 1] = Int64GetDatum(failover_timeline());
	values[Anum_ring_replicated - 1] = BoolGetDatum(false);
	nulls[Anum_ring_no_extra - 1] = true;
	rows_insert(rel, values, nulls);
	unlock_name(name);
	explicit_bzero(key, sizeof(key));
	table_close(rel, NoLock);
	CommandCounterIncrement();
	series_sweep_orphans();
}

typedef struct Closing
{
	SeriesKey	key;
	Note	   *note;
} Closing;

static void
close_block(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
			const SeriesNumbers *numbers, void *arg)
{
	Closing    *closing = arg;
	Slot	   *slot;

	closing->key.extra_len = extra_len;
	memcpy(closing->key.extra, extra, extra_len);
	slot = slot_find(&closing->key);
	if (slot == NULL)
		return;
	add_slot(closing->note, slot);
	slot_doubt(slot);
}

/*
 * A ring is about to be dropped or reset: lock its definition, which ends the
 * making of codes that is under way, and stop its blocks.  The caller writes
 * the ring's row next, and releases the lock.
 */
static void
begin_replacing(const Ring *ring)
{
	Closing		closing;

	ring_lock(LOCK_DEFINITION, ring_lock_id(&ring->id), 0, DEFINITION_REPLACE);
	ring_make_key(ring, &closing.key);
	closing.note = make_note(NOTE_REPLACED, &ring->incarnation);
	series_visit(&ring->incarnation, close_block, &closing);
}

static void
end_replacing(const Ring *ring)
{
	ring_unlock(LOCK_DEFINITION, ring_lock_id(&ring->id), 0, DEFINITION_REPLACE);
}

/*
 * Drop a ring: 42704 if it does not exist, unless if_exists.
 */
void
lifecycle_drop(const char *name, bool if_exists)
{
	Relation	rel = ring_open(ring_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;

	if (!ring_find_to_change(rel, name, LockTupleExclusive, &ring))
	{
		if (!if_exists)
			ring_report_missing(name);
		ereport(NOTICE,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("ring \"%s\" does not exist, skipping", name)));
		table_close(rel, NoLock);
		return;
	}
	begin_replacing(&ring);

	/* What belongs to it goes with it: lifecycle_row_gone(). */
	if (!rows_delete(rel, &ring.tid))
		ring_report_changing(name);
	end_replacing(&ring);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	series_sweep_orphans();
}

/*
 * Rename a ring.  Its codes go on, and nobody waits for the transaction.
 */
void
lifecycle_rename(const char *name, const char *new_name)
{
	Relation	rel = ring_open(ring_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;
	Ring		existing;
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	options_check_name(new_name);

	/* The name is a key, and nobody waits for the row with a name reserved. */
	if (!ring_find_to_change(rel, name, LockTupleExclusive, &ring))
		ring_report_missing(name);
	if (!reserve_name(rel, new_name, &existing))
		report_duplicate(new_name);
	lifecycle_definitions_changed();
	values[Anum_ring_name - 1] = CStringGetTextDatum(new_name);
	replace[Anum_ring_name - 1] = true;
	ring_update(rel, &ring, values, nulls, replace);
	unlock_name(new_name);
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

/*
 * Let a ring that logical replication has brought hand out codes here from now
 * on, if this transaction commits.  The caller has locked its row, and increments
 * the command counter.
 */
void
lifecycle_take_over(Relation rel, const Ring *ring)
{
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	lifecycle_definitions_changed();
	values[Anum_ring_replicated - 1] = BoolGetDatum(false);
	replace[Anum_ring_replicated - 1] = true;
	ring_update(rel, ring, values, nulls, replace);
}

/*
 * Filter the codes of a ring to come with other lists of words, or with none
 * (NULL).  Handing out goes on, with the list that is committed.
 */
void
lifecycle_set_blocklist(const char *name, const char *lists)
{
	Relation	rel = ring_open(ring_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	if (lists != NULL)
		lists = options_list_names(lists);
	if (!ring_read(rel, name, &ring))
		ring_report_missing(name);
	if (!grant_may_change(&ring, GetUserId()))
		grant_report_denied(&ring, true);

	/* Lists before rings, as when a ring is created, or two would wait for each other */
	strlcpy(ring.blocklist, lists != NULL ? lists : "", sizeof(ring.blocklist));
	if (lists != NULL)
		words_lock_lists(&ring);
	if (!ring_find_to_change(rel, name, LockTupleNoKeyExclusive, &ring))
		ring_report_missing(name);
	strlcpy(ring.blocklist, lists != NULL ? lists : "", sizeof(ring.blocklist));
	if (lists != NULL)
	{
		words_read_filter(&ring);
		capacity_check(&ring);
	}
	lifecycle_words_changed(NULL, &ring.id);
	values[Anum_ring_blocklist - 1] = CStringGetTextDatum(ring.blocklist);
	nulls[Anum_ring_blocklist - 1] = lists == NULL;
	replace[Anum_ring_blocklist - 1] = true;
	ring_update(rel, &ring, values, nulls, replace);
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

/*
 * Make a ring anew: another key, no series, codes from first_cycle on.  They
 * are this server's, whatever the ring has come by.
 */
void
lifecycle_reset(const char *name, int64 first_cycle, const char *test_seed)
{
	Relation	rel = ring_open(ring_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;
	pg_uuid_t	incarnation;
	uint8		key[PERMUTATION_KEY_LEN];
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	if (!ring_find_to_change(rel, name, LockTupleExclusive, &ring))
		ring_report_missing(name);
	options_check_first_cycle(&ring, first_cycle);
	incarnation = make_uuid();
	if (test_seed != NULL)
		make_test_key(test_seed, key);
	else
		random_bytes(key, sizeof(key));

	begin_replacing(&ring);
	(void) make_note(NOTE_CREATED, &incarnation);
	values[Anum_ring_incarnation - 1] = UUIDPGetDatum(&incarnation);
	replace[Anum_ring_incarnation - 1] = true;
	values[Anum_ring_key - 1] = bytea_datum(key, sizeof(key));
	replace[Anum_ring_key - 1] = true;
	values[Anum_ring_first_cycle - 1] = Int64GetDatum(first_cycle);
	replace[Anum_ring_first_cycle - 1] = true;
	values[Anum_ring_new_series_cycle - 1] = Int64GetDatum(0);
	replace[Anum_ring_new_series_cycle - 1] = true;
	values[Anum_ring_timeline - 1] = Int64GetDatum(failover_timeline());
	replace[Anum_ring_timeline - 1] = true;
	values[Anum_ring_replicated - 1] = BoolGetDatum(false);
	replace[Anum_ring_replicated - 1] = true;

	/* Its series go: lifecycle_row_gone(). */
	ring_update(rel, &ring, values, nulls, replace);
	end_replacing(&ring);
	explicit_bzero(key, sizeof(key));
	table_close(rel, NoLock);
	CommandCounterIncrement();
	series_sweep_orphans();
}
