/*
 * orphans.h
 *		Rows of series whose ring was never committed.
 */
#ifndef CODERRING_ORPHANS_H
#define CODERRING_ORPHANS_H

#include "postgres.h"

extern void orphans_sweep(void);

#endif							/* CODERRING_ORPHANS_H */
