/*
 * series.c
 *		The durable position of a series: the only WAL outside of transactions.
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
 *	 While an index is being built concurrently that will not do.  Its last step
 *	 adds what a snapshot sees in the table and the index, as read a moment
 *	 before, does not have; a frozen row is seen by a snapshot that is older than
 *	 its entry, and would be added twice.  Then the row is inserted by a
 *	 transaction of its own, which commits: see apart.c.
 *
 * - What a series will never hand out (cycles that are another's, the rest of
 *	 a cycle that was bumped) is a row of coderring.skipped_positions, made in
 *	 the same way and by the same WAL record as the reservation beyond it.
 *
 * Rows are found with SnapshotSelf, see ring.c.  Every caller that writes a
 * row holds the series' refill lock, and the ring's definition lock, which
 * keeps drop and reset from deleting the row.  That is transactional, and until
 * it is known how their transaction ends, nobody makes codes.
 *
 * Nothing is written where the file of the table, or of one of its indexes, is
 * one that a rollback or a crash would take away with what is in it: see
 * storage_check().  The tables have no primary key, nor a unique index over
 * columns that are NOT NULL (a CHECK says that instead), on purpose: tools that
 * rewrite a table from what SQL shows of it (pg_repack, pg_squeeze, REPACK
 * CONCURRENTLY) would miss the writes in place, and pass over tables that
 * have none.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/generic_xlog.h"
#include "access/heapam.h"
#include "access/htup_details.h"
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
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"
#include "shmem/block.h"
#include "shmem/shared.h"
#include "store/apart.h"
#include "store/columns.h"
#include "store/ring.h"
#include "store/scan.h"
#include "store/series.h"
#include "store/state.h"
#include "store/storage.h"
#include "store/tables.h"

/* The columns of the two tables' keys, in the order of their indexes */
static const AttrNumber state_columns[] = {Anum_state_incarnation, Anum_state_extra};
static const AttrNumber skipped_columns[] =
{Anum_skipped_incarnation, Anum_skipped_extra, Anum_skipped_last_position};

static void
init_key(ScanKeyData *scankey, const SeriesId *id, AttrNumber incarnation, AttrNumber extra)
{
	ScanKeyInit(&scankey[0], incarnation, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(&id->incarnation));
	ScanKeyInit(&scankey[1], extra, BTEqualStrategyNumber, F_TEXTEQ, state_extra_datum(id));
}

/* The transaction that has last restored rows of coderring.skipped_positions here */
static TransactionId restored_by = InvalidTransactionId;

/*
 * Begin to read rows of coderring.series_state; the keys are on (incarnation,
 * extra), or on the first of them.
 */
void
series_scan(RowScan *scan, Relation rel, int nkeys, const ScanKeyData *keys)
{
	scan_begin(scan, rel, SnapshotSelf, nkeys, keys, lengthof(state_columns), state_columns);
}

/*
 * The numbers as they are at this moment: somebody may be writing them.
 */
static SeriesNumbers
read_numbers(Buffer buffer, HeapTuple tuple)
{
	SeriesNumbers numbers;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	numbers = *state_numbers_of(tuple->t_data);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return numbers;
}

/* Can numbers be those of a row?  The table's constraints say the same. */
static bool
plausible(SeriesNumbers numbers)
{
	return numbers.reserved_to >= 0 && numbers.counted_to >= 0 && numbers.unblocked >= 0 && numbers.pace >= 0;
}

/*
 * Refuse what only an INSERT by SQL could have stored.
 */
static void
check_row(uint32 extra_len, SeriesNumbers numbers)
{
	if (extra_len > EXTRA_MAX_LEN || !plausible(numbers))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a row of \"coderring.series_state\" is damaged"),
				 errdetail("It was written by other means than the functions of the extension.")));
}

/* NULLs would move the numbers; that of a column which was dropped does not. */
static void
check_no_nulls(HeapTuple tuple)
{
	for (int i = 1; i <= Natts_state; i++)
	{
		if (heap_attisnull(tuple, i, NULL))
			elog(ERROR, "a row of coderring.series_state has nulls");
	}
}

/*
 * Find a series' row.  row->tuple is NULL when it has none.
 */
