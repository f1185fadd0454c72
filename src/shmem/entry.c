/*
 * entry.c
 *		The slots of the series in use: a hash table in shared memory.
 *
 * The server keeps one slot for each series that is in use, found through a
 * hash table, and in it a block of codes that are already reserved durably
 * and already computed (block.c).
 *
 * Locks, in the order in which they are taken:
 *	 1. the ring's definition lock and the series' refill lock (locks.c) are
 *		heavyweight and held across disk writes;
 *	 2. control_block->lock is a lightweight lock, held for a few hundred
 *		instructions and never across I/O or another lock.  It protects which
 *		slots are linked, and the allocator (memory.c).  What allocates in this
 *		process' memory under it only reads, so an error leaves nothing behind.
 *
 * Memory is limited, and databases share it:
 *
 * - Where no more slots can be made, a database takes free ones as long as it
 *	 has at most 23 for each of them, or three where others have some too
 *	 (entry_make).  Beyond that its new series get the slots of old ones of its
 *	 own.  So one that uses whatever it can get leaves some for the next to
 *	 come, and gives up more than it takes once that has come.  An owner, which
 *	 counts the slots of a database, is itself kept in a slot.
 * - Slots stay slots for ever, so they get eleven twelfths of the memory at most;
 *	 otherwise there would never again be room for blocks.
 * - Blocks need no such rule: idle ones are taken from whomever they belong to.
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

#include "compat.h"
#include "shmem/control.h"
#include "shmem/entry.h"
#include "shmem/memory.h"
#include "shmem/prefetch.h"
#include "shmem/shared.h"

#define FIRST_BUCKETS	1024
#define LAST_BUCKETS	16384
#define SLAB_BYTES		4096
#define SLAB_SLOTS		(SLAB_BYTES / 256)

/* A database may have so many slots for each one that is free: alone, and beside others. */
#define SLOTS_A_FREE		23
#define SLOTS_A_FREE_BESIDE	3

/* This part of the memory is not for slots. */
#define SHARE_OF_BLOCKS	12

/* So many slots are looked at in one turn of the clock: the lock is held meanwhile. */
#define CLOCK_LOOKS		512

static SharedRef *
bucket_of(const SeriesKey *key)
{
	uint32		hash;

	hash = hash_bytes(key->incarnation.data, UUID_LEN);
	hash = hash_combine(hash, hash_bytes((const unsigned char *) key->extra, key->extra_len));
	hash = hash_combine(hash, murmurhash32(key->database));
	return (SharedRef *) memory_address(control_block->buckets) +
		(hash & (control_block->nbuckets - 1));
}

/* Under the lock. */
Slot *
entry_find_linked(const SeriesKey *key)
{
	SharedRef	ref;

	if (control_block->nbuckets == 0)
		return NULL;
	for (ref = *bucket_of(key); ref != InvalidSharedRef;)
	{
		Slot	   *slot = memory_address(ref);

		if (entry_same_series(&slot->key, key) && pg_atomic_read_u32(&slot->dead) == 0)
			return slot;
		ref = slot->next;
	}
	return NULL;
}

static void
push_free_slot(Slot *slot)
{
	slot->next = control_block->free_slots;
	control_block->free_slots = slot->self;
	control_block->nfree++;
}

static Slot *
pop_free_slot(void)
{
	Slot	   *slot = memory_address(control_block->free_slots);

	control_block->free_slots = slot->next;
	control_block->nfree--;
	return slot;
}

/* The owner of a series' slot, or NULL if it has none yet.  Under the lock. */
static Slot *
find_owner(const SeriesKey *key)
{
	for (SharedRef ref = control_block->owners; ref != InvalidSharedRef;)
	{
		Slot	   *owner = memory_address(ref);

		if (entry_same_owner(&owner->key, key))
			return owner;
		ref = owner->next;
	}
	return NULL;
}

/* Make one, in a free slot.  Its ticket says, as that of a free one does, that nothing can be taken. */
static Slot *
make_owner(const SeriesKey *key)
{
	Slot	   *owner = pop_free_slot();

	memset(&owner->key, 0, sizeof(SeriesKey));
	owner->key.database = key->database;
	owner->key.relid = key->relid;
	owner->key.instance = key->instance;
	owner->seen = 0;
	owner->next = control_block->owners;
	control_block->owners = owner->self;
	return owner;
}

