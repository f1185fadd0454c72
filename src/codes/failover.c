/*
 * failover.c
 *		What a series passes over on a new timeline.
 *
 * A standby that is promoted, or a server that is recovered to a point in
 * time, begins a timeline of its own.  What the server before it reserved in
 * the last moments may not have arrived, and codes of it may be out.  So the
 * row of a series says on which timeline it last reserved, when, and how much
 * it hands out in a while.  Where the server's timeline is another one, what
 * it could have handed out in coderring.failover_gap is passed over before it
 * reserves again, as if that was handed out.
 *
 * Each timeline since then may have lost as much: the server before this one
 * may have passed over the same, and handed out what comes behind.  So that is
 * done once for each.  A number of a timeline is one of this server, or of one
 * that it was a standby of, only if the system identifier is the same; rows of
 * another (pg_upgrade has brought them) had lost nothing when they came here.
 *
 * A series that was not in use has lost little or nothing: one that had
 * reserved nothing in the minute before the end of its timeline passes over
 * one reservation only.  When that was is nowhere written, but some of what
 * happened before it is: the last commit that the server replayed, or else the
 * newest reservation of all series that are left on the timeline.  To take it
 * for earlier than it was makes codes longer at worst.  The busy series move
 * first, and their rows then tell of the new timeline.  So the first one that
 * leaves a timeline makes a row that tells of its end: a row of no ring's, its
 * incarnation 0, its extra the number of the timeline.  It is a row for each
 * failover, is not dumped, and saves all others from reading the whole table.
 *
 * An extra may have been used first in the time that was lost, and then there
 * is no row.  So a series that is made on another timeline than its ring was
 * begins a little way into its first cycle, and further in on each timeline
 * that follows: where it began on the last one is lost too.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "codes/failover.h"
#include "compat.h"
#include "shmem/locks.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

/* A series that has reserved nothing for so long before the end, or for so long as the gap is, is not in use. */
#define IN_USE			(60 * USECS_PER_SEC)

/* What a series hands out in so many ms is what its row says. */
#define PACE_MS			500

/* It may have been so many times as fast in the time that was lost. */
#define FASTER			2

/* At least so much is passed over, but not more than a reservation can be: twice LEAST_RESERVATION. */
#define LEAST_GAP		512
#define GAP_SHARE		64
#define MAX_LEAST_GAP	65536

/* How far from the start of its cycle a new series begins, for each timeline. */
#define NEW_SERIES_GAP	1024

/* More are not counted: a switchover a day, for more than ten years. */
#define MOST_TIMELINES	4096

int			failover_gap = 10000;

/* A timeline that is over, and when something was last reserved on it. */
typedef struct Timeline
{
	int64		number;
	TimestampTz last;			/* 0 if that is not known */
	bool		noted;			/* there is a row that says so */
} Timeline;

/* What this session has found out, and where and on which timeline it has. */
static Oid	known_relid = InvalidOid;
static int64 known_on = 0;
static Timeline *timelines = NULL;
static int	ntimelines = 0;

static int64
in_use(void)
{
	return Max(IN_USE, failover_gap * INT64CONST(1000));
}

/*
 * The server's timeline, as rows have it: behind what tells its history from
 * others'.
 */
int64
failover_timeline(void)
{
	uint64		system = GetSystemIdentifier();
	uint32		hash = hash_bytes((const unsigned char *) &system, sizeof(system));
	TimeLineID	timeline;

	if (RecoveryInProgress())
		(void) GetXLogReplayRecPtr(&timeline);
	else
		timeline = GetWALInsertionTimeLine();
	return (int64) (((uint64) (hash & PG_INT32_MAX) << 32) | (uint32) timeline);
}

/* Is a timeline one of another server's history? */
static bool
foreign(int64 number)
{
	return (number >> 32) != (failover_timeline() >> 32);
}

/*
 * How many timelines have begun since one, which rows tell of, was the server's.
 */
