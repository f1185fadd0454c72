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

#include "cycles.h"
#include "dispense.h"
#include "locks.h"
#include "position.h"
#include "reclaim.h"
#include "refill.h"
#include "series.h"
#include "words.h"

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
			if (slot == NULL || !block_adopt(slot, &series->key, series->ring->filter, &series->block))
			{
				slot = slot_find(&series->key);
				if (slot != NULL)
					(void) block_adopt(slot, &series->key, series->ring->filter, &series->block);
			}
			if (series->block.generation != 0 && dispense_allowed(series))
			{
				if (ahead_due(&series->block))
					refill_ahead(series);
				series->prefix_len = emit_write_prefix(&series->ring->codec, &series->key,
												  series->block.first / series->ring->base_codes,
												  series->prefix);
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
	const Blocklist *list;
	uint64		filter;
	SeriesKey	key;
	Slot	   *slot;
	SeriesRow	row;
	BlockState	state;
	Range		range = {0};
	SeriesNumbers numbers;
	int64		cycle;
	int64		target;
	int64		unblocked;
	bool		waited;
	XLogRecPtr	lsn;

	do
		series = ring_series(wanted->name, wanted->extra, wanted->extra_len);
	while (!refill_lock(series, &waited));
	ring = series->ring;
	key = series->key;
	refill_check_words(ring);
	list = words_automaton(ring, &filter);

	slot = slot_find(&key);
	if (slot != NULL)
		(void) block_close(slot);
	series_open(&row, &key);
	state = position_read(ring, list, filter, slot, &key, row.tuple != NULL ? &row.numbers : NULL);

	if (to_offset < 0 || to_offset >= ring->base_codes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is not in a cycle of ring \"%s\"", (long long) to_offset, ring->name),
				 errdetail("Offsets go from 0 to %lld.", (long long) ring->base_codes - 1)));

	cycle = state.position / ring->base_codes;
	if (next_cycle)
	{
		/* At the end of a cycle the next one has not been entered yet. */
		bool		complete = row.tuple != NULL && state.position == row.numbers.reserved_to &&
		series_at_end_of_cycle(&row.numbers, ring->base_codes);

		to_cycle = complete ? cycle : cycle + 1;
	}
	if (to_cycle >= PG_INT64_MAX / ring->base_codes)
		cycles_report_exhausted(ring);
	target = to_cycle < 0 ? -1 : to_cycle * ring->base_codes + to_offset;
	if (target < state.position)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot move a series of ring \"%s\" back", ring->name),
				 errdetail("It stands at offset %lld of cycle %lld.",
						   (long long) (state.position % ring->base_codes), (long long) cycle),
				 errhint("coderring_advance goes forward only; coderring_reset starts a ring anew.")));
	if (target == state.position && row.tuple != NULL && row.numbers.reserved_to >= target &&
		slot != NULL && !XLogRecPtrIsInvalid(slot->reserved_lsn))
	{
		/* It is there, perhaps by a call whose wait for a standby was cancelled. */
		lsn = slot->reserved_lsn;
		series_close(&row);
		(void) block_reopen(slot);
		refill_unlock(&key);
		series_make_durable(lsn);
		return;
	}

	numbers.reserved_to = target;
	numbers.unblocked = 0;
	range.skip.first = target;
	if (to_offset == 0 ||
		(to_cycle == cycle &&
		 (state.position % ring->base_codes != 0 ||
		  (row.tuple != NULL && row.numbers.reserved_to > state.position))))
	{
		/* A cycle is entered with its first code, not by standing before it. */
		emit_prefix(ring, list, &key, to_cycle, &range.prefix);
		cycles_check_length(ring, &key, to_cycle, &range.prefix);
	}
	else
	{
		range.first = range.skip.first = to_cycle * ring->base_codes;
		cycles_settle(ring, list, &key, false, &range);
		if (range.first > to_cycle * ring->base_codes)
			numbers.reserved_to = range.first;	/* so the whole cycle is skipped */
	}
	if (numbers.reserved_to % ring->base_codes > 0)
		numbers.unblocked = position_count_before(ring, list, &key, numbers.reserved_to);
	unblocked = numbers.unblocked;
	numbers.counted_to = numbers.reserved_to;
	numbers.filter = row.tuple != NULL ? row.numbers.filter : filter;
	if (numbers.filter != filter)
	{
		/* Who counts with those words has to count anew. */
		numbers.counted_to -= numbers.counted_to % ring->base_codes;
		numbers.unblocked = 0;
	}

	lsn = series_reserve(&row, &key, &numbers, &range.skip, false);
	if (slot != NULL)
	{
		/* The cycle has not been looked at with these words, so they are not to be the slot's. */
		block_reserved(slot, numbers.reserved_to, unblocked, numbers.reserved_to,
					   slot->filter == filter ? filter : SERIES_FILTER_CHANGED, numbers.filter, lsn);
		slot->skipped += Max(range.skip.end - range.skip.first, 0);
	}
	cycles_unlock(ring, &range);
	series_make_durable(lsn);
	series_close(&row);
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
 * just being dropped or reset is left alone.
 */
void
dispense_load(const Ring *ring)
{
	Relation	rel;
	Ring		now;

	if (!ring_lock_conditional(LOCK_DEFINITION, ring->id, 0, DEFINITION_USE))
		return;
	rel = ring_open(ring_relation("ring"), Natts_ring, AccessShareLock);
	if (ring_read(rel, ring->name, &now) &&
		memcmp(&now.incarnation, &ring->incarnation, sizeof(pg_uuid_t)) == 0)
		series_visit(&ring->incarnation, load_series, (void *) ring);
	table_close(rel, AccessShareLock);
	ring_unlock(LOCK_DEFINITION, ring->id, 0, DEFINITION_USE);
}
