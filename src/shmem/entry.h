/*
 * entry.h
 *		The entries of the series in use: a table in shared memory.
 */
#ifndef CODERRING_ENTRY_H
#define CODERRING_ENTRY_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "shmem/shared.h"

/* Whose slots there are: a table of series in a database. */
typedef struct EntryOwner
{
	Oid			database;
	Oid			relid;
	uint32		instance;
} EntryOwner;

extern Slot *entry_find(const SeriesKey *key);
extern Slot *entry_make(const SeriesKey *key, bool entitled);
extern void entry_unlink(Slot *slot, const SeriesKey *key);
extern void entry_unlink_dead(uint32 most);
extern bool entry_page_allowed(void);
extern bool entry_allowed(const Slot *owner);
extern void entry_bury(Slot *slot, const pg_uuid_t *incarnation);
extern List *entry_collect(const SeriesKey *any);
extern bool entry_sweep_due(const SeriesKey *key);
extern List *entry_owners(void);
extern void entry_sweep(const List *gone);
extern List *entry_candidates(const SeriesKey *except, bool slots, int count);

/* Are two series those of one table? */
static inline bool
entry_same_owner(const SeriesKey *a, const SeriesKey *b)
{
	return a->database == b->database && a->relid == b->relid && a->instance == b->instance;
}

static inline bool
entry_same_series(const SeriesKey *a, const SeriesKey *b)
{
	return entry_same_owner(a, b) &&
		a->extra_len == b->extra_len &&
		memcmp(&a->incarnation, &b->incarnation, sizeof(pg_uuid_t)) == 0 &&
		(a->extra_len == 0 || memcmp(a->extra, b->extra, a->extra_len) == 0);
}
extern Slot *entry_find_linked(const SeriesKey *key);

#endif							/* CODERRING_ENTRY_H */
