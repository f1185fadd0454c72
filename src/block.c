/*
 * block.c
 *		The block of a slot: adopt, close, reopen, publish.
 *
 * A block's contents are written by the holder of the series' refill lock
 * alone, while the ticket is closed; readers check the ticket's generation
 * instead of locking.  A ticket is closed by the holder of the refill lock, or
 * of the exclusive definition lock, which excludes the former.  Taking a code
 * is block_take, in the header.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/s_lock.h"

#include "block.h"

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
	good = slot_same_series(&slot->key, key) &&
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
		uint64		closed = block_new_generation() | TICKET_CLOSED;

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
		return pg_atomic_compare_exchange_u64(&slot->ticket, &ticket,
											  block_new_generation() | TICKET_INDEX(ticket));
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
	pg_atomic_exchange_u64(&slot->ticket, block_new_generation() | TICKET_CLOSED | NO_INDEX);
	slot->size = 0;
	slot->published_end = first;
	pg_write_barrier();
	pg_atomic_exchange_u64(&slot->ticket, block_new_generation() | TICKET_CLOSED);
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

			slot_unlink_dead();
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
	pg_atomic_exchange_u64(&slot->ticket, block_new_generation() | TICKET_CLOSED | NO_INDEX);
	if (count > 0)
		memcpy(array, codes, (Size) count * stride);
	slot->first = first;
	slot->size = count;
	slot->published_end = first + count;
	pg_write_barrier();
	pg_atomic_exchange_u64(&slot->ticket, block_new_generation());
	return count;
}

