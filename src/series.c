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
 * - A reservation overwrites the numbers in place, on the page, under the
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
 * - What a series will never hand out (cycles that are another's, the rest of
 *	 a cycle that was bumped) is a row of coderring.skipped_positions, made in
 *	 the same way and by the same WAL record as the reservation beyond it.
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

/* Columns of coderring.skipped_positions; delete_rows serves both tables */
enum
{
	Anum_skipped_incarnation = Anum_state_incarnation,
	Anum_skipped_last_position,
	Anum_skipped_first_position,
	Anum_skipped_extra,
	Natts_skipped = Anum_skipped_extra
};

#define NUMBERS_OFFSET	UUID_LEN	/* behind the incarnation, already aligned */

StaticAssertDecl(NUMBERS_OFFSET % sizeof(int64) == 0, "the numbers follow the incarnation without padding");

/*
 * The numbers of a row, which no NULL ever moves.
 */
static SeriesNumbers *
numbers_of(HeapTupleHeader header)
{
	return (SeriesNumbers *) ((char *) header + header->t_hoff + NUMBERS_OFFSET);
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
static SeriesNumbers
read_numbers(Buffer buffer, HeapTuple tuple)
{
	SeriesNumbers	numbers;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	numbers = *numbers_of(tuple->t_data);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return numbers;
}

/*
 * Refuse what only an INSERT by SQL could have stored.
 */
static void
check_row(uint32 extra_len, SeriesNumbers numbers)
{
	if (extra_len > EXTRA_MAX_LEN || numbers.reserved_to < 0 || numbers.counted_to < 0 ||
		numbers.unblocked < 0)
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

	row->rel = ring_open(key->relid, Natts_state, RowExclusiveLock);
	init_key(scankey, key, Anum_state_incarnation, Anum_state_extra);
	row->scan = systable_beginscan(row->rel, RelationGetPrimaryKeyIndex(row->rel), true,
								   SnapshotSelf, 2, scankey);
	row->tuple = systable_getnext(row->scan);
	memset(&row->numbers, 0, sizeof(row->numbers));
	row->buffer = InvalidBuffer;
	if (HeapTupleIsValid(row->tuple))
	{
		if (HeapTupleHasNulls(row->tuple))
			elog(ERROR, "a row of coderring.series_state has nulls");
		row->buffer = scan_buffer(row->scan);
		row->numbers = read_numbers(row->buffer, row->tuple);
		check_row(key->extra_len, row->numbers);
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
 * The numbers of a series as they are now; false if it has no row.  Works on a
 * standby too.
 */
bool
series_read(const SeriesKey *key, SeriesNumbers *numbers)
{
	Relation	rel = ring_open(key->relid, Natts_state, AccessShareLock);
	ScanKeyData scankey[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	init_key(scankey, key, Anum_state_incarnation, Anum_state_extra);
	scan = systable_beginscan(rel, RelationGetPrimaryKeyIndex(rel), true, SnapshotSelf, 2, scankey);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		*numbers = read_numbers(scan_buffer(scan), tuple);
		check_row(key->extra_len, *numbers);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
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
 * Insert a row and its index entries.  It vanishes with the transaction, or
 * with what there is of it, until its page has been through freeze().
 */
static ItemPointerData
insert_row(Relation rel, Datum *values)
{
	bool		nulls[INDEX_MAX_KEYS] = {false};
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	ResultRelInfo *indexes = CatalogOpenIndexes(rel);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);

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
	return tuple->t_self;
}

/*
 * The header of a tuple on a page that is part of a generic WAL record.  It
 * survives whatever happens to the transaction, also where this very one has
 * inserted it by SQL: it is frozen.
 */
static HeapTupleHeader
freeze(GenericXLogState *state, Buffer buffer, OffsetNumber offset)
{
	Page		page = GenericXLogRegisterBuffer(state, buffer, 0);
	HeapTupleHeader header = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, offset));

	header->t_infomask |= HEAP_XMIN_FROZEN;
	return header;
}

static ItemPointerData
insert_skip(Relation rel, const SeriesKey *key, const SkippedRange *skip)
{
	Datum		values[Natts_skipped];

	values[Anum_skipped_incarnation - 1] = UUIDPGetDatum(&key->incarnation);
	values[Anum_skipped_last_position - 1] = Int64GetDatum(skip->end - 1);
	values[Anum_skipped_first_position - 1] = Int64GetDatum(skip->first);
	values[Anum_skipped_extra - 1] = extra_datum(key);
	return insert_row(rel, values);
}

static ItemPointerData
insert_state(Relation rel, const SeriesKey *key, const SeriesNumbers *numbers)
{
	Datum		values[Natts_state];

	values[Anum_state_incarnation - 1] = UUIDPGetDatum(&key->incarnation);
	values[Anum_state_reserved_to - 1] = Int64GetDatum(numbers->reserved_to);
	values[Anum_state_counted_to - 1] = Int64GetDatum(numbers->counted_to);
	values[Anum_state_unblocked - 1] = Int64GetDatum(numbers->unblocked);
	values[Anum_state_filter - 1] = Int64GetDatum((int64) numbers->filter);
	values[Anum_state_extra - 1] = extra_datum(key);
	return insert_row(rel, values);
}

/*
 * Insert rows for what is not recorded yet of a range: in one piece, but for
 * ranges beyond reserved_to that a dump can have brought.  Returns where they
 * are.
 */
static List *
insert_skips(Relation rel, const SeriesKey *key, const SkippedRange *skip)
{
	List	   *tids = NIL;
	SkippedRange piece = *skip;

	while (piece.first < skip->end)
	{
		SkippedRange recorded = {skip->end, skip->end};

		(void) series_next_skip(key, piece.first, &recorded);
		piece.end = Min(recorded.first, skip->end);
		if (piece.end > piece.first)
		{
			ItemPointer tid = palloc(sizeof(ItemPointerData));

			*tid = insert_skip(rel, key, &piece);
			tids = lappend(tids, tid);
		}
		piece.first = recorded.end;
	}
	return tids;
}

/*
 * Write how far a series has come, and what it never hands out, if anything.
 * One WAL record makes both true, so neither is ever there without the other.
 * A series without a row gets one; row->tuple stays NULL then.
 *
 * Returns the end of the record.  Raises an error, if any, before it has
 * changed something.  With `hold`, interrupts are held from the change on, and
 * the caller resumes them.
 */
XLogRecPtr
series_reserve(SeriesRow *row, const SeriesKey *key, const SeriesNumbers *numbers, const SkippedRange *skip,
			   bool hold)
{
	Relation	skip_rel = NULL;
	List	   *skips = NIL;
	Buffer		buffer = row->buffer;
	ItemPointerData tid;
	XLogRecPtr	lsn = InvalidXLogRecPtr;

	check_storage_lasts(row->rel);
	if (skip->end > skip->first)
	{
		skip_rel = ring_open(ring_relation("skipped_positions"), Natts_skipped, RowExclusiveLock);
		skips = insert_skips(skip_rel, key, skip);
	}
	if (row->tuple != NULL)
		tid = row->tuple->t_self;
	else
	{
		tid = insert_state(row->rel, key, numbers);
		buffer = ReadBuffer(row->rel, ItemPointerGetBlockNumber(&tid));
	}

	CHECK_FOR_INTERRUPTS();
	if (hold)
		HOLD_INTERRUPTS();

	/* Once, but for several pieces of a range: what those lack is skipped in a crash. */
	do
	{
		GenericXLogState *state = GenericXLogStart(row->rel);
		Buffer		skip_buffer = InvalidBuffer;

		/* Nobody else locks pages of both tables. */
		if (skips != NIL)
		{
			ItemPointer skip_tid = linitial(skips);

			skips = list_delete_first(skips);
			skip_buffer = ReadBuffer(skip_rel, ItemPointerGetBlockNumber(skip_tid));
			LockBuffer(skip_buffer, BUFFER_LOCK_EXCLUSIVE);
			(void) freeze(state, skip_buffer, ItemPointerGetOffsetNumber(skip_tid));
		}
		if (skips == NIL)
		{
			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			*numbers_of(freeze(state, buffer, ItemPointerGetOffsetNumber(&tid))) = *numbers;
		}
		lsn = GenericXLogFinish(state);
		if (skips == NIL)
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		if (BufferIsValid(skip_buffer))
			UnlockReleaseBuffer(skip_buffer);
	} while (skips != NIL);

	row->numbers = *numbers;
	if (row->tuple == NULL)
		ReleaseBuffer(buffer);
	if (skip_rel != NULL)
		table_close(skip_rel, RowExclusiveLock);
	return lsn;
}

/*
 * Flush WAL up to lsn and wait for the synchronous standbys, if there are
 * any, whatever synchronous_commit says: a code is worth at least "on", since
 * the caller may use it without ever committing anything.
 *
 * SyncRepWaitForLSN() returns from a cancelled wait as if all was well, which
 * is right for a commit.  Here the answer is an error, and the reservation is
 * left for the next caller to wait for.
 *
 * Returns whether a synchronous standby has acknowledged it.
 */
bool
series_make_durable(XLogRecPtr lsn)
{
	bool		acknowledged;
	bool		awaited;

	XLogFlush(lsn);

	/* A cancel that arrived meanwhile is served before a code is taken. */
	CHECK_FOR_INTERRUPTS();
	if (!coderring_sync_awaited())
		return false;

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

		/* Waiters are woken before it is set that no standby is awaited any more: look under the lock. */
		LWLockAcquire(SyncRepLock, LW_SHARED);
		awaited = coderring_sync_standbys_defined();
		acknowledged = lsn <= WalSndCtl->lsn[SYNC_REP_WAIT_FLUSH];
		LWLockRelease(SyncRepLock);
	}
	RESUME_INTERRUPTS();
	CHECK_FOR_INTERRUPTS();
	if (awaited && !acknowledged)
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement while codes wait for a synchronous standby"),
				 errdetail("The codes are reserved, and will be handed out when the standby has acknowledged that.")));
	return acknowledged;
}

