/*
 * ring.c
 *		A ring's definition: its row.
 *
 * Rows are read with SnapshotSelf: what is committed now, plus what this
 * transaction did itself.  A snapshot of the statement or the transaction
 * would go on showing rings that have been dropped, and any MVCC snapshot is
 * tracked by serializable transactions, which would then fail each other over
 * reads that are none of the user's.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/check.h"
#include "core/codec.h"
#include "core/permutation.h"
#include "shmem/locks.h"
#include "shmem/shared.h"
#include "store/columns.h"
#include "store/guards.h"
#include "store/ring.h"
#include "store/rows.h"
#include "store/scan.h"
#include "store/tables.h"

/* Raise the error for a name that no ring has. */
void
ring_report_missing(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("ring \"%s\" does not exist", name),
			 errhint("Create it with: SELECT coderring_create(%s);", quote_literal_cstr(name))));
	pg_unreachable();
}

/*
 * Raise 55000 for a ring that logical replication has brought: the server
 * that it has come from hands out its codes, and how far it has come is not
 * known here.  The same where a table of definitions is not guarded (guards.c).
 */
void
ring_check_dispenses(const Ring *ring)
{
	if (unlikely(ring->replicated))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("ring \"%s\" arrived by logical replication and hands out no codes here", ring->name),
				 errdetail("Its codes are another server's to hand out; here they would come twice."),
				 errhint("Create this server's own ring, or take this one over once the other server hands out no more codes: SELECT coderring_recover(%s);",
						 quote_literal_cstr(ring->name))));
	if (unlikely(!ring->guarded))
		(void) guards_of_definitions(true);
}

/*
 * A definition from its row; false if that is damaged.
 */
static bool
read_definition(Ring *ring, HeapTuple tuple, TupleDesc desc)
{
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring];
	text	   *alphabet;
	bytea	   *key;
	CodecStatus status;

	columns_deform(tuple, desc, values, nulls);
	ring->id = *DatumGetUUIDP(values[Anum_ring_id - 1]);
	ring->owner = DatumGetObjectId(values[Anum_ring_owner - 1]);
	ring->max_length = nulls[Anum_ring_max_length - 1] ? 0 :
		DatumGetInt32(values[Anum_ring_max_length - 1]);
	ring->first_cycle = DatumGetInt64(values[Anum_ring_first_cycle - 1]);
	ring->new_series_cycle = DatumGetInt64(values[Anum_ring_new_series_cycle - 1]);
	ring->timeline = DatumGetInt64(values[Anum_ring_timeline - 1]);
	ring->incarnation = *DatumGetUUIDP(values[Anum_ring_incarnation - 1]);
	ring->replicated = DatumGetBool(values[Anum_ring_replicated - 1]);
	ring->tid = tuple->t_self;
	text_to_cstring_buffer(DatumGetTextPP(values[Anum_ring_name - 1]), ring->name, sizeof(ring->name));
	ring->blocklist[0] = '\0';
	if (!nulls[Anum_ring_blocklist - 1])
		text_to_cstring_buffer(DatumGetTextPP(values[Anum_ring_blocklist - 1]),
							   ring->blocklist, sizeof(ring->blocklist));
	ring->blocklist_id = 0;		/* a list is read when it is needed: blocklist_read_id() */

	key = DatumGetByteaPP(values[Anum_ring_key - 1]);
	alphabet = DatumGetTextPP(values[Anum_ring_alphabet - 1]);
	status = codec_set(&ring->codec, VARDATA_ANY(alphabet), VARSIZE_ANY_EXHDR(alphabet),
					   DatumGetInt32(values[Anum_ring_base_length - 1]), NULL);
	if (status != CODEC_OK || VARSIZE_ANY_EXHDR(key) != PERMUTATION_KEY_LEN ||
		ring->max_length < 0 || ring->first_cycle < 0 ||
		ring->first_cycle >= PG_INT64_MAX / (int64) ring->codec.base_codes ||
		ring->new_series_cycle < 0 ||
		ring->new_series_cycle > PG_INT64_MAX / (int64) ring->codec.base_codes)
		return false;
	memcpy(ring->key, VARDATA_ANY(key), PERMUTATION_KEY_LEN);
	ring->base_codes = (int64) ring->codec.base_codes;
	ring->check = NULL;
	ring->tail_length = ring->codec.base_length;
	if (DatumGetBool(values[Anum_ring_check_character - 1]))
	{
		ring->check = check_table(ring->codec.radix);
		ring->tail_length++;
	}
	return true;
}

