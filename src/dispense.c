/*
 * dispense.c
 *		Codes for callers: take one, refill, bump, advance.
 *
 * The way of a code:
 *	 1. dispense() (in the header) takes it from the block that the session
 *		remembers, with a compare-and-swap.
 *	 2. dispense_slowly() looks the series up, reads its definition again if
 *		any has changed, and remembers the block that is there now.
 *	 3. replenish(), under the series' refill lock, reserves positions in its
 *		row, computes their codes, makes the reservation durable, hands all but
 *		the first to everyone, and returns the first.
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
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "dispense.h"
#include "locks.h"
#include "order.h"
#include "reclaim.h"
#include "series.h"

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

/* A part of a cycle to be reserved. */
typedef struct Range
{
	int64		first;			/* position */
	int64		end;
	int64		skip_first;		/* cycles to be recorded as skipped */
	int64		skip_last;		/* before skip_first if there are none */
	uint32		prefix_len;
	char		prefix[EXTRA_MAX_LEN + CODEC_MAX_UNIQUIZER];
} Range;

/*
 * What stands before the base codes of a cycle.
 */
static uint32
write_prefix(const Codec *codec, const SeriesKey *key, int64 cycle, char *prefix)
{
	memcpy(prefix, key->extra, key->extra_len);
	return key->extra_len + codec_write_uniquizer(codec, cycle, prefix + key->extra_len);
}

/*
 * Has another series of the ring entered a cycle whose codes begin with the
 * same prefix?  Looks at every way to split the prefix into an extra and a
 * uniquizer.  All that such a series has passed counts as entered, also what
 * coderring_advance jumped over: codes of it may exist elsewhere.
 */
static bool
prefix_taken(const Ring *ring, const SeriesKey *key, int64 cycle)
{
	char		prefix[EXTRA_MAX_LEN + CODEC_MAX_UNIQUIZER];
	uint32		prefix_len = write_prefix(&ring->codec, key, cycle, prefix);
	SeriesKey	other = *key;

	for (uint32 len = 0; len <= Min(prefix_len, EXTRA_MAX_LEN); len++)
	{
		uint64		other_cycle;
		SeriesRow	row;
		bool		entered;

		if (len == key->extra_len ||
			!codec_read_uniquizer(&ring->codec, prefix + len, prefix_len - len, &other_cycle) ||
			(int64) other_cycle < ring->first_cycle)
			continue;
		CHECK_FOR_INTERRUPTS();
		other.extra_len = len;
		memcpy(other.extra, prefix, len);
		series_open(&row, &other);
		entered = row.tuple != NULL && row.reserved_to > 0 &&
			(int64) other_cycle <= (row.reserved_to - 1) / ring->base_codes;
		series_close(&row);
		if (entered && !series_skipped(&other, other_cycle))
			return true;
	}
	return false;
}

static void
report_exhausted(const Ring *ring)
{
	ereport(ERROR,
			(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
			 errmsg("ring \"%s\" has no more cycles", ring->name),
			 errdetail("Positions in a ring go up to 2^63 - 1.")));
}

/*
 * Go to the first cycle from range->first on that is the series' own, and
 * check that its codes are possible.  Changes nothing but the range.  When a
 * cycle is entered the caller holds the ring's entry lock.
 */
static void
settle_range(const Ring *ring, const SeriesKey *key, bool enter, Range *range)
{
	int64		cycle = range->first / ring->base_codes;
	int			chars;

	range->skip_first = cycle;
	if (enter)
	{
		while (series_skipped(key, cycle) || prefix_taken(ring, key, cycle))
			cycle++;
		if (cycle > range->skip_first)
		{
			if (cycle > PG_INT64_MAX / ring->base_codes)
				report_exhausted(ring);
			range->first = cycle * ring->base_codes;
		}
	}
	range->skip_last = cycle - 1;
	if (cycle >= PG_INT64_MAX / ring->base_codes)
		report_exhausted(ring);

	range->prefix_len = write_prefix(&ring->codec, key, cycle, range->prefix);
	chars = pg_mbstrlen_with_len(key->extra, key->extra_len) +
		(range->prefix_len - key->extra_len) + ring->codec.base_length;
	if (ring->max_length > 0 && chars > ring->max_length)
		ereport(ERROR,
				(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
				 errmsg("codes of ring \"%s\" would be longer than %d characters", ring->name, ring->max_length),
				 errdetail("In cycle %lld with extra \"%.*s\" they have %d characters.",
						   (long long) cycle, key->extra_len, key->extra, chars)));
}

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
 * what this session remembers of it is no longer true.
 */
