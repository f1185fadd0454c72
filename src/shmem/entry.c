/*
 * entry.c
 *		The entries of the series in use: a hash table in shared memory.
 *
 * The server keeps one entry for each series that is in use, found through a
 * hash table, and in it a block of codes that are already reserved durably
 * and already computed (block.c).
 *
 * Locks, in the order in which they are taken:
 *	 1. the ring's definition lock and the series' refill lock (locks.c) are
 *		heavyweight and held across disk writes;
 *	 2. control_block->lock is a lightweight lock, held for a few hundred
 *		instructions and never across I/O or another lock.  It protects which
 *		entries are linked, and the allocator (memory.c).  What allocates in this
 *		process' memory under it only reads, so an error leaves nothing behind.
 *
 * Memory is limited, and databases share it:
 *
 * - Where no more entries can be made, a database takes free ones as long as it
 *	 has at most 23 for each of them, or three where others have some too
 *	 (entry_make).  Beyond that its new series get the entries of old ones of its
 *	 own.  So one that uses whatever it can get leaves some for the next to
 *	 come, and gives up more than it takes once that has come.  An owner, which
 *	 counts the entries of a database, is itself kept in an entry.
 * - Entries stay entries for ever, so they get eleven twelfths of the memory at most;
 *	 otherwise there would never again be room for blocks.
 * - Blocks need no such rule: idle ones are taken from whomever they belong to.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
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
#define SLAB_ENTRIES		(SLAB_BYTES / 256)

/* A database may have so many entries for each one that is free: alone, and beside others. */
#define ENTRIES_A_FREE		23
#define ENTRIES_A_FREE_BESIDE	3

/* This part of the memory is not for entries. */
#define SHARE_OF_BLOCKS	12

/* So many entries are looked at in one turn of the clock: the lock is held meanwhile. */
#define CLOCK_LOOKS		512

static SharedRef *
bucket_of(const SeriesId *id)
{
	uint32		hash;

	hash = hash_bytes(id->incarnation.data, UUID_LEN);
	hash = hash_combine(hash, hash_bytes((const unsigned char *) id->extra, id->extra_len));
	hash = hash_combine(hash, murmurhash32(id->database));
	return (SharedRef *) memory_address(control_block->buckets) +
		(hash & (control_block->nbuckets - 1));
}

/* Under the lock. */
SharedSeries *
entry_find_linked(const SeriesId *id)
{
	SharedRef	ref;

	if (control_block->nbuckets == 0)
		return NULL;
	for (ref = *bucket_of(id); ref != InvalidSharedRef;)
	{
		SharedSeries *entry = memory_address(ref);

		if (entry_same_series(&entry->id, id) && pg_atomic_read_u32(&entry->dead) == 0)
			return entry;
		ref = entry->next;
	}
	return NULL;
}

static void
push_free_entry(SharedSeries *entry)
{
	entry->next = control_block->free_entries;
	control_block->free_entries = entry->self;
	control_block->nfree++;
}

static SharedSeries *
pop_free_entry(void)
{
	SharedSeries *entry = memory_address(control_block->free_entries);

	control_block->free_entries = entry->next;
	control_block->nfree--;
	return entry;
}

/* The owner of a series' entry, or NULL if it has none yet.  Under the lock. */
static SharedSeries *
find_owner(const SeriesId *id)
{
	for (SharedRef ref = control_block->owners; ref != InvalidSharedRef;)
	{
		SharedSeries *owner = memory_address(ref);

		if (entry_same_owner(&owner->id, id))
			return owner;
		ref = owner->next;
	}
	return NULL;
}

/* Make one, in a free entry.  Its ticket says, as that of a free one does, that nothing can be taken. */
static SharedSeries *
make_owner(const SeriesId *id)
{
	SharedSeries *owner = pop_free_entry();

	memset(&owner->id, 0, sizeof(SeriesId));
	owner->id.database = id->database;
	owner->id.relid = id->relid;
	owner->id.instance = id->instance;
	owner->seen = 0;
	owner->next = control_block->owners;
	control_block->owners = owner->self;
	return owner;
}