/* May an owner, who may be NULL, take one more of the slots that are free?  Under the lock. */
bool
entry_allowed(const Slot *owner)
{
	uint32		has = owner != NULL ? owner->seen : 0;
	uint32		others = control_block->nslots - has;

	return control_block->nfree * (others == 0 ? SLOTS_A_FREE : SLOTS_A_FREE_BESIDE) > has;
}

/* One of an owner's slots is free.  With its last one it goes too. */
static void
drop_from_owner(Slot *slot)
{
	Slot	   *owner = memory_address(slot->owner);
	SharedRef  *link = &control_block->owners;

	slot->owner = InvalidSharedRef;
	if (--owner->seen > 0)
		return;
	while (*link != owner->self)
		link = &((Slot *) memory_address(*link))->next;
	*link = owner->next;
	push_free_slot(owner);
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
	pg_atomic_exchange_u64(&slot->ticket, control_new_generation() | TICKET_CLOSED | NO_INDEX);
	pg_memory_barrier();		/* as in begin_block: others get the slot and its array */
	*link = slot->next;
	if (slot->codes != InvalidSharedRef)
		memory_free(slot->codes, slot->codes_size_class);
	slot->codes = InvalidSharedRef;
	prefetch_free(slot);
	slot->size = 0;
	slot->map = 0;
	push_free_slot(slot);
	control_block->nslots--;
	drop_from_owner(slot);
}

/*
 * Unlink at most so many of the slots that were buried.  Under the exclusive
 * lock, so that nobody buries one meanwhile.
 */
void
entry_unlink_dead(uint32 most)
{
	SharedRef	ref = pg_atomic_read_u32(&control_block->dead_slots);

	if (ref == InvalidSharedRef)
		return;
	for (; ref != InvalidSharedRef && most > 0; most--)
	{
		Slot	   *slot = memory_address(ref);

		ref = pg_atomic_read_u32(&slot->next_dead);
		unlink_slot(slot);
	}
	pg_atomic_write_u32(&control_block->dead_slots, ref);
}

/*
 * Make the table of buckets, or twice as many of them.  It is nothing but a
 * speed-up where there is no memory for more.  Under the exclusive lock.
 */
static bool
make_buckets(void)
{
	uint32		old_count = control_block->nbuckets;
	SharedRef	old_ref = control_block->buckets;
	SharedRef  *old = old_count > 0 ? memory_address(old_ref) : NULL;
	uint32		count = old_count == 0 ? FIRST_BUCKETS : old_count * 2;
	SharedRef	new_ref;

	if (count > LAST_BUCKETS)
		return true;
	new_ref = memory_allocate(memory_size_class(count * sizeof(SharedRef)));
	if (new_ref == InvalidSharedRef)
		return false;
	memset(memory_address(new_ref), 0, count * sizeof(SharedRef));
	control_block->buckets = new_ref;
	control_block->nbuckets = count;
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
		memory_free(old_ref, memory_size_class(old_count * sizeof(SharedRef)));
	return true;
}

/* May another page of memory go to slots?  Under the lock. */
bool
entry_page_allowed(void)
{
	uint64		total = control_block->memory.total;

	return ((uint64) control_block->nslabs + 1) * SLAB_BYTES <= total - total / SHARE_OF_BLOCKS;
}

/* A page of new slots into the list of free ones.  Under the exclusive lock. */
static bool
make_slots(void)
{
	SharedRef	slab;

	if (!entry_page_allowed())
		return false;
	slab = memory_allocate(memory_size_class(SLAB_BYTES));
	if (slab == InvalidSharedRef)
		return false;
	control_block->nslabs++;
	for (int i = SLAB_SLOTS - 1; i >= 0; i--)
	{
		SharedRef	ref = slab + i * (256 / MEMORY_UNIT);
		Slot	   *slot = memory_address(ref);

		memset(slot, 0, sizeof(Slot));
		pg_atomic_init_u64(&slot->ticket, control_new_generation() | TICKET_CLOSED | NO_INDEX);
		pg_atomic_init_u32(&slot->next_dead, InvalidSharedRef);
		pg_atomic_init_u32(&slot->dead, 1);
		pg_atomic_init_u32(&slot->prefetched_for, 0);
		slot->self = ref;
		push_free_slot(slot);
	}
	return true;
}