/*
 * The same; raises XX001 if it is damaged.
 */
void
ring_from_tuple(Ring *ring, HeapTuple tuple, TupleDesc desc)
{
	if (!read_definition(ring, tuple, desc))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the definition of ring \"%s\" is damaged", ring->name),
				 errdetail("Its row in coderring.ring was changed by other means than the functions of the extension.")));
}

/*
 * Is a definition damaged?  Such a ring cannot be dropped but by SQL.
 */
bool
ring_is_damaged(HeapTuple tuple, TupleDesc desc)
{
	Ring		ring;

	return !read_definition(&ring, tuple, desc);
}

/* Begin to look for rows by one column. */
static void
scan_rings(RowScan *scan, Relation rel, const ScanKeyData *key, Snapshot snapshot)
{
	AttrNumber	column = key->sk_attno;

	scan_begin(scan, rel, snapshot, 1, key, 1, &column);
}

/*
 * Look for a row by one key column, under a snapshot.
 */
static bool
find_row(Relation rel, const ScanKeyData *key, Snapshot snapshot, Ring *ring)
{
	RowScan		scan;
	HeapTuple	tuple;
	bool		found;

	scan_rings(&scan, rel, key, snapshot);
	tuple = scan_next(&scan);
	found = HeapTupleIsValid(tuple);
	if (found && ring != NULL)
		ring_from_tuple(ring, tuple, RelationGetDescr(rel));
	scan_end(&scan);
	return found;
}

/*
 * Replace columns of a ring's row, which the caller has locked.
 */
void
ring_update(Relation rel, const Ring *ring, Datum *values, bool *nulls, bool *replace)
{
	ScanKeyData key;
	RowScan		scan;
	HeapTuple	old;
	HeapTuple	new = NULL;

	ScanKeyInit(&key, Anum_ring_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(ring->name));
	scan_rings(&scan, rel, &key, SnapshotSelf);
	old = scan_next(&scan);
	if (HeapTupleIsValid(old))
		new = columns_modify(old, RelationGetDescr(rel), values, nulls, replace);
	scan_end(&scan);
	if (new == NULL || !rows_update(rel, &new->t_self, new, replace))
		ring_report_changing(ring->name);
	heap_freetuple(new);
}

/* Raise the error for a ring whose row somebody else is changing. */
void
ring_report_changing(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("ring \"%s\" is being changed by SQL", name)));
	pg_unreachable();
}

/*
 * Read a ring by name; false if there is none.
 *
 * A row that another transaction is just replacing can be missed: its new
 * version is met before that transaction commits and its old one after.  So
 * nothing found means to look again with a snapshot in which every row has
 * exactly one version.  (A serializable transaction that hears that a ring is
 * missing then depends on it, as it should.)
 */
bool
ring_read(Relation rel, const char *name, Ring *ring)
{
	ScanKeyData key;

	ScanKeyInit(&key, Anum_ring_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));

	/* Not for ever: what this very command has deleted by SQL looks the same. */
	for (int tries = 0; tries < 100; tries++)
	{
		Snapshot	latest;
		bool		found;

		if (find_row(rel, &key, SnapshotSelf, ring))
			return true;
		latest = RegisterSnapshot(scan_latest_snapshot());
		found = find_row(rel, &key, latest, NULL);
		UnregisterSnapshot(latest);
		if (!found)
			return false;
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/*
 * Is there a ring with this value in a column, other than the one of that id?
 */
static bool
other_has(Relation rel, AttrNumber column, RegProcedure equal, Datum value, const pg_uuid_t *id)
{
	ScanKeyData key;
	RowScan		scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, equal, value);
	scan_rings(&scan, rel, &key, SnapshotSelf);
	while (!found && HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		bool		isnull;

		found = id == NULL ||
			!ring_same_id(DatumGetUUIDP(heap_getattr(tuple, Anum_ring_id, RelationGetDescr(rel), &isnull)), id);
	}
	scan_end(&scan);
	return found;
}

