/*
 * failover.h
 *		What a series passes over on a new timeline.
 */
#ifndef CODERRING_FAILOVER_H
#define CODERRING_FAILOVER_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "shmem/shared.h"
#include "store/ring.h"
#include "store/state.h"

/* How far coderring_recover() moves a series by default. */
#define RECOVER_CYCLES		1
#define RECOVER_CODES		100000

extern int	failover_gap;		/* coderring.failover_gap, in ms */

extern int64 failover_timeline(void);
extern int64 failover_timelines(const Ring *ring, const SeriesNumbers *numbers);
extern int64 failover_gap_of(const Ring *ring, const SeriesId *id, const SeriesNumbers *numbers);
extern bool failover_pending(const Ring *ring, const SeriesNumbers *numbers);
extern void failover_note(const SeriesId *id, SeriesNumbers *numbers, TimestampTz now);
extern void failover_begin(SeriesNumbers *numbers, int64 position, TimestampTz now);
extern void failover_note_pace(SeriesNumbers *numbers, int64 position, TimestampTz now);

#endif							/* CODERRING_FAILOVER_H */
