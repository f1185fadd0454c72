/*
 * failover.h
 *		What a series passes over on a new timeline.
 */
#ifndef CODERRING_FAILOVER_H
#define CODERRING_FAILOVER_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "blocklist.h"
#include "series.h"

extern int	failover_gap;		/* coderring.failover_gap, in ms */

extern int64 failover_timeline(void);
extern bool failover_pending(const Ring *ring, const SeriesNumbers *numbers);
extern int64 failover_target(const Ring *ring, const Blocklist *list, const SeriesKey *key, const SeriesNumbers *numbers,
							 int64 position, bool roughly);
extern void failover_note(const SeriesKey *key, SeriesNumbers *numbers, TimestampTz now);
extern void failover_begin(SeriesNumbers *numbers, int64 position, TimestampTz now);
extern void failover_note_pace(SeriesNumbers *numbers, int64 position, TimestampTz now);

#endif							/* CODERRING_FAILOVER_H */
