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
 *	 call, and reads definitions again.  The slots of an incarnation that is
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
#include "catalog/indexing.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "grant.h"
#include "lifecycle.h"
#include "locks.h"
#include "series.h"

/* Told apart from every key that is made at random. */
#define TEST_SEED_PREFIX	"coderring test_seed 1:"

typedef struct Pending
{
	int			nest_level;
	bool		created;		/* incarnation is new and not committed */
	pg_uuid_t	incarnation;
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

/* A new version 4 UUID. */
static void
make_incarnation(pg_uuid_t *uuid)
{
	random_bytes(uuid->data, UUID_LEN);
	uuid->data[6] = (uuid->data[6] & 0x0f) | 0x40;
	uuid->data[8] = (uuid->data[8] & 0x3f) | 0x80;
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
check_name(const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a ring is empty")));
	if (strlen(name) > RING_NAME_MAX_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a ring is too long"),
				 errdetail("It has %zu bytes; at most %d are possible.", strlen(name), RING_NAME_MAX_LEN)));
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

static void
check_first_cycle(const Codec *codec, int64 first_cycle)
{
	int64		last = PG_INT64_MAX / (int64) codec->base_codes - 1;

	if (first_cycle < 0 || first_cycle > last)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("first_cycle %lld is not possible", (long long) first_cycle),
				 errdetail("Cycles of this ring go from 0 to %lld.", (long long) last)));
}

static void
check_max_length(const Codec *codec, int64 first_cycle, int32 max_length)
{
	int			shortest = codec->base_length + codec_uniquizer_length(codec, first_cycle);

	if (max_length < shortest)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_length %d is not possible", max_length),
				 errdetail("The first codes of the ring have %d characters.", shortest)));
}

static void
make_codec(const RingOptions *options, const char *alphabet, Codec *codec)
{
	size_t		bad = 0;
	CodecStatus status = codec_set(codec, alphabet, strlen(alphabet), options->base_length, &bad);

	switch (status)
	{
		case CODEC_OK:
			return;
		case CODEC_ALPHABET_SIZE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("alphabet must have %d to %d characters", CODEC_MIN_ALPHABET, CODEC_MAX_ALPHABET),
					 errdetail("It has %d.", pg_mbstrlen(alphabet))));
			break;
		case CODEC_ALPHABET_CHARACTER:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("alphabet has a character that is not possible in a code"),
					 errdetail("Character %d is not a printable ASCII character, or is a space.",
							   pg_mbstrlen_with_len(alphabet, bad) + 1)));
			break;
		case CODEC_ALPHABET_DUPLICATE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("alphabet has the character \"%c\" twice", alphabet[bad])));
			break;
		case CODEC_BASE_LENGTH:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("base_length %d is not possible", options->base_length),
					 errdetail("A base code has 1 to %d characters.", CODEC_MAX_BASE_LENGTH)));
			break;
		case CODEC_TOO_MANY_CODES:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("base_length %d is too large for an alphabet of %zu characters",
							options->base_length, strlen(alphabet)),
					 errdetail("A ring has at most 2^60 base codes.")));
			break;
	}
}

/*
 * if_not_exists has found a ring: say how it differs from what was asked for.
 */
static void
report_existing(const Ring *ring, const RingOptions *options, const Codec *codec)
{
	StringInfoData differs;

	ereport(NOTICE,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("ring \"%s\" already exists, skipping", ring->name)));
	initStringInfo(&differs);
	if (ring->codec.base_length != codec->base_length)
		appendStringInfo(&differs, ", base_length is %u", ring->codec.base_length);
	if (ring->codec.radix != codec->radix ||
		memcmp(ring->codec.alphabet, codec->alphabet, codec->radix) != 0)
		appendStringInfo(&differs, ", alphabet is \"%.*s\"", (int) ring->codec.radix, ring->codec.alphabet);
	if (ring->max_length != (options->have_max_length ? options->max_length : 0))
	{
		if (ring->max_length > 0)
			appendStringInfo(&differs, ", max_length is %d", ring->max_length);
		else
			appendStringInfoString(&differs, ", max_length is not set");
	}
	if (ring->first_cycle != options->first_cycle)
		appendStringInfo(&differs, ", first_cycle is %lld", (long long) ring->first_cycle);
	if (differs.len > 0)
		ereport(WARNING,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("ring \"%s\" differs from what was asked for", ring->name),
				 errdetail("In the ring that exists%s.", differs.data + 1)));
}

