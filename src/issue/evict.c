/*
 * evict.c
 *		Slots for series that need one, from series that no longer do.
 *
 * When memory is short, or slots have become twice as many as the last time,
 * slots of databases and of extensions that have been dropped are forgotten
 * (sweep_slots): nobody tells us about those.
 *
 * When memory is short still, series that were not used since they were looked
 * at last give up what they have (evict): in this database the slot, with what
 * was not handed out written back to the row; in others only their codes,
 * since to compute those again nothing need be written.  That no database
 * takes up all slots is entry.c's doing.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "codes/failover.h"
#include "compat.h"
#include "issue/evict.h"
#include "issue/work.h"
#include "shmem/block.h"
#include "shmem/entry.h"
#include "shmem/locks.h"
#include "shmem/shared.h"
#include "store/pending.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"
#include "store/tables.h"

/* So many series give up what they have when memory is short. */
#define EVICTIONS		16

/* The clock comes by at most so often for that. */
#define TURNS			4

/*
 * Has this very transaction dropped the table, or may it have?
 */
static bool
dropped_by_me(Oid relid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
	return LockModeHeldByMe(&tag, AccessExclusiveLock);
}

/*
 * Forget the slots of databases, and of extensions in this one, that have
 * been dropped.  (Those of an extension in another one, and of an earlier
 * database with its OID, stay until a session there uses the next extension, or
 * the database goes too.)
 */
static void
sweep_slots(void)
{
	List	   *gone = NIL;
	ListCell   *cell;

	foreach(cell, entry_owners())
	{
		EntryOwner  *owner = lfirst(cell);
		bool		alive;

		if (owner->database != MyDatabaseId)
			alive = SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(owner->database));
		else if (owner->instance != tables_database_instance())
			alive = false;
		else if (dropped_by_me(owner->relid) ||
				 !ConditionalLockRelationOid(owner->relid, AccessShareLock))
			alive = true;		/* that DROP EXTENSION may yet be rolled back */
		else
		{
			alive = SearchSysCacheExists1(RELOID, ObjectIdGetDatum(owner->relid));
			UnlockRelationOid(owner->relid, AccessShareLock);
		}
		if (!alive)
			gone = lappend(gone, owner);
	}
	entry_sweep(gone);
}

/*
 * Does the slot of a series know better than its row where it goes on?  Then
 * set *numbers to what the row has to say before the slot is forgotten.
 */
static bool
slot_knows_better(const SeriesWork *work, SeriesNumbers *numbers)
{
	const Slot *slot = work->slot;
	const SeriesRow *row = &work->row;
	const BlockState *state = &work->state;

	if (state->position < 0 || slot->reserved_end < 0)
		return false;			/* it was never used */
	*numbers = row->numbers;
	if (row->tuple == NULL)
		failover_begin(numbers, state->position, GetCurrentTimestamp());
	numbers->reserved_to = numbers->counted_to = state->position;
	numbers->unblocked = state->counted;
	numbers->filter = row->tuple != NULL ? row->numbers.filter : slot->series_filter;

	/* Nobody has received what is left.  If this record is lost in a crash, it is skipped. */
	if (row->tuple != NULL && state->position <= row->numbers.reserved_to)
		return state->position < slot->reserved_end && slot->reserved_end == row->numbers.reserved_to;

	/*
	 * Somebody has put an older copy of the table in its place.  Let it be
	 * counted anew: the slot cannot tell the end of a cycle from the next one's start.
	 */
	if (state->counted > 0)
		numbers->counted_to = numbers->unblocked = 0;
	return row->tuple != NULL || ring_incarnation_alive(&work->key.incarnation);
}

/*
 * Free a slot of this database, and write back to its row what was reserved
 * and not handed out.  The caller holds the series' advisory locks.  False if
 * the slot was not there any more, or its table is locked, or if what becomes
 * of the slot hangs on a transaction that has not ended.
 */
