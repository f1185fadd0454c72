/*
 * series.c
 *		The durable position of a series: the only place that writes WAL
 *		outside of transactions.
 *
 * A series has one row in coderring.series_state.  Its reserved_to must never
 * be less than any position that somebody has received a code for, whatever
 * happens to the transaction that received it, to the session or to the
 * server.  So the row is not updated as SQL updates rows:
 *
 * - A reservation overwrites the two numbers in place, on the page, under the
 *	 buffer's exclusive lock, with a generic WAL record (access/generic_xlog.h),
 *	 and the caller flushes that record (and waits for synchronous standbys)
 *	 before it hands out the first code.  Neither ROLLBACK nor a crash undoes
 *	 it, and no snapshot shows anything older.
 *
 *	 Why not heap_inplace_update_and_unlock(), with which PostgreSQL does this
 *	 for its catalogs: that one waits for whoever has locked the row by SELECT
 *	 FOR UPDATE, sends invalidations for a relation that has none, and has
 *	 three signatures in the supported branches.  What it protects against, a
 *	 concurrent UPDATE that copies the tuple before our write and stores it
 *	 after, cannot happen here: a trigger refuses every UPDATE, and none of
 *	 our own code updates a row through the heap.  (wal_consistency_checking
 *	 for the resource manager Generic stops a standby at these pages, because it
 *	 does not mask command ids and hint bits, as that for Heap does.)
 *
 * - A new row must be there for everyone at once and survive ROLLBACK.  It is
 *	 inserted as usual, then its index entries, and only then its xmin is
 *	 frozen in place.  An error or crash before that leaves a dead row of an
 *	 aborted transaction and its index entry, as any failed INSERT does.  (A
 *	 row inserted frozen could be left without an index entry, and a second
 *	 one with the same key be made later.)  Its LSN is flushed with the
 *	 reservation that it carries.
 *
 * Rows are found with SnapshotSelf, see ring.c.  Every caller that writes a
 * row holds the series' refill lock, and the ring's definition lock, which
 * keeps the row from being deleted.  Deleting is transactional, since drop
 * and reset are.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/generic_xlog.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "compat.h"
#include "locks.h"
#include "series.h"

/* Columns of coderring.series_state */
enum
{
	Anum_state_incarnation = 1,
	Anum_state_reserved_to,
	Anum_state_unblocked,
	Anum_state_extra,
	Natts_state = Anum_state_extra
};

/* Columns of coderring.skipped_cycles; delete_rows serves both tables */
enum
{
	Anum_skipped_incarnation = Anum_state_incarnation,
	Anum_skipped_last_cycle,
	Anum_skipped_first_cycle,
	Anum_skipped_extra,
	Natts_skipped = Anum_skipped_extra
};

/* The two numbers of a row of series_state, which no NULL ever moves. */
typedef struct RowNumbers
{
	int64		reserved_to;
	int64		unblocked;
} RowNumbers;

#define NUMBERS_OFFSET	UUID_LEN	/* behind the incarnation, already aligned */

StaticAssertDecl(NUMBERS_OFFSET % sizeof(int64) == 0, "the numbers follow the incarnation without padding");

/*
 * One call of create or drop looks at so many rows that turn out to be alive,
 * and deletes the series of at most so many rings that are not.
 */
#define SWEEP_ALIVE		16
#define SWEEP_ORPHANS	32

/* The lock of the sweep, among the name locks, whose detail is 0. */
#define SWEEP_DETAIL	1

static RowNumbers *
numbers_of(HeapTupleHeader header)
{
	return (RowNumbers *) ((char *) header + header->t_hoff + NUMBERS_OFFSET);
}

static Datum
extra_datum(const SeriesKey *key)
{
	return PointerGetDatum(cstring_to_text_with_len(key->extra, key->extra_len));
}

static void
init_key(ScanKeyData *scankey, const SeriesKey *key, AttrNumber incarnation, AttrNumber extra)
{
	ScanKeyInit(&scankey[0], incarnation, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(&key->incarnation));
	ScanKeyInit(&scankey[1], extra, BTEqualStrategyNumber, F_TEXTEQ, extra_datum(key));
}

/*
 * The buffer that holds the tuple a scan has just returned, pinned by it.
 */
static Buffer
scan_buffer(SysScanDesc scan)
{
	Assert(TTS_IS_BUFFERTUPLE(scan->slot));
	return ((BufferHeapTupleTableSlot *) scan->slot)->buffer;
}

/*
 * The numbers as they are at this moment: somebody may be writing them.
 */
