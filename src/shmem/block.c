/*
 * block.c
 *		The block of an entry: adopt, close, reopen, publish.
 *
 * A block's contents are written by the holder of the series' refill lock
 * alone, while the ticket is closed; readers check the ticket's generation
 * instead of locking.  A ticket is closed by the holder of the refill lock, or
 * of the exclusive definition lock, which excludes the former.  Where the latter
 * has left the entry in doubt, the former opens it only once that is cleared.  Taking a code
 * is block_take, in the header.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/s_lock.h"

#include "shmem/block.h"
#include "shmem/control.h"
#include "shmem/entry.h"
#include "shmem/memory.h"
#include "shmem/prefetch.h"
#include "shmem/shared.h"

/*
 * Remember the block that the entry holds now, for block_take.  False when the
 * entry belongs to another series by now, or its block is closed or empty, or
 * was filtered with other words.
 */
bool
block_adopt(SharedSeries *entry, const SeriesId *id, uint64 blocklist_id, CodeBlock *block)
{
	bool		good;
	uint64		ticket;
	uint32		size;

	memory_lock(LW_SHARED);
	ticket = pg_atomic_read_u64(&entry->ticket);
	pg_read_barrier();
	block->entry = entry;
	block->generation = TICKET_GENERATION(ticket);
	size = ((volatile SharedSeries *) entry)->size;
	block->acknowledged = entry->acknowledged;
	block->first = entry->published_end - entry->span;
	good = entry_same_series(&entry->id, id) &&
		entry->blocklist_id == blocklist_id &&
		TICKET_LOW(ticket) < size &&
		entry->codes != InvalidSharedRef;
	if (good)
		block->codes = memory_address(entry->codes);
	pg_read_barrier();
	if (TICKET_GENERATION(pg_atomic_read_u64(&entry->ticket)) != block->generation)
		good = false;
	LWLockRelease(&control_block->lock);
	if (!good)
		block->generation = 0;
	block->past_middle = size >= PREFETCH_FROM && TICKET_LOW(ticket) >= size / 2;
	block->limit = size < PREFETCH_FROM || block->past_middle ? size : size / 2;
	return good;
}

/*
 * Stop a block.  What is left of it stays in its place: block_reopen goes on
 * with it, block_read tells where it stopped.
 */
uint32
block_close(SharedSeries *entry)
{
	uint64		ticket = pg_atomic_read_u64(&entry->ticket);
	uint32		index = TICKET_INDEX(ticket);

	if ((ticket & TICKET_CLOSED) == 0)
	{
		uint64		closed = control_new_generation() | TICKET_CLOSED;

		while (!pg_atomic_compare_exchange_u64(&entry->ticket, &ticket,
											   closed | TICKET_INDEX(ticket)))
			;
		index = TICKET_INDEX(ticket);
	}
	return index < entry->size ? entry->size - index : 0;
}

/*
 * Go on with what is left of a closed block; false if nothing is.  The caller
 * holds the refill lock.
 */
bool
block_reopen(SharedSeries *entry)
{
	uint64		ticket = pg_atomic_read_u64(&entry->ticket);

	if (entry->in_doubt || TICKET_INDEX(ticket) >= entry->size)
		return false;
	if (ticket & TICKET_CLOSED)
		return pg_atomic_compare_exchange_u64(&entry->ticket, &ticket,
											  control_new_generation() | TICKET_INDEX(ticket));
	return true;
}

/*
 * The number of the bit that is set after `index` set ones, or `bits` if there
 * are not so many.
 */
