/*
 * order.h
 *		The codes of a series in their secret order.
 */
#ifndef CODERRING_ORDER_H
#define CODERRING_ORDER_H

#include "postgres.h"

#include "ring.h"

extern void order_codes(const Ring *ring, const SeriesKey *key, int64 first, uint32 count, uint32 stride,
						char *codes);
extern void order_forget(void);
extern int64 order_position(const Ring *ring, const SeriesKey *key, int64 cycle, uint64 number);

#endif							/* CODERRING_ORDER_H */
