/*
 * refill.c
 *		New blocks of codes: compute, reserve, make durable, hand to everyone.
 *
 * refill_take(), under the series' refill lock, computes the codes that come
 * next, without those that the ring's filter blocks, reserves their positions
 * in its row, makes the reservation durable, hands all but the first to
 * everyone, and returns the first.
 *
 * This order is what keeps the promises.  Until the row is written an error
 * changes nothing.  From then on the slot knows the range that is reserved and
 * not published (block_reserved, called with nothing in between that can
 * throw), and whoever comes next makes the same range durable and publishes
 * it: an error loses no code.  Nothing is published before it is durable: a
 * crash repeats none.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "codes/capacity.h"
#include "codes/cycles.h"
#include "codes/encode.h"
#include "codes/entering.h"
#include "codes/failover.h"
#include "codes/progress.h"
#include "compat.h"
#include "core/wordfilter.h"
#include "issue/advance.h"
#include "issue/evict.h"
#include "issue/refill.h"
#include "issue/session.h"
#include "issue/sizing.h"
#include "issue/work.h"
#include "shmem/block.h"
#include "shmem/entry.h"
#include "shmem/locks.h"
#include "shmem/prefetch.h"
#include "shmem/shared.h"
#include "store/blocklist.h"
#include "store/definitions.h"
#include "store/pending.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

/* Has a block of this session's found no memory? */
static bool memory_short = false;

/*
 * Take a code of the block that the slot holds now, opening it if it was
 * closed; NULL if nothing is left of it.  The caller holds the refill lock.
 */
static text *
take_from_slot(Slot *slot, const Ring *ring, const SeriesKey *key)
{
	CodeBlock	block;

	while (block_reopen(slot) && block_adopt(slot, key, slot->filter, &block))
	{
		char		prefix[PREFIX_MAX_LEN];
		uint32		prefix_len = encode_write_prefix(&ring->codec, key, block.first / ring->base_codes, prefix);
		text	   *code = encode_room(prefix, prefix_len, ring->stride);

		if (block_take(&block, VARDATA(code) + prefix_len, ring->stride))
			return code;
		pfree(code);			/* others have taken the rest */
	}
	return NULL;
}

/*
 * What is in the slot may have been made durable before there was a synchronous
 * standby to wait for: wait now, if so.  An error leaves it all as it was.
 */
static void
acknowledge(Slot *slot)
{
	if (slot->acknowledged || XLogRecPtrIsInvalid(slot->reserved_lsn) || !coderring_sync_awaited())
		return;
	slot->acknowledged = series_make_durable(slot->reserved_lsn);
	slot->undurable = 0;
}

/*
 * Has a series handed out no code yet of the cycle that it stands in?  Where
 * the words have changed, all that was handed out may be blocked by now.
 */
static bool
nothing_out(const Ring *ring, uint64 filter, const SeriesRow *row, const BlockState *state)
{
	return state->position % ring->base_codes == 0 ||
		(state->counted == 0 && (row->tuple == NULL || row->numbers.filter == filter));
}

/*
 * A series goes on with other codes than before: say so in the server's log.
 */
static void
log_new_cycle(const Ring *ring, const SeriesKey *key, int64 cycle, const Prefix *prefix)
{
	ereport(LOG,
			(errmsg("ring \"%s\" has begun cycle %lld with extra \"%.*s\"",
					ring->name, (long long) cycle, key->extra_len, key->extra),
			 errdetail("Its codes have %u characters from now on, and begin with \"%.*s\".",
					   prefix->characters + ring->stride, (int) prefix->len, prefix->text)));
}

/*
 * Reserve more of the cycle ahead of need, and leave it to the WAL writer to
 * flush that.  The block is to begin at `first`, with so many codes of the
 * cycle before it, and all of it is reserved already.  Returns the end of the
 * record, invalid if there was nothing to reserve.
 */