static int64
select_bit(const uint8 *map, int64 bits, uint32 index)
{
	int64		byte = 0;
	int64		bytes = (bits + 7) / 8;

	while (bytes - byte >= (int64) sizeof(uint64))
	{
		uint64		word;
		uint32		set;

		memcpy(&word, map + byte, sizeof(word));
		set = pg_popcount64(word);
		if (index < set)
			break;
		index -= set;
		byte += sizeof(word);
	}
	for (; byte < bytes; byte++)
	{
		uint32		set = pg_number_of_ones[map[byte]];

		if (index < set)
		{
			for (int bit = 0; bit < 8; bit++)
			{
				if ((map[byte] & (1 << bit)) != 0 && index-- == 0)
					return Min(byte * 8 + bit, bits);
			}
		}
		index -= set;
	}
	return bits;
}

/*
 * The position of the code at an index of the block.  Under the lock, so that
 * the array is not given to another entry meanwhile.
 */
static int64
position_at(SharedSeries *entry, uint32 index)
{
	uint32		map = ((volatile SharedSeries *) entry)->map;
	uint32		span = ((volatile SharedSeries *) entry)->span;
	int64		first = entry->published_end - span;
	int64		room;

	if (map == 0)
		return first + index;
	if (entry->codes == InvalidSharedRef)
		return first;

	/* Numbers of two blocks may meet here, but none leads out of the array. */
	room = ((int64) MEMORY_UNIT << entry->codes_size_class) - map;
	return first +
		select_bit((const uint8 *) memory_address(entry->codes) + map,
				   Max(Min(span, room * 8), 0), index);
}

/*
 * The same, without the lock.  Whoever does not hold the refill lock looks at
 * the ticket before and after.
 */
static int64
position_of(SharedSeries *entry, uint32 index)
{
	int64		position;

	if (entry->map == 0)
		return entry->published_end - entry->span + index;
	memory_lock(LW_SHARED);
	position = position_at(entry, index);
	LWLockRelease(&control_block->lock);
	return position;
}

/*
 * How far the series has come.  Waits while its block is being written, which
 * takes no time unless the writer has just been put to sleep.  If it sleeps for
 * good the wait can be cancelled: whoever holds the refill lock, and might
 * leave something half done, never waits here, since nobody else writes.
 */
void
block_read(SharedSeries *entry, BlockState *state)
{
	for (int tries = 1;; tries++)
	{
		uint64		ticket = pg_atomic_read_u64(&entry->ticket);
		uint32		index = TICKET_INDEX(ticket);
		uint32		size;

		pg_read_barrier();
		size = ((volatile SharedSeries *) entry)->size;
		state->position = index < size ? position_of(entry, index) : entry->published_end;
		state->counted = entry->counted - (index < size ? size - index : 0);
		state->issued = entry->issued + Min(index, size);
		pg_read_barrier();
		if (index != NO_INDEX &&
			TICKET_GENERATION(pg_atomic_read_u64(&entry->ticket)) == TICKET_GENERATION(ticket))
			break;
		if (pg_atomic_read_u32(&entry->dead) != 0)
			break;				/* it has stopped for ever where published_end says */
		if (tries % 1000 == 0)
		{
			CHECK_FOR_INTERRUPTS();
			pg_usleep(100);
		}
		pg_spin_delay();
	}
}

/*
 * Find out from an entry how far a series has come, without its refill lock.
 * False if the entry is not, or no longer, the series', or does not know.
 */
bool
block_look(SharedSeries *entry, const SeriesId *id, BlockState *state)
{
	block_read(entry, state);
	state->reserved_end = ((volatile SharedSeries *) entry)->reserved_end;
	state->reserved_end = Max(state->reserved_end, state->position);
	state->blocklist_id = entry->series_blocklist_id;
	pg_read_barrier();
	return entry_same_series(&entry->id, id) && state->position >= 0;
}

/*
 * The same, and find the entry; NULL if no entry knows.
 */
SharedSeries *
block_find(const SeriesId *id, BlockState *state)
{
	for (;;)
	{
		SharedSeries *entry = entry_find(id);

		if (entry == NULL || block_look(entry, id, state))
			return entry;
		if (entry_same_series(&entry->id, id))
			return NULL;		/* it has never known */
	}
}

