/*
 * advance.h
 *		Moving a series forward without handing out codes.
 */
#ifndef CODERRING_ADVANCE_H
#define CODERRING_ADVANCE_H

#include "postgres.h"

#include "core/wordfilter.h"
#include "issue/session.h"
#include "shmem/block.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

/* A series that may be moved; whoever has it holds its refill lock. */
typedef struct Moving
{
	const Ring *ring;
	const WordFilter *list;
	uint64		filter;			/* identity of its words */
	SeriesKey	key;
	Slot	   *slot;			/* NULL if it has none; its block is closed */
	SeriesRow	row;
	BlockState	state;
} Moving;

extern void advance_open(Moving *moving, const Ring *ring, const SeriesKey *key);
extern void advance_close(Moving *moving);
extern int64 advance_target(const Moving *moving, int64 cycles, int64 codes);
extern XLogRecPtr advance_to(Moving *moving, int64 target, bool stand, bool goes_on);
extern XLogRecPtr advance_past(Moving *moving, int64 target, bool stand);

/* The numbers of the series' row, NULL if it has none. */
static inline const SeriesNumbers *
advance_numbers(const Moving *moving)
{
	return moving->row.tuple != NULL ? &moving->row.numbers : NULL;
}
extern void advance_series(const CodeRequest *wanted, bool next_cycle, int64 to_cycle, int64 to_offset);

#endif							/* CODERRING_ADVANCE_H */