static bool
lock_series(const Series *series)
{
	const SeriesKey *key = &series->key;
	uint32		detail = ring_lock_detail(key->extra, key->extra_len);

	ring_lock(LOCK_DEFINITION, key->ring_id, 0, DEFINITION_USE);
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
 * The position that the series hands out next.
 */
static int64
next_position(const Ring *ring, Slot *slot, const SeriesRow *row)
{
	int64		position = slot != NULL ? block_position(slot) : -1;

	if (row->tuple == NULL)
		return Max(position, ring->first_cycle * ring->base_codes);
	if (position < 0 || row->reserved_to > slot->reserved_end)
		return row->reserved_to;	/* new here, or written by a restore */
	return position;
}

/*
 * Write the reservation of a range into the series' row.  The locks that are
 * needed are held.
 */
static XLogRecPtr
reserve(const SeriesKey *key, SeriesRow *row, const Range *range, int64 unblocked)
{
	int64		first = range->skip_first;

	/* What an earlier attempt has recorded, and then failed, stays recorded. */
	while (first <= range->skip_last)
	{
		int64		last = first;

		if (series_skipped(key, first))
		{
			first++;
			continue;
		}
		while (last < range->skip_last && !series_skipped(key, last + 1))
			last++;
		series_skip(key, first, last);
		first = last + 1;
	}
	if (row->tuple != NULL)
		return series_write(row, range->end, unblocked);
	return series_insert(row, key, range->end, unblocked);
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

	while (block_reopen(slot) && block_adopt(slot, key, &block))
	{
		char		prefix[EXTRA_MAX_LEN + CODEC_MAX_UNIQUIZER];
		uint32		prefix_len = write_prefix(&ring->codec, key, block.first / ring->base_codes, prefix);
		text	   *code = make_code(prefix, prefix_len, ring->codec.base_length);

		if (block_take(&block, VARDATA(code) + prefix_len, ring->codec.base_length))
			return code;
		pfree(code);			/* others have taken the rest */
	}
	return NULL;
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
	uint32		stride = ring->codec.base_length;
	Slot	   *slot;
	SeriesRow	row;
	Range		range;
	int64		position;
	int64		reserved;
	uint32		count;
	char	   *codes;
	text	   *code;
	XLogRecPtr	lsn;
	bool		entering;
	TimestampTz now;

	if (memory_short)
	{
		/* Not when it was noticed: a code that is taken must not meet an error. */
		memory_short = false;
		reclaim_evict(&key);
	}
	if (!lock_series(series))
		return NULL;

	slot = reclaim_make_slot(&key);
	if (slot != NULL)
	{
		if (bump)
			(void) block_close(slot);
		else if ((code = take_from_slot(slot, ring, &key)) != NULL)
		{
			unlock_series(&key);
			return code;
		}
	}
	series_open(&row, &key);
	position = next_position(ring, slot, &row);
	if (bump && position % ring->base_codes == 0)
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

	range.first = position;
	if (bump)
	{
		if (position / ring->base_codes >= PG_INT64_MAX / ring->base_codes - 1)
			report_exhausted(ring);
		range.first = (position / ring->base_codes + 1) * ring->base_codes;
	}
	now = GetCurrentTimestamp();
	if (!bump && slot != NULL && slot->reserved_end > position &&
		row.tuple != NULL && row.reserved_to == slot->reserved_end)
	{
		/*
		 * Reserved before, for a later block or by somebody who then failed.
		 * What the row does not say as well is reserved anew, below.
		 */
		entering = false;
		settle_range(ring, &key, false, &range);
		range.end = slot->reserved_end;
		lsn = slot->reserved_lsn;
	}
	else
	{
		entering = range.first % ring->base_codes == 0;
		if (entering)
			ring_lock(LOCK_ENTRY, key.ring_id, 0, ExclusiveLock);
		settle_range(ring, &key, entering, &range);
		range.end = range.first + Min(reservation_size(ring, slot, wanted->count, now),
									  ring->base_codes - range.first % ring->base_codes);
		lsn = InvalidXLogRecPtr;
	}
	reserved = range.end - range.first;
	count = Min(reserved, BLOCK_MAX_CODES + 1);

	/* All that the caller needs is made before anything is written. */
	codes = palloc((Size) count * stride);
	order_codes(ring, &key, range.first, count, codes);
	code = make_code(range.prefix, range.prefix_len, stride);
	memcpy(VARDATA(code) + range.prefix_len, codes, stride);

	if (XLogRecPtrIsInvalid(lsn))
	{
		int64		offset = range.first % ring->base_codes;

		/* Without a filter every reserved code counts. */
		lsn = reserve(&key, &row, &range, offset + reserved);
		if (slot != NULL)
		{
			block_reserved(slot, range.first, range.end, lsn);
			slot->reserved_count = reserved;
			slot->reserved_at = now;
		}
	}
	if (entering)
		ring_unlock(LOCK_ENTRY, key.ring_id, 0, ExclusiveLock);

	/*
	 * Where there was no memory for a slot, the one position is skipped if
	 * the wait for a standby is cancelled here.
	 */
	series_make_durable(lsn);
	if (slot != NULL && block_publish(slot, range.first + 1, codes + stride, count - 1, stride) < count - 1)
		memory_short = true;

	/* The table has been locked all the while, so the slot is still ours. */
	series_close(&row);
	unlock_series(&key);
	pfree(codes);
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
			if (slot == NULL || !block_adopt(slot, &series->key, &series->block))
			{
				slot = slot_find(&series->key);
				if (slot != NULL)
					(void) block_adopt(slot, &series->key, &series->block);
			}
			if (series->block.generation != 0)
			{
				series->prefix_len = write_prefix(&series->ring->codec, &series->key,
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
 * series', to the start of the first cycle after it that is free.
 */
void
dispense_advance(const Wanted *wanted, bool next_cycle, int64 to_cycle, int64 to_offset)
{
	const Ring *ring;
	SeriesKey	key;
	Slot	   *slot;
	SeriesRow	row;
	Range		range;
	int64		position;
	int64		unblocked;
	int64		cycle;
	bool		entering;
	XLogRecPtr	lsn;
	const Series *series;

	do
		series = ring_series(wanted->name, wanted->extra, wanted->extra_len);
	while (!lock_series(series));
	ring = series->ring;
	key = series->key;

	slot = slot_find(&key);
	if (slot != NULL)
		(void) block_close(slot);
	series_open(&row, &key);
	position = next_position(ring, slot, &row);

	if (to_offset < 0 || to_offset >= ring->base_codes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is not in a cycle of ring \"%s\"", (long long) to_offset, ring->name),
				 errdetail("Offsets go from 0 to %lld.", (long long) ring->base_codes - 1)));

	cycle = position / ring->base_codes;
	if (next_cycle)
	{
		/* At the end of a cycle the next one has not been entered yet. */
		bool		complete = row.tuple != NULL && position == row.reserved_to &&
			position % ring->base_codes == 0 && row.unblocked > 0;

		to_cycle = complete ? cycle : cycle + 1;
	}
	if (to_cycle >= PG_INT64_MAX / ring->base_codes)
		report_exhausted(ring);
	range.first = to_cycle < 0 ? -1 : to_cycle * ring->base_codes + to_offset;
	if (range.first < position)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot move a series of ring \"%s\" back", ring->name),
				 errdetail("It stands at offset %lld of cycle %lld.",
						   (long long) (position % ring->base_codes), (long long) cycle),
				 errhint("coderring_advance goes forward only; coderring_reset starts a ring anew.")));
	if (range.first == position && row.tuple != NULL)
	{
		series_close(&row);
		if (slot != NULL)
			(void) block_reopen(slot);
		unlock_series(&key);
		return;
	}

	/* A cycle is entered with its first code, not by standing before it. */
	entering = to_offset > 0 &&
		!(to_cycle == cycle &&
		  (position % ring->base_codes != 0 || (row.tuple != NULL && row.reserved_to > position)));
	if (entering)
		ring_lock(LOCK_ENTRY, key.ring_id, 0, ExclusiveLock);
	settle_range(ring, &key, entering, &range);
	range.end = range.first;
	unblocked = range.first % ring->base_codes;

	lsn = reserve(&key, &row, &range, unblocked);
	if (slot != NULL)
		block_reserved(slot, range.end, range.end, lsn);
	if (entering)
		ring_unlock(LOCK_ENTRY, key.ring_id, 0, ExclusiveLock);
	series_make_durable(lsn);
	series_close(&row);
	unlock_series(&key);
}

static void
load_series(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
			int64 reserved_to, int64 unblocked, void *arg)
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
