/*
 * work.h
 *		A series that is held locked.
 */
#ifndef CODERRING_WORK_H
#define CODERRING_WORK_H

#include "postgres.h"

#include "core/wordfilter.h"
#include "issue/session.h"
#include "shmem/block.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

/* A series whose refill lock is held, and all that is known of it meanwhile */
typedef struct SeriesWork
{
	const Ring *ring;
	SeriesId	id;
	const WordFilter *filter;	/* NULL where nothing is filtered */
	uint64		blocklist_id;	/* identity of its words */
	SharedSeries *entry;		/* NULL if it has none */
	SeriesRow	row;
	BlockState	state;			/* where it stands */
} SeriesWork;

extern bool work_lock(const Series *series, bool *waited);
extern void work_unlock(const SeriesId *id);
extern void work_begin(SeriesWork *work, const Ring *ring, const SeriesId *id);
extern void work_read(SeriesWork *work);
extern void work_end(SeriesWork *work);
extern void work_clear_doubt(SharedSeries *entry);

/* The numbers of the series' row, NULL if it has none. */
static inline const SeriesNumbers *
work_numbers(const SeriesWork *work)
{
	return work->row.tuple != NULL ? &work->row.numbers : NULL;
}

#endif							/* CODERRING_WORK_H */
