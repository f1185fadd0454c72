/*
 * lifecycle.c
 *		Create, drop, rename and reset rings, in transactions.
 *
 * A definition is an ordinary row, so the change of one commits or rolls back
 * with its transaction.  What is in shared memory has to follow:
 *
 * - drop and reset hold the definition lock exclusively to the end of the
 *	 transaction and close the ring's blocks at once, so nobody gets a code
 *	 until it is known how the transaction ends.  If it rolls back, the next
 *	 caller opens the blocks again and goes on where they stopped.
 * - at commit the shared epoch is raised: every session compares it at every
 *	 call, and reads definitions again.  (On a standby a relcache invalidation,
 *	 which is in the WAL of the commit, does that.)  The slots of an incarnation that is
 *	 gone for good are given up, at commit those of dropped and reset rings,
 *	 at rollback those of rings that were created or reset.
 *
 * The list of what is to be done is kept by nesting level, as PostgreSQL
 * keeps its list of files to delete, so that savepoints work.  The callbacks
 * that work it off take no lock and allocate nothing: they cannot fail.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "common/hashfn.h"
#include "miscadmin.h"
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

typedef struct Pending
{
	int			nest_level;
	bool		created;		/* incarnation is new and not committed */
	pg_uuid_t	incarnation;
	bool		other_words;	/* were given to this ring: */
	pg_uuid_t	ring_id;
	char		list[RING_NAME_MAX_LEN + 1];	/* that was replaced, or "" */
	List	   *deleted;		/* of pg_uuid_t: incarnations whose series are deleted */
	List	   *kept;			/* of pg_uuid_t: rings whose deletion was left out */
	List	   *slots_if_commit;	/* of Slot: give up when the transaction commits */
	List	   *slots_if_abort; /* of Slot: give up when it does not */
} Pending;

/* In TopTransactionContext, newest first. */
static List *pending = NIL;

static void
bury_slots(List *slots)
{
	ListCell   *cell;

	foreach(cell, slots)
		slot_bury(lfirst(cell));
}

static void
on_transaction_end(XactEvent event, void *arg)
{
	ListCell   *cell;

	if (pending == NIL)
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot PREPARE a transaction that has created or changed rings"),
					 errhint("Change rings in a transaction that ends with COMMIT.")));
			break;
		case XACT_EVENT_COMMIT:
			block_raise_epoch();
			foreach(cell, pending)
				bury_slots(((Pending *) lfirst(cell))->slots_if_commit);
			break;
		case XACT_EVENT_ABORT:
			foreach(cell, pending)
				bury_slots(((Pending *) lfirst(cell))->slots_if_abort);
			break;
		default:
			return;
	}
	ring_forget();
	pending = NIL;				/* its memory goes with the transaction */
}

static void
on_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	int			nest_level = GetCurrentTransactionNestLevel();

	if (pending == NIL || (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB))
		return;
	while (pending != NIL)
	{
		Pending    *entry = linitial(pending);

		if (entry->nest_level < nest_level)
			break;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
		{
			ListCell   *cell;

			foreach(cell, pending)
			{
				entry = lfirst(cell);
				if (entry->nest_level >= nest_level)
					entry->nest_level = nest_level - 1;
			}
			return;
		}
		bury_slots(entry->slots_if_abort);
		ring_forget();
		pending = list_delete_first(pending);
	}
}

void
lifecycle_init(void)
{
	RegisterXactCallback(on_transaction_end, NULL);
	RegisterSubXactCallback(on_subtransaction_end, NULL);
}

/*
 * Note that something is to be done at the end of this transaction.  Lists of
 * slots must be in TopTransactionContext.
 */
static void
note_pending(const pg_uuid_t *created, List *slots_if_commit)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Pending    *entry = palloc0(sizeof(Pending));

	entry->nest_level = GetCurrentTransactionNestLevel();
	if (created != NULL)
	{
		entry->created = true;
		entry->incarnation = *created;
	}
	entry->slots_if_commit = slots_if_commit;
	pending = lcons(entry, pending);
	MemoryContextSwitchTo(old);

	/* The epoch does not reach the sessions of a standby; this does. */
	CacheInvalidateRelcacheByRelid(ring_relation("ring"));
	ring_forget();
}

/*
 * A definition was changed in this transaction, perhaps one of very many.
 */
void
lifecycle_definitions_changed(void)
{
	if (pending == NIL ||
		((Pending *) linitial(pending))->nest_level != GetCurrentTransactionNestLevel())
		note_pending(NULL, NIL);
	ring_forget();
}

