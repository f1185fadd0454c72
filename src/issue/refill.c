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
 * changes nothing.  From then on the entry knows the range that is reserved and
 * not published (series_reserve tells it), and whoever comes next makes the same
 * range durable and publishes it: an error loses no code.  Nothing is published
 * before it is durable: a crash repeats none.
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
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

/* Has a block of this session's found no memory? */
static bool memory_short = false;

/* A refill on its way */
typedef struct Refill
{
	SeriesWork	work;
	bool		bump;
	bool		doubtful;		/* the words may have changed since the cycle was entered */
	uint64		series_blocklist_id;	/* words for all codes of the series, from now on */
	TimestampTz now;
	Sizes		sizes;
	int64		stood;			/* where it stood before codes were looked for */
	Range		range;			/* that they come from */
	bool		reserved;		/* it is already */
	CodeBatch	batch;
	int64		passed;			/* blocked positions before the batch */
	XLogRecPtr	lsn;			/* to be flushed before anything is handed out; invalid for nothing */
	int64		durable;		/* positions before this one are, then */
	XLogRecPtr	ahead;			/* end of what was reserved ahead of need */
} Refill;

/*
 * Take a code of the block that the entry holds now, opening it if it was
 * closed; NULL if nothing is left of it.  The caller holds the refill lock.
 */
static text *
take_from_entry(SharedSeries *entry, const Ring *ring, const SeriesId *id)
{
	CodeBlock	block;

	while (block_reopen(entry) && block_adopt(entry, id, entry->blocklist_id, &block))
	{
		char		prefix[PREFIX_MAX_LEN];
		uint32		prefix_len = encode_write_prefix(&ring->codec, id, block.first / ring->base_codes, prefix);
		text	   *code = encode_room(prefix, prefix_len, ring->tail_length);

		if (block_take(&block, VARDATA(code) + prefix_len, ring->tail_length))
			return code;
		pfree(code);			/* others have taken the rest */
	}
	return NULL;
}

/*
 * What is in the entry may have been made durable before there was a synchronous
 * standby to wait for: wait now, if so.  An error leaves it all as it was.
 */
static void
acknowledge(SharedSeries *entry)
{
	if (entry->acknowledged || XLogRecPtrIsInvalid(entry->reserved_lsn) || !coderring_sync_awaited())
		return;
	entry->acknowledged = series_make_durable(entry->reserved_lsn);
	entry->undurable = 0;
}

/*
 * Begin a refill of a series that is locked: find its entry, or make one, and
 * see to it that nothing is taken from it that must not be.
 */
static void
begin(Refill *refill, const Series *series, bool waited)
{
	SeriesWork *work = &refill->work;
	SeriesNumbers numbers;

	work_begin(work, series->ring, &series->id);
	if (work->entry != NULL)
		acknowledge(work->entry);
	else if (!series_read(&work->id, &numbers))
		entering_check_extra(work->ring, &work->id);
	work->entry = evict_make_entry(&work->id, true);
	refill->doubtful = work->filter != NULL && (work->entry == NULL || work->entry->blocklist_id != work->blocklist_id);
	if (work->entry == NULL)
		return;
	work->entry->refill_waits += waited;
	if (work->entry->blocklist_id != work->blocklist_id)
		block_withdraw(work->entry);	/* now, or it would be taken from */
	if (refill->bump)
		(void) block_close(work->entry);
}

/*
 * Has a series handed out no code yet of the cycle that it stands in?  Where
 * the words have changed, all that was handed out may be blocked by now.
 */
static bool
nothing_out(const SeriesWork *work)
{
	return work->state.position % work->ring->base_codes == 0 ||
		(work->state.counted == 0 && (work->row.tuple == NULL || work->row.numbers.blocklist_id == work->blocklist_id));
}

/*
 * After a failover, pass over what may have been handed out without our
 * knowledge: false if that is nothing.  Whatever comes then, the series stands
 * behind it.  A bump that is lost may be asked for again, so what comes after
 * the bump is passed over then.
 */
static bool
pass_over(SeriesWork *work, bool bump)
{
	const Ring *ring = work->ring;
	SharedSeries *entry = work->entry;
	int64		position = work->state.position;
	int64		stood = position;
	int64		skipped = entry != NULL ? entry->skipped : 0;
	int64		target;

	if (bump && position / ring->base_codes >= PG_INT64_MAX / ring->base_codes - 1)
		return false;			/* there is no next cycle */
	if (bump)
		position = (position / ring->base_codes + 1) * ring->base_codes;
	target = cycles_failover_target(ring, work->filter, &work->id, work_numbers(work), position, false);
	if (target <= position)
		return false;
	if (entry != NULL)
		(void) block_close(entry);
	(void) advance_to(work, target, true, true);
	if (entry != NULL)
		entry->skipped = skipped + work->row.numbers.reserved_to - stood;
	series_close(&work->row);
	work_read(work);
	return true;
}

