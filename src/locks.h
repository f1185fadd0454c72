/*
 * locks.h
 *		The heavyweight locks: visible in pg_locks, cancellable, deadlock-checked.
 */
#ifndef CODERRING_LOCKS_H
#define CODERRING_LOCKS_H

#include "postgres.h"

#include "storage/lock.h"
#include "utils/uuid.h"

typedef enum RingLock
{
	LOCK_DEFINITION,			/* what a ring is */
	LOCK_REFILL,				/* one series' block and row */
	LOCK_ENTRY,					/* which cycles the series of a ring have entered */
	LOCK_NAME					/* a name that is being given to a ring; its detail is 0 */
} RingLock;

/* Details of other locks of the class LOCK_NAME, with id 0 */
#define LOCK_NAME_SWEEP		1	/* orphans.c */
#define LOCK_NAME_TIMELINES	2	/* failover.c */

/*
 * Modes of the definition lock.  Handing out goes on while a ring is being
 * renamed, and not while it is being dropped or reset.
 */
#define DEFINITION_USE		AccessShareLock
#define DEFINITION_ALTER	ShareUpdateExclusiveLock
#define DEFINITION_REPLACE	AccessExclusiveLock

extern uint32 ring_lock_id(const pg_uuid_t *ring);
extern void ring_lock(RingLock kind, uint32 id, uint32 detail, LOCKMODE mode);
extern bool ring_lock_conditional(RingLock kind, uint32 id, uint32 detail, LOCKMODE mode);
extern bool ring_lock_elsewhere(Oid database, RingLock kind, uint32 id, uint32 detail, LOCKMODE mode);
extern uint32 ring_lock_detail(const char *extra, uint32 extra_len);
extern void ring_unlock(RingLock kind, uint32 id, uint32 detail, LOCKMODE mode);
extern void ring_unlock_elsewhere(Oid database, RingLock kind, uint32 id, uint32 detail, LOCKMODE mode);

#endif							/* CODERRING_LOCKS_H */
