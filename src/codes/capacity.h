/*
 * capacity.h
 *		How many codes a ring has.
 */
#ifndef CODERRING_CAPACITY_H
#define CODERRING_CAPACITY_H

#include "postgres.h"

#include "codes/encode.h"
#include "core/wordfilter.h"
#include "shmem/shared.h"
#include "store/ring.h"

/* A cycle must have at least this part of its base codes. */
#define CAPACITY_SHARE	64

typedef struct Capacity Capacity;

extern Capacity *capacity_create(const Ring *ring, const WordFilter *filter);
extern void capacity_free(Capacity *capacity);
extern int64 capacity_of_prefix(Capacity *capacity, const Prefix *prefix);
extern int64 capacity_of_cycle(Capacity *capacity, const SeriesId *id, int64 cycle);
extern int64 capacity_most(Capacity *capacity);
extern uint64 capacity_entered(Capacity *capacity, const SeriesId *id, int64 from, int64 to, bool cycles);
extern int64 capacity_until_longer(Capacity *capacity, const SeriesId *id, int64 cycle, int64 remaining);
extern bool capacity_enough(const Ring *ring, const WordFilter *filter, const Prefix *prefix);
extern bool capacity_left(const Ring *ring);
extern void capacity_check(const Ring *ring);

#endif							/* CODERRING_CAPACITY_H */