static RowNumbers
read_numbers(Buffer buffer, HeapTuple tuple)
{
	RowNumbers	numbers;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	numbers = *numbers_of(tuple->t_data);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return numbers;
}

/*
 * Refuse what only an INSERT by SQL could have stored.
 */
static void
check_row(uint32 extra_len, RowNumbers numbers)
{
	if (extra_len > EXTRA_MAX_LEN || numbers.reserved_to < 0 || numbers.unblocked < 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a row of \"coderring.series_state\" is damaged"),
				 errdetail("It was written by other means than the functions of the extension.")));
}

/*
 * Find a series' row.  row->tuple is NULL when it has none.
 */
void
series_open(SeriesRow *row, const SeriesKey *key)
{
	ScanKeyData scankey[2];

	row->rel = ring_open(key->relid, RowExclusiveLock);
	if (RelationGetNumberOfAttributes(row->rel) != Natts_state)
		elog(ERROR, "the table coderring.series_state does not fit the library");
	init_key(scankey, key, Anum_state_incarnation, Anum_state_extra);
	row->scan = systable_beginscan(row->rel, RelationGetPrimaryKeyIndex(row->rel), true,
								   SnapshotSelf, 2, scankey);
	row->tuple = systable_getnext(row->scan);
	if (HeapTupleIsValid(row->tuple))
	{
		RowNumbers	numbers;

		if (HeapTupleHasNulls(row->tuple))
			elog(ERROR, "a row of coderring.series_state has nulls");
		row->buffer = scan_buffer(row->scan);
		numbers = read_numbers(row->buffer, row->tuple);
		check_row(key->extra_len, numbers);
		row->reserved_to = numbers.reserved_to;
		row->unblocked = numbers.unblocked;
	}
}

/*
 * Let go of the row.  The table is unlocked too: nothing that was written
 * depends on the transaction.
 */
void
series_close(SeriesRow *row)
{
	systable_endscan(row->scan);
	table_close(row->rel, RowExclusiveLock);
}

/*
 * Refuse to write to storage that a rollback would throw away: that of a
 * table which this very transaction has rewritten (CLUSTER, ALTER TABLE).
 * Where it has also created the table, the rings go the same way.
 */
static void
check_storage_lasts(Relation rel)
{
	if (rel->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot take codes while \"coderring.%s\" is unlogged",
						RelationGetRelationName(rel)),
				 errdetail("What is reserved would be forgotten in a crash."),
				 errhint("ALTER TABLE coderring.%s SET LOGGED;", RelationGetRelationName(rel))));
	if (RelationRewrittenSubid(rel) != InvalidSubTransactionId &&
		rel->rd_createSubid == InvalidSubTransactionId)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot take codes in a transaction that has rewritten \"coderring.%s\"",
						RelationGetRelationName(rel)),
				 errdetail("What is reserved now would be forgotten if the transaction rolled back."),
				 errhint("Commit the transaction first.")));
}

/*
 * Overwrite a row in place.  Returns the end of the WAL record.  Raises an
 * error, if any, before it has changed something.
 */
XLogRecPtr
series_write(SeriesRow *row, int64 reserved_to, int64 unblocked)
{
	GenericXLogState *state;
	Page		page;
	HeapTupleHeader header;
	RowNumbers *numbers;
	Size		offset;
	XLogRecPtr	lsn;

	check_storage_lasts(row->rel);
	state = GenericXLogStart(row->rel);
	LockBuffer(row->buffer, BUFFER_LOCK_EXCLUSIVE);
	offset = (char *) row->tuple->t_data - (char *) BufferGetPage(row->buffer);
	page = GenericXLogRegisterBuffer(state, row->buffer, 0);
	header = (HeapTupleHeader) (page + offset);

	/* A row that this very transaction has inserted by SQL must stay as well. */
	header->t_infomask |= HEAP_XMIN_FROZEN;
	numbers = numbers_of(header);
	numbers->reserved_to = reserved_to;
	numbers->unblocked = unblocked;
	lsn = GenericXLogFinish(state);
	LockBuffer(row->buffer, BUFFER_LOCK_UNLOCK);
	row->reserved_to = reserved_to;
	row->unblocked = unblocked;
	return lsn;
}

/*
 * Insert a row that outlives this transaction, see the head of this file.
 */
