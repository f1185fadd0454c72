/*
 * evict.h
 *		Slots for series that need one, from series that no longer do.
 */
#ifndef CODERRING_EVICT_H
#define CODERRING_EVICT_H

#include "postgres.h"

#include "shmem/shared.h"

extern Slot *evict_make_entry(const SeriesKey *key, bool may_evict);
extern void evict_memory(const SeriesKey *key);

#endif							/* CODERRING_EVICT_H */
