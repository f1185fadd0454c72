/*
 * orphans.c
 *		Rows of series whose ring was never committed.
 *
 * A series' row outlives its transaction, also where that transaction created
 * or reset the ring and was rolled back.  Create and drop sweep what is left,
 * a few rows at a time; a dump leaves them out.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "compat.h"
#include "ddl/orphans.h"
#include "shmem/locks.h"
#include "store/ring.h"
#include "store/scan.h"
#include "store/series.h"
#include "store/state.h"
#include "store/tables.h"

/*
 * One call of create or drop looks at so many rows that turn out to be alive,
 * and deletes the series of at most so many rings that are not.
 */
#define SWEEP_ALIVE		16
#define SWEEP_ORPHANS	32

/*
 * So many calls of one transaction do.  Each steps over all rows that the
 * transaction has deleted itself, and it may create or drop any number of rings.
 */
#define SWEEPS			64

/*
 * Was the row made in a transaction that failed?  A row that a restore has
 * copied was not, even while the ring that it belongs to is still missing.
 */
static bool
maker_failed(HeapTuple tuple)
{
	TransactionId maker = HeapTupleHeaderGetRawXmin(tuple->t_data);
	bool		failed = false;

	if (!TransactionIdIsNormal(maker))
		return false;

	/* The state of very old transactions is not known any more. */
	LWLockAcquire(XactTruncationLock, LW_SHARED);
	if (!TransactionIdPrecedes(maker, TransamState->oldestClogXid) &&
		TransactionIdPrecedes(maker, ReadNextTransactionId()) &&
		!TransactionIdIsCurrentTransactionId(maker) &&
		!TransactionIdIsInProgress(maker))
		failed = !TransactionIdDidCommit(maker);
	LWLockRelease(XactTruncationLock);
	return failed;
}

/*
 * Delete rows whose ring was never committed: those of series that were used
 * in a transaction that created or reset the ring and was rolled back.  Looks
 * at a few rows only, beyond those looked at before.
 */
void
orphans_sweep(void)
{
	static pg_uuid_t reached;
	static TransactionId sweeper = InvalidTransactionId;
	static int	sweeps = 0;
	List	   *orphans = NIL;
	ListCell   *cell;
	int			alive = 0;
	pg_uuid_t	last;
	bool		have_last = false;
	bool		last_alive = false;
	Relation	rel;
	ScanKeyData scankey;
	RowScan		scan;
	HeapTuple	tuple = NULL;

	if (sweeper != GetTopTransactionId())
	{
		sweeper = GetTopTransactionId();
		sweeps = 0;
	}
	if (sweeps++ >= SWEEPS)
		return;

	/* One sweeper at a time: two would wait for each other's deletions. */
	if (!locks_acquire_conditional(LOCK_NAME, 0, LOCK_NAME_SWEEP, ExclusiveLock))
		return;
	rel = tables_open(tables_relation("series_state"), Natts_state, RowExclusiveLock);

	/* Behind 0, the incarnation of rows that tell of timelines (failover.c) */
	ScanKeyInit(&scankey, Anum_state_incarnation, BTGreaterStrategyNumber, F_UUID_GT,
				UUIDPGetDatum(&reached));
	series_scan(&scan, rel, 1, &scankey);

	/* Without an index there is no order in which to go on later. */
	while (scan.ordered && alive < SWEEP_ALIVE && list_length(orphans) < SWEEP_ORPHANS &&
		   HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		bool		isnull;
		pg_uuid_t  *incarnation = DatumGetUUIDP(heap_getattr(tuple, Anum_state_incarnation,
															 RelationGetDescr(rel), &isnull));

		CHECK_FOR_INTERRUPTS();
		if (have_last && memcmp(&last, incarnation, sizeof(last)) == 0)
		{
			if (last_alive)
				alive++;
			continue;
		}
		last = *incarnation;
		have_last = true;
		last_alive = !maker_failed(tuple) || ring_incarnation_alive(incarnation);
		if (last_alive)
			alive++;
		else
		{
			pg_uuid_t  *orphan = palloc(sizeof(pg_uuid_t));

			*orphan = last;
			orphans = lappend(orphans, orphan);
		}
	}
	scan_end(&scan);
	table_close(rel, RowExclusiveLock);

	/* At the end of the table begin again, at the next call. */
	if (!HeapTupleIsValid(tuple) || !have_last)
		memset(&reached, 0, sizeof(reached));
	else
		reached = last;
	foreach(cell, orphans)
		series_delete_all(lfirst(cell));
	list_free_deep(orphans);
}
