/*
 * entry.h
 *		The entries of the series in use: a table in shared memory.
 */
#ifndef CODERRING_ENTRY_H
#define CODERRING_ENTRY_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "shmem/shared.h"

/* Whose entries there are: a table of series in a database. */
typedef struct EntryOwner
{
	Oid			database;
	Oid			relid;
	uint32		instance;
} EntryOwner;

extern SharedSeries *entry_find_linked(const SeriesId *id);
extern SharedSeries *entry_find(const SeriesId *id);
extern SharedSeries *entry_make(const SeriesId *id, bool entitled);
extern void entry_unlink(SharedSeries *entry, const SeriesId *id);
extern void entry_unlink_dead(uint32 most);
extern bool entry_page_allowed(void);
extern bool entry_allowed(const SharedSeries *owner);
extern void entry_bury(SharedSeries *entry, const pg_uuid_t *incarnation);
extern List *entry_collect(const SeriesId *any);
extern bool entry_sweep_due(const SeriesId *id);
extern List *entry_owners(void);
extern void entry_sweep(const List *gone);
extern List *entry_candidates(const SeriesId *except, bool entries, int count);

/* Are two series those of one table? */
static inline bool
entry_same_owner(const SeriesId *a, const SeriesId *b)
{
	return a->database == b->database && a->relid == b->relid && a->instance == b->instance;
}

static inline bool
entry_same_series(const SeriesId *a, const SeriesId *b)
{
	return entry_same_owner(a, b) &&
		a->extra_len == b->extra_len &&
		memcmp(&a->incarnation, &b->incarnation, sizeof(pg_uuid_t)) == 0 &&
		(a->extra_len == 0 || memcmp(a->extra, b->extra, a->extra_len) == 0);
}

#endif							/* CODERRING_ENTRY_H */
