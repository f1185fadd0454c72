/*
 * ringcmds.h
 *		Create, drop, rename and reset rings, in transactions.
 */
#ifndef CODERRING_RINGCMDS_H
#define CODERRING_RINGCMDS_H

#include "postgres.h"

#include "ddl/options.h"
#include "store/ring.h"

extern void ringcmds_create(const char *name, const RingOptions *options, bool if_not_exists);
extern void ringcmds_drop(const char *name, bool if_exists);
extern void ringcmds_rename(const char *name, const char *new_name);
extern void ringcmds_reset(const char *name, int64 first_cycle, const char *test_seed);
extern void ringcmds_take_over(Relation rel, const Ring *ring);
extern void ringcmds_set_blocklist(const char *name, const char *lists);
extern void ringcmds_row_gone(HeapTuple old, HeapTuple new, TupleDesc desc);

#endif							/* CODERRING_RINGCMDS_H */
