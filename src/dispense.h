/*
 * dispense.h
 *		Codes for callers: take one, refill, bump, advance.
 */
#ifndef CODERRING_DISPENSE_H
#define CODERRING_DISPENSE_H

#include "postgres.h"

#include "miscadmin.h"
#include "utils/inval.h"

#include "ring.h"

/* A series as a caller names it. */
typedef struct Wanted
{
	const text *name;
	const char *extra;
	uint32		extra_len;		/* bytes */
	uint32		count;			/* codes that will be asked for, 1 if unknown */
} Wanted;

extern text *dispense_slowly(const Wanted *wanted, bool bump);
extern void dispense_advance(const Wanted *wanted, bool next_cycle, int64 to_cycle, int64 to_offset);
extern void dispense_check_left(const Wanted *wanted, int64 count);
extern void dispense_load(const Ring *ring);

/*
 * May codes of the block that is remembered be taken?  Where synchronous
 * standbys are to be waited for since it was made, they have to get to know of it first.
 */
static inline bool
dispense_allowed(const Series *series)
{
	return series->block.acknowledged || !coderring_sync_awaited();
}

/*
 * The series that this session used last, if it is the one that is wanted and
 * what is remembered of it is still true; else NULL.
 */
static inline Series *
dispense_last(const Wanted *wanted)
{
	Series	   *series;

	/*
	 * Five nanoseconds, for which DROP EXTENSION and a lost membership in a
	 * role are noticed at once too, also in the middle of a transaction.
	 */
	AcceptInvalidationMessages();
	series = ring_last_series;

	if (series != NULL && ring_memory_good() &&
		series->block.generation != 0 &&
		dispense_allowed(series) &&
		series->user == GetUserId() &&
		series->name_len == VARSIZE_ANY_EXHDR(wanted->name) &&
		series->key.extra_len == wanted->extra_len &&
		memcmp(series->name, VARDATA_ANY(wanted->name), series->name_len) == 0 &&
		memcmp(series->key.extra, wanted->extra, wanted->extra_len) == 0)
		return series;
	return NULL;
}

/*
 * Take a code of the block that is remembered of a series; NULL if it has none
 * left, or is no longer there.
 *
 * The result is allocated before a code is taken, so that running out of
 * memory loses none.
 */
static inline text *
dispense_remembered(const Series *series)
{
	uint32		len = series->prefix_len + series->stride;
	text	   *code = (text *) palloc(VARHDRSZ + len);

	SET_VARSIZE(code, VARHDRSZ + len);
	memcpy(VARDATA(code), series->prefix, series->prefix_len);
	if (block_take(&series->block, VARDATA(code) + series->prefix_len, series->stride))
		return code;
	pfree(code);
	return NULL;
}

/*
 * A new code.  Takes it from the block that this session used last, if it is
 * still that series, block and definition, and has codes left.
 */
static inline text *
dispense(const Wanted *wanted)
{
	const Series *series = dispense_last(wanted);
	text	   *code = series != NULL ? dispense_remembered(series) : NULL;

	return code != NULL ? code : dispense_slowly(wanted, false);
}

#endif							/* CODERRING_DISPENSE_H */