void
series_open(SeriesRow *row, const SeriesId *id)
{
	ScanKeyData scankey[2];

	row->rel = tables_open(id->relid, Natts_state, RowExclusiveLock);
	init_key(scankey, id, Anum_state_incarnation, Anum_state_extra);
	series_scan(&row->scan, row->rel, 2, scankey);
	row->tuple = scan_next(&row->scan);
	memset(&row->numbers, 0, sizeof(row->numbers));
	row->buffer = InvalidBuffer;
	if (HeapTupleIsValid(row->tuple))
	{
		check_no_nulls(row->tuple);
		row->buffer = scan_buffer(&row->scan);
		row->numbers = read_numbers(row->buffer, row->tuple);
		check_row(id->extra_len, row->numbers);
	}
}

/* Read the numbers of a row that has been found once more. */
void
series_refresh(SeriesRow *row)
{
	row->numbers = read_numbers(row->buffer, row->tuple);
}

/*
 * Let go of the row.  The table is unlocked too: nothing that was written
 * depends on the transaction.
 */
void
series_close(SeriesRow *row)
{
	scan_end(&row->scan);
	table_close(row->rel, RowExclusiveLock);
}

/*
 * The numbers of a series as they are now; false if it has no row.  Works on a
 * standby too.
 */
bool
series_read(const SeriesId *id, SeriesNumbers *numbers)
{
	Relation	rel = tables_open(id->relid, Natts_state, AccessShareLock);
	ScanKeyData scankey[2];
	RowScan		scan;
	HeapTuple	tuple;

	init_key(scankey, id, Anum_state_incarnation, Anum_state_extra);
	series_scan(&scan, rel, 2, scankey);
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple))
	{
		*numbers = read_numbers(scan_buffer(&scan), tuple);
		check_row(id->extra_len, *numbers);
	}
	scan_end(&scan);
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* How rows get into a table; see apart.c for why it is not always the same. */
typedef struct InsertWay
{
	Relation	rel;
	bool		apart;			/* by a transaction of their own: not to be frozen */
	bool		locked;			/* no index can be built meanwhile */
} InsertWay;

/*
 * Find out how rows are to get into a table.  If an index takes new entries and
 * is not valid, it may be one that is just being built, and then a row must not
 * be frozen.  If nobody builds, it is a left-over, and nobody begins before
 * end_insert().  That is asked by a lock which others who ask would have, too, so
 * one asks at a time.
 */
static void
begin_insert(InsertWay *way, Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *cell;
	bool		unfinished = false;

	way->rel = rel;
	way->apart = way->locked = false;
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		unfinished = unfinished || (index->rd_index->indisready && !index->rd_index->indisvalid);
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	if (unfinished)
	{
		apart_lock();
		way->locked = ConditionalLockRelation(rel, ShareUpdateExclusiveLock);
		way->apart = !way->locked;
		if (way->apart)
			apart_unlock();
	}
}

static void
end_insert(InsertWay *way)
{
	if (!way->locked)
		return;
	UnlockRelation(way->rel, ShareUpdateExclusiveLock);
	apart_unlock();
}

/*
 * The header of a tuple on a page that is part of a generic WAL record, frozen if
 * need be, so that it survives whatever happens to this transaction.
 */
static HeapTupleHeader
register_row(GenericXLogState *state, Buffer buffer, OffsetNumber offset, bool freeze)
{
	Page		page = GenericXLogRegisterBuffer(state, buffer, 0);
	HeapTupleHeader header = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, offset));

	if (freeze)
		header->t_infomask |= HEAP_XMIN_FROZEN;
	return header;
}

/* Has this very transaction inserted a row, by SQL as a restore does? */
static bool
inserted_here(HeapTupleHeader header)
{
	return !HeapTupleHeaderXminFrozen(header) &&
		TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmin(header));
}

/* Raise 55006 for what a rollback would take away, where it cannot be made to stay. */
static void
report_restored(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("cannot take codes of a series that this transaction has restored while an index is being built"),
			 errdetail("The index is one of \"coderring.%s\".", RelationGetRelationName(rel)),
			 errhint("Commit the restore first.")));
}