/*
 * May a row that logical replication brings not be written, since there is a
 * ring of that name or incarnation, or, if it is to be inserted, of that id?
 * What another transaction is just making is not seen: there the unique index
 * decides, and the worker comes again.
 */
bool
ring_in_the_way(Relation rel, const pg_uuid_t *id, const char *name, const pg_uuid_t *incarnation, bool update)
{
	return (!update && other_has(rel, Anum_ring_id, F_UUID_EQ, UUIDPGetDatum(id), NULL)) ||
		other_has(rel, Anum_ring_name, F_TEXTEQ, CStringGetTextDatum(name), id) ||
		other_has(rel, Anum_ring_incarnation, F_UUID_EQ, UUIDPGetDatum(incarnation), id);
}

/*
 * The name of the ring of that id, NULL if there is none, or if its codes are
 * another server's to hand out.
 */
char *
ring_name_if_own(const pg_uuid_t *id)
{
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, AccessShareLock);
	Snapshot	latest = RegisterSnapshot(scan_latest_snapshot());
	ScanKeyData key;
	RowScan		scan;
	HeapTuple	tuple;
	bool		isnull;
	char	   *name = NULL;

	ScanKeyInit(&key, Anum_ring_id, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(id));
	scan_rings(&scan, rel, &key, latest);
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple) &&
		!DatumGetBool(heap_getattr(tuple, Anum_ring_replicated, RelationGetDescr(rel), &isnull)))
		name = TextDatumGetCString(heap_getattr(tuple, Anum_ring_name, RelationGetDescr(rel), &isnull));
	scan_end(&scan);
	UnregisterSnapshot(latest);
	table_close(rel, AccessShareLock);
	return name;
}

/*
 * Read a ring by its incarnation; false if there is none.
 */
bool
ring_read_incarnation(const pg_uuid_t *incarnation, Ring *ring)
{
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, AccessShareLock);
	ScanKeyData key;
	bool		found;

	ScanKeyInit(&key, Anum_ring_incarnation, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(incarnation));
	found = find_row(rel, &key, SnapshotSelf, ring);
	if (!found)
	{
		/* As in ring_read. */
		Snapshot	latest = RegisterSnapshot(scan_latest_snapshot());

		found = find_row(rel, &key, latest, ring);
		UnregisterSnapshot(latest);
	}
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * Does an incarnation belong to a ring, of a committed transaction or of one
 * that is still running?
 */
bool
ring_incarnation_alive(const pg_uuid_t *incarnation)
{
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, AccessShareLock);
	ScanKeyData key;
	SnapshotData dirty;
	Snapshot	latest;
	bool		alive;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&key, Anum_ring_incarnation, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(incarnation));
	alive = find_row(rel, &key, &dirty, NULL);
	if (!alive)
	{
		/* As in ring_read. */
		latest = RegisterSnapshot(scan_latest_snapshot());
		alive = find_row(rel, &key, latest, NULL);
		UnregisterSnapshot(latest);
	}
	table_close(rel, AccessShareLock);
	return alive;
}

/*
 * Has the row been replaced by a newer version of it, or deleted, or is that
 * about to be?  *by is the transaction, invalid unless it is another one that
 * has not ended.
 */
static bool
row_replaced(HeapTuple tuple, Buffer buffer, TransactionId *by)
{
	HeapTupleHeaderData header;
	TransactionId xid;

	*by = InvalidTransactionId;
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(&header, tuple->t_data, SizeofHeapTupleHeader);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if ((header.t_infomask & HEAP_XMAX_INVALID) != 0 || HEAP_XMAX_IS_LOCKED_ONLY(header.t_infomask))
		return false;
	xid = HeapTupleHeaderGetUpdateXid(&header);
	if (TransactionIdIsCurrentTransactionId(xid))
		return true;
	if (TransactionIdIsInProgress(xid))
	{
		*by = xid;
		return true;
	}
	return TransactionIdDidCommit(xid);
}

