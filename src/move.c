/*
 * move.c
 *		Moving a series forward without handing out codes: coderring_advance,
 *		coderring_recover, and what is passed over after a failover.
 *
 * What is passed over counts as handed out, since this is how a series is told
 * what was handed out elsewhere, or may have been.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "cycles.h"
#include "failover.h"
#include "move.h"
#include "position.h"
#include "refill.h"
#include "words.h"

/*
 * Find out where a series stands, and stop its block.  The caller holds its
 * refill lock.
 */
void
move_open(Moving *moving, const Ring *ring, const SeriesKey *key)
{
	refill_check_words(ring);
	moving->ring = ring;
	moving->key = *key;
	moving->list = words_automaton(ring, &moving->filter);
	moving->slot = slot_find(key);
	if (moving->slot != NULL)
		(void) block_close(moving->slot);
	series_open(&moving->row, key);
	moving->state = position_read(ring, moving->list, moving->filter, moving->slot, key,
								  move_numbers(moving));
}

/* Let go of the series.  Its block goes on, if it is still good. */
void
move_close(Moving *moving)
{
	if (moving->slot != NULL)
		(void) block_reopen(moving->slot);
	series_close(&moving->row);
}

/*
 * Where a series is so many cycles on, or so many codes: see cycles_further().
 */
int64
move_target(const Moving *moving, int64 cycles, int64 codes)
{
	const SeriesNumbers *numbers = move_numbers(moving);
	int64		position = moving->state.position;

	/* At the end of a cycle the next one has not been entered yet. */
	bool		complete = numbers != NULL && position == numbers->reserved_to &&
	series_at_end_of_cycle(numbers, moving->ring->base_codes);

	return cycles_further(moving->ring, moving->list, &moving->key, position, complete, cycles, codes, false);
}

/* The first cycle that a series has not entered. */
static int64
first_passed(const Moving *moving)
{
	int64		codes = moving->ring->base_codes;
	int64		reserved_to = moving->row.numbers.reserved_to;

	return Max(moving->ring->first_cycle, reserved_to / codes + (reserved_to % codes > 0));
}

/*
 * Move a series forward to a position, and write that, not durably yet: to
 * where the caller has found out that it may stand.  If the codes of that
 * cycle are another series', or blocked, it is the start of the first cycle
 * after it that is free, or with `stand` as far behind that start; and if there
 * is none, or codes would get longer than max_length, an error (22023, 2200H)
 * or, with `stand`, a place from which nothing can be handed out.
 *
 * With `goes_on` it has passed over all that a failover may have lost, so that
 * it goes on on the server's timeline.
 *
 * Returns the end of the WAL record.  From there on the series counts as moved
 * whatever comes, since all that is handed out later is reserved by a record
 * after this one.
 */
XLogRecPtr
move_to(Moving *moving, int64 target, bool stand, bool goes_on)
{
	const Ring *ring = moving->ring;
	int64		base_codes = ring->base_codes;
	int64		to_cycle = target / base_codes;
	int64		start = to_cycle * base_codes;
	SeriesRow  *row = &moving->row;
	Slot	   *slot = moving->slot;
	const BlockState *state = &moving->state;
	Range		range = {.stand = stand, .skip = {target, 0}};
	SeriesNumbers numbers = row->numbers;
	int64		unblocked = 0;
	XLogRecPtr	lsn;

	if (row->tuple == NULL)
	{
		failover_begin(&numbers, state->position, GetCurrentTimestamp());
		if (!goes_on && failover_pending(ring, NULL))
		{
			/* It is still to pass over something; and this was no reservation on that timeline. */
			numbers.timeline = ring->timeline;
			numbers.reserved_at = 0;
		}
	}
	else if (goes_on)
		failover_note(&moving->key, &numbers, GetCurrentTimestamp());
	numbers.reserved_to = target;
	cycles_find_others(ring, &moving->key, first_passed(moving), to_cycle, &range);
	if (target == start ||
		(to_cycle == state->position / base_codes &&
		 (state->position % base_codes != 0 ||
		  (row->tuple != NULL && row->numbers.reserved_to > state->position))))
	{
		/* A cycle is entered with its first code, not by standing before it. */
		if (!stand)
		{
			emit_prefix(ring, moving->list, &moving->key, to_cycle, &range.prefix);
			cycles_check_length(ring, &moving->key, to_cycle, &range.prefix);
		}
	}
	else
	{
		range.first = range.skip.first = start;
		cycles_settle(ring, moving->list, &moving->key, false, &range);
		if (range.first > start)
		{
			/* So whole cycles are skipped; what was handed out elsewhere had skipped them, too. */
			numbers.reserved_to = range.first + (stand && !range.stands ? target - start : 0);
		}
		else if (range.stands)
			numbers.reserved_to = start + base_codes;
	}
	if (numbers.reserved_to % base_codes > 0)
		unblocked = position_count_before(ring, moving->list, &moving->key, numbers.reserved_to);
	numbers.unblocked = unblocked;
	numbers.counted_to = numbers.reserved_to;
	numbers.filter = row->tuple != NULL ? row->numbers.filter : moving->filter;
	if (numbers.filter != moving->filter)
	{
		/* Who counts with those words has to count anew. */
		numbers.counted_to -= numbers.counted_to % base_codes;
		numbers.unblocked = 0;
	}
	if (stand && numbers.reserved_to >= Max(cycles_end(ring, &moving->key), base_codes))
	{
		/* It has come to its end, not to the start of a cycle that it will never enter. */
		numbers.counted_to = numbers.reserved_to - base_codes;
		numbers.unblocked = 0;
	}

	numbers.measured_from += numbers.reserved_to - state->position;
	lsn = series_reserve(row, &moving->key, state->position, &numbers, cycles_skips(&range), false);
	if (slot != NULL)
	{
		/* The cycle has not been looked at with these words, so they are not to be the slot's. */
		block_reserved(slot, numbers.reserved_to, unblocked, numbers.reserved_to,
					   slot->filter == moving->filter ? moving->filter : SERIES_FILTER_CHANGED, numbers.filter, lsn);
		slot->skipped += Max(range.skip.end - range.skip.first, 0);
	}
	cycles_unlock(ring, &range);
	return lsn;
}

/*
 * Move a series to where somebody says that it has come.  If it still has to
 * pass over what a failover may have lost, that is behind there, since it may
 * have been moved like that in the time that was lost; and it is done when it
 * next reserves, as if nobody had moved it.
 */
XLogRecPtr
move_past(Moving *moving, int64 target, bool stand)
{
	bool		pending = failover_gap > 0 && failover_pending(moving->ring, move_numbers(moving));

	return move_to(moving, target, stand, !pending);
}