static ItemPointerData
insert_by(InsertWay *way, StateInsert *insert)
{
	if (!way->apart)
		return state_insert(way->rel, insert);
	insert->relid = RelationGetRelid(way->rel);
	return apart_insert(insert);
}

/*
 * Insert a row for a range.  It says nothing yet where it is committed at once:
 * an error before the reservation is written must not cost any codes either.
 */
static ItemPointerData
insert_skip(InsertWay *way, const SeriesId *id, const SkippedRange *skip)
{
	StateInsert insert = {.is_skip = true, .id = *id, .skip = *skip};

	if (way->apart)
		insert.skip.first = skip->end;
	return insert_by(way, &insert);
}

/*
 * Insert the row of a series that has none, and stands at a position.  It says
 * no more than that yet: an error before the numbers are written in place must
 * neither cost codes nor bring any again.
 */
static ItemPointerData
insert_state(InsertWay *way, const SeriesId *id, const Reservation *reservation)
{
	StateInsert insert = {.is_skip = false, .id = *id, .numbers = reservation->numbers};

	insert.numbers.reserved_to = reservation->position;
	if (insert.numbers.counted_to > reservation->position)
	{
		insert.numbers.counted_to = reservation->position;
		insert.numbers.unblocked = 0;
	}
	return insert_by(way, &insert);
}

/* Where a row of coderring.skipped_positions is, and what it says, or is to say. */
typedef struct SkipRow
{
	ItemPointerData tid;
	int64		first;
	bool		inserted_here;
} SkipRow;

/* The first position as it is at this moment: somebody may be writing it. */
static int64
read_first_position(Buffer buffer, HeapTuple tuple)
{
	int64		first;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	first = *state_first_position_of(tuple->t_data);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return first;
}

/*
 * Look for a row, also one that another transaction is just restoring, or has just
 * replaced: *by is that transaction then, otherwise invalid.
 */
static bool
find_unsettled(Relation rel, int nkeys, const ScanKeyData *keys, const AttrNumber *columns, SkipRow *row,
			   TransactionId *by)
{
	RowScan		scan;
	SnapshotData dirty;
	HeapTuple	tuple;

	InitDirtySnapshot(dirty);
	*by = InvalidTransactionId;
	scan_begin(&scan, rel, &dirty, nkeys, keys, nkeys, columns);
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple))
	{
		*by = TransactionIdIsValid(dirty.xmin) ? dirty.xmin : dirty.xmax;
		if (row != NULL)
		{
			row->tid = tuple->t_self;
			row->first = read_first_position(scan_buffer(&scan), tuple);
			row->inserted_here = inserted_here(tuple->t_data);
		}
	}
	scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

/* Raise 55006 for what another transaction is just restoring: nobody waits for one. */
static void
report_being_restored(const SeriesId *id)
{
	Ring		ring;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 ring_read_incarnation(&id->incarnation, &ring) ?
			 errmsg("a series of ring \"%s\" is just being restored", ring.name) :
			 errmsg("a series is just being restored"),
			 errdetail("Another transaction has inserted or replaced rows of it, with extra \"%.*s\".",
					   id->extra_len, id->extra),
			 errhint("Try again when that transaction has ended.")));
}

/*
 * Is there a row that ends with this position?  Of a range that is not recorded
 * it can only be one that says nothing yet, left by a call that then failed.
 */
static bool
find_skip_row(Relation rel, const SeriesId *id, int64 last, SkipRow *row, TransactionId *by)
{
	ScanKeyData scankey[3];

	init_key(scankey, id, Anum_skipped_incarnation, Anum_skipped_extra);
	ScanKeyInit(&scankey[2], Anum_skipped_last_position, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(last));
	return find_unsettled(rel, lengthof(scankey), scankey, skipped_columns, row, by);
}

/*
 * A series had no row that is there for everyone: has another transaction inserted
 * one, or committed one since we looked?
 */
static void
check_unrestored(Relation rel, const SeriesId *id)
{
	ScanKeyData scankey[2];
	TransactionId by;

	init_key(scankey, id, Anum_state_incarnation, Anum_state_extra);
	if (find_unsettled(rel, lengthof(scankey), scankey, state_columns, NULL, &by))
		report_being_restored(id);
}

