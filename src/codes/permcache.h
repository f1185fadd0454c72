/*
 * permcache.h
 *		The codes of a series in their secret order.
 */
#ifndef CODERRING_PERMCACHE_H
#define CODERRING_PERMCACHE_H

#include "postgres.h"

#include "shmem/shared.h"
#include "store/ring.h"

extern void permcache_codes(const Ring *ring, const SeriesId *id, int64 first, uint32 count, uint32 tail_length,
							char *codes);
extern void permcache_forget(void);
extern int64 permcache_position(const Ring *ring, const SeriesId *id, int64 cycle, uint64 number);

#endif							/* CODERRING_PERMCACHE_H */
