/*
 * ringcmds.c
 *		Rings created, dropped, renamed and reset, in transactions.
 *
 * A definition is an ordinary row, so the change of one commits or rolls back
 * with its transaction; what follows from its end in shared memory is noted in
 * pending.c.
 *
 * drop and reset close the ring's blocks at once, while the definition lock keeps
 * everybody from making others, and leave them in doubt.  From then on the ring's
 * row says that it is about to go, so nobody gets a code until it is known how the
 * transaction ends.  If it rolls back, the next caller opens the blocks again and
 * goes on where they stopped.
 *
 * A transaction may create and change any number of rings.  So what it locks to
 * its end are rows, not entries of the lock table.  Two who give the same name to
 * a ring meet under a lock on the name, which is released as soon as the row is
 * there for the other to see.
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

#include "codes/capacity.h"
#include "codes/failover.h"
#include "core/permutation.h"
#include "ddl/blocklistcmds.h"
#include "ddl/grantcmds.h"
#include "ddl/options.h"
#include "ddl/orphans.h"
#include "ddl/ringcmds.h"
#include "shmem/block.h"
#include "shmem/entry.h"
#include "shmem/locks.h"
#include "shmem/shared.h"
#include "store/acl.h"
#include "store/blocklist.h"
#include "store/pending.h"
#include "store/ring.h"
#include "store/rows.h"
#include "store/series.h"
#include "store/state.h"
#include "store/tables.h"

/* Told apart from every key that is made at random. */
#define TEST_SEED_PREFIX	"coderring test_seed 1:"

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
ringcmds_row_gone(HeapTuple old, HeapTuple new, TupleDesc desc)
{
	bool		isnull;
	pg_uuid_t  *id = DatumGetUUIDP(heap_getattr(old, Anum_ring_id, desc, &isnull));
	pg_uuid_t  *incarnation = DatumGetUUIDP(heap_getattr(old, Anum_ring_incarnation, desc, &isnull));

	if (new != NULL && other_lists(old, new, desc))
		pending_words_changed(NULL, id);
	if (new == NULL)
		grantcmds_delete_all(id, TextDatumGetCString(heap_getattr(old, Anum_ring_name, desc, &isnull)));
	else if (memcmp(incarnation, DatumGetUUIDP(heap_getattr(new, Anum_ring_incarnation, desc, &isnull)),
					sizeof(pg_uuid_t)) == 0)
		return;
	series_delete_all(incarnation);

	/* It must not come back in this transaction: it would begin at 0. */
	(void) pending_note(PENDING_DELETED, incarnation);
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
	locks_acquire(LOCK_NAME, hash_bytes((const unsigned char *) name, strlen(name)), 0, ExclusiveLock);
}

static void
unlock_name(const char *name)
{
	locks_release(LOCK_NAME, hash_bytes((const unsigned char *) name, strlen(name)), 0, ExclusiveLock);
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
ringcmds_create(const char *name, const RingOptions *options, bool if_not_exists)
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

	rel = tables_open(tables_relation("ring"), Natts_ring, RowExclusiveLock);
	exists = ring_read(rel, name, &existing);

	/* Before the name, with which nobody waits for a transaction */
	if (!exists && options->blocklist != NULL)
	{
		blocklistcmds_lock(&wanted);
		blocklist_read_id(&wanted);
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

	(void) pending_note(PENDING_CREATED, &incarnation);

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
	orphans_sweep();
}

typedef struct Closing
{
	SeriesId	id;
	PendingNote *note;
} Closing;

static void
close_block(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
			const SeriesNumbers *numbers, void *arg)
{
	Closing    *closing = arg;
	SharedSeries *entry;

	closing->id.extra_len = extra_len;
	memcpy(closing->id.extra, extra, extra_len);
	entry = entry_find(&closing->id);
	if (entry == NULL)
		return;
	pending_add_entry(closing->note, entry);
	block_doubt(entry);
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

	locks_acquire(LOCK_DEFINITION, locks_ring_id(&ring->id), 0, DEFINITION_REPLACE);
	ring_series_id(ring, &closing.id);
	closing.note = pending_note(PENDING_REPLACED, &ring->incarnation);
	series_visit(&ring->incarnation, close_block, &closing);
}

static void
end_replacing(const Ring *ring)
{
	locks_release(LOCK_DEFINITION, locks_ring_id(&ring->id), 0, DEFINITION_REPLACE);
}

/*
 * Drop a ring: 42704 if it does not exist, unless if_exists.
 */
void
ringcmds_drop(const char *name, bool if_exists)
{
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;

	if (!acl_ring_to_change(rel, name, LockTupleExclusive, &ring))
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

	/* What belongs to it goes with it: ringcmds_row_gone(). */
	if (!rows_delete(rel, &ring.tid))
		ring_report_changing(name);
	end_replacing(&ring);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	orphans_sweep();
}

/*
 * Rename a ring.  Its codes go on, and nobody waits for the transaction.
 */
void
ringcmds_rename(const char *name, const char *new_name)
{
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;
	Ring		existing;
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	options_check_name(new_name);

	/* The name is a key, and nobody waits for the row with a name reserved. */
	if (!acl_ring_to_change(rel, name, LockTupleExclusive, &ring))
		ring_report_missing(name);
	if (!reserve_name(rel, new_name, &existing))
		report_duplicate(new_name);
	pending_definitions_changed();
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
ringcmds_take_over(Relation rel, const Ring *ring)
{
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	pending_definitions_changed();
	values[Anum_ring_replicated - 1] = BoolGetDatum(false);
	replace[Anum_ring_replicated - 1] = true;
	ring_update(rel, ring, values, nulls, replace);
}

/*
 * Filter the codes of a ring to come with other lists of words, or with none
 * (NULL).  Handing out goes on, with the list that is committed.
 */
void
ringcmds_set_blocklist(const char *name, const char *lists)
{
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	if (lists != NULL)
		lists = options_list_names(lists);
	if (!ring_read(rel, name, &ring))
		ring_report_missing(name);
	if (!acl_may_change(&ring, GetUserId()))
		acl_report_denied(&ring, true);

	/* Lists before rings, as when a ring is created, or two would wait for each other */
	strlcpy(ring.blocklist, lists != NULL ? lists : "", sizeof(ring.blocklist));
	if (lists != NULL)
		blocklistcmds_lock(&ring);
	if (!acl_ring_to_change(rel, name, LockTupleNoKeyExclusive, &ring))
		ring_report_missing(name);
	strlcpy(ring.blocklist, lists != NULL ? lists : "", sizeof(ring.blocklist));
	if (lists != NULL)
	{
		blocklist_read_id(&ring);
		capacity_check(&ring);
	}
	pending_words_changed(NULL, &ring.id);
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
ringcmds_reset(const char *name, int64 first_cycle, const char *test_seed)
{
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;
	pg_uuid_t	incarnation;
	uint8		key[PERMUTATION_KEY_LEN];
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	if (!acl_ring_to_change(rel, name, LockTupleExclusive, &ring))
		ring_report_missing(name);
	options_check_first_cycle(&ring, first_cycle);
	incarnation = make_uuid();
	if (test_seed != NULL)
		make_test_key(test_seed, key);
	else
		random_bytes(key, sizeof(key));

	begin_replacing(&ring);
	(void) pending_note(PENDING_CREATED, &incarnation);
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

	/* Its series go: ringcmds_row_gone(). */
	ring_update(rel, &ring, values, nulls, replace);
	end_replacing(&ring);
	explicit_bzero(key, sizeof(key));
	table_close(rel, NoLock);
	CommandCounterIncrement();
	orphans_sweep();
}
