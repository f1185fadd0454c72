/*
 * prefetch.h
 *		Codes of a series' next block, computed before it is needed.
 */
#ifndef CODERRING_PREFETCH_H
#define CODERRING_PREFETCH_H

#include "postgres.h"

#include "shmem/shared.h"

extern void prefetch_keep(Slot *slot, const CodeBatch *batch, uint64 filter);
extern bool prefetch_find(Slot *slot, int64 first, int64 end, uint64 filter, CodeBatch *batch);
extern void prefetch_free(Slot *slot);
extern void prefetch_drop(Slot *slot);

#endif							/* CODERRING_PREFETCH_H */
