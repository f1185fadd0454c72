/*
 * basecodes.h
 *		The codes of a series in their secret order.
 */
#ifndef CODERRING_BASECODES_H
#define CODERRING_BASECODES_H

#include "postgres.h"

#include "shmem/shared.h"
#include "store/ring.h"

extern void basecodes_write(const Ring *ring, const SeriesId *id, int64 first, uint32 count, uint32 tail_length,
							char *codes);
extern void basecodes_forget(void);
extern int64 basecodes_position(const Ring *ring, const SeriesId *id, int64 cycle, uint64 number);

#endif							/* CODERRING_BASECODES_H */
