/*
 * series.h
 *		The durable position of a series: rows of coderring.series_state and
 *		coderring.skipped_cycles.
 */
#ifndef CODERRING_SERIES_H
#define CODERRING_SERIES_H

#include "postgres.h"

#include "access/xlogdefs.h"
#include "storage/buf.h"
#include "utils/relcache.h"

#include "ring.h"

/* A series' row, found and pinned. */
typedef struct SeriesRow
{
	Relation	rel;
	struct SysScanDescData *scan;
	HeapTuple	tuple;			/* in the buffer; NULL if there is no row */
	Buffer		buffer;
	int64		reserved_to;
	int64		unblocked;
} SeriesRow;

extern void series_open(SeriesRow *row, const SeriesKey *key);
extern void series_close(SeriesRow *row);
extern XLogRecPtr series_write(SeriesRow *row, int64 reserved_to, int64 unblocked);
extern XLogRecPtr series_insert(SeriesRow *row, const SeriesKey *key, int64 reserved_to, int64 unblocked);
extern void series_make_durable(XLogRecPtr lsn);

extern void series_skip(const SeriesKey *key, int64 first_cycle, int64 last_cycle);
extern bool series_skipped(const SeriesKey *key, int64 cycle);

extern void series_delete_all(const pg_uuid_t *incarnation);
extern void series_sweep_orphans(void);

/* Calls back for every row that is there now, in the order of the index. */
typedef void (*SeriesVisitor) (const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
							   int64 reserved_to, int64 unblocked, void *arg);
extern void series_visit(const pg_uuid_t *incarnation, SeriesVisitor visitor, void *arg);

#endif							/* CODERRING_SERIES_H */
