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

#include "ring.h"
#include "scan.h"

/* Columns of coderring.series_state */
enum
{
	Anum_state_incarnation = 1,
	Anum_state_reserved_to,
	Anum_state_counted_to,
	Anum_state_unblocked,
	Anum_state_filter,
	Anum_state_timeline,
	Anum_state_pace,
	Anum_state_measured_from,
	Anum_state_measured_at,
	Anum_state_reserved_at,
	Anum_state_extra,
	Natts_state = Anum_state_extra
};

/*
 * How far a series has come.  Codes are counted, beside positions, because
 * some base codes of a ring with a filter are never handed out.  The rest is
 * for a failover (failover.c).
 */
typedef struct SeriesNumbers
{
	int64		reserved_to;	/* first position that is not reserved */
	int64		counted_to;		/* where the last reservation began, if it made codes possible */
	int64		unblocked;		/* codes of the cycle before counted_to */
	uint64		filter;			/* words that all of its codes were filtered with, see Ring */
	int64		timeline;		/* of the server when the series last reserved */
	int64		pace;			/* positions that it hands out in half a second */
	int64		measured_from;	/* the position from which that is measured at present */
	TimestampTz measured_at;	/* when it was there */
	TimestampTz reserved_at;	/* when it last reserved */
} SeriesNumbers;

/* filter of a series whose codes were filtered with this and that */
#define SERIES_FILTER_CHANGED	PG_UINT64_MAX

/* A part of a series that it never hands out; empty if end is not after first. */
typedef struct SkippedRange
{
	int64		first;			/* position */
	int64		end;
} SkippedRange;

/* A series' row, found and pinned. */
typedef struct SeriesRow
{
	Relation	rel;
	RowScan		scan;
	HeapTuple	tuple;			/* in the buffer; NULL if there is no row */
	Buffer		buffer;
	SeriesNumbers numbers;		/* all 0 if there is no row */
} SeriesRow;

extern void series_open(SeriesRow *row, const SeriesKey *key);
extern void series_close(SeriesRow *row);
extern bool series_read(const SeriesKey *key, SeriesNumbers *numbers);
extern XLogRecPtr series_reserve(SeriesRow *row, const SeriesKey *key, int64 position,
								 const SeriesNumbers *numbers, const List *ranges, bool hold);
extern bool series_unsettled(const SeriesRow *row);
extern bool series_make_durable(XLogRecPtr lsn);
extern bool series_next_skip(const SeriesKey *key, int64 position, SkippedRange *skip);

/* Has a series handed out, or may it have, all that was reserved in its cycle? */
static inline bool
series_at_end_of_cycle(const SeriesNumbers *numbers, int64 base_codes)
{
	return numbers->reserved_to > 0 && numbers->reserved_to % base_codes == 0 &&
		numbers->counted_to < numbers->reserved_to;
}

extern bool series_admit(Relation rel, HeapTuple tuple, SeriesKey *key, SeriesNumbers *numbers);
extern bool series_admit_skip(Relation rel, HeapTuple tuple);
extern void series_delete_all(const pg_uuid_t *incarnation);
extern void series_scan(RowScan *scan, Relation rel, int nkeys, const ScanKeyData *keys);

/* What apart.c has a background worker insert; exactly one of the two. */
typedef struct SeriesInsert
{
	Oid			relid;
	bool		is_skip;
	SeriesKey	key;
	SeriesNumbers numbers;
	SkippedRange skip;
} SeriesInsert;

extern ItemPointerData series_insert(Relation rel, const SeriesInsert *insert);

/* apart.c */
extern void series_lock_apart(void);
extern void series_unlock_apart(void);
extern ItemPointerData series_insert_apart(const SeriesInsert *insert);

/* orphans.c */
extern void series_sweep_orphans(void);

/* Calls back for every row that is there now. */
typedef void (*SeriesVisitor) (const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
							   const SeriesNumbers *numbers, void *arg);
extern void series_visit(const pg_uuid_t *incarnation, SeriesVisitor visitor, void *arg);

#endif							/* CODERRING_SERIES_H */