static bool
evict_slot(const SeriesKey *key)
{
	SeriesWork	work = {.key = *key};
	SeriesNumbers numbers;
	TransactionId undecided;

	/* First, as in work_lock. */
	if (!ConditionalLockRelationOid(key->relid, RowExclusiveLock))
		return false;
	work.slot = entry_find(key);
	if (work.slot == NULL)
	{
		UnlockRelationOid(key->relid, RowExclusiveLock);
		return false;
	}
	if (work.slot->in_doubt && !ring_in_force(&key->incarnation, &undecided))
	{
		/* Not unlinked, since a transaction that is just ending may still bury it. */
		if (!TransactionIdIsValid(undecided))
			entry_bury(work.slot, &key->incarnation);
		UnlockRelationOid(key->relid, RowExclusiveLock);
		return !TransactionIdIsValid(undecided);
	}
	(void) block_close(work.slot);
	block_read(work.slot, &work.state);
	series_open(&work.row, key);
	if (slot_knows_better(&work, &numbers))
	{
		/* The slot gives the rest up at once, since unlinking it can fail. */
		Reservation rest = {.numbers = numbers, .position = work.state.position, .slot = work.slot,
		.first = work.state.position, .counted = work.state.counted, .filter = work.slot->filter};

		(void) series_reserve(&work.row, key, &rest);
	}
	entry_unlink(work.slot, key);
	series_close(&work.row);
	UnlockRelationOid(key->relid, RowExclusiveLock);
	return true;
}

/*
 * Have some other series give up what they have: slots of this database, if
 * slots are wanted, and codes of any.  Waits for nobody.  Returns how many
 * slots have become free.
 */
static int
evict(const SeriesKey *except, bool slots)
{
	List	   *candidates = NIL;
	ListCell   *cell;
	int			freed = 0;

	for (int turn = 0; turn < TURNS && candidates == NIL; turn++)
		candidates = entry_candidates(except, slots, EVICTIONS);
	foreach(cell, candidates)
	{
		SeriesKey  *key = lfirst(cell);
		Oid			database = key->database;
		bool		ours = entry_same_owner(key, except);
		uint32		hash = locks_series_detail(key->extra, key->extra_len);

		/* A slot that waits for the end of this very transaction stays. */
		if (database == except->database &&
			((key->lock_id == except->lock_id && hash == locks_series_detail(except->extra, except->extra_len)) ||
			 pending_open(&key->incarnation)))
			continue;
		if (!locks_acquire_elsewhere(database, LOCK_DEFINITION, key->lock_id, 0, DEFINITION_USE))
			continue;
		if (locks_acquire_elsewhere(database, LOCK_REFILL, key->lock_id, hash, ExclusiveLock))
		{
			if (!ours || !slots)
				block_strip_series(key);
			else if (evict_slot(key))
				freed++;
			locks_release_elsewhere(database, LOCK_REFILL, key->lock_id, hash, ExclusiveLock);
		}
		locks_release_elsewhere(database, LOCK_DEFINITION, key->lock_id, 0, DEFINITION_USE);
	}
	return freed;
}

/*
 * Find memory for codes, for a series that has not got what it wanted.
 */
void
evict_memory(const SeriesKey *key)
{
	sweep_slots();
	(void) evict(key, false);
}

/*
 * The slot of a series, made if need be; NULL where there is no memory for it
 * even after others have given up theirs (if they are to).
 */
Slot *
evict_make_entry(const SeriesKey *key, bool may_evict)
{
	Slot	   *slot = entry_find(key);

	if (slot != NULL)
		return slot;
	if (entry_sweep_due(key))
		sweep_slots();
	slot = entry_make(key, false);
	if (slot == NULL && may_evict)
	{
		bool		freed;

		sweep_slots();
		freed = evict(key, true) > 0;
		slot = entry_make(key, freed);
	}
	if (slot != NULL)
		pending_note_entry(slot);
	return slot;
}