/*
 * The first recorded range of a series that ends after a position; false if
 * there is none.
 */
bool
series_next_skip(const SeriesKey *key, int64 position, SkippedRange *skip)
{
	Relation	rel = ring_open(ring_relation("skipped_positions"), Natts_skipped, AccessShareLock);
	ScanKeyData scankey[3];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	init_key(scankey, key, Anum_skipped_incarnation, Anum_skipped_extra);
	ScanKeyInit(&scankey[2], Anum_skipped_last_position, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(position));
	scan = systable_beginscan(rel, RelationGetPrimaryKeyIndex(rel), true, SnapshotSelf, 3, scankey);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		TupleDesc	desc = RelationGetDescr(rel);
		bool		isnull;

		skip->first = DatumGetInt64(heap_getattr(tuple, Anum_skipped_first_position, desc, &isnull));
		skip->end = DatumGetInt64(heap_getattr(tuple, Anum_skipped_last_position, desc, &isnull)) + 1;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

static void
delete_rows(const char *table, int columns, const pg_uuid_t *incarnation)
{
	Relation	rel = ring_open(ring_relation(table), columns, RowExclusiveLock);
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
	delete_rows("series_state", Natts_state, incarnation);
	delete_rows("skipped_positions", Natts_skipped, incarnation);
}

/*
 * Call back for every series of an incarnation, or of all of them (NULL).
 */
void
series_visit(const pg_uuid_t *incarnation, SeriesVisitor visitor, void *arg)
{
	Relation	rel = ring_open(ring_relation("series_state"), Natts_state, AccessShareLock);
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
		SeriesNumbers	numbers = read_numbers(scan_buffer(scan), tuple);
		bool		isnull;
		pg_uuid_t  *owner = DatumGetUUIDP(heap_getattr(tuple, Anum_state_incarnation,
													   RelationGetDescr(rel), &isnull));
		text	   *extra = DatumGetTextPP(heap_getattr(tuple, Anum_state_extra,
														RelationGetDescr(rel), &isnull));

		CHECK_FOR_INTERRUPTS();
		check_row(VARSIZE_ANY_EXHDR(extra), numbers);
		visitor(owner, VARDATA_ANY(extra), VARSIZE_ANY_EXHDR(extra),
				&numbers, arg);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}
