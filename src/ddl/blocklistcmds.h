/*
 * blocklistcmds.h
 *		Lists of words: defined, replaced, dropped, and kept as they are.
 */
#ifndef CODERRING_BLOCKLISTCMDS_H
#define CODERRING_BLOCKLISTCMDS_H

#include "postgres.h"

#include "utils/array.h"

#include "store/ring.h"

extern void blocklistcmds_lock(const Ring *ring);
extern bool blocklistcmds_used(const char *list);
extern bool blocklistcmds_suits(const char *list, ArrayType *words);
extern void blocklistcmds_define(const char *list, ArrayType *words);

#endif							/* CODERRING_BLOCKLISTCMDS_H */
