/*
 * sizing.c
 *		How much to reserve, and how much to hand to everyone at once.
 */
#include "postgres.h"

#include "issue/sizing.h"
#include "shmem/shared.h"
#include "store/ring.h"

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

/*
 * How much to reserve for a series that is at a position, by how fast it came
 * there.
 */
Sizes
sizing_choose(const Ring *ring, SharedSeries *entry, uint32 count, int64 position, TimestampTz now)
{
	int64		bound = Min(Max(ring->base_codes / OUTSTANDING_SHARE, 1), MAX_OUTSTANDING);
	bool		ahead = bound >= MIN_OUTSTANDING;
	int64		wanted = 0;
	int64		size;
	Sizes		sizes;

	if (entry == NULL)
		return (Sizes) {.size = 1, .outstanding = 1, .block = 1, .durable = 1};
	if (entry->reserved_span > 0)
	{
		int64		elapsed = Max(now - entry->reserved_at, 1);
		int64		taken = position - (entry->reserved_end - entry->reserved_span);

		taken = Min(Max(taken, 0), MAX_OUTSTANDING);
		wanted = taken * INT64CONST(1000) * RESERVATION_LASTS / elapsed;
	}
	size = Max(wanted, MIN_RESERVATION);
	if (entry->reserved_span > 0)
	{
		size = Max(size, Min(bound / LEAST_SHARE, LEAST_RESERVATION));
		size = Min(size, Max(entry->reserved_span / 2, 1) * (int64) RESERVATION_GROWTH);
	}
	sizes.size = Min(size, ahead ? bound / 2 : bound);
	size = Min(Max(sizes.size, count), ahead ? bound - sizes.size : bound);
	sizes.outstanding = ahead ? size + sizes.size : size;
	sizes.block = ahead ? Min(size, Max(bound / 4, MIN_RESERVATION)) : size;
	sizes.block = Min(sizes.block, BLOCK_MAX_CODES);
	sizes.least = ahead ? sizes.block : 0;
	sizes.fast = wanted > sizes.size;

	/* Many series are used once, and then seldom or never: those get no array. */
	if (entry->reserved_span == 0 && count == 1)
		sizes.block = 1;
	sizes.durable = Max(Min(sizes.block, MIN_RESERVATION) / 2, 1);
	return sizes;
}
