/*
 * refill.h
 *		New blocks of codes.
 */
#ifndef CODERRING_REFILL_H
#define CODERRING_REFILL_H

#include "postgres.h"

#include "issue/session.h"

extern void refill_prefetch(const Series *series);
extern text *refill_take(const Series *series, const CodeRequest *request, bool bump);

#endif							/* CODERRING_REFILL_H */
