/*
 * recover.c
 *		Rings that may have handed out codes which this server knows nothing of.
 *
 * Every series is moved on, for good (advance.c).  Extras that were first used in
 * the time that is lost have no row here.  So the ring's new_series_cycle says
 * where a series without a row begins; that is a change of the definition, and
 * transactional.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "codes/cycles.h"
#include "codes/entering.h"
#include "codes/failover.h"
#include "core/codec.h"
#include "core/wordfilter.h"
#include "ddl/ringcmds.h"
#include "issue/advance.h"
#include "issue/work.h"
#include "recover.h"
#include "shmem/locks.h"
#include "shmem/shared.h"
#include "store/acl.h"
#include "store/blocklist.h"
#include "store/pending.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"
#include "store/tables.h"

typedef struct Extra
{
	uint32		len;
	char		text[FLEXIBLE_ARRAY_MEMBER];
} Extra;

static void
note_extra(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
		   const SeriesNumbers *numbers, void *arg)
{
	List	  **extras = arg;
	Extra	   *copy = palloc(offsetof(Extra, text) + extra_len);

	copy->len = extra_len;
	memcpy(copy->text, extra, extra_len);
	*extras = lappend(*extras, copy);
}

/* Take the locks that work_unlock releases, as work_lock does. */
static void
lock_series(const SeriesId *id)
{
	locks_acquire(LOCK_DEFINITION, id->lock_id, 0, DEFINITION_USE);
	locks_acquire(LOCK_REFILL, id->lock_id, locks_series_detail(id->extra, id->extra_len), ExclusiveLock);
	LockRelationOid(id->relid, RowExclusiveLock);
}

/*
 * Move a series.  Returns the end of the WAL record, invalid if there was
 * nothing to do; *cycle is raised to where it stands, and *ended counted up if
 * it has no more codes by that.
 */
static XLogRecPtr
recover_series(const Ring *ring, const SeriesId *id, int64 cycles, int64 codes, int64 *cycle, int *ended)
{
	SeriesWork	work;
	int64		target;
	XLogRecPtr	lsn = InvalidXLogRecPtr;

	lock_series(id);
	advance_begin(&work, ring, id);
	target = advance_target(&work, cycles, codes);
	if (target > work.state.position)
	{
		/* At least what it would pass over by itself after a failover, or several */
		int64		gap_end = cycles_failover_target(ring, work.filter, id, work_numbers(&work), work.state.position, false);

		target = Max(target, gap_end);

		/* A cycle that it has not entered here may be another's elsewhere: the rest of it is passed over, too. */
		if (target % ring->base_codes > 0 &&
			(work.row.tuple == NULL || work.row.numbers.reserved_to <= target - target % ring->base_codes) &&
			entering_shared(ring, id, target / ring->base_codes))
			target += ring->base_codes - target % ring->base_codes;
		lsn = advance_to(&work, target, true, true);
		target = work.row.numbers.reserved_to;
		if (target >= cycles_end(ring, id))
			(*ended)++;
	}
	*cycle = Max(*cycle, target / ring->base_codes);
	advance_end(&work);
	return lsn;
}

/*
 * A restore or replication brings the row of a series that is here already: of
 * a dump that is loaded twice, or whose ring somebody has used meanwhile, or of
 * an initial copy that is made again.  What both know of counts as handed out,
 * so the series moves to where the row says, if that is further.
 */
void
recover_restored(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len, const SeriesNumbers *numbers)
{
	Ring		ring;
	SeriesId	id;
	SeriesWork	work;
	SeriesRow	row;

	while (ring_read_incarnation(incarnation, &ring) && !ring.replicated)
	{
		TransactionId undecided;
		bool		in_force;

		blocklist_read_id(&ring);
		ring_series_id(&ring, &id);
		id.extra_len = extra_len;
		memcpy(id.extra, extra, extra_len);
		lock_series(&id);
		in_force = ring_in_force(incarnation, &undecided);
		if (in_force)
		{
			advance_begin(&work, &ring, &id);
			if (numbers->reserved_to > work.state.position)
				(void) advance_past(&work, numbers->reserved_to, true);
			advance_end(&work);
			return;
		}
		work_unlock(&id);

		/* As in work_lock */
		if (TransactionIdIsValid(undecided))
			XactLockTableWait(undecided, NULL, NULL, XLTW_None);
		CHECK_FOR_INTERRUPTS();
	}

	/* Nobody hands it out. */
	memset(&id, 0, sizeof(id));
	id.relid = tables_relation("series_state");
	id.incarnation = *incarnation;
	id.extra_len = extra_len;
	memcpy(id.extra, extra, extra_len);
	series_open(&row, &id);
	if (row.tuple != NULL && numbers->reserved_to > row.numbers.reserved_to)
	{
		Reservation further = {.numbers = *numbers};

		if (row.numbers.blocklist_id != numbers->blocklist_id)
			further.numbers.blocklist_id = BLOCKLIST_ID_CHANGED;
		(void) series_reserve(&row, &id, &further);
	}
	series_close(&row);
}

