/*
 * slot.c
 *		The slots of the series in use: a table in shared memory.
 *
 * The server keeps one slot for each series that is in use, found through a
 * hash table, and in it a block of codes that are already reserved durably
 * and already computed (block.c).
 *
 * Locks, in the order in which they are taken:
 *	 1. the ring's definition lock and the series' refill lock (locks.c) are
 *		heavyweight and held across disk writes;
 *	 2. block_control->lock is a lightweight lock, held for a few hundred
 *		instructions and never across I/O or another lock.  It protects which
 *		slots are linked, and the allocator (memory.c).  What allocates in this
 *		process' memory under it only reads, so an error leaves nothing behind.
 *
 * Without shared_preload_libraries only a small control block is taken from
 * the slop of the main shared memory segment, as contrib/pg_prewarm does; the
 * rest is dynamic.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "block.h"
#include "compat.h"

#define FIRST_BUCKETS	1024
#define LAST_BUCKETS	16384
#define SLAB_BYTES		4096
#define SLAB_SLOTS		(SLAB_BYTES / 256)
#define FIRST_SWEEP		256

BlockControl *block_control = NULL;

Size
slot_shmem_size(void)
{
	return MAXALIGN(sizeof(BlockControl));
}

/*
 * Find the control block, or make it if this process is the first.  Serves
 * the preloaded library (at postmaster start) and the one loaded on demand.
 */
void
slot_attach(void)
{
	bool		found;
	BlockControl *control;

	if (block_control != NULL)
		return;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	control = ShmemInitStruct("coderring", slot_shmem_size(), &found);
	if (!found)
	{
		memset(control, 0, sizeof(BlockControl));
		LWLockInitialize(&control->lock, LWLockNewTrancheId());
		pg_atomic_init_u64(&control->generation, 0);
		pg_atomic_init_u64(&control->epoch, 1);
		pg_atomic_init_u32(&control->dead_slots, InvalidSharedRef);
		control->sweep_at = FIRST_SWEEP;
		memory_init(&control->memory);
	}
	LWLockRelease(AddinShmemInitLock);

	LWLockRegisterTranche(control->lock.tranche, "coderring");
	memory_attach(&control->memory, &control->lock);
	block_control = control;
}

static SharedRef *
bucket_of(const SeriesKey *key)
{
	uint32		hash;

	hash = hash_bytes(key->incarnation.data, UUID_LEN);
	hash = hash_combine(hash, hash_bytes((const unsigned char *) key->extra, key->extra_len));
	hash = hash_combine(hash, murmurhash32(key->database));
	return (SharedRef *) memory_address(block_control->buckets) +
		(hash & (block_control->nbuckets - 1));
}

/* Under the lock. */
static Slot *
find_linked(const SeriesKey *key)
{
	SharedRef	ref;

	if (block_control->nbuckets == 0)
		return NULL;
	for (ref = *bucket_of(key); ref != InvalidSharedRef;)
	{
		Slot	   *slot = memory_address(ref);

		if (slot_same_series(&slot->key, key) && pg_atomic_read_u32(&slot->dead) == 0)
			return slot;
		ref = slot->next;
	}
	return NULL;
}

/*
 * Take a slot out of the table and free its array.  Sessions that remember
 * the slot find another generation, closed.  Under the exclusive lock.
 */
static void
unlink_slot(Slot *slot)
{
	SharedRef  *link = bucket_of(&slot->key);

	while (*link != slot->self)
	{
		if (*link == InvalidSharedRef)
			return;				/* was unlinked before */
		link = &((Slot *) memory_address(*link))->next;
	}
	pg_atomic_write_u32(&slot->dead, 1);
	pg_atomic_exchange_u64(&slot->ticket, block_new_generation() | TICKET_CLOSED | NO_INDEX);
	*link = slot->next;
	if (slot->codes != InvalidSharedRef)
		memory_free(slot->codes, slot->codes_order);
	slot->codes = InvalidSharedRef;
	ahead_free(slot);
	slot->size = 0;
	slot->map = 0;
	slot->next = block_control->free_slots;
	block_control->free_slots = slot->self;
	block_control->nslots--;
}

/* Under the exclusive lock. */
void
slot_unlink_dead(void)
{
	SharedRef	ref;

	if (pg_atomic_read_u32(&block_control->dead_slots) == InvalidSharedRef)
		return;
	ref = pg_atomic_exchange_u32(&block_control->dead_slots, InvalidSharedRef);
	while (ref != InvalidSharedRef)
	{
		Slot	   *slot = memory_address(ref);

		ref = pg_atomic_read_u32(&slot->next_dead);
		unlink_slot(slot);
	}
}