/*
 * Is an incarnation that of a ring, and nobody about to drop or reset it?
 * Otherwise *undecided is the transaction on which that hangs, or invalid if
 * there is no such ring (any more).  While the caller holds the definition lock
 * nobody begins to drop or reset it.
 */
bool
ring_in_force(const pg_uuid_t *incarnation, TransactionId *undecided)
{
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, AccessShareLock);
	TransactionId leaving = InvalidTransactionId;	/* who has replaced a version that is in force */
	TransactionId coming = InvalidTransactionId;	/* who has made one that is not yet */
	bool		in_force = false;
	SnapshotData dirty;
	ScanKeyData key;
	RowScan		scan;
	HeapTuple	tuple;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&key, Anum_ring_incarnation, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(incarnation));
	scan_rings(&scan, rel, &key, &dirty);
	while (!in_force && HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		TransactionId maker = dirty.xmin;
		TransactionId by;
		bool		replaced = row_replaced(tuple, scan_buffer(&scan), &by);

		if (TransactionIdIsValid(maker))
			coming = replaced ? coming : maker;
		else if (!replaced)
			in_force = true;
		else if (TransactionIdIsValid(by))
			leaving = by;
	}
	scan_end(&scan);

	/* Renamed, say, and still of this incarnation */
	if (TransactionIdIsValid(leaving) && TransactionIdIsValid(coming))
		in_force = true;

	/* Or by a transaction that has committed meanwhile, so that neither version was met: see ring_read() */
	if (!in_force && !TransactionIdIsValid(leaving) && !TransactionIdIsValid(coming))
	{
		Snapshot	latest = RegisterSnapshot(scan_latest_snapshot());

		in_force = find_row(rel, &key, latest, NULL);
		UnregisterSnapshot(latest);
	}
	table_close(rel, AccessShareLock);
	*undecided = TransactionIdIsValid(leaving) ? leaving : coming;
	return in_force;
}

/*
 * Is another transaction, which has not ended, about to give a name to a ring?
 * Then *maker is it, or invalid if it has ended in between.
 */
bool
ring_being_named(Relation rel, const char *name, TransactionId *maker)
{
	SnapshotData dirty;
	ScanKeyData key;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&key, Anum_ring_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	if (!find_row(rel, &key, &dirty, NULL))
		return false;
	*maker = dirty.xmin;
	return true;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((const Ring *) lfirst(a))->name, ((const Ring *) lfirst(b))->name);
}

/*
 * Every ring that is there now and that the current user may see, by name, in
 * memory of the caller's.  With SnapshotSelf one that is just being changed could be
 * met twice, or not at all.
 */
List *
ring_list(bool (*may_see) (const Ring *ring, Oid user))
{
	List	   *list = NIL;
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, AccessShareLock);
	Snapshot	latest = RegisterSnapshot(scan_latest_snapshot());
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, latest, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Ring	   *ring = palloc(sizeof(Ring));

		ring_from_tuple(ring, tuple, RelationGetDescr(rel));
		if (may_see(ring, GetUserId()))
			list = lappend(list, ring);
		else
			pfree(ring);
	}
	systable_endscan(scan);
	UnregisterSnapshot(latest);
	table_close(rel, AccessShareLock);
	list_sort(list, compare_names);
	return list;
}

/*
 * What everyone in the server knows the series of a ring by, without an extra.
 */
void
ring_series_id(const Ring *ring, SeriesId *id)
{
	memset(id, 0, sizeof(SeriesId));
	id->database = MyDatabaseId;
	id->relid = tables_series_state();
	id->instance = tables_database_instance();
	id->incarnation = ring->incarnation;
	id->lock_id = locks_ring_id(&ring->id);
}