/* The slot of a series, or NULL. */
Slot *
entry_find(const SeriesKey *key)
{
	Slot	   *slot;

	memory_lock(LW_SHARED);
	slot = entry_find_linked(key);
	LWLockRelease(&control_block->lock);
	return slot;
}

/*
 * The slot of a series, a new one if need be; NULL where there is no memory,
 * or what there is has to be left to other databases.  `entitled` is who has
 * just given up a slot of the same database.
 */
Slot *
entry_make(const SeriesKey *key, bool entitled)
{
	do
	{
		Slot	   *slot;
		Slot	   *owner;

		memory_lock(LW_EXCLUSIVE);
		entry_unlink_dead(DEAD_AT_ONCE);
		slot = entry_find_linked(key);
		owner = find_owner(key);
		while (slot == NULL && owner != NULL && control_block->nfree * SLOTS_A_FREE <= owner->seen && make_slots())
			;
		if (slot == NULL &&
			(control_block->nbuckets > 0 || make_buckets()) &&
			(entitled || entry_allowed(owner) || make_slots()) &&
			(control_block->nfree > (owner == NULL) || make_slots()))
		{
			SharedRef  *bucket;

			if (control_block->nslots > control_block->nbuckets * 2)
				make_buckets();
			if (owner == NULL)
				owner = make_owner(key);
			slot = pop_free_slot();
			slot->owner = owner->self;
			owner->seen++;
			slot->key = *key;
			slot->seen = 0;
			pg_atomic_write_u32(&slot->dead, 0);
			slot->codes = InvalidSharedRef;
			slot->acknowledged = false;
			slot->in_doubt = true;
			slot->size = 0;
			slot->map = 0;
			slot->span = 0;
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
			pg_atomic_exchange_u64(&slot->ticket, control_new_generation() | TICKET_CLOSED);
			slot->reserved_at = 0;
			slot->reserved_span = 0;
			slot->undurable = 0;
			bucket = bucket_of(key);
			slot->next = *bucket;
			*bucket = slot->self;
			control_block->nslots++;
		}
		LWLockRelease(&control_block->lock);
		if (slot != NULL)
			return slot;
	} while (memory_grow());
	return NULL;
}

/*
 * Every slot of a database and extension: those of the series `any`.
 */
List *
entry_collect(const SeriesKey *any)
{
	List	   *slots = NIL;

	memory_lock(LW_SHARED);
	for (uint32 i = 0; i < control_block->nbuckets; i++)
	{
		SharedRef	ref = ((SharedRef *) memory_address(control_block->buckets))[i];

		while (ref != InvalidSharedRef)
		{
			Slot	   *slot = memory_address(ref);

			if (pg_atomic_read_u32(&slot->dead) == 0 && entry_same_owner(&slot->key, any))
				slots = lappend(slots, slot);
			ref = slot->next;
		}
	}
	LWLockRelease(&control_block->lock);
	return slots;
}

/*
 * Give up a slot whose ring is gone, if it is still a slot of that one.  Safe at
 * the end of a transaction: cannot fail.  Whoever next makes a slot unlinks it.
 */
void
entry_bury(Slot *slot, const pg_uuid_t *incarnation)
{
	uint32		head;

	/* Not memory_lock(): the slot's memory is mapped, and that may fail. */
	LWLockAcquire(&control_block->lock, LW_SHARED);
	if (memcmp(&slot->key.incarnation, incarnation, sizeof(pg_uuid_t)) == 0 &&
		pg_atomic_exchange_u32(&slot->dead, 1) == 0)
	{
		pg_atomic_exchange_u64(&slot->ticket, control_new_generation() | TICKET_CLOSED | NO_INDEX);
		head = pg_atomic_read_u32(&control_block->dead_slots);
		do
		{
			pg_atomic_write_u32(&slot->next_dead, head);
		} while (!pg_atomic_compare_exchange_u32(&control_block->dead_slots, &head, slot->self));
	}
	LWLockRelease(&control_block->lock);
}