/*
 * Make the table of buckets, or twice as many of them.  It is nothing but a
 * speed-up where there is no memory for more.  Under the exclusive lock.
 */
static bool
make_buckets(void)
{
	uint32		old_count = block_control->nbuckets;
	SharedRef	old_ref = block_control->buckets;
	SharedRef  *old = old_count > 0 ? memory_address(old_ref) : NULL;
	uint32		count = old_count == 0 ? FIRST_BUCKETS : old_count * 2;
	SharedRef	new_ref;

	if (count > LAST_BUCKETS)
		return true;
	new_ref = memory_allocate(memory_order(count * sizeof(SharedRef)));
	if (new_ref == InvalidSharedRef)
		return false;
	memset(memory_address(new_ref), 0, count * sizeof(SharedRef));
	block_control->buckets = new_ref;
	block_control->nbuckets = count;
	for (uint32 i = 0; i < old_count; i++)
	{
		while (old[i] != InvalidSharedRef)
		{
			Slot	   *slot = memory_address(old[i]);
			SharedRef  *bucket = bucket_of(&slot->key);

			old[i] = slot->next;
			slot->next = *bucket;
			*bucket = slot->self;
		}
	}
	if (old_count > 0)
		memory_free(old_ref, memory_order(old_count * sizeof(SharedRef)));
	return true;
}

/* A page of new slots into the list of free ones.  Under the exclusive lock. */
static bool
make_slots(void)
{
	SharedRef	slab = memory_allocate(memory_order(SLAB_BYTES));

	if (slab == InvalidSharedRef)
		return false;
	for (int i = SLAB_SLOTS - 1; i >= 0; i--)
	{
		SharedRef	ref = slab + i * (256 / MEMORY_UNIT);
		Slot	   *slot = memory_address(ref);

		memset(slot, 0, sizeof(Slot));
		pg_atomic_init_u64(&slot->ticket, block_new_generation() | TICKET_CLOSED | NO_INDEX);
		pg_atomic_init_u32(&slot->next_dead, InvalidSharedRef);
		pg_atomic_init_u32(&slot->dead, 0);
		pg_atomic_init_u32(&slot->ahead_of, 0);
		slot->self = ref;
		slot->next = block_control->free_slots;
		block_control->free_slots = ref;
	}
	return true;
}

/* The slot of a series, or NULL. */
Slot *
slot_find(const SeriesKey *key)
{
	Slot	   *slot;

	memory_lock(LW_SHARED);
	slot = find_linked(key);
	LWLockRelease(&block_control->lock);
	return slot;
}

/*
 * The slot of a series, a new one if need be; NULL where there is no memory.
 */
Slot *
slot_make(const SeriesKey *key)
{
	do
	{
		Slot	   *slot;

		memory_lock(LW_EXCLUSIVE);
		slot_unlink_dead();
		slot = find_linked(key);
		if (slot == NULL &&
			(block_control->nbuckets > 0 || make_buckets()) &&
			(block_control->free_slots != InvalidSharedRef || make_slots()))
		{
			SharedRef  *bucket;

			if (block_control->nslots > block_control->nbuckets * 2)
				make_buckets();
			slot = memory_address(block_control->free_slots);
			block_control->free_slots = slot->next;
			slot->key = *key;
			pg_atomic_write_u32(&slot->dead, 0);
			slot->codes = InvalidSharedRef;
			slot->size = 0;
			slot->map = 0;
			slot->first = 0;
			slot->filter = 0;
			slot->series_filter = 0;
			slot->counted = -1;
			slot->issued = 0;
			slot->skipped = 0;
			slot->refill_time = 0;
			slot->since = GetCurrentTimestamp();
			slot->refills = 0;
			slot->refill_waits = 0;
			slot->reserved_end = -1;
			slot->published_end = -1;
			slot->reserved_lsn = InvalidXLogRecPtr;
			pg_atomic_exchange_u64(&slot->ticket, block_new_generation() | TICKET_CLOSED);
			slot->reserved_at = 0;
			slot->reserved_span = 0;
			slot->undurable = 0;
			bucket = bucket_of(key);
			slot->next = *bucket;
			*bucket = slot->self;
			block_control->nslots++;
		}
		LWLockRelease(&block_control->lock);
		if (slot != NULL)
			return slot;
	} while (memory_grow());
	return NULL;
}

/*
 * Every slot of a ring, whatever its extra; with all_rings of all rings of its
 * database and extension.  While the caller holds the ring's definition lock
 * exclusively, none can be added.
 */
