/*
 * scan.h
 *		Rows of the extension's tables by key, whatever has become of their indexes.
 */
#ifndef CODERRING_SCAN_H
#define CODERRING_SCAN_H

#include "postgres.h"

#include "access/genam.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#define SCAN_MAX_KEYS	3

typedef struct RowScan
{
	Relation	index;			/* NULL: the table itself is read */
	IndexScanDesc by_index;
	SysScanDesc by_table;
	TupleTableSlot *slot;
	bool		ordered;		/* rows come in ascending order of the key columns */
	ScanKeyData keys[SCAN_MAX_KEYS];
} RowScan;

extern void scan_begin(RowScan *scan, Relation rel, Snapshot snapshot, int nkeys, const ScanKeyData *keys,
					   int ncolumns, const AttrNumber *columns);
extern HeapTuple scan_next(RowScan *scan);
extern Buffer scan_buffer(const RowScan *scan);
extern void scan_end(RowScan *scan);
extern Snapshot scan_latest_snapshot(void);

#endif							/* CODERRING_SCAN_H */