/*
 * Where the next codes are looked for, and how many are to be reserved.
 */
static void
begin_range(Refill *refill, uint32 count)
{
	SeriesWork *work = &refill->work;
	const Ring *ring = work->ring;
	int64		position = work->state.position;
	int64		cycle = position / ring->base_codes;

	/* That other words were in force for a time is on disk before the first code that they let pass. */
	refill->series_blocklist_id = work->blocklist_id;
	if (work->row.tuple != NULL && work->row.numbers.blocklist_id != work->blocklist_id)
		refill->series_blocklist_id = BLOCKLIST_ID_CHANGED;
	refill->stood = position;
	refill->now = GetCurrentTimestamp();
	refill->range.first = refill->range.skip.first = position;
	if (work->row.tuple == NULL)
		entering_find_others(ring, &work->id, ring->first_cycle, cycle, &refill->range);
	if (refill->bump)
	{
		if (cycle >= PG_INT64_MAX / ring->base_codes - 1)
			cycles_report_exhausted(ring);
		refill->range.first = (cycle + 1) * ring->base_codes;
	}
	refill->sizes = sizing_choose(ring, work->entry, count, position, refill->now);
}

/*
 * Is what begins the range reserved already: before, ahead of need or by
 * somebody who then failed?  What the row does not say as well is reserved anew.
 */
static bool
is_reserved(const Refill *refill)
{
	const SeriesWork *work = &refill->work;

	return !refill->bump && work->entry != NULL && work->entry->reserved_end > refill->range.first &&
		work->row.tuple != NULL && work->row.numbers.reserved_to == work->entry->reserved_end &&
		work->row.numbers.blocklist_id == refill->series_blocklist_id;
}

/*
 * Of what is reserved, as much as is durable, or all of it, which is flushed then.
 * False if the words have come to block what is left of the cycle.
 */
static bool
plan_reserved(Refill *refill)
{
	SeriesWork *work = &refill->work;
	Range	   *range = &refill->range;
	int64		cycle = range->first / work->ring->base_codes;

	encode_prefix(work->ring, work->filter, &work->id, cycle, &range->prefix);
	cycles_check_length(work->ring, &work->id, cycle, &range->prefix);
	if (refill->doubtful && !capacity_enough(work->ring, work->filter, &range->prefix))
		return false;
	refill->durable = work->entry->reserved_end - work->entry->undurable;
	refill->lsn = InvalidXLogRecPtr;
	if (refill->durable - range->first < refill->sizes.durable)
	{
		refill->durable = work->entry->reserved_end;
		refill->lsn = work->entry->reserved_lsn;
	}
	range->end = refill->durable;
	return true;
}

/*
 * Find the codes that come next, and what has to be reserved for them.  Nothing
 * is written.
 */
static void
plan_codes(Refill *refill)
{
	SeriesWork *work = &refill->work;
	const Ring *ring = work->ring;
	Range	   *range = &refill->range;
	CodeBatch  *batch = &refill->batch;

	for (;;)
	{
		int64		enough;

		refill->reserved = is_reserved(refill);
		if (!refill->reserved)
		{
			entering_settle(ring, work->filter, &work->id, refill->doubtful, range);
			enough = range->first + Min(refill->sizes.outstanding, range->end - range->first);
		}
		else if (plan_reserved(refill))
			enough = range->end;
		else
		{
			/* It is passed over. */
			range->first = work->entry->reserved_end;
			continue;
		}
		if (range->first % ring->base_codes == 0)
			work->state.counted = 0;
		if (!refill->reserved || !prefetch_find(work->entry, range->first, enough, work->blocklist_id, batch))
			encode_batch(ring, work->filter, &work->id, &range->prefix,
						 &(Span) {range->first, enough, range->end, Min(enough - range->first, refill->sizes.block)}, batch);
		if (batch->count > 0)
		{
			range->end = Max(enough, batch->end);
			return;
		}
		encode_free(batch);
		refill->passed += batch->end - range->first;
		range->first = batch->end;
		if (range->skip.end <= range->skip.first)
			range->skip.first = batch->end;
		refill->bump = false;
	}
}

/*
 * Reserve the range, and leave it to the caller to make that durable.
 */
