/*
 * dispense.c
 *		Codes for callers: take one, refill, bump, advance.
 *
 * The way of a code:
 *	 1. dispense() (in the header) takes it from the block that the session
 *		remembers, with a compare-and-swap.
 *	 2. dispense_slowly() looks the series up, reads its definition again if
 *		any has changed, and remembers the block that is there now.
 *	 3. replenish(), under the series' refill lock, computes the codes that come
 *		next, without those that the ring's filter blocks, reserves their
 *		positions in its row, makes the reservation durable, hands all but the
 *		first to everyone, and returns the first.
 *
 * The order in step 3 is what keeps the promises.  Until the row is written
 * an error changes nothing.  From then on the slot knows the range that is
 * reserved and not published (block_reserved, called with nothing in between
 * that can throw), and whoever comes next makes the same range durable and
 * publishes it: an error loses no code.  Nothing is published before it is
 * durable: a crash repeats none.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "capacity.h"
#include "cycles.h"
#include "dispense.h"
#include "lifecycle.h"
#include "locks.h"
#include "position.h"
#include "reclaim.h"
#include "series.h"
#include "words.h"

/*
 * A reservation is to last this long, in ms, so that a busy series does not
 * wait for the disk often; it may feed several blocks, one after the other.
 */
#define RESERVATION_LASTS	100
#define MIN_RESERVATION		32
#define MAX_RESERVATION		65536

/* A reservation is at most this many times as large as the one before. */
#define RESERVATION_GROWTH	8

/* At most this part of a cycle is outstanding, and lost in a crash. */
#define BLOCK_SHARE		64

/* Has a block of this session's found no memory? */
static bool memory_short = false;

/*
 * How many positions to reserve at once.
 */
static int64
reservation_size(const Ring *ring, Slot *slot, uint32 count, TimestampTz now)
{
	int64		size = MIN_RESERVATION;

	if (slot == NULL)
		return 1;
	if (slot->reserved_count > 0)
	{
		int64		elapsed = Max(now - slot->reserved_at, 1);

		size = slot->reserved_count * INT64CONST(1000) * RESERVATION_LASTS / elapsed;
		size = Min(size, (int64) slot->reserved_count * RESERVATION_GROWTH);
	}
	size = Max(size, count);
	size = Min(Max(size, MIN_RESERVATION), MAX_RESERVATION);
	return Max(Min(size, ring->base_codes / BLOCK_SHARE), 1);
}

/*
 * Take the locks under which a series is changed.  False, without locks, if
 * what this session remembers of it is no longer true.  *waited says whether
 * somebody else had the series.
 */
static bool
lock_series(const Series *series, bool *waited)
{
	const SeriesKey *key = &series->key;
	uint32		detail = ring_lock_detail(key->extra, key->extra_len);

	ring_lock(LOCK_DEFINITION, key->ring_id, 0, DEFINITION_USE);
	*waited = !ring_lock_conditional(LOCK_REFILL, key->ring_id, detail, ExclusiveLock);
	if (*waited)
		ring_lock(LOCK_REFILL, key->ring_id, detail, ExclusiveLock);
	AcceptInvalidationMessages();

	/* It may have been something else that has changed, at any rate. */
	if (ring_memory_good() || ring_unchanged(series))
		return true;
	ring_unlock(LOCK_REFILL, key->ring_id, detail, ExclusiveLock);
	ring_unlock(LOCK_DEFINITION, key->ring_id, 0, DEFINITION_USE);
	return false;
}

static void
unlock_series(const SeriesKey *key)
{
	ring_unlock(LOCK_REFILL, key->ring_id, ring_lock_detail(key->extra, key->extra_len), ExclusiveLock);
	ring_unlock(LOCK_DEFINITION, key->ring_id, 0, DEFINITION_USE);
}

/*
 * Room for a code, so that nothing can fail any more once one is taken.
 */
static text *
make_code(const char *prefix, uint32 prefix_len, uint32 stride)
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
		text	   *code = make_code(prefix, prefix_len, ring->stride);

		if (block_take(&block, VARDATA(code) + prefix_len, ring->stride))
			return code;
		pfree(code);			/* others have taken the rest */
	}
	return NULL;
}

/*
 * Refuse to filter with words that a rollback would take back: what they block
 * would be passed over for good.
 */
static void
check_words_last(const Ring *ring)
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
 * Take a code under the series' refill lock, from a new block if need be.
 * NULL if the series has to be looked up again.
 */
