/*
 * reclaim.c
 *		Slots for series that need one, from series that no longer do.
 *
 * Two kinds are taken back: slots of databases and of extensions that have
 * been dropped, which nobody tells us about, when slots have become twice as
 * many as the last time (sweep_slots); and, when memory is short, slots of
 * other series of this database, in turn, with what they had not handed out
 * written back to their rows (reclaim_evict).
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "lifecycle.h"
#include "locks.h"
#include "reclaim.h"
#include "series.h"

/* So many slots are looked at when memory is short. */
#define EVICTIONS		16

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
 * been dropped.
 */
static void
sweep_slots(void)
{
	List	   *gone = NIL;
	ListCell   *cell;

	foreach(cell, slot_owners())
	{
		SlotOwner  *owner = lfirst(cell);
		bool		alive;

		if (owner->database != MyDatabaseId)
			alive = SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(owner->database));
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
	slot_sweep(gone);
}

/*
 * Free the slots of some other series of this database, and write back to
 * their rows what they had reserved and not handed out.
 */
void
reclaim_evict(const SeriesKey *except)
{
	ListCell   *cell;

	foreach(cell, slot_candidates(EVICTIONS))
	{
		SeriesKey  *key = lfirst(cell);
		uint32		hash = ring_lock_detail(key->extra, key->extra_len);
		Slot	   *slot;

		/* A slot that waits for the end of this very transaction stays. */
		if ((key->ring_id == except->ring_id && hash == ring_lock_detail(except->extra, except->extra_len)) ||
			lifecycle_open(&key->incarnation))
			continue;
		if (!ring_lock_conditional(LOCK_DEFINITION, key->ring_id, 0, DEFINITION_USE))
			continue;
		if (ring_lock_conditional(LOCK_REFILL, key->ring_id, hash, ExclusiveLock))
		{
			slot = slot_find(key);
			if (slot != NULL && key->relid == except->relid)
			{
				SeriesRow	row;
				BlockState	state;

				(void) block_close(slot);
				block_read(slot, &state);
				series_open(&row, key);
				if (row.tuple != NULL && state.position >= 0 && state.position < slot->reserved_end &&
					slot->reserved_end == row.numbers.reserved_to)
				{
					/*
					 * Nobody has received these positions.  If this record is
					 * lost in a crash they are skipped.  The slot gives them
					 * up at once, since unlinking it can fail.
					 */
					SeriesNumbers numbers = {state.position, state.position, state.counted, row.numbers.filter};
					SkippedRange none = {0, 0};
					XLogRecPtr	lsn = series_reserve(&row, key, &numbers, &none, false);

					block_reserved(slot, state.position, state.counted, state.position,
								   slot->filter, numbers.filter, lsn);
				}
				slot_unlink(slot, key);
				series_close(&row);
			}
			ring_unlock(LOCK_REFILL, key->ring_id, hash, ExclusiveLock);
		}
		ring_unlock(LOCK_DEFINITION, key->ring_id, 0, DEFINITION_USE);
	}
}

/*
 * The slot of a series, made if need be; NULL where there is no memory for it
 * even after others have given theirs up.
 */
Slot *
reclaim_make_slot(const SeriesKey *key)
{
	Slot	   *slot = slot_find(key);

	if (slot != NULL)
		return slot;
	if (slot_sweep_due())
		sweep_slots();
	slot = slot_make(key);
	if (slot == NULL)
	{
		sweep_slots();
		reclaim_evict(key);
		slot = slot_make(key);
	}
	if (slot != NULL)
		lifecycle_note_slot(slot);
	return slot;
}

