/*
 * block.c
 *		Slots and blocks in shared memory: the only place that touches them.
 *
 * The server keeps one slot for each series that is in use, found through a
 * hash table, and in it a block of codes that are already reserved durably
 * and already computed.  Taking one is a compare-and-swap (block_take, in the
 * header); everything else happens once a block or less often.
 *
 * Locks, in the order in which they are taken:
 *	 1. the ring's definition lock and the series' refill lock (locks.c) are
 *		heavyweight and held across disk writes;
 *	 2. block_control->lock is a lightweight lock, held for a few hundred
 *		instructions and never across I/O, an allocation that throws or
 *		another lock.  It protects which slots are linked, and the allocator.
 * A block's contents are written by the holder of the refill lock alone,
 * while the ticket is closed; readers check the ticket's generation instead
 * of locking.  A ticket is closed by the holder of the refill lock, or of the
 * exclusive definition lock, which excludes the former.
 *
 * Without shared_preload_libraries only a small control block is taken from
 * the slop of the main shared memory segment, as contrib/pg_prewarm does; the
 * rest is dynamic (memory.c).
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "block.h"

#define FIRST_BUCKETS	1024
#define LAST_BUCKETS	16384
#define SLAB_BYTES		4096
#define SLAB_SLOTS		(SLAB_BYTES / 256)
#define FIRST_SWEEP		256

/* The index of a ticket whose block is being written, or was never there. */
#define NO_INDEX		((uint64) 0x7FFF)

BlockControl *block_control = NULL;

Size
block_shmem_size(void)
{
	return MAXALIGN(sizeof(BlockControl));
}

/*
 * Find the control block, or make it if this process is the first.  Serves
 * the preloaded library (at postmaster start) and the one loaded on demand.
 */
void
block_attach(void)
{
	bool		found;
	BlockControl *control;

	if (block_control != NULL)
		return;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	control = ShmemInitStruct("coderring", block_shmem_size(), &found);
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

static uint64
new_generation(void)
{
	return pg_atomic_add_fetch_u64(&block_control->generation, 1) << TICKET_INDEX_BITS;
}

static bool
same_series(const SeriesKey *a, const SeriesKey *b)
{
	return a->database == b->database &&
		a->relid == b->relid &&
		a->extra_len == b->extra_len &&
		memcmp(&a->incarnation, &b->incarnation, sizeof(pg_uuid_t)) == 0 &&
		memcmp(a->extra, b->extra, a->extra_len) == 0;
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

		if (same_series(&slot->key, key))
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
	pg_atomic_exchange_u64(&slot->ticket, new_generation() | TICKET_CLOSED | NO_INDEX);
	*link = slot->next;
	if (slot->codes != InvalidSharedRef)
		memory_free(slot->codes, slot->codes_order);
	slot->codes = InvalidSharedRef;
	slot->size = 0;
	slot->next = block_control->free_slots;
	block_control->free_slots = slot->self;
	block_control->nslots--;
}

/* Under the exclusive lock. */
static void
unlink_dead_slots(void)
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
		pg_atomic_init_u64(&slot->ticket, new_generation() | TICKET_CLOSED | NO_INDEX);
		pg_atomic_init_u32(&slot->next_dead, InvalidSharedRef);
		slot->self = ref;
		slot->next = block_control->free_slots;
		block_control->free_slots = ref;
	}
	return true;
}