static int64
timelines_since(int64 number)
{
	int64		now_on = failover_timeline();
	int32		now = (int32) now_on;
	int32		then = (number >> 32) == (now_on >> 32) ? (int32) number : 1;

	return Max((int64) now - then, 0);
}

/* The key of the row that tells of a timeline's end. */
static void
make_end_key(SeriesId *id, Oid relid, int64 number)
{
	char		text[MAXINT8LEN + 1];

	memset(id, 0, sizeof(*id));
	id->relid = relid;
	id->extra_len = pg_lltoa(number, text);
	memcpy(id->extra, text, id->extra_len);
}

/* When something was last reserved on a timeline, and by which clock that was not wrong. */
typedef struct Newest
{
	int64		number;
	TimestampTz last;
	TimestampTz now;
} Newest;

static void
look_at(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
		const SeriesNumbers *numbers, void *arg)
{
	Newest	   *newest = arg;

	if (numbers->timeline == newest->number && numbers->reserved_at <= newest->now)
		newest->last = Max(newest->last, numbers->reserved_at);
}

/*
 * The time of the last commit on a timeline, if it is the one that this server
 * has replayed before it began its own, and has not been restarted since; else
 * 0.
 */
static TimestampTz
last_commit(int64 number)
{
	TimeLineID	replayed;

	(void) GetXLogReplayRecPtr(&replayed);
	if (foreign(number) || (uint32) number != replayed || number == failover_timeline())
		return 0;
	return GetLatestXTime();
}

/*
 * What is known of a timeline that is over, by the row that tells of it, or by
 * commits, or else by the rows of all series that are left on it.  That stays
 * true, so a session asks once.
 */
static Timeline *
find_timeline(Oid relid, int64 number)
{
	int64		now_on = failover_timeline();
	TimestampTz now = GetCurrentTimestamp();
	Timeline   *timeline;
	SeriesId	id;
	SeriesNumbers end;

	if (known_relid != relid || known_on != now_on)
	{
		ntimelines = 0;
		known_relid = relid;
		known_on = now_on;
	}
	for (int i = 0; i < ntimelines; i++)
	{
		if (timelines[i].number == number)
			return &timelines[i];
	}

	timelines = timelines == NULL ?
		MemoryContextAlloc(TopMemoryContext, sizeof(Timeline)) :
		repalloc(timelines, (ntimelines + 1) * sizeof(Timeline));
	timeline = &timelines[ntimelines];
	timeline->number = number;
	make_end_key(&id, relid, number);
	timeline->noted = series_read(&id, &end);
	timeline->last = timeline->noted ? end.reserved_at : last_commit(number);
	if (timeline->last < now - in_use() && !timeline->noted)
	{
		/* Nobody has committed anything shortly before, but codes may have been taken. */
		Newest		newest = {number, timeline->last, now};

		series_visit(NULL, look_at, &newest);
		timeline->last = newest.last;
	}
	ntimelines++;				/* now that no error can come in between */
	return timeline;
}

/*
 * A row is about to leave a timeline: make the row that tells of its end, unless
 * it is there.
 */
static void
note_end(Oid relid, int64 number)
{
	Timeline   *timeline = find_timeline(relid, number);
	SeriesId	id;
	SeriesRow	row;

	if (timeline->noted || timeline->last == 0)
		return;
	make_end_key(&id, relid, number);
	locks_acquire(LOCK_NAME, 0, LOCK_NAME_TIMELINES, ExclusiveLock);
	series_open(&row, &id);
	if (row.tuple == NULL)
	{
		Reservation end = {.numbers = {.timeline = number, .reserved_at = timeline->last, .measured_at = timeline->last}};

		(void) series_reserve(&row, &id, &end);
	}
	series_close(&row);
	locks_release(LOCK_NAME, 0, LOCK_NAME_TIMELINES, ExclusiveLock);
	timeline->noted = true;
}