/*
 * Insert rows for what is not recorded yet of a range: in one piece, but for
 * ranges beyond reserved_to that a dump can have brought.  Returns a list of
 * SkipRow, the last piece first: the first one may be the rest of the cycle
 * that is in use, and is recorded with the numbers.
 */
static List *
insert_skips(InsertWay *way, const SeriesId *id, const SkippedRange *skip)
{
	List	   *rows = NIL;
	SkippedRange piece = *skip;

	while (piece.first < skip->end)
	{
		SkippedRange recorded = {skip->end, skip->end};

		(void) series_next_skip(id, piece.first, &recorded);
		piece.end = Min(recorded.first, skip->end);
		if (piece.end > piece.first)
		{
			SkipRow    *row = palloc(sizeof(SkipRow));
			TransactionId by;
			bool		found = find_skip_row(way->rel, id, piece.end - 1, row, &by);

			if (TransactionIdIsValid(by))
				report_being_restored(id);
			if (!found)
				row->tid = insert_skip(way, id, &piece);
			row->first = piece.first;
			rows = lcons(row, rows);
		}
		piece.first = recorded.end;
	}
	return rows;
}

/* What a row is to say goes into a generic WAL record.  Returns the buffer, locked. */
static Buffer
register_skip(GenericXLogState *state, Relation rel, const SkipRow *row, bool freeze)
{
	Buffer		buffer = ReadBuffer(rel, ItemPointerGetBlockNumber(&row->tid));

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	*state_first_position_of(register_row(state, buffer, ItemPointerGetOffsetNumber(&row->tid), freeze)) = row->first;
	return buffer;
}

/* Record what is true without a reservation: cycles that are others', or blocked. */
static void
record_skips(Relation rel, const List *rows, bool freeze)
{
	const ListCell *cell;

	foreach(cell, rows)
	{
		GenericXLogState *state = GenericXLogStart(rel);
		Buffer		buffer = register_skip(state, rel, lfirst(cell), freeze);

		(void) GenericXLogFinish(state);
		UnlockReleaseBuffer(buffer);
	}
}

/*
 * What this transaction has restored by SQL of what a series never hands out is
 * passed over from now on, so it has to stay, as the series' row does.
 */
static void
keep_restored_skips(const InsertWay *way, const SeriesId *id)
{
	Relation	rel = way->rel;
	List	   *rows = NIL;
	ScanKeyData scankey[2];
	RowScan		scan;
	HeapTuple	tuple;

	init_key(scankey, id, Anum_skipped_incarnation, Anum_skipped_extra);
	scan_begin(&scan, rel, SnapshotSelf, lengthof(scankey), scankey, lengthof(skipped_columns), skipped_columns);
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		if (inserted_here(tuple->t_data))
		{
			SkipRow    *row = palloc(sizeof(SkipRow));

			row->tid = tuple->t_self;
			row->first = *state_first_position_of(tuple->t_data);
			rows = lappend(rows, row);
		}
	}
	scan_end(&scan);
	if (rows != NIL && way->apart)
		report_restored(rel);
	record_skips(rel, rows, true);
	list_free_deep(rows);
}

/* Has this transaction restored rows of coderring.skipped_positions, of whatever series? */
static bool
skips_restored(void)
{
	return TransactionIdIsValid(restored_by) && restored_by == GetTopTransactionIdIfAny();
}

/*
 * Write how far a series has come, and what it never hands out, if anything.
 * One WAL record makes both true, so neither is ever there without the other;
 * where there are several ranges, the others are recorded before.  A series
 * without a row gets one; row->tuple stays NULL then.
 *
 * The entry is told before anybody can read the row, so who looks at the entry,
 * then at the row, and then at the entry again is never told more by the row.
 *
 * Returns the end of the record.  After an error the series stands where it
 * stood, or, if it had no row, at `position`; what is recorded by then of
 * ranges is before that, or in a cycle that was used up.
 */