/*
 * The words of a list or of a ring, whichever is not NULL, were changed in this transaction.
 */
void
lifecycle_words_changed(const char *list, const pg_uuid_t *ring)
{
	Pending    *entry;

	note_pending(NULL, NIL);
	entry = linitial(pending);
	if (ring != NULL)
	{
		entry->other_words = true;
		entry->ring_id = *ring;
	}
	if (list != NULL)
		strlcpy(entry->list, list, sizeof(entry->list));
}

/*
 * Does it hang on the running transaction, or on a part of it, with which
 * words the codes of a ring are filtered?  Not if the ring does so as well.
 */
bool
lifecycle_words_open(const Ring *ring)
{
	int			changed_at = 0;
	int			created_at = 0;
	ListCell   *cell;

	foreach(cell, pending)
	{
		const Pending *entry = lfirst(cell);

		if ((entry->other_words && ring_same_id(&entry->ring_id, &ring->id)) ||
			(entry->list[0] != '\0' && words_used_by(ring, entry->list)))
			changed_at = Max(changed_at, entry->nest_level);
		if (entry->created && memcmp(&entry->incarnation, &ring->incarnation, sizeof(pg_uuid_t)) == 0)
			created_at = Max(created_at, entry->nest_level);
	}
	return changed_at > created_at;
}

/* Lists of uuids, for the rest of the transaction */
static List *
append_uuid(List *list, const pg_uuid_t *uuid)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	pg_uuid_t  *copy = palloc(sizeof(pg_uuid_t));

	*copy = *uuid;
	list = lappend(list, copy);
	MemoryContextSwitchTo(old);
	return list;
}