/*
 * How many timelines have begun since a series last reserved, or since its ring
 * was created or reset if it has no row (`numbers` NULL).
 */
int64
failover_timelines(const Ring *ring, const SeriesNumbers *numbers)
{
	return Min(timelines_since(numbers != NULL ? numbers->timeline : ring->timeline), MOST_TIMELINES);
}

/*
 * Is there something to pass over before a series reserves again?  `numbers`
 * are those of its row, NULL if it has none.
 */
bool
failover_pending(const Ring *ring, const SeriesNumbers *numbers)
{
	return failover_timelines(ring, numbers) > 0;
}

/*
 * So many positions a series may have handed out in what one timeline has lost.
 */
int64
failover_gap_of(const Ring *ring, const SeriesId *id, const SeriesNumbers *numbers)
{
	int64		share = Max(ring->base_codes / GAP_SHARE, 1);
	int64		gap;

	/* It is new, perhaps moved by somebody: see advance_to(). */
	if (numbers == NULL || (numbers->reserved_at == 0 && numbers->counted_to == numbers->reserved_to))
		return Min(share, NEW_SERIES_GAP);

	/* One reservation, at least as large as the last one; where it was moved since, that may have been any. */
	gap = Min(share, MAX_LEAST_GAP);
	if (numbers->counted_to < numbers->reserved_to)
		gap = Min(gap, Max(numbers->reserved_to - numbers->counted_to, LEAST_GAP));
	if (find_timeline(id->relid, numbers->timeline)->last - numbers->reserved_at < in_use())
	{
		long double could = (long double) numbers->pace * FASTER * failover_gap / PACE_MS;

		gap = Max(gap, (int64) Min(could, (long double) PG_INT64_MAX / 2));
	}
	return gap;
}

/*
 * Note in what is to be the row of a series that it goes on on the server's
 * timeline, and elsewhere when the one that it leaves had ended.  The time in
 * which there was no server is none in which the series was slow.
 */
void
failover_note(const SeriesId *id, SeriesNumbers *numbers, TimestampTz now)
{
	int64		now_on = failover_timeline();

	if (numbers->timeline == now_on)
		return;
	if (failover_gap > 0)
	{
		TimestampTz end = Max(find_timeline(id->relid, numbers->timeline)->last, numbers->reserved_at);

		note_end(id->relid, numbers->timeline);
		if (end < now)
		{
			numbers->reserved_at = Min(numbers->reserved_at + (now - end), now);
			numbers->measured_at = Min(numbers->measured_at + (now - end), now);
		}
	}
	numbers->timeline = now_on;
}

/* What is to be in the row of a series that gets one. */
void
failover_begin(SeriesNumbers *numbers, int64 position, TimestampTz now)
{
	numbers->timeline = failover_timeline();
	numbers->reserved_at = numbers->measured_at = now;
	numbers->measured_from = position;
}

/*
 * Note a reservation of a series that has come to a position, and how much it
 * has handed out in half a second.  A faster time before is forgotten in the
 * course of a minute or two.
 */
void
failover_note_pace(SeriesNumbers *numbers, int64 position, TimestampTz now)
{
	int64		age = Max(now - numbers->reserved_at, 0);
	int64		elapsed = now - numbers->measured_at;
	int64		pace = Max(position - numbers->measured_from, 0);

	if (elapsed < 0 || elapsed >= PACE_MS * 1000)
	{
		/* Rounded up: a slow series of a small ring has no other gap. */
		if (elapsed > 0 && pace > 0)
			pace = (int64) ((long double) pace * PACE_MS * 1000 / elapsed) + 1;
		numbers->measured_from = position;
		numbers->measured_at = now;
	}
	if (age < IN_USE)
		pace = Max(pace, (int64) ((long double) numbers->pace * (IN_USE - age) / IN_USE));
	numbers->pace = pace;
	numbers->reserved_at = now;
}
