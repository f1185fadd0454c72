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

#include "capacity.h"
#include "cycles.h"
#include "failover.h"
#include "lifecycle.h"
#include "locks.h"
#include "move.h"
#include "position.h"
#include "reclaim.h"
#include "refill.h"
#include "series.h"
#include "words.h"

/*
 * Two reservations of a series are outstanding, the one that codes are taken
 * from, and the one ahead of need.  Each is to last this long, in ms: more than
 * twice wal_writer_delay, so that the record of the one ahead has been flushed
 * by the WAL writer when codes of it are called for, and no caller has to.  A
 * series in little use thus never waits for the disk, and where a series
 * runs faster than that (by the limits below), the one caller who has written
 * the record flushes it, while the others go on.
 */
#define RESERVATION_LASTS	500
#define MIN_RESERVATION		32
#define MAX_OUTSTANDING		65536

/*
 * A series that comes back reserves at least this part of what may be
 * outstanding, up to so many: where thousands are in use in turn, each seldom,
 * refills would otherwise cost more than all else.
 */
#define LEAST_SHARE			64
#define LEAST_RESERVATION	256

/* A reservation is at most this many times as large as the one before. */
#define RESERVATION_GROWTH	8

/* At most this part of a cycle is outstanding, and lost in a crash. */
#define OUTSTANDING_SHARE	64

/* Below this there is no reservation ahead: it would only be smaller ones. */
#define MIN_OUTSTANDING		128

/* How much to reserve, in positions. */
typedef struct Sizes
{
	int64		size;			/* of the reservation ahead */
	int64		outstanding;	/* of all that is reserved, from the block's first code on */
	int64		block;			/* codes to hand to everyone at once */
	int64		least;			/* fewer that are reserved behind the block call for more */
	bool		fast;			/* what is ahead may be needed before it is flushed */
} Sizes;

/* Has a block of this session's found no memory? */
static bool memory_short = false;

/*
 * How much to reserve for a series that is at a position, by how fast it came
 * there.
 */
static Sizes
choose_sizes(const Ring *ring, Slot *slot, uint32 count, int64 position, TimestampTz now)
{
	int64		bound = Min(Max(ring->base_codes / OUTSTANDING_SHARE, 1), MAX_OUTSTANDING);
	bool		ahead = bound >= MIN_OUTSTANDING;
	int64		wanted = 0;
	int64		size;
	Sizes		sizes;

	if (slot == NULL)
		return (Sizes) {1, 1, 1, 0, false};
	if (slot->reserved_span > 0)
	{
		int64		elapsed = Max(now - slot->reserved_at, 1);
		int64		taken = position - (slot->reserved_end - slot->reserved_span);

		taken = Min(Max(taken, 0), MAX_OUTSTANDING);
		wanted = taken * INT64CONST(1000) * RESERVATION_LASTS / elapsed;
	}
	size = Max(wanted, MIN_RESERVATION);
	if (slot->reserved_span > 0)
	{
		size = Max(size, Min(bound / LEAST_SHARE, LEAST_RESERVATION));
		size = Min(size, Max(slot->reserved_span / 2, 1) * (int64) RESERVATION_GROWTH);
	}
	sizes.size = Min(size, ahead ? bound / 2 : bound);
	size = Min(Max(sizes.size, count), ahead ? bound - sizes.size : bound);
	sizes.outstanding = ahead ? size + sizes.size : size;
	sizes.block = ahead ? Min(size, Max(bound / 4, MIN_RESERVATION)) : size;
	sizes.block = Min(sizes.block, BLOCK_MAX_CODES);
	sizes.least = ahead ? sizes.block : 0;
	sizes.fast = wanted > sizes.size;

	/* Many series are used once, and then seldom or never: those get no array. */
	if (slot->reserved_span == 0 && count == 1)
		sizes.block = 1;
	return sizes;
}

/*
 * The ring is in force, so a slot is no longer in doubt if the series has its
 * row, and nothing of it hangs on this very transaction.
 */
