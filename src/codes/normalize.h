/*
 * normalize.h
 *		What somebody has typed, as the code that he meant.
 */
#ifndef CODERRING_NORMALIZE_H
#define CODERRING_NORMALIZE_H

#include "postgres.h"

#include "store/ring.h"

extern char *normalize_input(const Ring *ring, const char *input, int len);

#endif							/* CODERRING_NORMALIZE_H */
