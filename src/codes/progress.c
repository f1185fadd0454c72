/*
 * progress.c
 *		How far a series has come: its position, and the codes before it.
 *
 * A position is known exactly by the series' entry or by its row.  How many
 * codes of the cycle come before it is plain where there is no filter; where
 * there is one, entry and row count along, and what they have not counted, or
 * counted with other words, is tried here.
 */
#include "postgres.h"

#include "codes/capacity.h"
#include "codes/cycles.h"
#include "codes/encode.h"
#include "codes/progress.h"
#include "core/wordfilter.h"
#include "shmem/block.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/state.h"

/* So many positions are tried at most: as many as are ever reserved at once. */
#define MAX_TRIED	65536

/*
 * How many codes of a cycle are before an offset.  Exact if there are at most
 * MAX_TRIED positions on one side of it, else by the share of codes in the cycle,
 * and at least 1, since something was passed over.
 */
int64
progress_count_before(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 position)
{
	int64		offset = position % ring->base_codes;
	int64		start = position - offset;
	int64		end;
	Capacity   *capacity;
	Prefix		prefix;
	int64		count;

	if (filter == NULL || offset == 0)
		return offset;
	end = start + ring->base_codes;
	encode_prefix(ring, filter, id, position / ring->base_codes, &prefix);
	if (offset <= MAX_TRIED)
		return encode_count(ring, filter, id, &prefix, start, position);
	capacity = capacity_create(ring, filter);
	count = capacity_of_prefix(capacity, &prefix);
	capacity_free(capacity);
	if (end - position <= MAX_TRIED)
		return count - encode_count(ring, filter, id, &prefix, position, end);
	return Max((int64) ((long double) offset * count / ring->base_codes), 1);
}

/*
 * How many codes of its cycle a series has come past, by its row.  That has
 * not counted its last reservation.
 */
static int64
count_reserved(const Ring *ring, const WordFilter *filter, uint64 blocklist_id, const SeriesId *id,
			   const SeriesNumbers *numbers)
{
	int64		cycle = numbers->reserved_to / ring->base_codes;
	Prefix		prefix;

	if (filter == NULL || numbers->blocklist_id != blocklist_id || numbers->counted_to < cycle * ring->base_codes ||
		numbers->reserved_to - numbers->counted_to > MAX_TRIED)
		return progress_count_before(ring, filter, id, numbers->reserved_to);
	encode_prefix(ring, filter, id, cycle, &prefix);
	return numbers->unblocked +
		encode_count(ring, filter, id, &prefix, numbers->counted_to, numbers->reserved_to);
}

/*
 * What a series hands out next, and how many codes of that cycle come before.
 * `numbers` are those of its row, NULL if it has none; blocklist_id is
 * that of the words of the filter.
 */
BlockState
progress_read(const Ring *ring, const WordFilter *filter, uint64 blocklist_id, SharedSeries *entry, const SeriesId *id,
			  const SeriesNumbers *numbers)
{
	BlockState	state = {.position = -1, .counted = -1};
	bool		counted = false;

	if (entry != NULL)
	{
		counted = entry->blocklist_id == blocklist_id;
		block_read(entry, &state);
	}
	if (numbers == NULL)
	{
		int64		start = cycles_start(ring, filter, id);

		state.position = Max(state.position, start);
		state.counted = 0;
	}
	else if (state.position < 0 || numbers->reserved_to > entry->reserved_end)
	{
		/* New here, or written by a restore. */
		state.position = numbers->reserved_to;
		state.counted = count_reserved(ring, filter, blocklist_id, id, numbers);
	}
	else if (!counted)
		state.counted = progress_count_before(ring, filter, id, state.position);
	if (state.position % ring->base_codes == 0)
		state.counted = 0;		/* what was counted is of the cycle before */
	return state;
}