/* The slot of a series, or NULL. */
Slot *
block_find(const SeriesKey *key)
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
block_make(const SeriesKey *key)
{
	do
	{
		Slot	   *slot;

		memory_lock(LW_EXCLUSIVE);
		unlink_dead_slots();
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
			slot->codes = InvalidSharedRef;
			slot->size = 0;
			slot->first = 0;
			slot->reserved_end = -1;
			slot->published_end = -1;
			slot->reserved_lsn = InvalidXLogRecPtr;
			slot->reserved_at = 0;
			slot->reserved_count = 0;
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
 * Remember the block that the slot holds now, for block_take.  False when the
 * slot belongs to another series by now, or its block is closed or empty.
 */
bool
block_adopt(Slot *slot, const SeriesKey *key, CodeBlock *block)
{
	bool		good;
	uint64		ticket;

	memory_lock(LW_SHARED);
	ticket = pg_atomic_read_u64(&slot->ticket);
	pg_read_barrier();
	block->slot = slot;
	block->generation = TICKET_GENERATION(ticket);
	block->size = slot->size;
	block->first = slot->first;
	good = same_series(&slot->key, key) &&
		TICKET_LOW(ticket) < block->size &&
		slot->codes != InvalidSharedRef;
	if (good)
		block->codes = memory_address(slot->codes);
	pg_read_barrier();
	if (TICKET_GENERATION(pg_atomic_read_u64(&slot->ticket)) != block->generation)
		good = false;
	LWLockRelease(&block_control->lock);
	if (!good)
		block->generation = 0;
	return good;
}

/*
 * Stop a block.  What is left of it stays in its place: block_reopen goes on
 * with it, block_position tells where it stopped.
 */
uint32
block_close(Slot *slot)
{
	uint64		ticket = pg_atomic_read_u64(&slot->ticket);
	uint32		index = TICKET_INDEX(ticket);

	if ((ticket & TICKET_CLOSED) == 0)
	{
		uint64		closed = new_generation() | TICKET_CLOSED;

		while (!pg_atomic_compare_exchange_u64(&slot->ticket, &ticket,
											   closed | TICKET_INDEX(ticket)))
			;
		index = TICKET_INDEX(ticket);
	}
	return index < slot->size ? slot->size - index : 0;
}

/*
 * Go on with what is left of a closed block; false if nothing is.  The caller
 * holds the refill lock.
 */
bool
block_reopen(Slot *slot)
{
	uint64		ticket = pg_atomic_read_u64(&slot->ticket);

	if (TICKET_INDEX(ticket) >= slot->size)
		return false;
	if (ticket & TICKET_CLOSED)
		pg_atomic_exchange_u64(&slot->ticket, new_generation() | TICKET_INDEX(ticket));
	return true;
}

/*
 * The position that will be handed out next, as far as this slot knows; -1
 * when it knows nothing.
 */
int64
block_position(Slot *slot)
{
	int64		position = -1;

	/* A block is written in no time; what is seen after many tries is a dead slot. */
	for (int tries = 0; tries < 1000; tries++)
	{
		uint64		ticket = pg_atomic_read_u64(&slot->ticket);
		uint32		index = TICKET_INDEX(ticket);

		pg_read_barrier();
		position = index < slot->size ? slot->first + index : slot->published_end;
		pg_read_barrier();
		if (index != NO_INDEX &&
			TICKET_GENERATION(pg_atomic_read_u64(&slot->ticket)) == TICKET_GENERATION(ticket))
			break;
		pg_spin_delay();
	}
	return position;
}

/*
 * Note that the positions from first to before end have been written to the
 * series' row by the record that ends at lsn.  To be called right after it:
 * nothing may throw in between.  The caller holds the refill lock.
 */
void
block_reserved(Slot *slot, int64 first, int64 end, XLogRecPtr lsn)
{
	/* Whatever is left of the block is given up, by the caller's wish. */
	pg_atomic_exchange_u64(&slot->ticket, new_generation() | TICKET_CLOSED | NO_INDEX);
	slot->size = 0;
	slot->published_end = first;
	pg_write_barrier();
	pg_atomic_exchange_u64(&slot->ticket, new_generation() | TICKET_CLOSED);
	slot->reserved_end = end;
	slot->reserved_lsn = lsn;
}

/*
 * The slot's array, made for so many bytes if there is memory for it; NULL
 * where the slot has none.  The block is empty, so nobody needs the old one.
 */
static char *
make_array(Slot *slot, Size bytes)
{
	int			order = memory_order(bytes);
	char	   *array = NULL;
	bool		fits;

	do
	{
		memory_lock(LW_EXCLUSIVE);
		fits = slot->codes != InvalidSharedRef &&
			(slot->codes_order == order || slot->codes_order == order + 1);
		if (!fits)
		{
			SharedRef	ref;

			unlink_dead_slots();
			ref = memory_allocate(order);
			if (ref != InvalidSharedRef)
			{
				if (slot->codes != InvalidSharedRef)
					memory_free(slot->codes, slot->codes_order);
				slot->codes = ref;
				slot->codes_order = order;
				fits = true;
			}
		}
		if (slot->codes != InvalidSharedRef)
			array = memory_address(slot->codes);
		LWLockRelease(&block_control->lock);
	} while (!fits && memory_grow());
	return array;
}

/*
 * Hand codes to everyone: the block begins at position first and holds as
 * many of them as there is memory for, which is what is returned.  The caller
 * holds the refill lock, has found the block before empty, and has made the
 * reservation durable.
 */
uint32
block_publish(Slot *slot, int64 first, const char *codes, uint32 count, uint32 stride)
{
	char	   *array = NULL;

	if (count > 0)
		array = make_array(slot, (Size) count * stride);
	if (array == NULL)
		count = 0;
	else
		count = Min(count, ((Size) MEMORY_UNIT << slot->codes_order) / stride);

	/* Nothing can throw while the ticket says that the block is being written. */
	pg_atomic_exchange_u64(&slot->ticket, new_generation() | TICKET_CLOSED | NO_INDEX);
	if (count > 0)
		memcpy(array, codes, (Size) count * stride);
	slot->first = first;
	slot->size = count;
	slot->published_end = first + count;
	pg_write_barrier();
	pg_atomic_exchange_u64(&slot->ticket, new_generation());
	return count;
}

/*
 * Every slot of a ring, whatever its extra.  The caller holds the ring's
 * definition lock exclusively, so that none can be added.
 */
List *
block_collect(const SeriesKey *ring)
{
	List	   *slots = NIL;

	memory_lock(LW_SHARED);
	for (uint32 i = 0; i < block_control->nbuckets; i++)
	{
		SharedRef	ref = ((SharedRef *) memory_address(block_control->buckets))[i];

		while (ref != InvalidSharedRef)
		{
			Slot	   *slot = memory_address(ref);

			if (slot->key.database == ring->database && slot->key.relid == ring->relid &&
				memcmp(&slot->key.incarnation, &ring->incarnation, sizeof(pg_uuid_t)) == 0)
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
block_bury(Slot *slot)
{
	uint32		head = pg_atomic_read_u32(&block_control->dead_slots);

	pg_atomic_exchange_u64(&slot->ticket, new_generation() | TICKET_CLOSED | NO_INDEX);
	do
	{
		pg_atomic_write_u32(&slot->next_dead, head);
	} while (!pg_atomic_compare_exchange_u32(&block_control->dead_slots, &head, slot->self));
}

/* Have slots become so many that it is worth looking for ownerless ones? */
bool
block_sweep_due(void)
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
block_owners(void)
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
block_sweep(const List *gone)
{
	memory_lock(LW_EXCLUSIVE);
	unlink_dead_slots();
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
block_candidates(int count)
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

			if (slot->key.database == MyDatabaseId)
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
block_unlink(Slot *slot, const SeriesKey *key)
{
	memory_lock(LW_EXCLUSIVE);
	if (same_series(&slot->key, key))
		unlink_slot(slot);
	LWLockRelease(&block_control->lock);
}