static void
clear_doubt(Slot *slot)
{
	if (slot->in_doubt && !XLogRecPtrIsInvalid(slot->reserved_lsn) && !lifecycle_open(&slot->key.incarnation))
		slot->in_doubt = false;
}

/*
 * Take the locks under which a series is changed: before its slot is looked up,
 * that of its table too, or DROP and CREATE EXTENSION could give the slot to
 * another series meanwhile.  False, without locks, if what this session
 * remembers of it is no longer true, or may not be: then whoever is dropping or
 * resetting the ring has ended.  *waited says whether somebody else had the
 * series.
 */
bool
refill_lock(const Series *series, bool *waited)
{
	const SeriesKey *key = &series->key;
	uint32		detail = ring_lock_detail(key->extra, key->extra_len);
	Slot	   *slot;
	TransactionId undecided = InvalidTransactionId;

	ring_lock(LOCK_DEFINITION, key->lock_id, 0, DEFINITION_USE);
	*waited = !ring_lock_conditional(LOCK_REFILL, key->lock_id, detail, ExclusiveLock);
	if (*waited)
		ring_lock(LOCK_REFILL, key->lock_id, detail, ExclusiveLock);
	LockRelationOid(key->relid, RowExclusiveLock);
	AcceptInvalidationMessages();

	/* It may have been something else that has changed, at any rate. */
	if (ring_memory_good() || ring_unchanged(series))
	{
		slot = slot_find(key);
		if (slot != NULL && !slot->in_doubt)
			return true;
		if (ring_in_force(&key->incarnation, &undecided))
		{
			if (slot != NULL)
				clear_doubt(slot);
			return true;
		}
		ring_forget();
	}

	/* Waiting with the locks would keep that transaction from ending. */
	refill_unlock(key);
	if (TransactionIdIsValid(undecided))
		XactLockTableWait(undecided, NULL, NULL, XLTW_None);
	CHECK_FOR_INTERRUPTS();
	return false;
}

void
refill_unlock(const SeriesKey *key)
{
	UnlockRelationOid(key->relid, RowExclusiveLock);
	ring_unlock(LOCK_REFILL, key->lock_id, ring_lock_detail(key->extra, key->extra_len), ExclusiveLock);
	ring_unlock(LOCK_DEFINITION, key->lock_id, 0, DEFINITION_USE);
}

/*
 * Room for a code, so that nothing can fail any more once one is taken.
 */
text *
refill_room(const char *prefix, uint32 prefix_len, uint32 stride)
{
	text	   *code = palloc(VARHDRSZ + prefix_len + stride);

	SET_VARSIZE(code, VARHDRSZ + prefix_len + stride);
	memcpy(VARDATA(code), prefix, prefix_len);
	return code;
}

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
		uint32		prefix_len = emit_write_prefix(&ring->codec, key, block.first / ring->base_codes, prefix);
		text	   *code = refill_room(prefix, prefix_len, ring->stride);

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
 * Refuse to filter with words that a rollback would take back: what they block
 * would be passed over for good.
 */
