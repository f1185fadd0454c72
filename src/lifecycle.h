/*
 * lifecycle.h
 *		Create, drop, rename and reset rings, in transactions.
 */
#ifndef CODERRING_LIFECYCLE_H
#define CODERRING_LIFECYCLE_H

#include "postgres.h"

#include "options.h"
#include "ring.h"

extern void lifecycle_init(void);
extern void lifecycle_create(const char *name, const RingOptions *options, bool if_not_exists);
extern void lifecycle_drop(const char *name, bool if_exists);
extern void lifecycle_rename(const char *name, const char *new_name);
extern void lifecycle_reset(const char *name, int64 first_cycle, const char *test_seed);
extern void lifecycle_take_over(Relation rel, const Ring *ring);
extern void lifecycle_set_blocklist(const char *name, const char *lists);
extern void lifecycle_definitions_changed(void);
extern void lifecycle_words_changed(const char *list, const pg_uuid_t *ring);
extern bool lifecycle_words_open(const Ring *ring);
extern void lifecycle_row_gone(HeapTuple old, HeapTuple new, TupleDesc desc);
extern bool lifecycle_deleted(const pg_uuid_t *incarnation);

extern bool lifecycle_open(const pg_uuid_t *incarnation);
extern void lifecycle_note_slot(Slot *slot);

#endif							/* CODERRING_LIFECYCLE_H */
