/*
 * locks.h
 *		The heavyweight locks: visible in pg_locks, cancellable, deadlock-checked.
 */
#ifndef CODERRING_LOCKS_H
#define CODERRING_LOCKS_H

#include "postgres.h"

#include "storage/lock.h"
#include "utils/uuid.h"

typedef enum LockKind
{
	LOCK_DEFINITION,			/* what a ring is */
	LOCK_REFILL,				/* one series' block and row */
	LOCK_ENTRY,					/* which cycles the series of a ring have entered */
	LOCK_NAME					/* a name that is being given to a ring, with the detail 0 */
} LockKind;

/* Details of other locks of the class LOCK_NAME; the id of all but the first is 0. */
#define LOCK_NAME_LIST		2	/* a list of words */
#define LOCK_NAME_SWEEP		1	/* of orphans */
#define LOCK_NAME_TIMELINES	3	/* the rows that tell of their ends */
#define LOCK_NAME_APART		4	/* rows that are inserted apart */

/*
 * Modes of the definition lock: of who makes codes, and of who drops or resets
 * the ring.
 */
#define DEFINITION_USE		AccessShareLock
#define DEFINITION_REPLACE	AccessExclusiveLock

extern uint32 locks_ring_id(const pg_uuid_t *ring);
extern void locks_acquire(LockKind kind, uint32 id, uint32 detail, LOCKMODE mode);
extern bool locks_acquire_conditional(LockKind kind, uint32 id, uint32 detail, LOCKMODE mode);
extern bool locks_acquire_elsewhere(Oid database, LockKind kind, uint32 id, uint32 detail, LOCKMODE mode);
extern uint32 locks_series_detail(const char *extra, uint32 extra_len);
extern void locks_release(LockKind kind, uint32 id, uint32 detail, LOCKMODE mode);
extern void locks_release_elsewhere(Oid database, LockKind kind, uint32 id, uint32 detail, LOCKMODE mode);

#endif							/* CODERRING_LOCKS_H */