/*
 * A restore or replication brings a row of what a series never hands out: may it
 * be inserted?  Looks under the series' refill lock, if the ring is here.
 */
bool
recover_admit_skip(Relation rel, HeapTuple tuple)
{
	SeriesId	id;
	SeriesId	here;
	Ring		ring;
	bool		admitted;

	if (!series_of_skip(rel, tuple, &id))
		return true;
	if (!ring_read_incarnation(&id.incarnation, &ring))
		return series_admit_skip(rel, tuple, &id);
	ring_series_id(&ring, &here);
	here.extra_len = id.extra_len;
	memcpy(here.extra, id.extra, id.extra_len);
	lock_series(&here);
	admitted = series_admit_skip(rel, tuple, &here);
	work_unlock(&here);
	return admitted;
}

/*
 * Say where series without a row begin from now on, since that costs
 * something.
 */
static void
report_new_extras(const Ring *ring, int64 cycle)
{
	uint32		characters = ring->tail_length + codec_uniquizer_length(&ring->codec, cycle);

	bool		none = cycle >= PG_INT64_MAX / ring->base_codes ||
		(ring->max_length > 0 && characters > (uint32) ring->max_length);

	/* Nothing is lost where no extra but '' was ever possible. */
	if (ring->max_length > 0 && ring->max_length <= (int32) ring->tail_length)
		return;
	ereport(none ? WARNING : NOTICE,
			(errmsg("new extras of ring \"%s\" begin in cycle %lld", ring->name, (long long) cycle),
			 cycle >= PG_INT64_MAX / ring->base_codes ?
			 errdetail("There is no such cycle, so none is possible.") :
			 ring->max_length > 0 && characters > (uint32) ring->max_length ?
			 errdetail("Their codes would be longer than %d characters, so none is possible.", ring->max_length) :
			 errdetail("Their codes have %u characters behind the extra.", characters),
			 errhint("In an open transaction ROLLBACK undoes this, but does not move series back. new_extras => false leaves new extras alone.")));
}

/* Say how many series have come to their end by it. */
static void
report_ended(const Ring *ring, int count)
{
	ereport(WARNING,
			(errmsg("%d series of ring \"%s\" have no more codes", count, ring->name),
			 ring->max_length > 0 ?
			 errdetail("They would be longer than %d characters by now.", ring->max_length) :
			 errdetail("Positions in a ring go up to 2^63 - 1."),
			 errhint("Create another ring, whose codes are none of these.")));
}

/* Is a ring one that was listed, and has nobody given it to this server since, or brought it? */
static bool
is_listed(const Ring *ring, const Ring *listed)
{
	return ring_same_id(&ring->id, &listed->id) && ring->replicated == listed->replicated;
}

/*
 * Recover a ring that the current user may change; false if there is none of
 * this name, or, where it is to be one that was listed, if the name is
 * another's by now.
 */
