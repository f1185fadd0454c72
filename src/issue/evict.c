/*
 * evict.c
 *		Entries for series that need one, from series that no longer do.
 *
 * When memory is short, or entries have become twice as many as the last time,
 * entries of databases and of extensions that have been dropped are forgotten
 * (sweep_entries): nobody tells us about those.
 *
 * When memory is short still, series that were not used since they were looked
 * at last give up what they have (evict): in this database the entry, with what
 * was not handed out written back to the row; in others only their codes,
 * since to compute those again nothing need be written.  That no database
 * takes up all entries is entry.c's doing.
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
 * Forget the entries of databases, and of extensions in this one, that have
 * been dropped.  (Those of an extension in another one, and of an earlier
 * database with its OID, stay until a session there uses the next extension, or
 * the database goes too.)
 */
static void
sweep_entries(void)
{
	List	   *gone = NIL;
	ListCell   *cell;

	foreach(cell, entry_owners())
	{
		EntryOwner *owner = lfirst(cell);
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
 * Does the entry of a series know better than its row where it goes on?  Then
 * set *numbers to what the row has to say before the entry is forgotten.
 */
static bool
entry_knows_better(const SeriesWork *work, SeriesNumbers *numbers)
{
	const SharedSeries *entry = work->entry;
	const SeriesRow *row = &work->row;
	const BlockState *state = &work->state;

	if (state->position < 0 || entry->reserved_end < 0)
		return false;			/* it was never used */
	*numbers = row->numbers;
	if (row->tuple == NULL)
		failover_begin(numbers, state->position, GetCurrentTimestamp());
	numbers->reserved_to = numbers->counted_to = state->position;
	numbers->unblocked = state->counted;
	numbers->blocklist_id = row->tuple != NULL ? row->numbers.blocklist_id : entry->series_blocklist_id;

	/* Nobody has received what is left.  If this record is lost in a crash, it is skipped. */
	if (row->tuple != NULL && state->position <= row->numbers.reserved_to)
		return state->position < entry->reserved_end && entry->reserved_end == row->numbers.reserved_to;

	/*
	 * Somebody has put an older copy of the table in its place.  Let it be
	 * counted anew: the entry cannot tell the end of a cycle from the next one's start.
	 */
	if (state->counted > 0)
		numbers->counted_to = numbers->unblocked = 0;
	return row->tuple != NULL || ring_incarnation_alive(&work->id.incarnation);
}

/*
 * Free an entry of this database, and write back to its row what was reserved
 * and not handed out.  The caller holds the series' advisory locks.  False if
 * the entry was not there any more, or its table is locked, or if what becomes
 * of the entry hangs on a transaction that has not ended.
 */
static bool
evict_entry(const SeriesId *id)
{
	SeriesWork	work = {.id = *id};
	SeriesNumbers numbers;
	TransactionId undecided;

	/* First, as in work_lock. */
	if (!ConditionalLockRelationOid(id->relid, RowExclusiveLock))
		return false;
	work.entry = entry_find(id);
	if (work.entry == NULL)
	{
		UnlockRelationOid(id->relid, RowExclusiveLock);
		return false;
	}
	if (work.entry->in_doubt && !ring_in_force(&id->incarnation, &undecided))
	{
		/* Not unlinked, since a transaction that is just ending may still bury it. */
		if (!TransactionIdIsValid(undecided))
			entry_bury(work.entry, &id->incarnation);
		UnlockRelationOid(id->relid, RowExclusiveLock);
		return !TransactionIdIsValid(undecided);
	}
	(void) block_close(work.entry);
	block_read(work.entry, &work.state);
	series_open(&work.row, id);
	if (entry_knows_better(&work, &numbers))
	{
		/* The entry gives the rest up at once, since unlinking it can fail. */
		Reservation rest = {.numbers = numbers, .position = work.state.position, .entry = work.entry,
		.first = work.state.position, .counted = work.state.counted, .blocklist_id = work.entry->blocklist_id};

		(void) series_reserve(&work.row, id, &rest);
	}
	entry_unlink(work.entry, id);
	series_close(&work.row);
	UnlockRelationOid(id->relid, RowExclusiveLock);
	return true;
}

/*
 * Have some other series give up what they have: entries of this database, if
 * entries are wanted, and codes of any.  Waits for nobody.  Returns how many
 * entries have become free.
 */
static int
evict(const SeriesId *except, bool entries)
{
	List	   *candidates = NIL;
	ListCell   *cell;
	int			freed = 0;

	for (int turn = 0; turn < TURNS && candidates == NIL; turn++)
		candidates = entry_candidates(except, entries, EVICTIONS);
	foreach(cell, candidates)
	{
		SeriesId   *id = lfirst(cell);
		Oid			database = id->database;
		bool		ours = entry_same_owner(id, except);
		uint32		hash = locks_series_detail(id->extra, id->extra_len);

		/* An entry that waits for the end of this very transaction stays. */
		if (database == except->database &&
			((id->lock_id == except->lock_id && hash == locks_series_detail(except->extra, except->extra_len)) ||
			 pending_open(&id->incarnation)))
			continue;
		if (!locks_acquire_elsewhere(database, LOCK_DEFINITION, id->lock_id, 0, DEFINITION_USE))
			continue;
		if (locks_acquire_elsewhere(database, LOCK_REFILL, id->lock_id, hash, ExclusiveLock))
		{
			if (!ours || !entries)
				block_strip_series(id);
			else if (evict_entry(id))
				freed++;
			locks_release_elsewhere(database, LOCK_REFILL, id->lock_id, hash, ExclusiveLock);
		}
		locks_release_elsewhere(database, LOCK_DEFINITION, id->lock_id, 0, DEFINITION_USE);
	}
	return freed;
}

/*
 * Find memory for codes, for a series that has not got what it wanted.
 */
void
evict_memory(const SeriesId *id)
{
	sweep_entries();
	(void) evict(id, false);
}

/*
 * The entry of a series, made if need be; NULL where there is no memory for it
 * even after others have given up theirs (if they are to).
 */
SharedSeries *
evict_make_entry(const SeriesId *id, bool may_evict)
{
	SharedSeries *entry = entry_find(id);

	if (entry != NULL)
		return entry;
	if (entry_sweep_due(id))
		sweep_entries();
	entry = entry_make(id, false);
	if (entry == NULL && may_evict)
	{
		bool		freed;

		sweep_entries();
		freed = evict(id, true) > 0;
		entry = entry_make(id, freed);
	}
	if (entry != NULL)
		pending_note_entry(entry);
	return entry;
}