void
refill_check_words(const Ring *ring)
{
	if (lifecycle_words_open(ring))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot take codes of ring \"%s\" in a transaction that has changed its blocklist", ring->name),
				 errdetail("What the new words block would be passed over, also if the transaction rolled back."),
				 errhint("Commit the transaction first.")));
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
	SeriesNumbers numbers = row->numbers;
	SkippedRange recorded;
	XLogRecPtr	lsn;

	numbers.counted_to = first;
	numbers.unblocked = counted;
	failover_note_pace(&numbers, first, now);

	/* The last cycle may end at 2^63 - 1: no sum of positions may go beyond its cycle. */
	numbers.reserved_to = (first / ring->base_codes + 1) * ring->base_codes;
	numbers.reserved_to = first + Min(sizes->outstanding, numbers.reserved_to - first);
	if (series_next_skip(key, slot->reserved_end, &recorded))
		numbers.reserved_to = Min(numbers.reserved_to, recorded.first);
	if (numbers.reserved_to <= slot->reserved_end)
		return InvalidXLogRecPtr;
	lsn = series_reserve(row, key, first, &numbers, NIL, false);
	block_reserved(slot, first, counted, numbers.reserved_to, filter, numbers.filter, lsn);
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
refill_ahead(const Series *series)
{
	const Ring *ring = series->ring;
	SeriesKey	key = series->key;
	uint32		detail = ring_lock_detail(key.extra, key.extra_len);

	if (!ring_lock_conditional(LOCK_DEFINITION, key.lock_id, 0, DEFINITION_USE))
		return;
	if (ring_lock_conditional(LOCK_REFILL, key.lock_id, detail, ExclusiveLock))
	{
		/* The lock keeps the slot ours, as in refill_lock; it also asks for others' changes. */
		if (ConditionalLockRelationOid(key.relid, AccessShareLock))
		{
			Slot	   *slot = ring_memory_good() ? slot_find(&key) : NULL;
			uint64		filter;
			const Blocklist *list = slot != NULL ? words_automaton(ring, &filter) : NULL;

			/* One that is in doubt may be buried at any time, and be another series' while we compute. */
			if (slot != NULL && !slot->in_doubt && slot->filter == filter && slot->published_end < slot->reserved_end)
			{
				int64		first = slot->published_end;
				int64		end = slot->reserved_end;
				Prefix		prefix;
				CodeBatch	batch;

				emit_prefix(ring, list, &key, first / ring->base_codes, &prefix);
				emit_batch(ring, list, &key, &prefix, first, end, end, Min(end - first, BLOCK_MAX_CODES), &batch);
				ahead_keep(slot, &batch, filter);
				pfree(batch.codes);
				if (batch.map != NULL)
					pfree(batch.map);
			}
			UnlockRelationOid(key.relid, AccessShareLock);
		}
		ring_unlock(LOCK_REFILL, key.lock_id, detail, ExclusiveLock);
	}
	ring_unlock(LOCK_DEFINITION, key.lock_id, 0, DEFINITION_USE);
}

/*
 * After a failover, pass over what may have been handed out without our
 * knowledge: false if that is nothing.  Whatever comes then, the series stands
 * behind it.  A bump that is lost may be asked for again, so what comes after
 * the bump is passed over then.
 */
static bool
pass_over(const Ring *ring, const Blocklist *list, uint64 filter, const SeriesKey *key, Slot *slot,
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
	target = failover_target(ring, list, key, numbers, position, false);
	if (target <= position)
		return false;
	if (slot != NULL)
		(void) block_close(slot);
	(void) move_to(&moving, target, true, true);
	if (slot != NULL)
		slot->skipped = skipped + moving.row.numbers.reserved_to - state->position;
	series_close(&moving.row);
	series_open(row, key);
	*state = position_read(ring, list, filter, slot, key, &row->numbers);
	return true;
}

/*
 * Take a code under the series' refill lock, from a new block if need be.
 * NULL if the series has to be looked up again.
 */