/*
 * Empty the block, and leave it to the caller to say when it can be read
 * again: what comes next is at a position, with so many codes of its cycle
 * before it.  The caller holds the refill lock.
 */
static void
begin_block(SharedSeries *entry, int64 position, int64 counted)
{
	uint64		ticket = pg_atomic_exchange_u64(&entry->ticket,
												control_new_generation() | TICKET_CLOSED | NO_INDEX);

	/* Some processors let writes overtake the exchange, though nothing that comes before it. */
	pg_memory_barrier();
	entry->issued += Min(TICKET_INDEX(ticket), entry->size);
	entry->size = 0;
	entry->map = 0;
	entry->published_end = position;
	entry->counted = counted;
}

/* The same, and leave it empty. */
static void
empty_block(SharedSeries *entry, int64 position, int64 counted)
{
	begin_block(entry, position, counted);
	pg_write_barrier();
	pg_atomic_exchange_u64(&entry->ticket, control_new_generation() | TICKET_CLOSED);
}

/*
 * Take back what is left of a block, because it was filtered with other words:
 * its positions are reserved, and their codes will be computed anew.  The
 * caller holds the refill lock.
 */
void
block_withdraw(SharedSeries *entry)
{
	BlockState	state;

	(void) block_close(entry);
	block_read(entry, &state);
	empty_block(entry, state.position, state.counted);
}

/*
 * Take back what is left of a block and free its array, for somebody who needs
 * the memory more: the codes will be computed anew.  Nothing is lost, and
 * nothing has to be written, so it may be another database's.  The caller
 * holds the refill lock and the exclusive lock.
 */
void
block_strip(SharedSeries *entry)
{
	uint64		ticket;
	uint32		index;

	(void) block_close(entry);
	ticket = pg_atomic_read_u64(&entry->ticket);
	index = TICKET_INDEX(ticket);
	if (index == NO_INDEX)
		return;					/* given up */
	if (index < entry->size)
		empty_block(entry, position_at(entry, index), entry->counted - (entry->size - index));
	else
		empty_block(entry, entry->published_end, entry->counted);
	if (entry->codes != InvalidSharedRef)
		memory_free(entry->codes, entry->codes_size_class);
	entry->codes = InvalidSharedRef;
	prefetch_free(entry);
}

/*
 * Note that the positions from first to before end have been written to the
 * series' row by the record that ends at lsn, and that `counted` codes of the
 * cycle are before them with the words of blocklist_id.  To be called right after it:
 * nothing may throw in between.  Whatever is left of the block is given up, by
 * the caller's wish.  The caller holds the refill lock.
 */
void
block_reserved(SharedSeries *entry, int64 first, int64 counted, int64 end, uint64 blocklist_id, uint64 series_blocklist_id,
			   XLogRecPtr lsn)
{
	int64		durable = first;

	/* What was on disk before is still, but the words may have to be, too. */
	if (entry->series_blocklist_id == series_blocklist_id)
		durable = Max(durable, entry->reserved_end - entry->undurable);
	entry->series_blocklist_id = series_blocklist_id;
	empty_block(entry, first, counted);
	entry->blocklist_id = blocklist_id;
	entry->undurable = end - Min(durable, end);
	entry->reserved_end = end;
	entry->reserved_span = end - first;
	entry->reserved_lsn = lsn;
}

/*
 * The entry's array, made for so many bytes if there is memory for it; NULL
 * where the entry has none.  The block is empty, so nobody needs the old one.
 */