static XLogRecPtr
insert_forever(Relation rel, Datum *values)
{
	bool		nulls[INDEX_MAX_KEYS] = {false};
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	ResultRelInfo *indexes = CatalogOpenIndexes(rel);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	GenericXLogState *state;
	Buffer		buffer;
	Page		page;
	HeapTupleHeader header;
	XLogRecPtr	lsn;

	check_storage_lasts(rel);

	/* In-place writes are not decoded, so a subscriber must not get the row. */
	heap_insert(rel, tuple, GetCurrentCommandId(true), HEAP_INSERT_NO_LOGICAL, NULL);

	ExecStoreHeapTuple(tuple, slot, false);
	for (int i = 0; i < indexes->ri_NumIndices; i++)
	{
		Relation	index = indexes->ri_IndexRelationDescs[i];
		IndexInfo  *info = indexes->ri_IndexRelationInfo[i];
		Datum		keys[INDEX_MAX_KEYS];
		bool		key_nulls[INDEX_MAX_KEYS];

		if (!info->ii_ReadyForInserts)
			continue;
		if (info->ii_Expressions != NIL || info->ii_Predicate != NIL)
			elog(ERROR, "index \"%s\" on a table of coderring has an expression or a predicate",
				 RelationGetRelationName(index));
		FormIndexDatum(info, slot, NULL, keys, key_nulls);
		index_insert(index, keys, key_nulls, &tuple->t_self, rel,
					 index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
					 false, info);
	}
	ExecDropSingleTupleTableSlot(slot);
	CatalogCloseIndexes(indexes);

	state = GenericXLogStart(rel);
	buffer = ReadBuffer(rel, ItemPointerGetBlockNumber(&tuple->t_self));
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	page = GenericXLogRegisterBuffer(state, buffer, 0);
	header = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, ItemPointerGetOffsetNumber(&tuple->t_self)));
	header->t_infomask |= HEAP_XMIN_FROZEN;
	lsn = GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	return lsn;
}

/*
 * Make the row of a new series.  series_open has found none, and row stays
 * without a tuple.  Returns the end of the last WAL record.  Raises an error,
 * if any, before the row exists.
 */
XLogRecPtr
series_insert(SeriesRow *row, const SeriesKey *key, int64 reserved_to, int64 unblocked)
{
	Datum		values[Natts_state];

	values[Anum_state_incarnation - 1] = UUIDPGetDatum(&key->incarnation);
	values[Anum_state_reserved_to - 1] = Int64GetDatum(reserved_to);
	values[Anum_state_unblocked - 1] = Int64GetDatum(unblocked);
	values[Anum_state_extra - 1] = extra_datum(key);
	return insert_forever(row->rel, values);
}

/*
 * Flush WAL up to lsn and wait for the synchronous standbys, if there are
 * any, whatever synchronous_commit says: a code is worth at least "on", since
 * the caller may use it without ever committing anything.
 *
 * SyncRepWaitForLSN() returns from a cancelled wait as if all was well, which
 * is right for a commit.  Here the answer is an error, and the reservation is
 * left for the next caller to wait for.
 */
void
series_make_durable(XLogRecPtr lsn)
{
	bool		acknowledged = true;

	XLogFlush(lsn);

	/* A cancel that arrived meanwhile is served before a code is taken. */
	CHECK_FOR_INTERRUPTS();
	if (max_wal_senders == 0 || !coderring_sync_standbys_defined())
		return;

	HOLD_INTERRUPTS();
	{
		int			nest_level = -1;

		if (synchronous_commit < SYNCHRONOUS_COMMIT_ON)
		{
			nest_level = NewGUCNestLevel();
			(void) set_config_option("synchronous_commit", "on", PGC_USERSET, PGC_S_SESSION,
									 GUC_ACTION_SAVE, true, 0, false);
		}
		SyncRepWaitForLSN(lsn, true);
		if (nest_level >= 0)
			AtEOXact_GUC(true, nest_level);
		if (coderring_sync_standbys_defined())
		{
			LWLockAcquire(SyncRepLock, LW_SHARED);
			acknowledged = lsn <= WalSndCtl->lsn[SYNC_REP_WAIT_FLUSH];
			LWLockRelease(SyncRepLock);
		}
	}
	RESUME_INTERRUPTS();
	CHECK_FOR_INTERRUPTS();
	if (!acknowledged)
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement while codes wait for a synchronous standby"),
				 errdetail("The codes are reserved, and will be handed out when the standby has acknowledged that.")));
}

/*
 * Record for ever that a series does not enter these cycles.
 */
