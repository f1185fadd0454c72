/*
 * memory.c
 *		Shared memory that is never unmapped: a buddy allocator.
 *
 * Why not PostgreSQL's dsa.c: a session reads codes from a block without any
 * lock and learns only afterwards, from a failed compare-and-swap, that the
 * block had been given to another series.  So memory that once held codes has
 * to stay mapped for as long as the server runs, and dsa.c unmaps segments
 * that became empty.  It also throws an error while it holds its own lock when
 * the system has no memory left; here that is an answer (false or
 * InvalidSharedRef) and the caller goes on with one code at a time.
 *
 * A segment is pinned, and mapped by each process that meets a reference into
 * it.  Its first bytes are a map of one byte a unit, that says where free
 * blocks begin and how large they are; a free block holds the links of its
 * list.  Everything here is protected by one lightweight lock, which the
 * caller takes through memory_lock(), because that function first maps what
 * other processes have added: under the lock nothing can throw.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "shmem/memory.h"
#include "shmem/shared.h"

#define FIRST_SEGMENT	((Size) 512 * 1024)
#define LARGEST_SEGMENT	((Size) 8 * 1024 * 1024)

/* After a refusal by the system, do not ask again for this long, in ms. */
#define REFUSED_PAUSE	10000

#define REF_UNIT_BITS	26
#define REF_SEGMENT(ref)	((ref) >> REF_UNIT_BITS)
#define REF_UNIT(ref)		((ref) & ((1 << REF_UNIT_BITS) - 1))
#define MAKE_REF(seg, unit)	(((SharedRef) (seg) << REF_UNIT_BITS) | (unit))

#define UNIT_FREE		0x80	/* in the map: a free block of this size_class begins here */

int			memory_limit_kb = 48 * 1024;

static MemoryControl *control;
static LWLock *control_lock;

/* This process' mappings. */
static uint32 nmapped;
static char *mapped[MEMORY_MAX_SEGMENTS];
static uint32 mapped_units[MEMORY_MAX_SEGMENTS];

void
memory_init(MemoryControl *new_control)
{
	memset(new_control, 0, sizeof(MemoryControl));
}

void
memory_attach(MemoryControl *new_control, LWLock *lock)
{
	control = new_control;
	control_lock = lock;
}

/*
 * Map a segment, for as long as this process lives.
 */
static void
map_segment(uint32 number, dsm_segment *segment)
{
	mapped[number] = dsm_segment_address(segment);
	mapped_units[number] = dsm_segment_map_length(segment) / MEMORY_UNIT;
}

static void
map_new_segments(void)
{
	uint32		nsegments = *(volatile uint32 *) &control->nsegments;

	pg_read_barrier();
	while (nmapped < nsegments)
	{
		dsm_segment *segment = dsm_find_mapping(control->handles[nmapped]);

		/* If that fails, the end of the transaction cleans up after it. */
		if (segment == NULL)
		{
			segment = dsm_attach(control->handles[nmapped]);
			if (segment == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						 errmsg("could not map the shared memory of coderring")));
			dsm_pin_mapping(segment);
		}
		map_segment(nmapped, segment);
		nmapped++;
	}
}

/*
 * Take the lock with every segment mapped, so that any reference found under
 * it can be followed.  May throw before it has the lock, not after.
 */
void
memory_lock(LWLockMode mode)
{
	for (;;)
	{
		map_new_segments();
		LWLockAcquire(control_lock, mode);
		if (nmapped == control->nsegments)
			return;
		LWLockRelease(control_lock);
	}
}

/*
 * The address of a reference that was read under the lock.
 */
void *
memory_address(SharedRef ref)
{
	Assert(ref != InvalidSharedRef);
	Assert(REF_SEGMENT(ref) < nmapped);
	return mapped[REF_SEGMENT(ref)] + (Size) REF_UNIT(ref) * MEMORY_UNIT;
}

static inline uint8 *
unit_map(SharedRef ref)
{
	return (uint8 *) mapped[REF_SEGMENT(ref)] + REF_UNIT(ref);
}

static void
push_free(SharedRef ref, int size_class)
{
	FreeBlock  *block = memory_address(ref);
	SharedRef	head = control->free[size_class];

	block->prev = InvalidSharedRef;
	block->next = head;
	if (head != InvalidSharedRef)
		((FreeBlock *) memory_address(head))->prev = ref;
	control->free[size_class] = ref;
	*unit_map(ref) = UNIT_FREE | size_class;
}

static void
remove_free(SharedRef ref, int size_class)
{
	FreeBlock  *block = memory_address(ref);

	if (block->prev != InvalidSharedRef)
		((FreeBlock *) memory_address(block->prev))->next = block->next;
	else
		control->free[size_class] = block->next;
	if (block->next != InvalidSharedRef)
		((FreeBlock *) memory_address(block->next))->prev = block->prev;
	*unit_map(ref) = 0;
}

/*
 * What the map of a new segment does not cover is free, in the largest blocks that
 * are aligned.  Under the exclusive lock.
 */
