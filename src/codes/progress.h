/*
 * progress.h
 *		How far a series has come: its position, and the codes before it.
 */
#ifndef CODERRING_PROGRESS_H
#define CODERRING_PROGRESS_H

#include "postgres.h"

#include "core/wordfilter.h"
#include "shmem/block.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/state.h"

extern int64 progress_count_before(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 position);
extern BlockState progress_read(const Ring *ring, const WordFilter *filter, uint64 blocklist_id, SharedSeries *entry,
								const SeriesId *id, const SeriesNumbers *numbers);

#endif							/* CODERRING_PROGRESS_H */
