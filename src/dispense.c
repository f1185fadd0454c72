/*
 * dispense.c
 *		Codes for callers: take one, bump, advance.
 *
 * The way of a code:
 *	 1. dispense() (in the header) takes it from the block that the session
 *		remembers, with a compare-and-swap.
 *	 2. dispense_slowly() looks the series up, reads its definition again if
 *		any has changed, takes the code from the block remembered of that
 *		series, or remembers the block that is there now.
 *	 3. refill_take() makes a new block (refill.c).
 */
#include "postgres.h"

#include "access/table.h"

#include "capacity.h"
#include "cycles.h"
#include "dispense.h"
#include "failover.h"
#include "locks.h"
#include "move.h"
#include "reclaim.h"
#include "refill.h"
#include "series.h"
#include "words.h"

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
	series->prefix_len = emit_write_prefix(&ring->codec, &series->key,
										   series->block.first / ring->base_codes, series->prefix);
	return true;
}

/*
 * A new code, of a series that this session did not use last, or whose block
 * has come to its end.
 */
text *
dispense_slowly(const Wanted *wanted, bool bump)
{
	for (;;)
	{
		Series	   *series = ring_series(wanted->name, wanted->extra, wanted->extra_len);
		text	   *code;

		/* As good as that of the series that was used last: so is all that is remembered. */
		if (!bump && series->block.generation != 0 && dispense_allowed(series) &&
			(code = dispense_remembered(series)) != NULL)
			return code;
		if (!bump)
		{
			Slot	   *slot = series->block.slot;

			/* The slot may have been given to another series. */
			if (slot == NULL || !remember_block(series, slot))
			{
				slot = slot_find(&series->key);
				if (slot != NULL)
					(void) remember_block(series, slot);
			}
			if (series->block.generation != 0 && dispense_allowed(series))
			{
				if (ahead_due(&series->block))
					refill_ahead(series);
				code = refill_room(series->prefix, series->prefix_len, series->stride);

				/*
				 * The block may have been opened since a definition changed:
				 * look at the epoch after having read the ticket.
				 */
				if (ring_memory_good() &&
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
dispense_check_left(const Wanted *wanted, int64 count)
{
	const Series *series = ring_series(wanted->name, wanted->extra, wanted->extra_len);
	const Ring *ring = series->ring;
	SeriesKey	key = series->key;
	BlockState	state;
	SeriesNumbers numbers;
	uint64		filter;
	const Blocklist *list = words_automaton(ring, &filter);
	int64		position;
	int64		left;
	bool		known = block_find(&key, &state) != NULL;
	bool		exists = (!known || ring->max_length > 0) && series_read(&key, &numbers);

	position = known ? state.position : exists ? numbers.reserved_to : cycles_start(ring, list, &key);
	if (exists || !known)
		position = failover_target(ring, list, &key, exists ? &numbers : NULL, position, false);
	if (ring->max_length == 0 && (PG_INT64_MAX - ring->base_codes - position) / CAPACITY_SHARE >= count)
		return;
	left = cycles_count_left(ring, list, &key, position, exists ? numbers.reserved_to : 0, count);
	if (left == 0 || left >= count)
		return;					/* none at all is dispense()'s to report */
	ereport(ERROR,
			(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
			 errmsg("cannot take %lld codes of ring \"%s\"", (long long) count, ring->name),
			 ring->max_length > 0 ?
			 errdetail("With extra \"%.*s\" it has %lld more that are not longer than %d characters.",
					   key.extra_len, key.extra, (long long) left, ring->max_length) :
			 errdetail("With extra \"%.*s\" it has %lld more.", key.extra_len, key.extra, (long long) left),
			 errhint("Nothing was taken: ask for fewer.")));
}

/*
 * Does a series stand behind cycles that it has passed over because it cannot
 * enter them, and from a position on nothing else?
 */
static bool
passed_over(const Moving *moving, int64 position)
{
	SkippedRange skip;

	while (position >= 0 && position < moving->state.position &&
		   series_next_skip(&moving->key, position, &skip) && skip.first <= position)
		position = skip.end;
	return position == moving->state.position;
}

/*
 * Move a series forward, without a code: to offset to_offset of cycle
 * to_cycle or of the next one.  If the codes of that cycle are another
 * series', or blocked, to the start of the first cycle after it that is free.
 *
 * What is passed over counts as handed out, since this is how a copy of a ring
 * is told what was handed out elsewhere.
 */
void
dispense_advance(const Wanted *wanted, bool next_cycle, int64 to_cycle, int64 to_offset)
{
	const Series *series;
	const Ring *ring;
	SeriesKey	key;
	Moving		moving;
	int64		cycle;
	int64		target;
	bool		waited;
	XLogRecPtr	lsn;

	do
		series = ring_series(wanted->name, wanted->extra, wanted->extra_len);
	while (!refill_lock(series, &waited));
	ring = series->ring;
	key = series->key;
	move_open(&moving, ring, &key);

	if (to_offset < 0 || to_offset >= ring->base_codes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is not in a cycle of ring \"%s\"", (long long) to_offset, ring->name),
				 errdetail("Offsets go from 0 to %lld.", (long long) ring->base_codes - 1)));

	cycle = moving.state.position / ring->base_codes;
	if (next_cycle)
	{
		/* At the end of a cycle the next one has not been entered yet. */
		bool		complete = moving.row.tuple != NULL &&
		moving.state.position == moving.row.numbers.reserved_to &&
		series_at_end_of_cycle(&moving.row.numbers, ring->base_codes);

		to_cycle = complete ? cycle : cycle + 1;
	}
	if (to_cycle >= PG_INT64_MAX / ring->base_codes)
		cycles_report_exhausted(ring);
	target = to_cycle < 0 ? -1 : to_cycle * ring->base_codes + to_offset;
	if (passed_over(&moving, target))
		target = moving.state.position;
	if (target < moving.state.position)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot move a series of ring \"%s\" back", ring->name),
				 errdetail("It stands at offset %lld of cycle %lld.",
						   (long long) (moving.state.position % ring->base_codes), (long long) cycle),
				 errhint("coderring_advance goes forward only; coderring_reset starts a ring anew.")));
	if (target == moving.state.position && moving.row.tuple != NULL && moving.row.numbers.reserved_to >= target &&
		moving.slot != NULL && !XLogRecPtrIsInvalid(moving.slot->reserved_lsn))
	{
		/* It is there, perhaps by a call whose wait for a standby was cancelled. */
		lsn = moving.slot->reserved_lsn;
		move_close(&moving);
		refill_unlock(&key);
		series_make_durable(lsn);
		return;
	}

	/* Exactly to the end of its codes, as one that was used up elsewhere, also once more; not beyond. */
	lsn = move_past(&moving, target,
					(!next_cycle || target > moving.state.position) && target == cycles_end(ring, &key));
	series_make_durable(lsn);
	move_close(&moving);
	refill_unlock(&key);
}

static void
load_series(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
			const SeriesNumbers *numbers, void *arg)
{
	SeriesKey	key;

	ring_make_key(arg, &key);
	key.extra_len = extra_len;
	memcpy(key.extra, extra, extra_len);
	/* Not at the cost of those that are there. */
	(void) reclaim_make_slot(&key, false);
}

/*
 * Give every series of a ring its slot.  Reserves nothing.  A ring that is
 * about to be dropped or reset is left alone.
 */
void
dispense_load(const Ring *ring)
{
	TransactionId undecided;
	uint32		lock_id = ring_lock_id(&ring->id);

	if (!ring_lock_conditional(LOCK_DEFINITION, lock_id, 0, DEFINITION_USE))
		return;
	if (ring_in_force(&ring->incarnation, &undecided))
		series_visit(&ring->incarnation, load_series, (void *) ring);
	ring_unlock(LOCK_DEFINITION, lock_id, 0, DEFINITION_USE);
}
