/*
 * evict.h
 *		Entries for series that need one, from series that no longer do.
 */
#ifndef CODERRING_EVICT_H
#define CODERRING_EVICT_H

#include "postgres.h"

#include "shmem/shared.h"

extern SharedSeries *evict_make_entry(const SeriesId *id, bool may_evict);
extern void evict_memory(const SeriesId *id);

#endif							/* CODERRING_EVICT_H */