/*
 * Is it worth looking for slots whose database or extension is gone?  When they
 * have become many, and when an extension uses its first: it may be new.
 */
bool
entry_sweep_due(const SeriesKey *key)
{
	bool		due;

	memory_lock(LW_SHARED);
	due = control_block->nslots >= control_block->sweep_at || find_owner(key) == NULL;
	LWLockRelease(&control_block->lock);
	return due;
}

static bool
owner_listed(const List *owners, const SeriesKey *key)
{
	ListCell   *cell;

	foreach(cell, owners)
	{
		const EntryOwner *owner = lfirst(cell);

		if (owner->database == key->database && owner->relid == key->relid && owner->instance == key->instance)
			return true;
	}
	return false;
}

/* Whose slots there are, each owner once. */
List *
entry_owners(void)
{
	List	   *owners = NIL;

	memory_lock(LW_SHARED);
	for (SharedRef ref = control_block->owners; ref != InvalidSharedRef;)
	{
		const Slot *slot = memory_address(ref);
		EntryOwner  *owner = palloc(sizeof(EntryOwner));

		owner->database = slot->key.database;
		owner->relid = slot->key.relid;
		owner->instance = slot->key.instance;
		owners = lappend(owners, owner);
		ref = slot->next;
	}
	LWLockRelease(&control_block->lock);
	return owners;
}

/* Unlink every slot of owners that are gone. */
void
entry_sweep(const List *gone)
{
	memory_lock(LW_EXCLUSIVE);
	entry_unlink_dead(PG_UINT32_MAX);
	for (uint32 i = 0; i < control_block->nbuckets && gone != NIL; i++)
	{
		SharedRef	ref = ((SharedRef *) memory_address(control_block->buckets))[i];

		while (ref != InvalidSharedRef)
		{
			Slot	   *slot = memory_address(ref);

			ref = slot->next;
			if (owner_listed(gone, &slot->key))
				unlink_slot(slot);
		}
	}
	control_block->sweep_at = Max(FIRST_SWEEP, control_block->nslots * 2);
	LWLockRelease(&control_block->lock);
}

/*
 * Up to count series that were not used since the clock came by last: those of
 * the caller's database, if slots are wanted, and all that have memory for
 * codes.  One turn of the clock after the other looks at a part of the table.
 */
List *
entry_candidates(const SeriesKey *except, bool slots, int count)
{
	List	   *keys = NIL;
	int			looks = 0;

	memory_lock(LW_EXCLUSIVE);
	for (uint32 i = 0; i < control_block->nbuckets && looks < CLOCK_LOOKS && list_length(keys) < count; i++)
	{
		SharedRef	ref;

		control_block->clock = (control_block->clock + 1) & (control_block->nbuckets - 1);
		ref = ((SharedRef *) memory_address(control_block->buckets))[control_block->clock];
		while (ref != InvalidSharedRef)
		{
			Slot	   *slot = memory_address(ref);
			uint32		ticket = (uint32) pg_atomic_read_u64(&slot->ticket);
			bool		idle = slot->seen == ticket;
			bool		ours = entry_same_owner(&slot->key, except);

			ref = slot->next;
			looks++;
			slot->seen = ticket;
			if (idle && pg_atomic_read_u32(&slot->dead) == 0 &&
				((ours && slots) || slot->codes != InvalidSharedRef || slot->ahead != InvalidSharedRef))
			{
				SeriesKey  *key = palloc(sizeof(SeriesKey));

				*key = slot->key;
				keys = lappend(keys, key);
			}
		}
	}
	LWLockRelease(&control_block->lock);
	return keys;
}

/* Free the slot of a series; the caller holds its refill lock. */
void
entry_unlink(Slot *slot, const SeriesKey *key)
{
	memory_lock(LW_EXCLUSIVE);
	if (entry_same_series(&slot->key, key))
		unlink_slot(slot);
	LWLockRelease(&control_block->lock);
}
