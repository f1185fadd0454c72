/*
 * advance.c
 *		Series that are moved forward without handing out codes.
 *
 * What is passed over counts as handed out, since this is how a series is told
 * what was handed out elsewhere, or may have been.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "codes/cycles.h"
#include "codes/encode.h"
#include "codes/entering.h"
#include "codes/failover.h"
#include "codes/progress.h"
#include "issue/advance.h"
#include "issue/session.h"
#include "issue/work.h"
#include "shmem/block.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

/*
 * Find out where a series that is locked stands, and stop its block.
 */
void
advance_begin(SeriesWork *work, const Ring *ring, const SeriesId *id)
{
	work_begin(work, ring, id);
	if (work->entry != NULL)
		(void) block_close(work->entry);
	work_read(work);
}

/* Let go of the series.  Its block goes on, if it is still good. */
void
advance_end(SeriesWork *work)
{
	if (work->entry != NULL)
		(void) block_reopen(work->entry);
	work_end(work);
}

/*
 * Where a series is so many cycles on, or so many codes: see cycles_further().
 */
int64
advance_target(const SeriesWork *work, int64 cycles, int64 codes)
{
	const SeriesNumbers *numbers = work_numbers(work);
	int64		position = work->state.position;

	/* At the end of a cycle the next one has not been entered yet. */
	bool		complete = numbers != NULL && position == numbers->reserved_to &&
	series_at_end_of_cycle(numbers, work->ring->base_codes);

	return cycles_further(work->ring, work->filter, &work->id, position, complete, cycles, codes, false);
}