/* May an owner, who may be NULL, take one more of the entries that are free?  Under the lock. */
bool
entry_allowed(const SharedSeries *owner)
{
	uint32		has = owner != NULL ? owner->seen : 0;
	uint32		others = control_block->nentries - has;

	return control_block->nfree * (others == 0 ? ENTRIES_A_FREE : ENTRIES_A_FREE_BESIDE) > has;
}

/* One of an owner's entries is free.  With its last one it goes too. */
static void
drop_from_owner(SharedSeries *entry)
{
	SharedSeries *owner = memory_address(entry->owner);
	SharedRef  *link = &control_block->owners;

	entry->owner = InvalidSharedRef;
	if (--owner->seen > 0)
		return;
	while (*link != owner->self)
		link = &((SharedSeries *) memory_address(*link))->next;
	*link = owner->next;
	push_free_entry(owner);
}

/*
 * Take an entry out of the table and free its array.  Sessions that remember
 * the entry find another generation, closed.  Under the exclusive lock.
 */
static void
unlink_entry(SharedSeries *entry)
{
	SharedRef  *link = bucket_of(&entry->id);

	while (*link != entry->self)
	{
		if (*link == InvalidSharedRef)
			return;				/* was unlinked before */
		link = &((SharedSeries *) memory_address(*link))->next;
	}
	pg_atomic_write_u32(&entry->dead, 1);
	pg_atomic_exchange_u64(&entry->ticket, control_new_generation() | TICKET_CLOSED | NO_INDEX);
	pg_memory_barrier();		/* as in begin_block: others get the entry and its array */
	*link = entry->next;
	if (entry->codes != InvalidSharedRef)
		memory_free(entry->codes, entry->codes_size_class);
	entry->codes = InvalidSharedRef;
	prefetch_free(entry);
	entry->size = 0;
	entry->map = 0;
	push_free_entry(entry);
	control_block->nentries--;
	drop_from_owner(entry);
}

/*
 * Unlink at most so many of the entries that were buried.  Under the exclusive
 * lock, so that nobody buries one meanwhile.
 */
void
entry_unlink_dead(uint32 most)
{
	SharedRef	ref = pg_atomic_read_u32(&control_block->dead_entries);

	if (ref == InvalidSharedRef)
		return;
	for (; ref != InvalidSharedRef && most > 0; most--)
	{
		SharedSeries *entry = memory_address(ref);

		ref = pg_atomic_read_u32(&entry->next_dead);
		unlink_entry(entry);
	}
	pg_atomic_write_u32(&control_block->dead_entries, ref);
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
			SharedSeries *entry = memory_address(old[i]);
			SharedRef  *bucket = bucket_of(&entry->id);

			old[i] = entry->next;
			entry->next = *bucket;
			*bucket = entry->self;
		}
	}
	if (old_count > 0)
		memory_free(old_ref, memory_size_class(old_count * sizeof(SharedRef)));
	return true;
}

/* May another page of memory go to entries?  Under the lock. */
bool
entry_page_allowed(void)
{
	uint64		total = control_block->memory.total;

	return ((uint64) control_block->nslabs + 1) * SLAB_BYTES <= total - total / SHARE_OF_BLOCKS;
}

/* A page of new entries into the list of free ones.  Under the exclusive lock. */
static bool
make_entries(void)
{
	SharedRef	slab;

	if (!entry_page_allowed())
		return false;
	slab = memory_allocate(memory_size_class(SLAB_BYTES));
	if (slab == InvalidSharedRef)
		return false;
	control_block->nslabs++;
	for (int i = SLAB_ENTRIES - 1; i >= 0; i--)
	{
		SharedRef	ref = slab + i * (256 / MEMORY_UNIT);
		SharedSeries *entry = memory_address(ref);

		memset(entry, 0, sizeof(SharedSeries));
		pg_atomic_init_u64(&entry->ticket, control_new_generation() | TICKET_CLOSED | NO_INDEX);
		pg_atomic_init_u32(&entry->next_dead, InvalidSharedRef);
		pg_atomic_init_u32(&entry->dead, 1);
		pg_atomic_init_u32(&entry->prefetched_for, 0);
		entry->self = ref;
		push_free_entry(entry);
	}
	return true;
}