text *
refill_take(const Series *series, const Wanted *wanted, bool bump)
{
	const Ring *ring = series->ring;
	SeriesKey	key = series->key;
	int64		base_codes = ring->base_codes;
	uint64		filter;
	uint64		series_filter;
	const Blocklist *list;
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
		reclaim_memory(&key);
	}
	if (!refill_lock(series, &waited))
		return NULL;

	refill_check_words(ring);
	slot = slot_find(&key);
	if (slot != NULL)
		acknowledge(slot);
	list = words_automaton(ring, &filter);
	if (slot == NULL && !series_read(&key, &numbers))
		cycles_check_extra(ring, &key);
	slot = reclaim_make_slot(&key, true);
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
			refill_unlock(&key);
			return code;
		}
	}
	series_open(&row, &key);
	state = position_read(ring, list, filter, slot, &key, row.tuple != NULL ? &row.numbers : NULL);
	if (bump && nothing_out(ring, filter, &row, &state))
	{
		/* No code of this cycle is out yet. */
		bump = false;
		if (slot != NULL && (code = take_from_slot(slot, ring, &key)) != NULL)
		{
			series_close(&row);
			refill_unlock(&key);
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
		cycles_find_others(ring, &key, ring->first_cycle, state.position / base_codes, &range);
	if (bump)
	{
		if (state.position / base_codes >= PG_INT64_MAX / base_codes - 1)
			cycles_report_exhausted(ring);
		range.first = (state.position / base_codes + 1) * base_codes;
	}

	sizes = choose_sizes(ring, slot, wanted->count, state.position, now);

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
			emit_prefix(ring, list, &key, range.first / base_codes, &range.prefix);
			cycles_check_length(ring, &key, range.first / base_codes, &range.prefix);
			if (doubtful && !capacity_enough(ring, list, &range.prefix))
			{
				/* Blocked by now: what is left of it is passed over, below. */
				range.first = slot->reserved_end;
				continue;
			}
			durable = slot->reserved_end - slot->undurable;
			lsn = InvalidXLogRecPtr;
			if (durable - range.first < Max(Min(sizes.block, MIN_RESERVATION) / 2, 1))
			{
				durable = slot->reserved_end;
				lsn = slot->reserved_lsn;
			}
			enough = range.end = durable;
		}
		else
		{
			cycles_settle(ring, list, &key, doubtful, &range);
			enough = range.first + Min(sizes.outstanding, range.end - range.first);
		}
		if (range.first % base_codes == 0)
			state.counted = 0;
		if (!reserved || !ahead_find(slot, range.first, enough, filter, &batch))
			emit_batch(ring, list, &key, &range.prefix, range.first, enough, range.end,
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
	code = refill_room(range.prefix.text, range.prefix.len, ring->stride);
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

		/* Not where a series without a row would begin, nor from a row that a rollback takes away: this may yet fail. */
		if (slot != NULL && row.tuple != NULL && !series_unsettled(&row) &&
			(slot->published_end < 0 || row.numbers.reserved_to > slot->reserved_end))
			block_resume(slot, before.position, before.counted,
						 doubtful ? SERIES_FILTER_CHANGED : filter, row.numbers.filter);

		/* Without a slot, a cancel from then on would lose the position: it has to wait. */
		lsn = series_reserve(&row, &key, before.position, &numbers, cycles_skips(&range), slot == NULL);
		if (slot != NULL)
		{
			block_reserved(slot, range.first, state.counted, range.end, filter, series_filter, lsn);
			durable = slot->reserved_end;
			slot->reserved_at = now;
			slot->skipped += Max(range.skip.end - range.skip.first, 0);
		}
	}
	else if (slot->reserved_end - batch.end < sizes.least)
		ahead = reserve_ahead(ring, slot, &row, &key, range.first, state.counted, filter, &sizes, now);
	cycles_unlock(ring, &range);

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
		clear_doubt(slot);
	}
	if (range.first % base_codes == 0 && range.first / base_codes > ring->first_cycle)
		log_new_cycle(ring, &key, range.first / base_codes, &range.prefix);
	if (slot != NULL)
	{
		uint32		published;

		if (batch.count < AHEAD_FROM)
			ahead_drop(slot);

		/* From here on the first code is this call's, and an error would lose it. */
		published = block_publish(slot, &batch, state.counted, filter);
		memory_short = published < batch.count;
		slot->skipped += passed + slot->published_end - range.first - published;
		slot->refill_time += GetCurrentTimestamp() - now;
	}

	series_close(&row);
	refill_unlock(&key);
	if (slot == NULL)
		RESUME_INTERRUPTS();
	if (sizes.fast && !XLogRecPtrIsInvalid(ahead))
		XLogFlush(ahead);		/* no error comes from here, and nobody waits for it */
	pfree(batch.codes);
	if (batch.map != NULL)
		pfree(batch.map);
	return code;
}