static XLogRecPtr
reserve_ahead(const Ring *ring, Slot *slot, SeriesRow *row, const SeriesKey *key,
			  int64 first, int64 counted, uint64 filter, const Sizes *sizes, TimestampTz now)
{
	Reservation reservation = {.numbers = row->numbers, .slot = slot, .first = first, .counted = counted, .filter = filter};
	SeriesNumbers *numbers = &reservation.numbers;
	SkippedRange recorded;
	XLogRecPtr	lsn;

	numbers->counted_to = first;
	numbers->unblocked = counted;
	failover_note_pace(numbers, first, now);

	/* The last cycle may end at 2^63 - 1: no sum of positions may go beyond its cycle. */
	numbers->reserved_to = (first / ring->base_codes + 1) * ring->base_codes;
	numbers->reserved_to = first + Min(sizes->outstanding, numbers->reserved_to - first);
	if (series_next_skip(key, slot->reserved_end, &recorded))
		numbers->reserved_to = Min(numbers->reserved_to, recorded.first);
	if (numbers->reserved_to <= slot->reserved_end)
		return InvalidXLogRecPtr;
	lsn = series_reserve(row, key, &reservation);
	slot->reserved_at = now;
	XLogSetAsyncXactLSN(lsn);
	return lsn;
}

/*
 * Compute the block that comes after the present one and keep it for
 * refill_take, if nobody is in the way.  Writes nothing, and waits for nobody:
 * there are codes left.
 */
void
refill_prefetch(const Series *series)
{
	const Ring *ring = series->ring;
	SeriesKey	key = series->key;
	uint32		detail = locks_series_detail(key.extra, key.extra_len);

	if (!locks_acquire_conditional(LOCK_DEFINITION, key.lock_id, 0, DEFINITION_USE))
		return;
	if (locks_acquire_conditional(LOCK_REFILL, key.lock_id, detail, ExclusiveLock))
	{
		/* The lock keeps the slot ours, as in work_lock; it also asks for others' changes. */
		if (ConditionalLockRelationOid(key.relid, AccessShareLock))
		{
			Slot	   *slot = definitions_current() ? entry_find(&key) : NULL;
			uint64		filter;
			const WordFilter *list = slot != NULL ? blocklist_filter(ring, &filter) : NULL;

			/* One that is in doubt may be buried at any time, and be another series' while we compute. */
			if (slot != NULL && !slot->in_doubt && slot->filter == filter && slot->published_end < slot->reserved_end)
			{
				int64		first = slot->published_end;
				int64		end = slot->reserved_end;
				Prefix		prefix;
				CodeBatch	batch;

				encode_prefix(ring, list, &key, first / ring->base_codes, &prefix);
				encode_batch(ring, list, &key, &prefix, first, end, end, Min(end - first, BLOCK_MAX_CODES), &batch);
				prefetch_keep(slot, &batch, filter);
				pfree(batch.codes);
				if (batch.map != NULL)
					pfree(batch.map);
			}
			UnlockRelationOid(key.relid, AccessShareLock);
		}
		locks_release(LOCK_REFILL, key.lock_id, detail, ExclusiveLock);
	}
	locks_release(LOCK_DEFINITION, key.lock_id, 0, DEFINITION_USE);
}

/*
 * After a failover, pass over what may have been handed out without our
 * knowledge: false if that is nothing.  Whatever comes then, the series stands
 * behind it.  A bump that is lost may be asked for again, so what comes after
 * the bump is passed over then.
 */
static bool
pass_over(const Ring *ring, const WordFilter *list, uint64 filter, const SeriesKey *key, Slot *slot,
		  SeriesRow *row, BlockState *state, bool bump)
{
	const SeriesNumbers *numbers = row->tuple != NULL ? &row->numbers : NULL;
	int64		position = state->position;
	int64		target;
	int64		skipped = slot != NULL ? slot->skipped : 0;
	Moving		moving = {ring, list, filter, *key, slot, *row, *state};

	if (bump && position / ring->base_codes >= PG_INT64_MAX / ring->base_codes - 1)
		return false;			/* there is no next cycle */
	if (bump)
		position = (position / ring->base_codes + 1) * ring->base_codes;
	target = cycles_failover_target(ring, list, key, numbers, position, false);
	if (target <= position)
		return false;
	if (slot != NULL)
		(void) block_close(slot);
	(void) advance_to(&moving, target, true, true);
	if (slot != NULL)
		slot->skipped = skipped + moving.row.numbers.reserved_to - state->position;
	series_close(&moving.row);
	series_open(row, key);
	*state = progress_read(ring, list, filter, slot, key, &row->numbers);
	return true;
}