/* The entry of a series, or NULL. */
SharedSeries *
entry_find(const SeriesId *id)
{
	SharedSeries *entry;

	memory_lock(LW_SHARED);
	entry = entry_find_linked(id);
	LWLockRelease(&control_block->lock);
	return entry;
}

/*
 * The entry of a series, a new one if need be; NULL where there is no memory,
 * or what there is has to be left to other databases.  `entitled` is who has
 * just given up an entry of the same database.
 */
SharedSeries *
entry_make(const SeriesId *id, bool entitled)
{
	do
	{
		SharedSeries *entry;
		SharedSeries *owner;

		memory_lock(LW_EXCLUSIVE);
		entry_unlink_dead(DEAD_AT_ONCE);
		entry = entry_find_linked(id);
		owner = find_owner(id);
		while (entry == NULL && owner != NULL && control_block->nfree * ENTRIES_A_FREE <= owner->seen && make_entries())
			;
		if (entry == NULL &&
			(control_block->nbuckets > 0 || make_buckets()) &&
			(entitled || entry_allowed(owner) || make_entries()) &&
			(control_block->nfree > (owner == NULL) || make_entries()))
		{
			SharedRef  *bucket;

			if (control_block->nentries > control_block->nbuckets * 2)
				make_buckets();
			if (owner == NULL)
				owner = make_owner(id);
			entry = pop_free_entry();
			entry->owner = owner->self;
			owner->seen++;
			entry->id = *id;
			entry->seen = 0;
			pg_atomic_write_u32(&entry->dead, 0);
			entry->codes = InvalidSharedRef;
			entry->acknowledged = false;
			entry->in_doubt = true;
			entry->size = 0;
			entry->map = 0;
			entry->span = 0;
			entry->blocklist_id = 0;
			entry->series_blocklist_id = 0;
			entry->counted = -1;
			entry->issued = 0;
			entry->skipped = 0;
			entry->refill_time = 0;
			entry->since = GetCurrentTimestamp();
			entry->refills = 0;
			entry->refill_waits = 0;
			entry->reserved_end = -1;
			entry->published_end = -1;
			entry->reserved_lsn = InvalidXLogRecPtr;
			pg_atomic_exchange_u64(&entry->ticket, control_new_generation() | TICKET_CLOSED);
			entry->reserved_at = 0;
			entry->reserved_span = 0;
			entry->undurable = 0;
			bucket = bucket_of(id);
			entry->next = *bucket;
			*bucket = entry->self;
			control_block->nentries++;
		}
		LWLockRelease(&control_block->lock);
		if (entry != NULL)
			return entry;
	} while (memory_grow());
	return NULL;
}

/*
 * Every entry of a database and extension: those of the series `any`.
 */
List *
entry_collect(const SeriesId *any)
{
	List	   *entries = NIL;

	memory_lock(LW_SHARED);
	for (uint32 i = 0; i < control_block->nbuckets; i++)
	{
		SharedRef	ref = ((SharedRef *) memory_address(control_block->buckets))[i];

		while (ref != InvalidSharedRef)
		{
			SharedSeries *entry = memory_address(ref);

			if (pg_atomic_read_u32(&entry->dead) == 0 && entry_same_owner(&entry->id, any))
				entries = lappend(entries, entry);
			ref = entry->next;
		}
	}
	LWLockRelease(&control_block->lock);
	return entries;
}

/*
 * Give up an entry whose ring is gone, if it is still an entry of that one.  Safe at
 * the end of a transaction: cannot fail.  Whoever next makes an entry unlinks it.
 */