void
series_skip(const SeriesKey *key, int64 first_cycle, int64 last_cycle)
{
	Relation	rel = ring_open(ring_relation("skipped_cycles"), RowExclusiveLock);
	Datum		values[Natts_skipped];

	values[Anum_skipped_incarnation - 1] = UUIDPGetDatum(&key->incarnation);
	values[Anum_skipped_last_cycle - 1] = Int64GetDatum(last_cycle);
	values[Anum_skipped_first_cycle - 1] = Int64GetDatum(first_cycle);
	values[Anum_skipped_extra - 1] = extra_datum(key);
	(void) insert_forever(rel, values);
	table_close(rel, RowExclusiveLock);
}

/*
 * Is this cycle recorded as one that the series does not enter?
 */
bool
series_skipped(const SeriesKey *key, int64 cycle)
{
	Relation	rel = ring_open(ring_relation("skipped_cycles"), AccessShareLock);
	ScanKeyData scankey[3];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		skipped = false;

	init_key(scankey, key, Anum_skipped_incarnation, Anum_skipped_extra);
	ScanKeyInit(&scankey[2], Anum_skipped_last_cycle, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(cycle));
	scan = systable_beginscan(rel, RelationGetPrimaryKeyIndex(rel), true, SnapshotSelf, 3, scankey);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		skipped = DatumGetInt64(heap_getattr(tuple, Anum_skipped_first_cycle,
											 RelationGetDescr(rel), &isnull)) <= cycle;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return skipped;
}

static void
delete_rows(const char *table, const pg_uuid_t *incarnation)
{
	Relation	rel = ring_open(ring_relation(table), RowExclusiveLock);
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&scankey, Anum_state_incarnation, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(incarnation));
	scan = systable_beginscan(rel, RelationGetPrimaryKeyIndex(rel), true, SnapshotSelf, 1, &scankey);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		simple_heap_delete(rel, &tuple->t_self);
	}
	systable_endscan(scan);
	table_close(rel, RowExclusiveLock);
}

/*
 * Delete what is known of the series of an incarnation, if this transaction
 * commits.
 */
void
series_delete_all(const pg_uuid_t *incarnation)
{
	delete_rows("series_state", incarnation);
	delete_rows("skipped_cycles", incarnation);
}

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
series_sweep_orphans(void)
{
	static pg_uuid_t reached;
	List	   *orphans = NIL;
	ListCell   *cell;
	int			alive = 0;
	pg_uuid_t	last;
	bool		have_last = false;
	bool		last_alive = false;
	Relation	rel;
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple = NULL;

	/* One sweeper at a time: two would wait for each other's deletions. */
	if (!ring_lock_conditional(LOCK_NAME, 0, SWEEP_DETAIL, ExclusiveLock))
		return;
	rel = ring_open(ring_relation("series_state"), RowExclusiveLock);
	ScanKeyInit(&scankey, Anum_state_incarnation, BTGreaterStrategyNumber, F_UUID_GT,
				UUIDPGetDatum(&reached));
	scan = systable_beginscan(rel, RelationGetPrimaryKeyIndex(rel), true, SnapshotSelf, 1, &scankey);
	while (alive < SWEEP_ALIVE && list_length(orphans) < SWEEP_ORPHANS &&
		   HeapTupleIsValid(tuple = systable_getnext(scan)))
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
	systable_endscan(scan);
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

/*
 * Call back for every series of an incarnation, or of all of them (NULL).
 */
void
series_visit(const pg_uuid_t *incarnation, SeriesVisitor visitor, void *arg)
{
	Relation	rel = ring_open(ring_relation("series_state"), AccessShareLock);
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (incarnation != NULL)
		ScanKeyInit(&scankey, Anum_state_incarnation, BTEqualStrategyNumber, F_UUID_EQ,
					UUIDPGetDatum(incarnation));
	scan = systable_beginscan(rel, RelationGetPrimaryKeyIndex(rel), true, SnapshotSelf,
							  incarnation != NULL ? 1 : 0, &scankey);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		RowNumbers	numbers = read_numbers(scan_buffer(scan), tuple);
		bool		isnull;
		pg_uuid_t  *owner = DatumGetUUIDP(heap_getattr(tuple, Anum_state_incarnation,
													   RelationGetDescr(rel), &isnull));
		text	   *extra = DatumGetTextPP(heap_getattr(tuple, Anum_state_extra,
														RelationGetDescr(rel), &isnull));

		CHECK_FOR_INTERRUPTS();
		check_row(VARSIZE_ANY_EXHDR(extra), numbers);
		visitor(owner, VARDATA_ANY(extra), VARSIZE_ANY_EXHDR(extra),
				numbers.reserved_to, numbers.unblocked, arg);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}
