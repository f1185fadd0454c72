/*
 * storage.h
 *		Does what is written to a table last?
 */
#ifndef CODERRING_STORAGE_H
#define CODERRING_STORAGE_H

#include "postgres.h"

#include "utils/relcache.h"

extern void storage_check(Relation rel);

#endif							/* CODERRING_STORAGE_H */