List *
slot_collect(const SeriesKey *ring, bool all_rings)
{
	List	   *slots = NIL;

	memory_lock(LW_SHARED);
	for (uint32 i = 0; i < block_control->nbuckets; i++)
	{
		SharedRef	ref = ((SharedRef *) memory_address(block_control->buckets))[i];

		while (ref != InvalidSharedRef)
		{
			Slot	   *slot = memory_address(ref);

			if (pg_atomic_read_u32(&slot->dead) == 0 &&
				slot->key.database == ring->database && slot->key.relid == ring->relid &&
				(all_rings || memcmp(&slot->key.incarnation, &ring->incarnation, sizeof(pg_uuid_t)) == 0))
				slots = lappend(slots, slot);
			ref = slot->next;
		}
	}
	LWLockRelease(&block_control->lock);
	return slots;
}

/*
 * Give up a slot whose ring is gone.  Safe at the end of a transaction: takes
 * no lock and cannot fail.  Whoever next makes a slot unlinks it.
 */
void
slot_bury(Slot *slot)
{
	uint32		head = pg_atomic_read_u32(&block_control->dead_slots);

	/* Once is enough, also for a ring that was dropped twice. */
	if (pg_atomic_exchange_u32(&slot->dead, 1) != 0)
		return;
	pg_atomic_exchange_u64(&slot->ticket, block_new_generation() | TICKET_CLOSED | NO_INDEX);
	do
	{
		pg_atomic_write_u32(&slot->next_dead, head);
	} while (!pg_atomic_compare_exchange_u32(&block_control->dead_slots, &head, slot->self));
}

/* Have slots become so many that it is worth looking for ownerless ones? */
bool
slot_sweep_due(void)
{
	bool		due;

	memory_lock(LW_SHARED);
	due = block_control->nslots >= block_control->sweep_at;
	LWLockRelease(&block_control->lock);
	return due;
}

static bool
owner_listed(const List *owners, const SeriesKey *key)
{
	ListCell   *cell;

	foreach(cell, owners)
	{
		const SlotOwner *owner = lfirst(cell);

		if (owner->database == key->database && owner->relid == key->relid)
			return true;
	}
	return false;
}

/* Whose slots there are, each owner once. */
List *
slot_owners(void)
{
	List	   *owners = NIL;

	memory_lock(LW_SHARED);
	for (uint32 i = 0; i < block_control->nbuckets; i++)
	{
		SharedRef	ref = ((SharedRef *) memory_address(block_control->buckets))[i];

		while (ref != InvalidSharedRef)
		{
			Slot	   *slot = memory_address(ref);

			if (!owner_listed(owners, &slot->key))
			{
				SlotOwner  *owner = palloc(sizeof(SlotOwner));

				owner->database = slot->key.database;
				owner->relid = slot->key.relid;
				owners = lappend(owners, owner);
			}
			ref = slot->next;
		}
	}
	LWLockRelease(&block_control->lock);
	return owners;
}

/* Unlink every slot of owners that are gone. */
void
slot_sweep(const List *gone)
{
	memory_lock(LW_EXCLUSIVE);
	slot_unlink_dead();
	for (uint32 i = 0; i < block_control->nbuckets && gone != NIL; i++)
	{
		SharedRef	ref = ((SharedRef *) memory_address(block_control->buckets))[i];

		while (ref != InvalidSharedRef)
		{
			Slot	   *slot = memory_address(ref);

			ref = slot->next;
			if (owner_listed(gone, &slot->key))
				unlink_slot(slot);
		}
	}
	block_control->sweep_at = Max(FIRST_SWEEP, block_control->nslots * 2);
	LWLockRelease(&block_control->lock);
}

/*
 * Up to count series of this database that could give their slot to another,
 * in turn around the table.
 */
List *
slot_candidates(int count)
{
	List	   *keys = NIL;

	memory_lock(LW_EXCLUSIVE);
	for (uint32 i = 0; i < block_control->nbuckets && list_length(keys) < count; i++)
	{
		SharedRef	ref;

		block_control->clock = (block_control->clock + 1) & (block_control->nbuckets - 1);
		ref = ((SharedRef *) memory_address(block_control->buckets))[block_control->clock];
		while (ref != InvalidSharedRef)
		{
			Slot	   *slot = memory_address(ref);

			if (slot->key.database == MyDatabaseId && pg_atomic_read_u32(&slot->dead) == 0)
			{
				SeriesKey  *key = palloc(sizeof(SeriesKey));

				*key = slot->key;
				keys = lappend(keys, key);
			}
			ref = slot->next;
		}
	}
	LWLockRelease(&block_control->lock);
	return keys;
}

/* Free the slot of a series; the caller holds its refill lock. */
void
slot_unlink(Slot *slot, const SeriesKey *key)
{
	memory_lock(LW_EXCLUSIVE);
	if (slot_same_series(&slot->key, key))
		unlink_slot(slot);
	LWLockRelease(&block_control->lock);
}