/*
 * Create a ring.  Raises 22023 for a bad option and 42710 for a duplicate.
 */
void
lifecycle_create(const char *name, const RingOptions *options, bool if_not_exists)
{
	const char *alphabet = options->alphabet != NULL ? options->alphabet : CODEC_DEFAULT_ALPHABET;
	Codec		codec;
	Relation	rel;
	Ring		existing;
	bool		exists;
	uint8		key[PERMUTATION_KEY_LEN];
	pg_uuid_t	incarnation;
	int32		id;
	NameData	owner_name;
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	HeapTuple	tuple;

	check_name(name);
	make_codec(options, alphabet, &codec);
	check_first_cycle(&codec, options->first_cycle);
	if (options->have_max_length)
		check_max_length(&codec, options->first_cycle, options->max_length);

	/* Only who is about to give a name has to lock it. */
	rel = ring_open(ring_relation("ring"), RowExclusiveLock);
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
		report_existing(&existing, options, &codec);
		return;
	}

	id = (int32) nextval_internal(ring_relation("ring_id_seq"), false);
	make_incarnation(&incarnation);
	random_bytes(key, sizeof(key));
	namestrcpy(&owner_name, GetUserNameFromId(GetUserId(), false));

	/* Whoever meets the ring's slots or rows can tell that it is not there yet. */
	ring_lock(LOCK_DEFINITION, id, 0, DEFINITION_REPLACE);
	note_pending(&incarnation, NIL);

	values[Anum_ring_id - 1] = Int32GetDatum(id);
	values[Anum_ring_name - 1] = CStringGetTextDatum(name);
	values[Anum_ring_incarnation - 1] = UUIDPGetDatum(&incarnation);
	values[Anum_ring_key - 1] = bytea_datum(key, sizeof(key));
	values[Anum_ring_owner - 1] = ObjectIdGetDatum(GetUserId());
	values[Anum_ring_owner_name - 1] = NameGetDatum(&owner_name);
	values[Anum_ring_first_cycle - 1] = Int64GetDatum(options->first_cycle);
	values[Anum_ring_base_length - 1] = Int32GetDatum(options->base_length);
	values[Anum_ring_max_length - 1] = Int32GetDatum(options->max_length);
	nulls[Anum_ring_max_length - 1] = !options->have_max_length;
	values[Anum_ring_alphabet - 1] = CStringGetTextDatum(alphabet);
	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	CatalogTupleInsert(rel, tuple);
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
	slots = slot_collect(&key);
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
	Relation	rel = ring_open(ring_relation("ring"), RowExclusiveLock);
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
	CatalogTupleDelete(rel, &ring.tid);
	grant_delete_all(ring.id);
	series_delete_all(&ring.incarnation);
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
	Relation	rel = ring_open(ring_relation("ring"), RowExclusiveLock);
	Ring		ring;
	Ring		existing;
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	check_name(new_name);
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
 * Make a ring anew: another key, no series, codes from first_cycle on.
 */
void
lifecycle_reset(const char *name, int64 first_cycle, const char *test_seed)
{
	Relation	rel = ring_open(ring_relation("ring"), RowExclusiveLock);
	Ring		ring;
	pg_uuid_t	incarnation;
	uint8		key[PERMUTATION_KEY_LEN];
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	if (!ring_find_to_change(rel, name, DEFINITION_REPLACE, &ring))
		ring_report_missing(name);
	check_first_cycle(&ring.codec, first_cycle);
	if (ring.max_length > 0)
		check_max_length(&ring.codec, first_cycle, ring.max_length);
	make_incarnation(&incarnation);
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
	ring_update(rel, &ring, values, nulls, replace);
	explicit_bzero(key, sizeof(key));
	series_delete_all(&ring.incarnation);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	series_sweep_orphans();
}
