/*
 * entering.c
 *		A series enters a cycle, or is moved over some.
 *
 * The first series of a ring to enter a cycle whose codes begin in some way owns
 * all codes that begin so (cycles.c).  That is decided here, under the ring's entry
 * lock, and what a series is passed over by it is recorded as skipped with its
 * reservation.  Whoever takes a range keeps the lock until that is written.
 */
#include "postgres.h"

#include "access/genam.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "codes/capacity.h"
#include "codes/cycles.h"
#include "codes/encode.h"
#include "codes/entering.h"
#include "core/codec.h"
#include "core/wordfilter.h"
#include "shmem/locks.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

static void
report_blocked_extra(const Ring *ring, const SeriesId *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("extra \"%.*s\" is not possible in ring \"%s\"", id->extra_len, id->extra, ring->name),
			 errdetail("The blocklist \"%s\" leaves too few codes that begin with it.", ring->blocklist),
			 errhint("Use another extra, or another list of words: coderring_set_blocklist.")));
}

/* The same of a series that has handed out codes: it is at its end. */
static void
report_blocked_rest(const Ring *ring, const SeriesId *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
			 errmsg("ring \"%s\" has no more codes with extra \"%.*s\"", ring->name, id->extra_len, id->extra),
			 errdetail("The blocklist \"%s\" leaves too few of those that are longer.", ring->blocklist),
			 errhint("Take another list of words: coderring_set_blocklist.")));
}

/*
 * Raise 2200H for an extra with which codes would be too long, before memory is
 * spent on it.
 */
void
entering_check_extra(const Ring *ring, const SeriesId *id)
{
	Prefix		prefix;

	encode_prefix(ring, NULL, id, ring_start_cycle(ring), &prefix);
	cycles_check_length(ring, id, ring_start_cycle(ring), &prefix);
}

/*
 * Find where a series that is to go on at range->first can really do so: go to
 * the first position from there on that is not recorded as skipped, in a cycle
 * that the series has entered or may enter.  Changes nothing but the range.
 *
 * Raises 22023 for an extra that no code can begin with, and 2200H where codes
 * end; with range->stand it says that in range->stands instead.
 *
 * `doubtful` means that the words may have changed since the cycle was
 * entered.  range->skip.first is the caller's: where what it passes over
 * begins, range->first if it passes over nothing.
 */
void
entering_settle(const Ring *ring, const WordFilter *filter, const SeriesId *id,
				bool doubtful, Range *range)
{
	int64		codes = ring->base_codes;
	int			blocked = 0;
	SkippedRange recorded;
	bool		is_recorded = false;
	bool		moved = range->skip.first < range->first;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "coderring cycles", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);

	for (;;)
	{
		int64		cycle = range->first / codes;
		bool		entering = range->first % codes == 0;
		bool		enough = true;
		int64		next = 0;

		if (cycle >= PG_INT64_MAX / codes)
		{
			range->stands = range->stand;
			if (range->stands)
				break;
			if (blocked > 0)
				report_blocked_rest(ring, id);
			cycles_report_exhausted(ring);
		}
		if (entering && !range->entering)
		{
			locks_acquire(LOCK_ENTRY, id->lock_id, 0, ExclusiveLock);
			range->entering = true;
		}
		is_recorded = series_next_skip(id, range->first, &recorded);
		if (is_recorded && recorded.first <= range->first)
		{
			range->first = recorded.end;
			continue;
		}
		encode_prefix(ring, filter, id, cycle, &range->prefix);
		if (entering)
			next = cycles_taken(ring, filter, id, cycle, &range->prefix, true);
		if (next == 0 && (entering || doubtful))
			enough = capacity_enough(ring, filter, &range->prefix);
		if (next == 0 && enough)
			break;
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
		if (!enough)
		{
			if (++blocked > MAX_BLOCKED_CYCLES || (blocked == 1 && cycles_nothing_follows(ring, filter, id)))
			{
				range->stands = range->stand;
				if (range->stands)
					break;
				report_blocked_extra(ring, id);
			}
			next = cycles_blocked(ring, filter, id, cycle, &range->prefix);
		}
		range->first = (cycle + Min(next, PG_INT64_MAX / codes - cycle)) * codes;
		moved = true;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	range->skip.end = moved ? range->first : range->skip.first;
	if (range->stands || (range->stand && cycles_too_long(ring, &range->prefix)))
	{
		range->stands = true;
		return;
	}
	range->end = (range->first / codes + 1) * codes;
	if (is_recorded)
		range->end = Min(range->end, recorded.first);
	cycles_check_length(ring, id, range->first / codes, &range->prefix);
}

/*
 * A series is about to be moved over cycles from one on to before another,
 * none of which it has entered.  Find those whose codes begin as codes of
 * another series do that has entered them: they go to range->others, to be
 * recorded with the move.  The ring's entry lock is taken then, if it was not;
 * what is found is true as long as it is held.
 */
void
entering_find_others(const Ring *ring, const SeriesId *id, int64 from, int64 to, Range *range)
{
	if (from >= to)
		return;
	if (!range->entering)
	{
		locks_acquire(LOCK_ENTRY, id->lock_id, 0, ExclusiveLock);
		range->entering = true;
	}
	range->others = cycles_list_others(ring, id, from, to);
}

/* What is to be recorded with the reservation of a range, for series_reserve. */
List *
entering_skips(Range *range)
{
	if (range->skip.end > range->skip.first)
		range->others = lappend(range->others, &range->skip);
	return range->others;
}

/*
 * May a cycle be another series' somewhere else: do its codes begin as some of
 * another one's do that has a row here?
 */
bool
entering_shared(const Ring *ring, const SeriesId *id, int64 cycle)
{
	char		prefix[PREFIX_MAX_LEN];
	uint32		prefix_len = encode_write_prefix(&ring->codec, id, cycle, prefix);
	SeriesId	other = *id;

	for (uint32 len = 0; len <= Min(prefix_len, EXTRA_MAX_LEN); len++)
	{
		uint64		its_cycle;
		SeriesNumbers numbers;

		if (len == id->extra_len ||
			!codec_read_uniquizer(&ring->codec, prefix + len, prefix_len - len, &its_cycle) ||
			its_cycle < (uint64) ring->first_cycle)
			continue;
		other.extra_len = len;
		memcpy(other.extra, prefix, len);
		if (series_read(&other, &numbers))
			return true;
	}
	return false;
}

/* Let go of the entry lock, if it was taken. */
void
entering_unlock(const Ring *ring, Range *range)
{
	if (range->entering)
		locks_release(LOCK_ENTRY, locks_ring_id(&ring->id), 0, ExclusiveLock);
	range->entering = false;
}