/*
 * Take a code under the series' refill lock, from a new block if need be.
 * NULL if the series has to be looked up again.
 */
text *
refill_take(const Series *series, const CodeRequest *wanted, bool bump)
{
	const Ring *ring = series->ring;
	SeriesKey	key = series->key;
	int64		base_codes = ring->base_codes;
	uint64		filter;
	uint64		series_filter;
	const WordFilter *list;
	Slot	   *slot;
	SeriesRow	row;
	BlockState	state;
	BlockState	before;
	Range		range = {0};
	CodeBatch	batch;
	SeriesNumbers numbers;
	text	   *code;
	XLogRecPtr	lsn = InvalidXLogRecPtr;
	XLogRecPtr	ahead = InvalidXLogRecPtr;
	bool		reserved;		/* already */
	int64		durable = 0;	/* positions before this one are, in the end */
	int64		passed = 0;		/* blocked positions before the batch */
	Sizes		sizes;
	bool		doubtful;
	bool		waited;
	bool		acknowledged;
	TimestampTz now;

	if (memory_short)
	{
		/* Not when it was noticed: a code that is taken must not meet an error. */
		memory_short = false;
		evict_memory(&key);
	}
	if (!work_lock(series, &waited))
		return NULL;

	pending_check_words(ring);
	slot = entry_find(&key);
	if (slot != NULL)
		acknowledge(slot);
	list = blocklist_filter(ring, &filter);
	if (slot == NULL && !series_read(&key, &numbers))
		entering_check_extra(ring, &key);
	slot = evict_make_entry(&key, true);
	doubtful = list != NULL && (slot == NULL || slot->filter != filter);
	if (slot != NULL)
	{
		slot->refill_waits += waited;
		if (slot->filter != filter)
			block_withdraw(slot);	/* now, or it would be taken from below */
		if (bump)
			(void) block_close(slot);
		else if ((code = take_from_slot(slot, ring, &key)) != NULL)
		{
			work_unlock(&key);
			return code;
		}
	}
	series_open(&row, &key);
	state = progress_read(ring, list, filter, slot, &key, row.tuple != NULL ? &row.numbers : NULL);
	if (bump && nothing_out(ring, filter, &row, &state))
	{
		/* No code of this cycle is out yet. */
		bump = false;
		if (slot != NULL && (code = take_from_slot(slot, ring, &key)) != NULL)
		{
			series_close(&row);
			work_unlock(&key);
			return code;
		}
	}

	if (failover_pending(ring, row.tuple != NULL ? &row.numbers : NULL) &&
		pass_over(ring, list, filter, &key, slot, &row, &state, bump))
		bump = false;

	/* That other words were in force for a time is on disk before the first code that they let pass. */
	series_filter = filter;
	if (row.tuple != NULL && row.numbers.filter != filter)
		series_filter = SERIES_FILTER_CHANGED;
	before = state;

	now = GetCurrentTimestamp();
	range.first = state.position;
	range.skip.first = state.position;
	if (row.tuple == NULL)
		entering_find_others(ring, &key, ring->first_cycle, state.position / base_codes, &range);
	if (bump)
	{
		if (state.position / base_codes >= PG_INT64_MAX / base_codes - 1)
			cycles_report_exhausted(ring);
		range.first = (state.position / base_codes + 1) * base_codes;
	}

	sizes = sizing_choose(ring, slot, wanted->count, state.position, now);

	/*
	 * Find codes.  All that the caller needs is made before anything is
	 * written.
	 */
	for (;;)
	{
		int64		enough;

		reserved = !bump && slot != NULL && slot->reserved_end > range.first &&
			row.tuple != NULL && row.numbers.reserved_to == slot->reserved_end &&
			row.numbers.filter == series_filter;
		if (reserved)
		{
			/*
			 * Before, ahead of need or by somebody who then failed.  What the
			 * row does not say as well is reserved anew, below.
			 */
			encode_prefix(ring, list, &key, range.first / base_codes, &range.prefix);
			cycles_check_length(ring, &key, range.first / base_codes, &range.prefix);
			if (doubtful && !capacity_enough(ring, list, &range.prefix))
			{
				/* Blocked by now: what is left of it is passed over, below. */
				range.first = slot->reserved_end;
				continue;
			}
			durable = slot->reserved_end - slot->undurable;
			lsn = InvalidXLogRecPtr;
			if (durable - range.first < sizes.durable)
			{
				durable = slot->reserved_end;
				lsn = slot->reserved_lsn;
			}
			enough = range.end = durable;
		}
		else
		{
			entering_settle(ring, list, &key, doubtful, &range);
			enough = range.first + Min(sizes.outstanding, range.end - range.first);
		}
		if (range.first % base_codes == 0)
			state.counted = 0;
		if (!reserved || !prefetch_find(slot, range.first, enough, filter, &batch))
			encode_batch(ring, list, &key, &range.prefix, range.first, enough, range.end,
					   Min(enough - range.first, sizes.block), &batch);
		if (batch.count > 0)
		{
			range.end = Max(enough, batch.end);
			break;
		}
		pfree(batch.codes);
		passed += batch.end - range.first;
		range.first = batch.end;
		if (range.skip.end <= range.skip.first)
			range.skip.first = batch.end;
		bump = false;
	}
	code = encode_room(range.prefix.text, range.prefix.len, ring->stride);
	memcpy(VARDATA(code) + range.prefix.len, batch.codes, ring->stride);

	if (!reserved)
	{
		numbers = row.numbers;
		if (row.tuple == NULL)
			failover_begin(&numbers, before.position, now);
		else
			failover_note(&key, &numbers, now);
		numbers.measured_from += Max(range.skip.end - range.skip.first, 0);
		failover_note_pace(&numbers, range.first, now);
		numbers.reserved_to = range.end;
		numbers.counted_to = range.first;
		numbers.unblocked = state.counted;
		numbers.filter = series_filter;

		/* Without a slot, a cancel from then on would lose the position: it has to wait. */
		lsn = series_reserve(&row, &key, &(Reservation) {.numbers = numbers, .position = before.position,
							 .ranges = entering_skips(&range), .hold = slot == NULL, .slot = slot, .first = range.first,
							 .counted = state.counted, .filter = filter});
		if (slot != NULL)
		{
			durable = slot->reserved_end;
			slot->reserved_at = now;
			slot->skipped += Max(range.skip.end - range.skip.first, 0);
		}
	}
	else if (slot->reserved_end - batch.end < sizes.least)
		ahead = reserve_ahead(ring, slot, &row, &key, range.first, state.counted, filter, &sizes, now);
	entering_unlock(ring, &range);

	/*
	 * Where there was no memory for a slot, the one position is skipped if
	 * the wait for a standby is cancelled here.
	 */
	acknowledged = slot != NULL && slot->acknowledged;
	if (!XLogRecPtrIsInvalid(lsn))
		acknowledged = series_make_durable(lsn);
	if (slot != NULL)
	{
		slot->acknowledged = acknowledged;
		slot->undurable = slot->reserved_end - durable;
		work_clear_doubt(slot);
	}
	if (range.first % base_codes == 0 && range.first / base_codes > ring->first_cycle)
		log_new_cycle(ring, &key, range.first / base_codes, &range.prefix);
	if (slot != NULL)
	{
		uint32		published;

		if (batch.count < PREFETCH_FROM)
			prefetch_drop(slot);

		/* From here on the first code is this call's, and an error would lose it. */
		published = block_publish(slot, &batch, state.counted, filter);
		memory_short = published < batch.count;
		slot->skipped += passed + slot->published_end - range.first - published;
		slot->refill_time += GetCurrentTimestamp() - now;
	}

	series_close(&row);
	work_unlock(&key);
	if (slot == NULL)
		RESUME_INTERRUPTS();
	if (sizes.fast && !XLogRecPtrIsInvalid(ahead))
		XLogFlush(ahead);		/* no error comes from here, and nobody waits for it */
	pfree(batch.codes);
	if (batch.map != NULL)
		pfree(batch.map);
	return code;
}
