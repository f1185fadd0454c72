/*
 * advance.h
 *		Series that are moved forward without handing out codes.
 */
#ifndef CODERRING_ADVANCE_H
#define CODERRING_ADVANCE_H

#include "postgres.h"

#include "issue/session.h"
#include "issue/work.h"
#include "shmem/shared.h"
#include "store/ring.h"

extern void advance_begin(SeriesWork *work, const Ring *ring, const SeriesId *id);
extern void advance_end(SeriesWork *work);
extern int64 advance_target(const SeriesWork *work, int64 cycles, int64 codes);
extern XLogRecPtr advance_to(SeriesWork *work, int64 target, bool stand, bool goes_on);
extern XLogRecPtr advance_past(SeriesWork *work, int64 target, bool stand);
extern void advance_series(const CodeRequest *request, bool next_cycle, int64 to_cycle, int64 to_offset);

#endif							/* CODERRING_ADVANCE_H */