XLogRecPtr
series_reserve(SeriesRow *row, const SeriesId *id, const Reservation *reservation)
{
	Relation	skip_rel = NULL;
	List	   *before = NIL;
	List	   *skips = NIL;
	const ListCell *cell;
	Buffer		buffer = row->buffer;
	ItemPointerData tid;
	InsertWay	way = {0};
	InsertWay	skip_way = {0};
	bool		new_row = row->tuple == NULL || inserted_here(row->tuple->t_data);
	XLogRecPtr	lsn = InvalidXLogRecPtr;

	storage_check(row->rel);
	if (new_row)
		begin_insert(&way, row->rel);
	if (reservation->ranges != NIL || skips_restored())
	{
		skip_rel = tables_open(tables_relation("skipped_positions"), Natts_skipped, RowExclusiveLock);
		storage_check(skip_rel);
		begin_insert(&skip_way, skip_rel);
		if (skips_restored())
			keep_restored_skips(&skip_way, id);
		foreach(cell, reservation->ranges)
			skips = list_concat(skips, insert_skips(&skip_way, id, lfirst(cell)));
	}
	if (row->tuple != NULL)
	{
		tid = row->tuple->t_self;
		if (way.apart)
			report_restored(row->rel);
	}
	else
	{
		/* A row that is committed tells where the series stands: what is before has to be known by then. */
		foreach(cell, way.apart ? skips : NIL)
		{
			if (((SkipRow *) lfirst(cell))->first < reservation->position)
				before = lappend(before, lfirst(cell));
		}
		record_skips(skip_rel, before, !skip_way.apart);
		skips = list_difference_ptr(skips, before);
		check_unrestored(row->rel, id);
		tid = insert_state(&way, id, reservation);
		buffer = ReadBuffer(row->rel, ItemPointerGetBlockNumber(&tid));
	}

	/* Behind this no interrupt is served before the caller is told. */
	CHECK_FOR_INTERRUPTS();

	/* Once, but for several ranges, or pieces of one: what those lack is skipped in a crash. */
	do
	{
		GenericXLogState *state = GenericXLogStart(row->rel);
		Buffer		skip_buffer = InvalidBuffer;

		/* Nobody else locks pages of both tables. */
		if (skips != NIL)
		{
			const SkipRow *skip_row = linitial(skips);

			skips = list_delete_first(skips);
			skip_buffer = register_skip(state, skip_rel, skip_row, !skip_way.apart);
		}
		if (skips == NIL)
		{
			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			*state_numbers_of(register_row(state, buffer, ItemPointerGetOffsetNumber(&tid),
										   new_row && !way.apart)) = reservation->numbers;
		}
		lsn = GenericXLogFinish(state);
		if (skips == NIL)
		{
			if (reservation->entry != NULL)
				block_reserved(reservation->entry, reservation->first, reservation->counted,
							   reservation->numbers.reserved_to, reservation->blocklist_id,
							   reservation->numbers.blocklist_id, lsn);
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		if (BufferIsValid(skip_buffer))
			UnlockReleaseBuffer(skip_buffer);
	} while (skips != NIL);

	row->numbers = reservation->numbers;
	if (row->tuple == NULL)
		ReleaseBuffer(buffer);
	end_insert(&way);
	if (skip_rel != NULL)
	{
		end_insert(&skip_way);
		table_close(skip_rel, RowExclusiveLock);
	}
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
series_next_skip(const SeriesId *id, int64 position, SkippedRange *skip)
{
	Relation	rel = tables_open(tables_relation("skipped_positions"), Natts_skipped, AccessShareLock);
	ScanKeyData scankey[3];
	RowScan		scan;
	HeapTuple	tuple;
	bool		found = false;

	init_key(scankey, id, Anum_skipped_incarnation, Anum_skipped_extra);
	ScanKeyInit(&scankey[2], Anum_skipped_last_position, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(position));
	scan_begin(&scan, rel, SnapshotSelf, 3, scankey, lengthof(skipped_columns), skipped_columns);
	while ((!found || !scan.ordered) && HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		TupleDesc	desc = RelationGetDescr(rel);
		bool		isnull;
		int64		first;
		int64		end = DatumGetInt64(heap_getattr(tuple, Anum_skipped_last_position, desc, &isnull)) + 1;

		CHECK_FOR_INTERRUPTS();
		first = read_first_position(scan_buffer(&scan), tuple);
		if (first >= end || (found && end >= skip->end))
			continue;			/* it says nothing, or a nearer one is known */
		skip->first = first;
		skip->end = end;
		found = true;
	}
	scan_end(&scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* The key of a row's values; false if the row's constraints will refuse it. */
static bool
id_of_values(Relation rel, const Datum *values, const bool *nulls, int count, AttrNumber extra_column, SeriesId *id)
{
	text	   *extra;

	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			return false;
	}
	extra = DatumGetTextPP(values[extra_column - 1]);
	if (VARSIZE_ANY_EXHDR(extra) > EXTRA_MAX_LEN)
		return false;
	memset(id, 0, sizeof(SeriesId));
	id->relid = tables_relation("series_state");
	id->incarnation = *DatumGetUUIDP(values[Anum_state_incarnation - 1]);
	id->extra_len = VARSIZE_ANY_EXHDR(extra);
	memcpy(id->extra, VARDATA_ANY(extra), id->extra_len);
	return true;
}

/*
 * May a row that SQL or replication brings be inserted?  Not if the series has
 * one: then *id and *numbers are what it says.
 */
bool
series_admit(Relation rel, HeapTuple tuple, SeriesId *id, SeriesNumbers *numbers)
{
	Datum		values[Natts_state];
	bool		nulls[Natts_state];
	SeriesNumbers here;

	columns_check(rel, Natts_state);
	columns_deform(tuple, RelationGetDescr(rel), values, nulls);
	if (!id_of_values(rel, values, nulls, Natts_state, Anum_state_extra, id) || !series_read(id, &here))
		return true;
	*numbers = *state_numbers_of(tuple->t_data);

	/* That is for the table's constraints to refuse. */
	return !plausible(*numbers);
}

/*
 * Whose row of coderring.skipped_positions is it?  False if the table's
 * constraints will refuse it.
 */
bool
series_of_skip(Relation rel, HeapTuple tuple, SeriesId *id)
{
	Datum		values[Natts_skipped];
	bool		nulls[Natts_skipped];

	columns_check(rel, Natts_skipped);
	columns_deform(tuple, RelationGetDescr(rel), values, nulls);
	return id_of_values(rel, values, nulls, Natts_skipped, Anum_skipped_extra, id);
}

/*
 * May such a row be inserted?  Not if there is one that says something.  One that
 * says nothing, left by a call that then failed, gives way to it; so the caller
 * holds the series' refill lock.
 */
bool
series_admit_skip(Relation rel, HeapTuple tuple, const SeriesId *id)
{
	bool		isnull;
	int64		last = DatumGetInt64(heap_getattr(tuple, Anum_skipped_last_position, RelationGetDescr(rel), &isnull));
	SkipRow		here;
	TransactionId by;

	restored_by = GetTopTransactionId();
	if (!find_skip_row(rel, id, last, &here, &by) || TransactionIdIsValid(by))
		return true;			/* where another transaction is at it, the unique index decides */
	if (here.first <= last || here.inserted_here)
		return false;
	simple_heap_delete(rel, &here.tid);
	return true;
}

static void
delete_rows(const char *table, int columns, const pg_uuid_t *incarnation)
{
	Relation	rel = tables_open(tables_relation(table), columns, RowExclusiveLock);
	ScanKeyData scankey;
	RowScan		scan;
	HeapTuple	tuple;

	ScanKeyInit(&scankey, Anum_state_incarnation, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(incarnation));
	scan_begin(&scan, rel, SnapshotSelf, 1, &scankey, 1, state_columns);
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		CHECK_FOR_INTERRUPTS();
		simple_heap_delete(rel, &tuple->t_self);
	}
	scan_end(&scan);
	table_close(rel, NoLock);	/* as a DELETE by SQL would keep it */
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
	Relation	rel = tables_open(tables_relation("series_state"), Natts_state, AccessShareLock);
	ScanKeyData scankey;
	RowScan		scan;
	HeapTuple	tuple;

	if (incarnation != NULL)
		ScanKeyInit(&scankey, Anum_state_incarnation, BTEqualStrategyNumber, F_UUID_EQ,
					UUIDPGetDatum(incarnation));
	series_scan(&scan, rel, incarnation != NULL ? 1 : 0, &scankey);
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		SeriesNumbers numbers = read_numbers(scan_buffer(&scan), tuple);
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
	scan_end(&scan);
	table_close(rel, AccessShareLock);
}
