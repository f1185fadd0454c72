/*
 * cycles.h
 *		Which cycles a series enters.
 */
#ifndef CODERRING_CYCLES_H
#define CODERRING_CYCLES_H

#include "postgres.h"

#include "emit.h"
#include "series.h"

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

extern void cycles_settle(const Ring *ring, const Blocklist *list, const SeriesKey *key,
						  bool doubtful, Range *range);
extern void cycles_check_extra(const Ring *ring, const SeriesKey *key);
extern void cycles_check_length(const Ring *ring, const SeriesKey *key, int64 cycle, const Prefix *prefix);
extern bool cycles_possible(const Ring *ring, const Blocklist *list, const SeriesKey *key, int64 cycle);
extern void cycles_find_others(const Ring *ring, const SeriesKey *key, int64 from, int64 to, Range *range);
extern List *cycles_skips(Range *range);
extern bool cycles_shared(const Ring *ring, const SeriesKey *key, int64 cycle);
extern void cycles_unlock(const Ring *ring, Range *range);
extern int64 cycles_end(const Ring *ring, const SeriesKey *key);
extern bool cycles_owned(const Ring *ring, const SeriesKey *key, int64 cycle, int64 reserved_to);
extern int64 cycles_count_left(const Ring *ring, const Blocklist *list, const SeriesKey *key,
							   int64 position, int64 reserved_to, int64 enough);
extern int64 cycles_further(const Ring *ring, const Blocklist *list, const SeriesKey *key, int64 position, bool complete,
							int64 cycles, int64 codes, bool roughly);
extern int64 cycles_further_start(const Ring *ring, const Blocklist *list, int64 cycles, int64 codes);
extern int64 cycles_start(const Ring *ring, const Blocklist *list, const SeriesKey *key);
extern void cycles_report_exhausted(const Ring *ring) pg_attribute_noreturn();

#endif							/* CODERRING_CYCLES_H */
