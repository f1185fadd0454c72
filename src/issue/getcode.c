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
 * Remember the block that an entry holds now, and the prefix that its codes have:
 * whoever finds the block later, after an error for instance, takes the prefix
 * as it stands.  False if nothing can be taken from it.
 */
static bool
remember_block(Series *series, SharedSeries *entry)
{
	const Ring *ring = series->ring;

	if (!block_adopt(entry, &series->id, ring->blocklist_id, &series->block))
		return false;
	series->prefix_len = encode_write_prefix(&ring->codec, &series->id,
											 series->block.first / ring->base_codes, series->prefix);
	return true;
}

/*
 * A new code, of a series that this session did not use last, or whose block
 * has come to its end.
 */
text *
getcode_slowly(const CodeRequest *request, bool bump)
{
	for (;;)
	{
		Series	   *series = session_series(request->name, request->extra, request->extra_len);
		text	   *code;

		/* As good as that of the series that was used last: so is all that is remembered. */
		if (!bump && series->block.generation != 0 && getcode_allowed(series) &&
			(code = getcode_remembered(series)) != NULL)
			return code;
		if (!bump)
		{
			SharedSeries *entry = series->block.entry;

			/* The entry may have been given to another series. */
			if (entry == NULL || !remember_block(series, entry))
			{
				entry = entry_find(&series->id);
				if (entry != NULL)
					(void) remember_block(series, entry);
			}
			if (series->block.generation != 0 && getcode_allowed(series))
			{
				if (block_prefetch_due(&series->block))
					refill_prefetch(series);
				code = encode_room(series->prefix, series->prefix_len, series->tail_length);

				/*
				 * The block may have been opened since a definition changed:
				 * look at the version after having read the ticket.
				 */
				if (definitions_current() &&
					block_take(&series->block, VARDATA(code) + series->prefix_len, series->tail_length))
					return code;
				pfree(code);
			}
		}

		code = refill_take(series, request, bump);
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
getcode_check_left(const CodeRequest *request, int64 count)
{
	const Series *series = session_series(request->name, request->extra, request->extra_len);
	const Ring *ring = series->ring;
	SeriesId	id = series->id;
	BlockState	state;
	SeriesNumbers numbers;
	uint64		blocklist_id;
	const WordFilter *filter = blocklist_filter(ring, &blocklist_id);
	int64		position;
	int64		left;
	bool		known = block_find(&id, &state) != NULL;
	bool		exists = (!known || ring->max_length > 0) && series_read(&id, &numbers);

	position = known ? state.position : exists ? numbers.reserved_to : cycles_start(ring, filter, &id);
	if (exists || !known)
		position = cycles_failover_target(ring, filter, &id, exists ? &numbers : NULL, position, false);
	if (ring->max_length == 0 && (PG_INT64_MAX - ring->base_codes - position) / CAPACITY_SHARE >= count)
		return;
	left = cycles_count_left(ring, filter, &id, position, exists ? numbers.reserved_to : 0, count);
	if (left == 0 || left >= count)
		return;					/* none at all is getcode()'s to report */
	ereport(ERROR,
			(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
			 errmsg("cannot take %lld codes of ring \"%s\"", (long long) count, ring->name),
			 ring->max_length > 0 ?
			 errdetail("With extra \"%.*s\" it has %lld more that are not longer than %d characters.",
					   id.extra_len, id.extra, (long long) left, ring->max_length) :
			 errdetail("With extra \"%.*s\" it has %lld more.", id.extra_len, id.extra, (long long) left),
			 errhint("Nothing was taken: ask for fewer.")));
}

static void
load_series(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
			const SeriesNumbers *numbers, void *arg)
{
	SeriesId	id;

	ring_series_id(arg, &id);
	id.extra_len = extra_len;
	memcpy(id.extra, extra, extra_len);
	/* Not at the cost of those that are there. */
	(void) evict_make_entry(&id, false);
}

/*
 * Give every series of a ring its entry.  Reserves nothing.  A ring that is
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