static void
reserve_range(Refill *refill)
{
	SeriesWork *work = &refill->work;
	Range	   *range = &refill->range;
	int64		skipped = Max(range->skip.end - range->skip.first, 0);
	Reservation reservation = {.numbers = work->row.numbers, .position = refill->stood, .ranges = entering_skips(range),
	.entry = work->entry, .first = range->first, .counted = work->state.counted, .blocklist_id = work->blocklist_id};
	SeriesNumbers *numbers = &reservation.numbers;

	if (work->row.tuple == NULL)
		failover_begin(numbers, refill->stood, refill->now);
	else
		failover_note(&work->id, numbers, refill->now);
	numbers->measured_from += skipped;
	failover_note_pace(numbers, range->first, refill->now);
	numbers->reserved_to = range->end;
	numbers->counted_to = range->first;
	numbers->unblocked = work->state.counted;
	numbers->blocklist_id = refill->series_blocklist_id;
	refill->lsn = series_reserve(&work->row, &work->id, &reservation);
	if (work->entry == NULL)
		return;
	refill->durable = work->entry->reserved_end;
	work->entry->reserved_at = refill->now;
	work->entry->skipped += skipped;
}

/*
 * Reserve more of the cycle ahead of need, and leave it to the WAL writer to
 * flush that.  All of the range is reserved already.
 */
static void
reserve_ahead(Refill *refill)
{
	SeriesWork *work = &refill->work;
	SharedSeries *entry = work->entry;
	int64		first = refill->range.first;
	int64		codes = work->ring->base_codes;
	Reservation reservation = {.numbers = work->row.numbers, .entry = entry, .first = first,
	.counted = work->state.counted, .blocklist_id = work->blocklist_id};
	SeriesNumbers *numbers = &reservation.numbers;
	SkippedRange recorded;

	numbers->counted_to = first;
	numbers->unblocked = work->state.counted;
	failover_note_pace(numbers, first, refill->now);

	/* The last cycle may end at 2^63 - 1: no sum of positions may go beyond its cycle. */
	numbers->reserved_to = (first / codes + 1) * codes;
	numbers->reserved_to = first + Min(refill->sizes.outstanding, numbers->reserved_to - first);
	if (series_next_skip(&work->id, entry->reserved_end, &recorded))
		numbers->reserved_to = Min(numbers->reserved_to, recorded.first);
	if (numbers->reserved_to <= entry->reserved_end)
		return;
	refill->ahead = series_reserve(&work->row, &work->id, &reservation);
	entry->reserved_at = refill->now;
	XLogSetAsyncXactLSN(refill->ahead);
}

/*
 * See to it that the range is this series'.  (This is the seam where a lease
 * takes the place of a reservation.)
 */
static void
obtain_range(Refill *refill)
{
	if (!refill->reserved)
		reserve_range(refill);
	else if (refill->work.entry->reserved_end - refill->batch.end < refill->sizes.least)
		reserve_ahead(refill);
	entering_unlock(refill->work.ring, &refill->range);
}

/*
 * A series goes on with other codes than before: say so in the server's log.
 */
static void
log_new_cycle(const Ring *ring, const SeriesId *id, int64 cycle, const Prefix *prefix)
{
	ereport(LOG,
			(errmsg("ring \"%s\" has begun cycle %lld with extra \"%.*s\"",
					ring->name, (long long) cycle, id->extra_len, id->extra),
			 errdetail("Its codes have %u characters from now on, and begin with \"%.*s\".",
					   prefix->characters + ring->tail_length, (int) prefix->len, prefix->text)));
}

/*
 * Make the range durable, and say so in the log if it begins a cycle.  Returns
 * whether synchronous standbys have acknowledged it.
 */
static bool
settle(Refill *refill)
{
	SeriesWork *work = &refill->work;
	const Ring *ring = work->ring;
	int64		cycle = refill->range.first / ring->base_codes;
	bool		acknowledged = work->entry != NULL && work->entry->acknowledged;

	if (!XLogRecPtrIsInvalid(refill->lsn))
		acknowledged = series_make_durable(refill->lsn);
	if (refill->range.first % ring->base_codes == 0 && cycle > ring->first_cycle)
		log_new_cycle(ring, &work->id, cycle, &refill->range.prefix);
	return acknowledged;
}

/*
 * A series without an entry has reserved a position and its code is not handed
 * out: nobody would know, so its row says again that it stands there; unless a
 * restore has moved it further meanwhile.
 */
static void
give_back(Refill *refill)
{
	SeriesWork *work = &refill->work;
	Reservation reservation = {0};

	if (work->row.tuple == NULL)
	{
		series_close(&work->row);
		series_open(&work->row, &work->id);
	}
	else
		series_refresh(&work->row);
	if (work->row.tuple == NULL || work->row.numbers.reserved_to != refill->range.end)
		return;
	reservation.numbers = work->row.numbers;
	reservation.numbers.reserved_to = reservation.numbers.counted_to = refill->range.first;
	(void) series_reserve(&work->row, &work->id, &reservation);
}

/* The same as settle(), for a series without an entry: after an error it gives back what it has reserved. */
static void
settle_alone(Refill *refill)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		(void) settle(refill);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		HOLD_INTERRUPTS();		/* the error has let go of all */
		give_back(refill);
		RESUME_INTERRUPTS();
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/*
 * Make the range durable, hand its codes to everyone but for the first, which is
 * the caller's, and let go of the series.
 */
