/*
 * move.h
 *		Moving a series forward without handing out codes.
 */
#ifndef CODERRING_MOVE_H
#define CODERRING_MOVE_H

#include "postgres.h"

#include "blocklist.h"
#include "series.h"

/* How far coderring_recover() moves a series by default. */
#define MOVE_CYCLES		1
#define MOVE_CODES		100000

/* A series that may be moved; whoever has it holds its refill lock. */
typedef struct Moving
{
	const Ring *ring;
	const Blocklist *list;
	uint64		filter;			/* identity of its words */
	SeriesKey	key;
	Slot	   *slot;			/* NULL if it has none; its block is closed */
	SeriesRow	row;
	BlockState	state;
} Moving;

extern void move_open(Moving *moving, const Ring *ring, const SeriesKey *key);
extern void move_close(Moving *moving);
extern int64 move_target(const Moving *moving, int64 cycles, int64 codes);
extern XLogRecPtr move_to(Moving *moving, int64 target, bool stand, bool goes_on);
extern XLogRecPtr move_past(Moving *moving, int64 target, bool stand);

/* The numbers of the series' row, NULL if it has none. */
static inline const SeriesNumbers *
move_numbers(const Moving *moving)
{
	return moving->row.tuple != NULL ? &moving->row.numbers : NULL;
}

#endif							/* CODERRING_MOVE_H */
