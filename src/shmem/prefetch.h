/*
 * prefetch.h
 *		Codes of a series' next block, computed before it is needed.
 */
#ifndef CODERRING_PREFETCH_H
#define CODERRING_PREFETCH_H

#include "postgres.h"

#include "shmem/shared.h"

extern void prefetch_keep(SharedSeries *entry, const CodeBatch *batch, uint64 blocklist_id);
extern bool prefetch_find(SharedSeries *entry, int64 first, int64 end, uint64 blocklist_id, CodeBatch *batch);
extern void prefetch_free(SharedSeries *entry);
extern void prefetch_drop(SharedSeries *entry);

#endif							/* CODERRING_PREFETCH_H */
