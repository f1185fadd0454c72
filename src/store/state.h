/*
 * state.h
 *		Rows of coderring.series_state and coderring.skipped_positions: their columns,
 *		and how they get in.
 */
#ifndef CODERRING_STATE_H
#define CODERRING_STATE_H

#include "postgres.h"

#include "access/htup_details.h"
#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"

#include "shmem/shared.h"

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
	uint64		blocklist_id;	/* words that all of its codes were filtered with, see Ring */
	int64		timeline;		/* of the server when the series last reserved */
	int64		pace;			/* positions that it hands out in half a second */
	int64		measured_from;	/* the position from which that is measured at present */
	TimestampTz measured_at;	/* when it was there */
	TimestampTz reserved_at;	/* when it last reserved */
} SeriesNumbers;

/* filter of a series whose codes were filtered with this and that */
#define BLOCKLIST_ID_CHANGED	PG_UINT64_MAX

/* A part of a series that it never hands out; empty if end is not after first. */
typedef struct SkippedRange
{
	int64		first;			/* position */
	int64		end;
} SkippedRange;

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
StaticAssertDecl(sizeof(SeriesNumbers) == (Anum_state_extra - Anum_state_reserved_to) * sizeof(int64),
				 "a row's numbers are columns of eight bytes");

/*
 * The numbers of a row, which has no NULL before them.
 */
static inline SeriesNumbers *
state_numbers_of(HeapTupleHeader header)
{
	return (SeriesNumbers *) ((char *) header + header->t_hoff + NUMBERS_OFFSET);
}

/* The same of what a row of coderring.skipped_positions says. */
static inline int64 *
state_first_position_of(HeapTupleHeader header)
{
	return (int64 *) ((char *) header + header->t_hoff + NUMBERS_OFFSET) +
		(Anum_skipped_first_position - Anum_skipped_last_position);
}

/* Has a series handed out, or may it have, all that was reserved in its cycle? */
static inline bool
series_at_end_of_cycle(const SeriesNumbers *numbers, int64 base_codes)
{
	return numbers->reserved_to > 0 && numbers->reserved_to % base_codes == 0 &&
		numbers->counted_to < numbers->reserved_to;
}

/* A row to be inserted; exactly one of the two. */
typedef struct StateInsert
{
	Oid			relid;
	bool		is_skip;
	SeriesId	id;
	SeriesNumbers numbers;
	SkippedRange skip;
} StateInsert;

extern Datum state_extra_datum(const SeriesId *id);
extern ItemPointerData state_insert(Relation rel, const StateInsert *insert);

#endif							/* CODERRING_STATE_H */
