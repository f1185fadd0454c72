/*
 * getcode.c
 *		A code for a caller.
 *
 * The way of a code:
 *	 1. getcode() (in the header) takes it from the block that the session
 *		remembers, with a compare-and-swap.
 *	 2. getcode_slowly() looks the series up, reads its definition again if
 *		any has changed, takes the code from the block remembered of that
 *		series, or remembers the block that is there now.
 *	 3. refill_take() makes a new block (refill.c).
 */
#include "postgres.h"

#include "access/table.h"

#include "codes/capacity.h"
#include "codes/cycles.h"
#include "codes/encode.h"
#include "core/wordfilter.h"
#include "issue/evict.h"
#include "issue/getcode.h"
#include "issue/refill.h"
#include "issue/session.h"
#include "shmem/block.h"
#include "shmem/entry.h"
#include "shmem/locks.h"
#include "shmem/shared.h"
#include "store/blocklist.h"
#include "store/definitions.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

/*
 * Remember the block that a slot holds now, and the prefix that its codes have:
 * whoever finds the block later, after an error for instance, takes the prefix
 * as it stands.  False if nothing can be taken from it.
 */
static bool
remember_block(Series *series, Slot *slot)
{
	const Ring *ring = series->ring;

	if (!block_adopt(slot, &series->key, ring->filter, &series->block))
		return false;
	series->prefix_len = encode_write_prefix(&ring->codec, &series->key,
										   series->block.first / ring->base_codes, series->prefix);
	return true;
}

/*
 * A new code, of a series that this session did not use last, or whose block
 * has come to its end.
 */
text *
getcode_slowly(const CodeRequest *wanted, bool bump)
{
	for (;;)
	{
		Series	   *series = session_series(wanted->name, wanted->extra, wanted->extra_len);
		text	   *code;

		/* As good as that of the series that was used last: so is all that is remembered. */
		if (!bump && series->block.generation != 0 && getcode_allowed(series) &&
			(code = getcode_remembered(series)) != NULL)
			return code;
		if (!bump)
		{
			Slot	   *slot = series->block.slot;

			/* The slot may have been given to another series. */
			if (slot == NULL || !remember_block(series, slot))
			{
				slot = entry_find(&series->key);
				if (slot != NULL)
					(void) remember_block(series, slot);
			}
			if (series->block.generation != 0 && getcode_allowed(series))
			{
				if (block_prefetch_due(&series->block))
					refill_prefetch(series);
				code = encode_room(series->prefix, series->prefix_len, series->stride);

				/*
				 * The block may have been opened since a definition changed:
				 * look at the epoch after having read the ticket.
				 */
				if (definitions_current() &&
					block_take(&series->block, VARDATA(code) + series->prefix_len, series->stride))
					return code;
				pfree(code);
			}
		}

		code = refill_take(series, wanted, bump);
		if (code != NULL)
			return code;
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Raise 2200H if a series has some codes left, within the ring's max_length
 * and before its cycles end, and not so many.  What others take at the same
 * time is not seen.
 */
void
getcode_check_left(const CodeRequest *wanted, int64 count)
{
	const Series *series = session_series(wanted->name, wanted->extra, wanted->extra_len);
	const Ring *ring = series->ring;
	SeriesKey	key = series->key;
	BlockState	state;
	SeriesNumbers numbers;
	uint64		filter;
	const WordFilter *list = blocklist_filter(ring, &filter);
	int64		position;
	int64		left;
	bool		known = block_find(&key, &state) != NULL;
	bool		exists = (!known || ring->max_length > 0) && series_read(&key, &numbers);

	position = known ? state.position : exists ? numbers.reserved_to : cycles_start(ring, list, &key);
	if (exists || !known)
		position = cycles_failover_target(ring, list, &key, exists ? &numbers : NULL, position, false);
	if (ring->max_length == 0 && (PG_INT64_MAX - ring->base_codes - position) / CAPACITY_SHARE >= count)
		return;
	left = cycles_count_left(ring, list, &key, position, exists ? numbers.reserved_to : 0, count);
	if (left == 0 || left >= count)
		return;					/* none at all is getcode()'s to report */
	ereport(ERROR,
			(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
			 errmsg("cannot take %lld codes of ring \"%s\"", (long long) count, ring->name),
			 ring->max_length > 0 ?
			 errdetail("With extra \"%.*s\" it has %lld more that are not longer than %d characters.",
					   key.extra_len, key.extra, (long long) left, ring->max_length) :
			 errdetail("With extra \"%.*s\" it has %lld more.", key.extra_len, key.extra, (long long) left),
			 errhint("Nothing was taken: ask for fewer.")));
}

static void
load_series(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
			const SeriesNumbers *numbers, void *arg)
{
	SeriesKey	key;

	ring_series_key(arg, &key);
	key.extra_len = extra_len;
	memcpy(key.extra, extra, extra_len);
	/* Not at the cost of those that are there. */
	(void) evict_make_entry(&key, false);
}

/*
 * Give every series of a ring its slot.  Reserves nothing.  A ring that is
 * about to be dropped or reset is left alone.
 */
void
getcode_load(const Ring *ring)
{
	TransactionId undecided;
	uint32		lock_id = locks_ring_id(&ring->id);

	if (!locks_acquire_conditional(LOCK_DEFINITION, lock_id, 0, DEFINITION_USE))
		return;
	if (ring_in_force(&ring->incarnation, &undecided))
		series_visit(&ring->incarnation, load_series, (void *) ring);
	locks_release(LOCK_DEFINITION, lock_id, 0, DEFINITION_USE);
}