static bool
has_uuid(const List *list, const pg_uuid_t *uuid)
{
	ListCell   *cell;

	foreach(cell, list)
	{
		if (ring_same_id(lfirst(cell), uuid))
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
	ListCell   *cell;

	foreach(cell, pending)
	{
		if (has_uuid(((Pending *) lfirst(cell))->deleted, incarnation))
			return true;
	}
	return false;
}

/*
 * The deletion of a ring, by its id, is left out in the running transaction.
 */
void
lifecycle_note_kept(const pg_uuid_t *ring)
{
	Pending    *entry;

	lifecycle_definitions_changed();
	entry = linitial(pending);
	entry->kept = append_uuid(entry->kept, ring);
}

bool
lifecycle_kept(const pg_uuid_t *ring)
{
	ListCell   *cell;

	foreach(cell, pending)
	{
		if (has_uuid(((Pending *) lfirst(cell))->kept, ring))
			return true;
	}
	return false;
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
	pg_uuid_t  *incarnation = DatumGetUUIDP(heap_getattr(old, Anum_ring_incarnation, desc, &isnull));
	Pending    *entry;

	if (new == NULL)
		grant_delete_all(DatumGetUUIDP(heap_getattr(old, Anum_ring_id, desc, &isnull)),
						 TextDatumGetCString(heap_getattr(old, Anum_ring_name, desc, &isnull)));
	else if (memcmp(incarnation, DatumGetUUIDP(heap_getattr(new, Anum_ring_incarnation, desc, &isnull)),
					sizeof(pg_uuid_t)) == 0)
		return;
	series_delete_all(incarnation);

	/* It must not come back in this transaction: it would begin at 0. */
	lifecycle_definitions_changed();
	entry = linitial(pending);
	entry->deleted = append_uuid(entry->deleted, incarnation);
}

/*
 * Does the fate of this incarnation, or of its slots, hang on the running
 * transaction?
 */
bool
lifecycle_open(const pg_uuid_t *incarnation)
{
	ListCell   *cell;
	ListCell   *slot_cell;

	foreach(cell, pending)
	{
		const Pending *entry = lfirst(cell);

		if (entry->created && memcmp(&entry->incarnation, incarnation, sizeof(pg_uuid_t)) == 0)
			return true;
		foreach(slot_cell, entry->slots_if_commit)
		{
			const Slot *slot = lfirst(slot_cell);

			if (memcmp(&slot->key.incarnation, incarnation, sizeof(pg_uuid_t)) == 0)
				return true;
		}
	}
	return false;
}

/*
 * Remember a slot if it is to be given up should this transaction fail.
 */
void
lifecycle_note_slot(Slot *slot)
{
	ListCell   *cell;

	foreach(cell, pending)
	{
		Pending    *entry = lfirst(cell);

		if (entry->created &&
			memcmp(&entry->incarnation, &slot->key.incarnation, sizeof(pg_uuid_t)) == 0 &&
			!list_member_ptr(entry->slots_if_abort, slot))
		{
			MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

			entry->slots_if_abort = lappend(entry->slots_if_abort, slot);
			MemoryContextSwitchTo(old);
		}
	}
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

/*
 * Nobody else gives this name to a ring before this transaction ends.
 */
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

	/* Only who is about to give a name has to lock it. */
	rel = ring_open(ring_relation("ring"), Natts_ring, RowExclusiveLock);
	exists = ring_read(rel, name, &existing);
	if (!exists)
	{
		lock_name(name);
		exists = ring_read(rel, name, &existing);
		if (exists)
			unlock_name(name);
	}
	if (exists)
	{
		table_close(rel, NoLock);
		if (!if_not_exists)
			report_duplicate(name);
		options_report_existing(&existing, options, &wanted);
		return;
	}

	if (options->blocklist != NULL)
	{
		words_lock_lists(&wanted);
		words_read_filter(&wanted);
		capacity_check(&wanted);
	}
	if (wanted.check != NULL)
		options_report_check(&wanted);

	id = make_uuid();
	incarnation = make_uuid();
	random_bytes(key, sizeof(key));
	namestrcpy(&owner_name, GetUserNameFromId(GetUserId(), false));

	/* Whoever meets the ring's slots or rows can tell that it is not there yet. */
	ring_lock(LOCK_DEFINITION, ring_lock_id(&id), 0, DEFINITION_REPLACE);
	note_pending(&incarnation, NIL);

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
	explicit_bzero(key, sizeof(key));
	table_close(rel, NoLock);
	CommandCounterIncrement();
	series_sweep_orphans();
}

/*
 * Stop every block of a ring, whose definition lock is held exclusively.
 * Returns the slots, in memory that lasts as long as the transaction.
 */
static List *
close_blocks(const Ring *ring)
{
	SeriesKey	key;
	List	   *slots;
	ListCell   *cell;
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	ring_make_key(ring, &key);
	slots = slot_collect(&key, false);
	MemoryContextSwitchTo(old);
	foreach(cell, slots)
		(void) block_close(lfirst(cell));
	return slots;
}

/*
 * Drop a ring: 42704 if it does not exist, unless if_exists.
 */
void
lifecycle_drop(const char *name, bool if_exists)
{
	Relation	rel = ring_open(ring_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;

	if (!ring_find_to_change(rel, name, DEFINITION_REPLACE, &ring))
	{
		if (!if_exists)
			ring_report_missing(name);
		ereport(NOTICE,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("ring \"%s\" does not exist, skipping", name)));
		table_close(rel, NoLock);
		return;
	}
	note_pending(NULL, close_blocks(&ring));

	/* What belongs to it goes with it: lifecycle_row_gone(). */
	if (!rows_delete(rel, &ring.tid))
		ring_report_changing(name);
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
	if (!ring_find_to_change(rel, name, DEFINITION_ALTER, &ring))
		ring_report_missing(name);
	lock_name(new_name);
	if (ring_read(rel, new_name, &existing))
		report_duplicate(new_name);
	note_pending(NULL, NIL);
	values[Anum_ring_name - 1] = CStringGetTextDatum(new_name);
	replace[Anum_ring_name - 1] = true;
	ring_update(rel, &ring, values, nulls, replace);
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

/*
 * Let a ring that logical replication has brought hand out codes here from now
 * on, if this transaction commits.  The caller holds its definition lock, and
 * increments the command counter.
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
	if (!ring_find_to_change(rel, name, DEFINITION_ALTER, &ring))
		ring_report_missing(name);
	strlcpy(ring.blocklist, lists != NULL ? lists : "", sizeof(ring.blocklist));
	if (lists != NULL)
	{
		words_lock_lists(&ring);
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

	if (!ring_find_to_change(rel, name, DEFINITION_REPLACE, &ring))
		ring_report_missing(name);
	options_check_first_cycle(&ring, first_cycle);
	incarnation = make_uuid();
	if (test_seed != NULL)
		make_test_key(test_seed, key);
	else
		random_bytes(key, sizeof(key));


	note_pending(&incarnation, close_blocks(&ring));
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
	explicit_bzero(key, sizeof(key));
	table_close(rel, NoLock);
	CommandCounterIncrement();
	series_sweep_orphans();
}