static void
share_out(uint32 segment)
{
	uint32		unit = (mapped_units[segment] + MEMORY_UNIT - 1) / MEMORY_UNIT;

	while (unit < mapped_units[segment])
	{
		int			size_class = 0;

		while (size_class < MEMORY_SIZE_CLASSES - 1 &&
			   (unit & ((2 << size_class) - 1)) == 0 &&
			   unit + (2 << size_class) <= mapped_units[segment])
			size_class++;
		push_free(MAKE_REF(segment, unit), size_class);
		unit += 1 << size_class;
	}
}

/*
 * Get another segment from the system, outside any lock.  False when the
 * limit is reached or the system has nothing left (a small /dev/shm, say).
 */
bool
memory_grow(void)
{
	uint32		seen;
	Size		size;
	dsm_segment *volatile segment = NULL;
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ResourceOwner segment_owner;
	uint32		holdoff = InterruptHoldoffCount;
	TimestampTz now = GetCurrentTimestamp();

	memory_lock(LW_SHARED);
	seen = control->nsegments;
	size = Min(FIRST_SEGMENT << Min(seen, 8), LARGEST_SEGMENT);
	while (size > FIRST_SEGMENT && control->total + size > (uint64) memory_limit_kb * 1024)
		size /= 2;
	if (seen == MEMORY_MAX_SEGMENTS ||
		control->total + size > (uint64) memory_limit_kb * 1024 ||
		(control->refused_at != 0 &&
		 now < TimestampTzPlusMilliseconds(control->refused_at, REFUSED_PAUSE)))
	{
		LWLockRelease(control_lock);
		return false;
	}
	LWLockRelease(control_lock);

	/* An owner of its own, to clean up after a failure without an abort. */
	segment_owner = ResourceOwnerCreate(owner, "coderring");
	CurrentResourceOwner = segment_owner;
	PG_TRY();
	{
		segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	}
	PG_CATCH();
	{
		int			code = geterrcode();

		CurrentResourceOwner = owner;
		MemoryContextSwitchTo(context);

		/* Nothing but the system's refusal may be swallowed. */
		if (ERRCODE_TO_CATEGORY(code) != ERRCODE_INSUFFICIENT_RESOURCES &&
			ERRCODE_TO_CATEGORY(code) != ERRCODE_SYSTEM_ERROR)
			PG_RE_THROW();
		FlushErrorState();
		InterruptHoldoffCount = holdoff;
	}
	PG_END_TRY();
	CurrentResourceOwner = owner;
	if (segment != NULL)
		dsm_pin_mapping(segment);
	ResourceOwnerRelease(segment_owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, false);
	ResourceOwnerDelete(segment_owner);

	if (segment == NULL)
	{
		LWLockAcquire(control_lock, LW_EXCLUSIVE);
		control->refused_at = now;
		LWLockRelease(control_lock);
		return false;
	}

	memory_lock(LW_EXCLUSIVE);
	if (control->nsegments != seen)
	{
		/* Another process was faster: its segment will do. */
		LWLockRelease(control_lock);
		dsm_detach(segment);
		return true;
	}

	dsm_pin_segment(segment);
	map_segment(seen, segment);
	nmapped = seen + 1;
	memset(mapped[seen], 0, mapped_units[seen]);
	control->handles[seen] = dsm_segment_handle(segment);
	control->total += size;
	control->refused_at = 0;
	pg_write_barrier();
	control->nsegments = seen + 1;

	share_out(seen);
	LWLockRelease(control_lock);
	return true;
}

/*
 * A block of 2^size_class units, or InvalidSharedRef; under the exclusive lock.
 */
SharedRef
memory_allocate(int size_class)
{
	int			found = size_class;
	SharedRef	ref;

	Assert(LWLockHeldByMeInMode(control_lock, LW_EXCLUSIVE));
	while (found < MEMORY_SIZE_CLASSES && control->free[found] == InvalidSharedRef)
		found++;
	if (found >= MEMORY_SIZE_CLASSES)
		return InvalidSharedRef;
	ref = control->free[found];
	remove_free(ref, found);
	while (found > size_class)
	{
		found--;
		push_free(ref + (1 << found), found);
	}
	return ref;
}

/*
 * Give a block back; under the exclusive lock.  Sessions may still be reading
 * from it (see the head of this file), and writing the links into it is fine.
 */
void
memory_free(SharedRef ref, int size_class)
{
	Assert(LWLockHeldByMeInMode(control_lock, LW_EXCLUSIVE));
	while (size_class < MEMORY_SIZE_CLASSES - 1)
	{
		SharedRef	buddy = MAKE_REF(REF_SEGMENT(ref), REF_UNIT(ref) ^ (1 << size_class));

		if (REF_UNIT(buddy) >= mapped_units[REF_SEGMENT(ref)] ||
			*unit_map(buddy) != (UNIT_FREE | size_class))
			break;
		remove_free(buddy, size_class);
		ref = Min(ref, buddy);
		size_class++;
	}
	push_free(ref, size_class);
}