static text *
replenish(const Series *series, const Wanted *wanted, bool bump)
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
	Range		range = {0};
	CodeBatch	batch;
	SeriesNumbers numbers;
	text	   *code;
	XLogRecPtr	lsn = InvalidXLogRecPtr;
	int64		passed = 0;		/* blocked positions before the batch */
	bool		doubtful;
	bool		waited;
	TimestampTz now;

	if (memory_short)
	{
		/* Not when it was noticed: a code that is taken must not meet an error. */
		memory_short = false;
		reclaim_evict(&key);
	}
	if (!lock_series(series, &waited))
		return NULL;

	check_words_last(ring);
	list = words_automaton(ring, &filter);
	if (slot_find(&key) == NULL)
		cycles_check_extra(ring, list, &key);
	slot = reclaim_make_slot(&key);
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
			unlock_series(&key);
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
			unlock_series(&key);
			return code;
		}
	}

	/* That other words were in force for a time is on disk before the first code that they let pass. */
	series_filter = filter;
	if (row.tuple != NULL && row.numbers.filter != filter)
		series_filter = SERIES_FILTER_CHANGED;
	if (slot != NULL && (slot->published_end < 0 || row.numbers.reserved_to > slot->reserved_end))
		block_resume(slot, state.position, state.counted, row.tuple != NULL ? row.numbers.filter : filter);

	now = GetCurrentTimestamp();
	range.first = state.position;
	range.skip.first = state.position;
	if (bump)
	{
		if (state.position / base_codes >= PG_INT64_MAX / base_codes - 1)
			cycles_report_exhausted(ring);
		range.first = (state.position / base_codes + 1) * base_codes;
	}

	/*
	 * Find codes.  All that the caller needs is made before anything is
	 * written.
	 */
	for (;;)
	{
		bool		reserved = !bump && slot != NULL && slot->reserved_end > range.first &&
		row.tuple != NULL && row.numbers.reserved_to == slot->reserved_end &&
		row.numbers.filter == series_filter;
		int64		enough;

		if (reserved)
		{
			/*
			 * Before, for a later block or by somebody who then failed.  What
			 * the row does not say as well is reserved anew, below.
			 */
			emit_prefix(ring, list, &key, range.first / base_codes, &range.prefix);
			cycles_check_length(ring, &key, range.first / base_codes, &range.prefix);
			lsn = slot->reserved_lsn;
			enough = range.end = slot->reserved_end;
			if (doubtful && !capacity_enough(ring, list, &range.prefix))
			{
				/* Blocked by now: what is left of it is passed over, below. */
				range.first = slot->reserved_end;
				continue;
			}
		}
		else
		{
			lsn = InvalidXLogRecPtr;
			cycles_settle(ring, list, &key, doubtful, &range);
			enough = range.first + reservation_size(ring, slot, wanted->count, now);
			enough = Min(enough, range.end);
		}
		if (range.first % base_codes == 0)
			state.counted = 0;
		emit_batch(ring, list, &key, &range.prefix, range.first, enough, range.end,
				   Min(enough - range.first, BLOCK_MAX_CODES), &batch);
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
	code = make_code(range.prefix.text, range.prefix.len, ring->stride);
	memcpy(VARDATA(code) + range.prefix.len, batch.codes, ring->stride);

	if (XLogRecPtrIsInvalid(lsn))
	{
		numbers.reserved_to = range.end;
		numbers.counted_to = range.first;
		numbers.unblocked = state.counted;
		numbers.filter = series_filter;
		lsn = series_reserve(&row, &key, &numbers, &range.skip);
		if (slot != NULL)
		{
			block_reserved(slot, range.first, state.counted, range.end, series_filter, lsn);
			slot->reserved_count = range.end - range.first;
			slot->reserved_at = now;
			slot->skipped += Max(range.skip.end - range.skip.first, 0);
		}
	}
	cycles_unlock(ring, &range);

	/*
	 * Where there was no memory for a slot, the one position is skipped if
	 * the wait for a standby is cancelled here.
	 */
	series_make_durable(lsn);
	if (range.first % base_codes == 0 && range.first / base_codes > ring->first_cycle)
		log_new_cycle(ring, &key, range.first / base_codes, &range.prefix);
	if (slot != NULL)
	{
		uint32		published = block_publish(slot, &batch, state.counted, filter);

		memory_short = published < batch.count;
		slot->skipped += passed + slot->published_end - range.first - published;
		slot->refill_time += GetCurrentTimestamp() - now;
	}

	/* The table has been locked all the while, so the slot is still ours. */
	series_close(&row);
	unlock_series(&key);
	pfree(batch.codes);
	if (batch.map != NULL)
		pfree(batch.map);
	return code;
}

/*
 * A new code, without a block that this session remembers.
 */
text *
dispense_slowly(const Wanted *wanted, bool bump)
{
	for (;;)
	{
		Series	   *series = ring_series(wanted->name, wanted->extra, wanted->extra_len);
		text	   *code;

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
			if (series->block.generation != 0)
			{
				series->prefix_len = emit_write_prefix(&series->ring->codec, &series->key,
												  series->block.first / series->ring->base_codes,
												  series->prefix);
				code = make_code(series->prefix, series->prefix_len, series->stride);

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

		code = replenish(series, wanted, bump);
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
	bool		waited;
	XLogRecPtr	lsn;

	do
		series = ring_series(wanted->name, wanted->extra, wanted->extra_len);
	while (!lock_series(series, &waited));
	ring = series->ring;
	key = series->key;
	check_words_last(ring);
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
	if (target == state.position && row.tuple != NULL)
	{
		series_close(&row);
		if (slot != NULL)
			(void) block_reopen(slot);
		unlock_series(&key);
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
	numbers.counted_to = numbers.reserved_to;
	numbers.filter = row.tuple != NULL ? row.numbers.filter : filter;

	lsn = series_reserve(&row, &key, &numbers, &range.skip);
	if (slot != NULL)
	{
		block_reserved(slot, numbers.reserved_to, numbers.unblocked, numbers.reserved_to, numbers.filter, lsn);
		slot->skipped += Max(range.skip.end - range.skip.first, 0);
	}
	cycles_unlock(ring, &range);
	series_make_durable(lsn);
	series_close(&row);
	unlock_series(&key);
}

static void
load_series(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
			const SeriesNumbers *numbers, void *arg)
{
	SeriesKey	key;

	ring_make_key(arg, &key);
	key.extra_len = extra_len;
	memcpy(key.extra, extra, extra_len);
	(void) reclaim_make_slot(&key);
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
	rel = ring_open(ring_relation("ring"), AccessShareLock);
	if (ring_read(rel, ring->name, &now) &&
		memcmp(&now.incarnation, &ring->incarnation, sizeof(pg_uuid_t)) == 0)
		series_visit(&ring->incarnation, load_series, (void *) ring);
	table_close(rel, AccessShareLock);
	ring_unlock(LOCK_DEFINITION, ring->id, 0, DEFINITION_USE);
}
