/*
 * series.h
 *		The durable position of a series: rows of coderring.series_state and
 *		coderring.skipped_positions.
 */
#ifndef CODERRING_SERIES_H
#define CODERRING_SERIES_H

#include "postgres.h"

#include "access/xlogdefs.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/buf.h"
#include "utils/relcache.h"

#include "shmem/shared.h"
#include "store/scan.h"
#include "store/state.h"

/* A series' row, found and pinned. */
typedef struct SeriesRow
{
	Relation	rel;
	RowScan		scan;
	HeapTuple	tuple;			/* in the buffer; NULL if there is no row */
	Buffer		buffer;
	SeriesNumbers numbers;		/* all 0 if there is no row */
} SeriesRow;

/* What is to be written of a series, and what its entry is to know then. */
typedef struct Reservation
{
	SeriesNumbers numbers;		/* for its row */
	int64		position;		/* where it stands until now, if it has no row */
	List	   *ranges;			/* of SkippedRange, none empty: what it never hands out */
	SharedSeries *entry;		/* NULL if it has none */
	int64		first;			/* reserved_to, or where the next block is to begin */
	int64		counted;		/* codes of the cycle before it */
	uint64		blocklist_id;	/* by these words */
} Reservation;

extern void series_open(SeriesRow *row, const SeriesId *id);
extern void series_refresh(SeriesRow *row);
extern void series_close(SeriesRow *row);
extern bool series_read(const SeriesId *id, SeriesNumbers *numbers);
extern XLogRecPtr series_reserve(SeriesRow *row, const SeriesId *id, const Reservation *reservation);
extern bool series_make_durable(XLogRecPtr lsn);
extern bool series_next_skip(const SeriesId *id, int64 position, SkippedRange *skip);

extern bool series_admit(Relation rel, HeapTuple tuple, SeriesId *id, SeriesNumbers *numbers);
extern bool series_of_skip(Relation rel, HeapTuple tuple, SeriesId *id);
extern bool series_admit_skip(Relation rel, HeapTuple tuple, const SeriesId *id);
extern void series_delete_all(const pg_uuid_t *incarnation);
extern void series_scan(RowScan *scan, Relation rel, int nkeys, const ScanKeyData *keys);

/* Calls back for every row that is there now. */
typedef void (*SeriesVisitor) (const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
							   const SeriesNumbers *numbers, void *arg);
extern void series_visit(const pg_uuid_t *incarnation, SeriesVisitor visitor, void *arg);

#endif							/* CODERRING_SERIES_H */
