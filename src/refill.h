/*
 * refill.h
 *		New blocks of codes, and what guards the changing of a series.
 */
#ifndef CODERRING_REFILL_H
#define CODERRING_REFILL_H

#include "postgres.h"

#include "dispense.h"
#include "ring.h"

extern bool refill_lock(const Series *series, bool *waited);
extern void refill_unlock(const SeriesKey *key);
extern void refill_check_words(const Ring *ring);
extern text *refill_room(const char *prefix, uint32 prefix_len, uint32 stride);
extern void refill_ahead(const Series *series);
extern text *refill_take(const Series *series, const Wanted *wanted, bool bump);

#endif							/* CODERRING_REFILL_H */
