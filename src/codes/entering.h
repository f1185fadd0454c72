/*
 * entering.h
 *		A series enters a cycle, or is moved over some.
 */
#ifndef CODERRING_ENTERING_H
#define CODERRING_ENTERING_H

#include "postgres.h"

#include "codes/encode.h"
#include "core/wordfilter.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/state.h"

/* A part of a cycle to be reserved. */
typedef struct Range
{
	int64		first;			/* position */
	int64		end;			/* not beyond this one: the cycle's end, or what is recorded as skipped */
	bool		entering;		/* first begins its cycle; the ring's entry lock is held */
	bool		stand;			/* stop where no cycle can be entered, instead of an error */
	bool		stands;			/* that is so: first is where a cycle would begin */
	SkippedRange skip;			/* to be recorded with the reservation */
	List	   *others;			/* the same, before it: of SkippedRange */
	Prefix		prefix;
} Range;

extern void entering_settle(const Ring *ring, const WordFilter *filter, const SeriesId *id,
							bool doubtful, Range *range);
extern void entering_find_others(const Ring *ring, const SeriesId *id, int64 from, int64 to, Range *range);
extern List *entering_skips(Range *range);
extern void entering_unlock(const Ring *ring, Range *range);
extern void entering_check_extra(const Ring *ring, const SeriesId *id);
extern bool entering_shared(const Ring *ring, const SeriesId *id, int64 cycle);

#endif							/* CODERRING_ENTERING_H */