void
entry_bury(SharedSeries *entry, const pg_uuid_t *incarnation)
{
	uint32		head;

	/* Not memory_lock(): the entry's memory is mapped, and that may fail. */
	LWLockAcquire(&control_block->lock, LW_SHARED);
	if (memcmp(&entry->id.incarnation, incarnation, sizeof(pg_uuid_t)) == 0 &&
		pg_atomic_exchange_u32(&entry->dead, 1) == 0)
	{
		pg_atomic_exchange_u64(&entry->ticket, control_new_generation() | TICKET_CLOSED | NO_INDEX);
		head = pg_atomic_read_u32(&control_block->dead_entries);
		do
		{
			pg_atomic_write_u32(&entry->next_dead, head);
		} while (!pg_atomic_compare_exchange_u32(&control_block->dead_entries, &head, entry->self));
	}
	LWLockRelease(&control_block->lock);
}

/*
 * Is it worth looking for entries whose database or extension is gone?  When they
 * have become many, and when an extension uses its first: it may be new.
 */
bool
entry_sweep_due(const SeriesId *id)
{
	bool		due;

	memory_lock(LW_SHARED);
	due = control_block->nentries >= control_block->sweep_at || find_owner(id) == NULL;
	LWLockRelease(&control_block->lock);
	return due;
}

static bool
owner_listed(const List *owners, const SeriesId *id)
{
	ListCell   *cell;

	foreach(cell, owners)
	{
		const EntryOwner *owner = lfirst(cell);

		if (owner->database == id->database && owner->relid == id->relid && owner->instance == id->instance)
			return true;
	}
	return false;
}

/* Whose entries there are, each owner once. */
List *
entry_owners(void)
{
	List	   *owners = NIL;

	memory_lock(LW_SHARED);
	for (SharedRef ref = control_block->owners; ref != InvalidSharedRef;)
	{
		const SharedSeries *entry = memory_address(ref);
		EntryOwner *owner = palloc(sizeof(EntryOwner));

		owner->database = entry->id.database;
		owner->relid = entry->id.relid;
		owner->instance = entry->id.instance;
		owners = lappend(owners, owner);
		ref = entry->next;
	}
	LWLockRelease(&control_block->lock);
	return owners;
}

/* Unlink every entry of owners that are gone. */
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
			SharedSeries *entry = memory_address(ref);

			ref = entry->next;
			if (owner_listed(gone, &entry->id))
				unlink_entry(entry);
		}
	}
	control_block->sweep_at = Max(FIRST_SWEEP, control_block->nentries * 2);
	LWLockRelease(&control_block->lock);
}

/*
 * Up to count series that were not used since the clock came by last: those of
 * the caller's database, if entries are wanted, and all that have memory for
 * codes.  One turn of the clock after the other looks at a part of the table.
 */
List *
entry_candidates(const SeriesId *except, bool entries, int count)
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
			SharedSeries *entry = memory_address(ref);
			uint32		ticket = (uint32) pg_atomic_read_u64(&entry->ticket);
			bool		idle = entry->seen == ticket;
			bool		ours = entry_same_owner(&entry->id, except);

			ref = entry->next;
			looks++;
			entry->seen = ticket;
			if (idle && pg_atomic_read_u32(&entry->dead) == 0 &&
				((ours && entries) || entry->codes != InvalidSharedRef || entry->ahead != InvalidSharedRef))
			{
				SeriesId   *id = palloc(sizeof(SeriesId));

				*id = entry->id;
				keys = lappend(keys, id);
			}
		}
	}
	LWLockRelease(&control_block->lock);
	return keys;
}

/* Free the entry of a series; the caller holds its refill lock. */
void
entry_unlink(SharedSeries *entry, const SeriesId *id)
{
	memory_lock(LW_EXCLUSIVE);
	if (entry_same_series(&entry->id, id))
		unlink_entry(entry);
	LWLockRelease(&control_block->lock);
}
