/*
 * cycles.h
 *		Which cycles a series enters.
 */
#ifndef CODERRING_CYCLES_H
#define CODERRING_CYCLES_H

#include "postgres.h"

#include "codes/encode.h"
#include "compat.h"
#include "core/wordfilter.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/state.h"

/* So many times in a row cycles may be passed over because of the filter. */
#define MAX_BLOCKED_CYCLES	65536

extern void cycles_check_length(const Ring *ring, const SeriesId *id, int64 cycle, const Prefix *prefix);
extern bool cycles_possible(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 cycle);
extern int64 cycles_end(const Ring *ring, const SeriesId *id);
extern bool cycles_owned(const Ring *ring, const SeriesId *id, int64 cycle, int64 reserved_to);
extern int64 cycles_count_left(const Ring *ring, const WordFilter *filter, const SeriesId *id,
							   int64 position, int64 reserved_to, int64 enough);
extern int64 cycles_further(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 position, bool complete,
							int64 cycles, int64 codes, bool roughly);
extern int64 cycles_further_start(const Ring *ring, const WordFilter *filter, int64 cycles, int64 codes);
extern int64 cycles_start(const Ring *ring, const WordFilter *filter, const SeriesId *id);
extern int64 cycles_failover_target(const Ring *ring, const WordFilter *filter, const SeriesId *id, const SeriesNumbers *numbers,
									int64 position, bool roughly);
extern void cycles_report_exhausted(const Ring *ring) pg_attribute_noreturn();
extern int64 cycles_taken(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 own_cycle,
						  const Prefix *prefix, bool foreseen);
extern int64 cycles_blocked(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 cycle,
							const Prefix *prefix);
extern bool cycles_nothing_follows(const Ring *ring, const WordFilter *filter, const SeriesId *id);
extern bool cycles_too_long(const Ring *ring, const Prefix *prefix);
extern List *cycles_list_others(const Ring *ring, const SeriesId *id, int64 from, int64 to);

#endif							/* CODERRING_CYCLES_H */
