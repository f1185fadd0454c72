/*
 * scan.c
 *		Rows of the extension's tables by key, whatever has become of their indexes.
 *
 * PostgreSQL's way of reading catalogs, systable_beginscan(), takes the index
 * that it is told, and none at all in a session with ignore_system_indexes,
 * which any role may set.  Our tables are no catalogs: an index of theirs may be
 * invalid, because REINDEX CONCURRENTLY is at work or was cancelled, or may have
 * been dropped.  So an index is looked for at every scan, and only one that is
 * valid will do.  Where there is none the table itself is read: slowly, but rings
 * go on.  Rows then come in no order, and whoever depends on one looks at
 * scan->ordered.
 *
 * Indexes that a DBA has added are as good as our own if they are plain b-trees.
 */
#include "postgres.h"

#include "access/relscan.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "access/transam.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "store/scan.h"

/*
 * Is this a valid b-tree whose columns begin with these, in their own order?
 * *ordered: do they ascend?
 */
static bool
index_serves(Relation rel, Relation index, int ncolumns, const AttrNumber *columns, bool *ordered)
{
	*ordered = true;
	if (!index->rd_index->indisvalid || index->rd_rel->relam != BTREE_AM_OID ||
		index->rd_index->indnkeyatts < ncolumns ||
		RelationGetIndexExpressions(index) != NIL || RelationGetIndexPredicate(index) != NIL)
		return false;
	for (int i = 0; i < ncolumns; i++)
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(rel), columns[i] - 1);

		if (index->rd_index->indkey.values[i] != columns[i] ||
			index->rd_opcintype[i] != column->atttypid ||
			index->rd_indcollation[i] != column->attcollation ||
			index->rd_opfamily[i] >= FirstNormalObjectId)
			return false;
		if ((index->rd_indoption[i] & INDOPTION_DESC) != 0)
			*ordered = false;
	}
	return true;
}

/*
 * Look for rows.  The keys are on the first of the columns, in their order, and
 * may be fewer: rows come in the order of all of them, if scan->ordered.  The
 * table is open and locked.
 */
void
scan_begin(RowScan *scan, Relation rel, Snapshot snapshot, int nkeys, const ScanKeyData *keys,
		   int ncolumns, const AttrNumber *columns)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *cell;

	Assert(nkeys <= SCAN_MAX_KEYS && nkeys <= ncolumns);
	memset(scan, 0, offsetof(RowScan, keys));
	if (nkeys > 0)
		memcpy(scan->keys, keys, nkeys * sizeof(ScanKeyData));
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index_serves(rel, index, ncolumns, columns, &scan->ordered))
		{
			scan->index = index;
			break;
		}
		index_close(index, AccessShareLock);
	}
	list_free(indexes);

	if (scan->index == NULL)
	{
		scan->ordered = false;
		scan->by_table = systable_beginscan(rel, InvalidOid, false, snapshot, nkeys, scan->keys);
		scan->slot = scan->by_table->slot;
		return;
	}
	for (int i = 0; i < nkeys; i++)
		scan->keys[i].sk_attno = i + 1;
	scan->slot = table_slot_create(rel, NULL);
	scan->by_index = index_beginscan(rel, scan->index, snapshot, nkeys, 0);
	index_rescan(scan->by_index, scan->keys, nkeys, NULL, 0);
}

/*
 * The next row, NULL if there is none.  Good until the next call.
 */
HeapTuple
scan_next(RowScan *scan)
{
	bool		copied;

	if (scan->by_table != NULL)
		return systable_getnext(scan->by_table);
	if (!index_getnext_slot(scan->by_index, ForwardScanDirection, scan->slot))
		return NULL;
	return ExecFetchSlotHeapTuple(scan->slot, false, &copied);
}

/*
 * The buffer that holds the row that was returned last, pinned by the scan.
 */
Buffer
scan_buffer(const RowScan *scan)
{
	if (!TTS_IS_BUFFERTUPLE(scan->slot))
		elog(ERROR, "a table of coderring does not keep its rows in buffers");
	return ((BufferHeapTupleTableSlot *) scan->slot)->buffer;
}

void
scan_end(RowScan *scan)
{
	if (scan->by_table != NULL)
	{
		systable_endscan(scan->by_table);
		return;
	}
	index_endscan(scan->by_index);
	ExecDropSingleTupleTableSlot(scan->slot);
	index_close(scan->index, AccessShareLock);
}

/*
 * A snapshot of what is committed now and of what this transaction did, in
 * which every row has exactly one version.  (In a parallel query none but the
 * statement's own is to be had.)
 */
Snapshot
scan_latest_snapshot(void)
{
	return IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot();
}