/* The first cycle that a series has not entered. */
static int64
first_passed(const SeriesWork *work)
{
	int64		codes = work->ring->base_codes;
	int64		reserved_to = work->row.numbers.reserved_to;

	return Max(work->ring->first_cycle, reserved_to / codes + (reserved_to % codes > 0));
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
advance_to(SeriesWork *work, int64 target, bool stand, bool goes_on)
{
	const Ring *ring = work->ring;
	int64		base_codes = ring->base_codes;
	int64		to_cycle = target / base_codes;
	int64		start = to_cycle * base_codes;
	SeriesRow  *row = &work->row;
	SharedSeries *entry = work->entry;
	const BlockState *state = &work->state;
	Range		range = {.stand = stand, .skip = {target, 0}};
	SeriesNumbers numbers = row->numbers;
	int64		unblocked = 0;
	Reservation reservation;
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
		failover_note(&work->id, &numbers, GetCurrentTimestamp());
	numbers.reserved_to = target;
	entering_find_others(ring, &work->id, first_passed(work), to_cycle, &range);
	if (target == start ||
		(to_cycle == state->position / base_codes &&
		 (state->position % base_codes != 0 ||
		  (row->tuple != NULL && row->numbers.reserved_to > state->position))))
	{
		/* A cycle is entered with its first code, not by standing before it. */
		if (!stand)
		{
			encode_prefix(ring, work->filter, &work->id, to_cycle, &range.prefix);
			cycles_check_length(ring, &work->id, to_cycle, &range.prefix);
		}
	}
	else
	{
		range.first = range.skip.first = start;
		entering_settle(ring, work->filter, &work->id, false, &range);
		if (range.first > start)
		{
			/* So whole cycles are skipped; what was handed out elsewhere had skipped them, too. */
			numbers.reserved_to = range.first + (stand && !range.stands ? target - start : 0);
		}
		else if (range.stands)
			numbers.reserved_to = start + base_codes;
	}
	if (numbers.reserved_to % base_codes > 0)
		unblocked = progress_count_before(ring, work->filter, &work->id, numbers.reserved_to);
	numbers.unblocked = unblocked;
	numbers.counted_to = numbers.reserved_to;
	numbers.blocklist_id = row->tuple != NULL ? row->numbers.blocklist_id : work->blocklist_id;
	if (numbers.blocklist_id != work->blocklist_id)
	{
		/* Who counts with those words has to count anew. */
		numbers.counted_to -= numbers.counted_to % base_codes;
		numbers.unblocked = 0;
	}
	if (stand && numbers.reserved_to >= Max(cycles_end(ring, &work->id), base_codes))
	{
		/* It has come to its end, not to the start of a cycle that it will never enter. */
		numbers.counted_to = numbers.reserved_to - base_codes;
		numbers.unblocked = 0;
	}

	numbers.measured_from += numbers.reserved_to - state->position;
	reservation = (Reservation) {.numbers = numbers, .position = state->position, .ranges = entering_skips(&range),
	.entry = entry, .first = numbers.reserved_to, .counted = unblocked, .blocklist_id = BLOCKLIST_ID_CHANGED};

	/* The cycle has not been looked at with these words, so they are not to be the entry's. */
	if (entry != NULL && entry->blocklist_id == work->blocklist_id)
		reservation.blocklist_id = work->blocklist_id;

	/*
	 * A row on the server's timeline says that nothing is to be passed over any
	 * more, also one that is committed apart by a call that then fails.
	 */
	if (row->tuple == NULL && goes_on && failover_pending(ring, NULL))
		reservation.position = numbers.reserved_to;
	lsn = series_reserve(row, &work->id, &reservation);
	if (entry != NULL)
		entry->skipped += Max(range.skip.end - range.skip.first, 0);
	entering_unlock(ring, &range);
	return lsn;
}

/*
 * Move a series to where somebody says that it has come.  If it still has to
 * pass over what a failover may have lost, that is behind there, since it may
 * have been moved like that in the time that was lost; and it is done when it
 * next reserves, as if nobody had moved it.
 */
XLogRecPtr
advance_past(SeriesWork *work, int64 target, bool stand)
{
	bool		pending = failover_gap > 0 && failover_pending(work->ring, work_numbers(work));

	return advance_to(work, target, stand, !pending);
}

/*
 * Does a series stand behind cycles that it has passed over because it cannot
 * enter them, and from a position on nothing else?
 */
static bool
passed_over(const SeriesWork *work, int64 position)
{
	SkippedRange skip;

	while (position >= 0 && position < work->state.position &&
		   series_next_skip(&work->id, position, &skip) && skip.first <= position)
		position = skip.end;
	return position == work->state.position;
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
advance_series(const CodeRequest *request, bool next_cycle, int64 to_cycle, int64 to_offset)
{
	const Series *series;
	const Ring *ring;
	SeriesWork	work;
	int64		cycle;
	int64		target;
	bool		waited;
	XLogRecPtr	lsn;

	do
		series = session_series(request->name, request->extra, request->extra_len);
	while (!work_lock(series, &waited));
	ring = series->ring;
	advance_begin(&work, ring, &series->id);

	if (to_offset < 0 || to_offset >= ring->base_codes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is not in a cycle of ring \"%s\"", (long long) to_offset, ring->name),
				 errdetail("Offsets go from 0 to %lld.", (long long) ring->base_codes - 1)));

	cycle = work.state.position / ring->base_codes;
	if (next_cycle)
	{
		/* At the end of a cycle the next one has not been entered yet. */
		bool		complete = work.row.tuple != NULL &&
		work.state.position == work.row.numbers.reserved_to &&
		series_at_end_of_cycle(&work.row.numbers, ring->base_codes);

		to_cycle = complete ? cycle : cycle + 1;
	}
	if (to_cycle >= PG_INT64_MAX / ring->base_codes)
		cycles_report_exhausted(ring);
	target = to_cycle < 0 ? -1 : to_cycle * ring->base_codes + to_offset;
	if (passed_over(&work, target))
		target = work.state.position;
	if (target < work.state.position)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot move a series of ring \"%s\" back", ring->name),
				 errdetail("It stands at offset %lld of cycle %lld.",
						   (long long) (work.state.position % ring->base_codes), (long long) cycle),
				 errhint("coderring_advance goes forward only; coderring_reset starts a ring anew.")));
	if (target == work.state.position && work.row.tuple != NULL && work.row.numbers.reserved_to >= target &&
		work.entry != NULL && !XLogRecPtrIsInvalid(work.entry->reserved_lsn))
	{
		/* It is there, perhaps by a call whose wait for a standby was cancelled. */
		lsn = work.entry->reserved_lsn;
		advance_end(&work);
		series_make_durable(lsn);
		return;
	}

	/* Exactly to the end of its codes, as one that was used up elsewhere, also once more; not beyond. */
	lsn = advance_past(&work, target,
					   (!next_cycle || target > work.state.position) && target == cycles_end(ring, &work.id));
	series_make_durable(lsn);
	advance_end(&work);
}
