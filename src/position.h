/*
 * position.h
 *		How far a series has come: its position, and the codes before it.
 */
#ifndef CODERRING_POSITION_H
#define CODERRING_POSITION_H

#include "postgres.h"

#include "blocklist.h"
#include "series.h"

extern int64 position_count_before(const Ring *ring, const Blocklist *list, const SeriesKey *key, int64 position);
extern BlockState position_read(const Ring *ring, const Blocklist *list, uint64 filter, Slot *slot,
								const SeriesKey *key, const SeriesNumbers *numbers);

#endif							/* CODERRING_POSITION_H */
