/*
 * prefetch.c
 *		Codes of a series' next block, computed before it is needed.
 *
 * To compute a large block takes as long as some hundred callers take to empty
 * one, and meanwhile all of them would wait.  So where blocks are as large as
 * they get, the first who comes past the middle of one computes the next
 * (refill_prefetch), while the others go on.  The entry keeps the codes in an
 * array of their own until refill_take asks for them.
 *
 * Nothing depends on it: what is kept is what would be computed, since the code at a
 * position follows from the ring's incarnation, the series and the words alone.
 * It is not reserved by being here, nor handed out.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "shmem/control.h"
#include "shmem/memory.h"
#include "shmem/prefetch.h"
#include "shmem/shared.h"

static inline Size
codes_size(const CodeBatch *batch)
{
	return (Size) batch->count * batch->tail_length;
}

static inline Size
map_size(const CodeBatch *batch)
{
	return (batch->end - batch->first + 7) / 8;
}

/* How many of the first bits of a map are set. */
static uint32
count_bits(const uint8 *map, int64 bits)
{
	uint32		count = pg_popcount((const char *) map, bits / 8);

	if (bits % 8 != 0)
		count += pg_number_of_ones[map[bits / 8] & ((1 << (bits % 8)) - 1)];
	return count;
}

/* Free what is kept.  Under the exclusive lock. */
void
prefetch_free(SharedSeries *entry)
{
	if (entry->ahead != InvalidSharedRef)
		memory_free(entry->ahead, ((Prefetch *) memory_address(entry->ahead))->size_class);
	entry->ahead = InvalidSharedRef;
}

/* The same, of a series that is in less use.  The caller holds the refill lock. */
void
prefetch_drop(SharedSeries *entry)
{
	if (entry->ahead == InvalidSharedRef)
		return;
	memory_lock(LW_EXCLUSIVE);
	prefetch_free(entry);
	LWLockRelease(&control_block->lock);
}

/*
 * Keep a batch, if there is memory for it; in place of what was kept before.
 * The caller holds the refill lock, and the entry is not in doubt: so it stays
 * that of the series.
 */
void
prefetch_keep(SharedSeries *entry, const CodeBatch *batch, uint64 blocklist_id)
{
	int			size_class = memory_size_class(sizeof(Prefetch) + codes_size(batch) + (batch->map != NULL ? map_size(batch) : 0));
	Prefetch   *ahead = NULL;

	do
	{
		memory_lock(LW_EXCLUSIVE);
		prefetch_free(entry);
		entry->ahead = memory_allocate(size_class);
		if (entry->ahead != InvalidSharedRef)
		{
			ahead = memory_address(entry->ahead);
			ahead->size_class = size_class;
			ahead->batch.count = 0;
		}
		LWLockRelease(&control_block->lock);
	} while (ahead == NULL && memory_grow());
	if (ahead == NULL)
		return;

	/* Only whoever holds the refill lock looks at it. */
	ahead->batch = *batch;
	ahead->blocklist_id = blocklist_id;
	ahead->has_map = batch->map != NULL;
	memcpy(ahead + 1, batch->codes, codes_size(batch));
	if (ahead->has_map)
		memcpy((char *) (ahead + 1) + codes_size(batch), batch->map, map_size(batch));
}

/*
 * What is kept, up to a position, if it begins at another one and was filtered
 * with these words.  Its memory is the caller's context's.  The caller holds
 * the refill lock.
 */
bool
prefetch_find(SharedSeries *entry, int64 first, int64 end, uint64 blocklist_id, CodeBatch *batch)
{
	const Prefetch *ahead = NULL;
	const uint8 *map;

	if (entry->ahead == InvalidSharedRef)
		return false;
	memory_lock(LW_SHARED);
	if (entry->ahead != InvalidSharedRef)
		ahead = memory_address(entry->ahead);
	LWLockRelease(&control_block->lock);
	if (ahead == NULL || ahead->batch.count == 0 || ahead->batch.first != first || ahead->blocklist_id != blocklist_id)
		return false;
	*batch = ahead->batch;
	map = ahead->has_map ? (const uint8 *) (ahead + 1) + codes_size(batch) : NULL;
	if (batch->end > end)
	{
		batch->end = end;
		batch->count = map != NULL ? count_bits(map, end - first) : end - first;
		if (batch->count == 0)
			return false;
	}
	batch->codes = memcpy(palloc(codes_size(batch)), ahead + 1, codes_size(batch));
	batch->map = map != NULL ? memcpy(palloc(map_size(batch)), map, map_size(batch)) : NULL;
	return true;
}
