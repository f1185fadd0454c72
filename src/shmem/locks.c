/*
 * locks.c
 *		Heavyweight locks: advisory locks of classes that SQL cannot take.
 *
 * pg_advisory_lock() of SQL writes 1 or 2 into the last field of the lock tag
 * (objsubid in pg_locks); with ours no role can stop a ring.  In pg_locks a
 * lock of coderring is a row with
 *		locktype	advisory
 *		objid		the first four bytes of the ring's id in coderring.ring, in SQL
 *					('x' || left(id::text, 8))::bit(32)::bigint (a hash of the
 *					name for a name lock)
 *		objsubid	17234 definition, 17235 refill, 17236 entry, 17237 name
 *		classid		a hash of the extra, for refill locks
 *
 * All are owned by the transaction, so an error releases them, and nearly all
 * are released as soon as what they protect is done.  What has to last until a
 * transaction ends is a lock on the ring's row instead (acl_ring_to_change),
 * of which a transaction can have any number: the lock table has room for a
 * few thousand.  They are taken in the order of the objsubids.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "shmem/locks.h"

#define FIRST_CLASS		0x4352	/* "CR", 17234 */

static void
make_tag(LOCKTAG *tag, Oid database, LockKind kind, uint32 id, uint32 detail)
{
	SET_LOCKTAG_ADVISORY(*tag, database, detail, id, FIRST_CLASS + kind);
}

/*
 * What tells the locks of rings apart.  Two rings that share a value share
 * locks, and that is all: they wait for each other, and a transaction that
 * holds a lock of one has it of the other.  So who finds a lock granted must
 * not conclude that nobody has it.
 */
uint32
locks_ring_id(const pg_uuid_t *ring)
{
	return (uint32) ring->data[0] << 24 | (uint32) ring->data[1] << 16 |
		(uint32) ring->data[2] << 8 | (uint32) ring->data[3];
}

/*
 * What tells the refill locks of a ring's series apart.  Two series that share
 * a value share a lock, and that is all.
 */
uint32
locks_series_detail(const char *extra, uint32 extra_len)
{
	return hash_bytes((const unsigned char *) extra, extra_len);
}

/*
 * Wait for a lock.  Raises the usual errors of waiting: cancel, lock_timeout,
 * deadlock, out of shared memory.
 */
void
locks_acquire(LockKind kind, uint32 id, uint32 detail, LOCKMODE mode)
{
	LOCKTAG		tag;

	make_tag(&tag, MyDatabaseId, kind, id, detail);
	(void) LockAcquire(&tag, mode, false, false);
}

/* Take a lock if that needs no waiting. */
bool
locks_acquire_conditional(LockKind kind, uint32 id, uint32 detail, LOCKMODE mode)
{
	return locks_acquire_elsewhere(MyDatabaseId, kind, id, detail, mode);
}

/* The same of a ring in any database. */
bool
locks_acquire_elsewhere(Oid database, LockKind kind, uint32 id, uint32 detail, LOCKMODE mode)
{
	LOCKTAG		tag;

	make_tag(&tag, database, kind, id, detail);
	return LockAcquire(&tag, mode, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
locks_release(LockKind kind, uint32 id, uint32 detail, LOCKMODE mode)
{
	locks_release_elsewhere(MyDatabaseId, kind, id, detail, mode);
}

void
locks_release_elsewhere(Oid database, LockKind kind, uint32 id, uint32 detail, LOCKMODE mode)
{
	LOCKTAG		tag;

	make_tag(&tag, database, kind, id, detail);
	(void) LockRelease(&tag, mode, false);
}
