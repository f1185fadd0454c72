/*
 * apart.h
 *		Rows that are committed by a transaction of their own.
 */
#ifndef CODERRING_APART_H
#define CODERRING_APART_H

#include "postgres.h"

#include "store/state.h"

extern void apart_lock(void);
extern void apart_unlock(void);
extern ItemPointerData apart_insert(const StateInsert *insert);

#endif							/* CODERRING_APART_H */