static char *
make_array(SharedSeries *entry, Size bytes)
{
	int			size_class = memory_size_class(bytes);
	char	   *array = NULL;
	bool		fits;

	do
	{
		memory_lock(LW_EXCLUSIVE);
		fits = entry->codes != InvalidSharedRef &&
			(entry->codes_size_class == size_class || entry->codes_size_class == size_class + 1);
		if (!fits)
		{
			SharedRef	ref;

			entry_unlink_dead(DEAD_AT_ONCE);
			ref = memory_allocate(size_class);
			if (ref == InvalidSharedRef && entry->ahead != InvalidSharedRef)
			{
				/* What was computed for a larger block is in the way. */
				prefetch_free(entry);
				ref = memory_allocate(size_class);
			}
			if (ref != InvalidSharedRef)
			{
				if (entry->codes != InvalidSharedRef)
					memory_free(entry->codes, entry->codes_size_class);
				entry->codes = ref;
				entry->codes_size_class = size_class;
				fits = true;
			}
		}
		if (entry->codes != InvalidSharedRef)
			array = memory_address(entry->codes);
		LWLockRelease(&control_block->lock);
	} while (!fits && memory_grow());
	return array;
}

/*
 * Hand the codes of a batch to everyone but the first, which the caller takes:
 * as many of them as there is memory for.  Returns how many were handed out,
 * the caller's included.  `counted` codes of the cycle are before the batch.
 * The caller holds the refill lock, has found the block before empty, and has
 * made the reservation durable.
 */
uint32
block_publish(SharedSeries *entry, const CodeBatch *batch, int64 counted, uint64 blocklist_id)
{
	char	   *array = NULL;
	uint32		count = batch->count;
	Size		map_bytes = batch->map != NULL ? (batch->end - batch->first + 7) / 8 : 0;
	Size		room = 0;
	int64		end = batch->end;
	bool		none;

	if (count > 1)
		array = make_array(entry, (Size) count * batch->tail_length + map_bytes);
	if (array != NULL)
		room = (Size) MEMORY_UNIT << entry->codes_size_class;
	none = room < map_bytes + batch->tail_length;
	count = none ? 1 : Min(count, (room - map_bytes) / batch->tail_length);
	if (count < batch->count)
		end = batch->first + 1 +
			(batch->map != NULL ? select_bit(batch->map, batch->end - batch->first, count - 1) : count - 1);

	/* Nothing can throw while the ticket says that the block is being written. */
	begin_block(entry, end, counted + count);
	entry->blocklist_id = blocklist_id;
	entry->span = end - batch->first;
	entry->refills++;
	if (none)
		entry->issued++;
	else
	{
		memcpy(array, batch->codes, (Size) count * batch->tail_length);
		if (map_bytes > 0)
		{
			entry->map = count * batch->tail_length;
			memcpy(array + entry->map, batch->map, map_bytes);
		}
		entry->size = count;
	}
	pg_write_barrier();
	pg_atomic_exchange_u64(&entry->ticket, control_new_generation() | (none ? 0 : 1));
	return count;
}

/*
 * Stop an entry whose ring is being dropped or reset.  From then on it is in
 * doubt whether the ring is still what it was: who comes under the refill lock
 * asks its row first.  So it is with an entry that has reserved nothing yet,
 * since nobody finds that one who looks for the entries of a ring by its series.
 * The caller holds the ring's definition lock exclusively.
 */
void
block_doubt(SharedSeries *entry)
{
	(void) block_close(entry);
	entry->in_doubt = true;
}

/* Free what a series' entry has of codes; the caller holds its refill lock. */
void
block_strip_series(const SeriesId *id)
{
	SharedSeries *entry;

	memory_lock(LW_EXCLUSIVE);
	entry = entry_find_linked(id);
	if (entry != NULL)
		block_strip(entry);
	LWLockRelease(&control_block->lock);
}

/*
 * Has a session come so far in a large block that the next one is to be
 * computed, and is it the first?
 */
bool
block_prefetch_due(const CodeBlock *block)
{
	SharedSeries *entry = block->entry;
	uint32		generation = (uint32) block->generation;

	return block->past_middle &&
		pg_atomic_read_u32(&entry->prefetched_for) != generation &&
		pg_atomic_exchange_u32(&entry->prefetched_for, generation) != generation;
}