static bool
recover_ring(Relation rel, const char *name, const Ring *listed, int64 cycles, int64 codes, bool new_extras)
{
	Ring		ring;
	SeriesId	id;
	List	   *extras = NIL;
	ListCell   *cell;
	int64		cycle = 0;
	int			ended = 0;
	XLogRecPtr	last = InvalidXLogRecPtr;
	MemoryContext scratch;
	MemoryContext caller;

	if (listed != NULL && (!ring_read(rel, name, &ring) || !is_listed(&ring, listed)))
		return false;
	if (!acl_ring_to_change(rel, name, LockTupleNoKeyExclusive, &ring) ||
		(listed != NULL && !is_listed(&ring, listed)))
		return false;
	blocklist_read_id(&ring);
	ring_series_id(&ring, &id);
	series_visit(&ring.incarnation, note_extra, &extras);

	scratch = AllocSetContextCreate(CurrentMemoryContext, "coderring series", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(scratch);
	foreach(cell, extras)
	{
		const Extra *extra = lfirst(cell);
		XLogRecPtr	lsn;

		CHECK_FOR_INTERRUPTS();
		id.extra_len = extra->len;
		memcpy(id.extra, extra->text, extra->len);
		lsn = recover_series(&ring, &id, cycles, codes, &cycle, &ended);
		if (!XLogRecPtrIsInvalid(lsn))
			last = lsn;
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);

	/* Once for all of them: what anyone takes of them before is reserved, and flushed, behind these. */
	if (!XLogRecPtrIsInvalid(last))
		series_make_durable(last);

	if (ended > 0)
		report_ended(&ring, ended);
	if (ring.replicated)
	{
		ringcmds_take_over(rel, &ring);
		CommandCounterIncrement();
	}
	if (new_extras && (cycles > 0 || codes > 0))
	{
		uint64		blocklist_id;
		const WordFilter *filter = blocklist_filter(&ring, &blocklist_id);
		int64		start = cycles_further_start(&ring, filter, cycles, codes);
		Datum		values[Natts_ring];
		bool		nulls[Natts_ring] = {false};
		bool		replace[Natts_ring] = {false};

		cycle = Max(cycle, start);
		cycle = Min(cycle, PG_INT64_MAX / ring.base_codes);
		pending_definitions_changed();
		values[Anum_ring_new_series_cycle - 1] = Int64GetDatum(cycle);
		replace[Anum_ring_new_series_cycle - 1] = true;
		values[Anum_ring_timeline - 1] = Int64GetDatum(failover_timeline());
		replace[Anum_ring_timeline - 1] = true;
		ring_update(rel, &ring, values, nulls, replace);
		CommandCounterIncrement();
		report_new_extras(&ring, cycle);
	}
	list_free_deep(extras);
	return true;
}

static bool
any_ring(const Ring *ring, Oid user)
{
	return true;
}

/*
 * Recover a ring, or all that the current user may change (NULL).  Returns how
 * many.  Raises 42704 and 42501 for a ring that is named, and 22023.
 *
 * Rings that logical replication has brought are another server's.  They are
 * taken over if they are named, or if that is all that is asked for: no cycles
 * and no codes.
 *
 * Series are moved at once and one after the other, whatever becomes of the
 * transaction; new_extras takes effect when it commits.
 */
int32
recover_rings(const char *name, int64 cycles, int64 codes, bool new_extras)
{
	Relation	rel;
	HASHCTL		info = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(pg_uuid_t), .hcxt = CurrentMemoryContext};
	HTAB	   *done;
	bool		again = true;
	const char *left = NULL;
	int			futile = 0;		/* passes, one after the other, that have recovered nothing */
	int			left_out = 0;
	int			left_out_others = 0;

	if (cycles < 0 || codes < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", cycles < 0 ? "cycles" : "codes"),
				 errdetail("It is %lld.", (long long) (cycles < 0 ? cycles : codes))));

	if (name != NULL)
	{
		rel = tables_open(tables_relation("ring"), Natts_ring, RowExclusiveLock);
		if (!recover_ring(rel, name, NULL, cycles, codes, new_extras))
			ring_report_missing(name);
		table_close(rel, NoLock);
		return 1;
	}

	done = hash_create("coderring rings recovered", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	rel = tables_open(tables_relation("ring"), Natts_ring, RowExclusiveLock);

	/* One may be given another name before its turn comes, and its own to another: until no listed one is left. */
	while (again)
	{
		List	   *rings = ring_list(acl_may_change);
		ListCell   *cell;
		long		before = hash_get_num_entries(done);

		again = false;
		left_out = 0;
		left_out_others = list_length(ring_list(any_ring)) - list_length(rings);

		/* In the order of names, so that two who do so do not wait for each other, unless names change. */
		foreach(cell, rings)
		{
			const Ring *ring = lfirst(cell);

			CHECK_FOR_INTERRUPTS();
			if (hash_search(done, &ring->id, HASH_FIND, NULL) != NULL)
				continue;
			if (ring->replicated && (cycles > 0 || codes > 0))
			{
				left_out++;
				continue;
			}
			if (recover_ring(rel, ring->name, ring, cycles, codes, new_extras))
				(void) hash_search(done, &ring->id, HASH_ENTER, NULL);
			else
			{
				again = true;
				left = ring->name;
			}
		}

		/* Its new name is not there to be seen if this very command has given it. */
		futile = hash_get_num_entries(done) == before ? futile + 1 : 0;
		if (again && futile > 10)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("cannot recover ring \"%s\" while it is being renamed", left),
					 errdetail("Series that were moved stay where they are."),
					 errhint("Call coderring_recover again in a command of its own.")));
	}
	table_close(rel, NoLock);
	if (left_out > 0)
		ereport(NOTICE,
				(errmsg("left out %d rings that arrived by logical replication", left_out),
				 errdetail("Their codes are another server's to hand out."),
				 errhint("To take one over, name it.")));
	if (left_out_others > 0)
		ereport(NOTICE,
				(errmsg("left out %d rings that belong to other roles", left_out_others),
				 errhint("A superuser recovers all rings.")));
	return (int32) hash_get_num_entries(done);
}
