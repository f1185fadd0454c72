/*
 * sizing.h
 *		How much to reserve, and how much to hand to everyone at once.
 */
#ifndef CODERRING_SIZING_H
#define CODERRING_SIZING_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "shmem/shared.h"
#include "store/ring.h"

/* How much to reserve, in positions. */
typedef struct Sizes
{
	int64		size;			/* of the reservation ahead */
	int64		outstanding;	/* of all that is reserved, from the block's first code on */
	int64		block;			/* codes to hand to everyone at once */
	int64		durable;		/* fewer that are on disk already call for a flush */
	int64		least;			/* fewer that are reserved behind the block call for more */
	bool		fast;			/* what is ahead may be needed before it is flushed */
} Sizes;

extern Sizes sizing_choose(const Ring *ring, SharedSeries *entry, uint32 count, int64 position, TimestampTz now);

#endif							/* CODERRING_SIZING_H */