static void
publish(Refill *refill)
{
	SeriesWork *work = &refill->work;
	SharedSeries *entry = work->entry;
	bool		acknowledged;
	uint32		published;

	if (entry == NULL)
	{
		/* Nobody would come and go on with the range: a cancel has to wait. */
		HOLD_INTERRUPTS();
		settle_alone(refill);
		work_end(work);
		RESUME_INTERRUPTS();
		return;
	}
	acknowledged = settle(refill);
	entry->acknowledged = acknowledged;
	entry->undurable = entry->reserved_end - refill->durable;
	work_clear_doubt(entry);
	if (refill->batch.count < PREFETCH_FROM)
		prefetch_drop(entry);

	/* From here on the first code is this call's, and an error would lose it. */
	published = block_publish(entry, &refill->batch, work->state.counted, work->blocklist_id);
	memory_short = published < refill->batch.count;
	entry->skipped += refill->passed + entry->published_end - refill->range.first - published;
	entry->refill_time += GetCurrentTimestamp() - refill->now;
	work_end(work);
}

/*
 * Take a code under the series' refill lock, from a new block if need be.
 * NULL if the series has to be looked up again.
 */
text *
refill_take(const Series *series, const CodeRequest *request, bool bump)
{
	Refill		refill = {.bump = bump};
	SeriesWork *work = &refill.work;
	const Ring *ring = series->ring;
	bool		waited;
	text	   *code;

	if (memory_short)
	{
		/* Not when it was noticed: a code that is taken must not meet an error. */
		memory_short = false;
		evict_memory(&series->id);
	}
	if (!work_lock(series, &waited))
		return NULL;
	begin(&refill, series, waited);
	if (!bump && work->entry != NULL && (code = take_from_entry(work->entry, ring, &work->id)) != NULL)
	{
		work_unlock(&work->id);
		return code;
	}
	work_read(work);
	if (bump && nothing_out(work))
	{
		/* No code of this cycle is out yet. */
		refill.bump = false;
		if (work->entry != NULL && (code = take_from_entry(work->entry, ring, &work->id)) != NULL)
		{
			work_end(work);
			return code;
		}
	}
	if (failover_pending(ring, work_numbers(work)) && pass_over(work, refill.bump))
		refill.bump = false;

	begin_range(&refill, request->count);
	plan_codes(&refill);

	/* All that the caller needs is made before anything is written. */
	code = encode_room(refill.range.prefix.text, refill.range.prefix.len, ring->tail_length);
	memcpy(VARDATA(code) + refill.range.prefix.len, refill.batch.codes, ring->tail_length);

	obtain_range(&refill);
	publish(&refill);
	if (refill.sizes.fast && !XLogRecPtrIsInvalid(refill.ahead))
		XLogFlush(refill.ahead);	/* no error comes from here, and nobody waits for it */
	encode_free(&refill.batch);
	return code;
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
	SeriesId	id = series->id;
	uint32		detail = locks_series_detail(id.extra, id.extra_len);

	if (!locks_acquire_conditional(LOCK_DEFINITION, id.lock_id, 0, DEFINITION_USE))
		return;
	if (locks_acquire_conditional(LOCK_REFILL, id.lock_id, detail, ExclusiveLock))
	{
		/* The lock keeps the entry ours, as in work_lock; it also asks for others' changes. */
		if (ConditionalLockRelationOid(id.relid, AccessShareLock))
		{
			SharedSeries *entry = definitions_current() ? entry_find(&id) : NULL;
			uint64		blocklist_id;
			const WordFilter *filter = entry != NULL ? blocklist_filter(ring, &blocklist_id) : NULL;

			/* One that is in doubt may be buried at any time, and be another series' while we compute. */
			if (entry != NULL && !entry->in_doubt && entry->blocklist_id == blocklist_id && entry->published_end < entry->reserved_end)
			{
				int64		first = entry->published_end;
				int64		end = entry->reserved_end;
				Prefix		prefix;
				CodeBatch	batch;

				encode_prefix(ring, filter, &id, first / ring->base_codes, &prefix);
				encode_batch(ring, filter, &id, &prefix,
							 &(Span) {first, end, end, Min(end - first, BLOCK_MAX_CODES)}, &batch);
				prefetch_keep(entry, &batch, blocklist_id);
				encode_free(&batch);
			}
			UnlockRelationOid(id.relid, AccessShareLock);
		}
		locks_release(LOCK_REFILL, id.lock_id, detail, ExclusiveLock);
	}
	locks_release(LOCK_DEFINITION, id.lock_id, 0, DEFINITION_USE);
}
