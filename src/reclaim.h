/*
 * reclaim.h
 *		Slots for series that need one, from series that no longer do.
 */
#ifndef CODERRING_RECLAIM_H
#define CODERRING_RECLAIM_H

#include "postgres.h"

#include "block.h"

extern Slot *reclaim_make_slot(const SeriesKey *key, bool may_evict);
extern void reclaim_memory(const SeriesKey *key);

#endif							/* CODERRING_RECLAIM_H */
