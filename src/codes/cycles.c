/*
 * cycles.c
 *		Which cycles a series enters, and how far on so many codes are.
 *
 * Extra and uniquizer run into each other: ('X', '') and ('', 'X') both begin
 * with X.  So before a series enters a cycle, its prefix is looked up, at each
 * place where it can be split, among the cycles that other series of the ring
 * have entered; a taken one is passed over, and recorded as skipped by the
 * very WAL record that reserves beyond it.  The ring's entry lock makes that
 * one step.  Base codes have a fixed length, so distinct prefixes mean
 * distinct codes; and a prefix belongs to at most one series for ever.  What a
 * series is moved over without a code counts as entered, but for the cycles
 * that are others': entering_find_others().
 *
 * Cycles of which the ring's filter leaves too little are passed over alike.
 * So who says how far a series may have come elsewhere counts what it would
 * hand out on that way, and not positions: cycles_further().
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "codes/capacity.h"
#include "codes/cycles.h"
#include "codes/encode.h"
#include "codes/failover.h"
#include "codes/mbtext.h"
#include "core/codec.h"
#include "core/wordfilter.h"
#include "shmem/shared.h"
#include "store/ring.h"
#include "store/scan.h"
#include "store/series.h"
#include "store/state.h"
#include "store/tables.h"

/* New extras of a ring with a filter begin so much further: an eighth */
#define START_SHARE			8

/* An extra that no word and no other extra has */
#define PLAIN_EXTRA			'\001'

/* What a share may be wrong by in count_codes(), and how many positions that tries in one go. */
#define DOUBTFUL			100
#define COUNTED_AT_ONCE		65536

/* So many cycles cycles_further() looks up one by one, before it lists all that are others'. */
#define LOOKED_UP			2

/* From so many positions on, how many codes they have is estimated there, and never too high. */
#define ESTIMATED_FROM		65536

/* Raise 2200H: no positions are left. */
void
cycles_report_exhausted(const Ring *ring)
{
	ereport(ERROR,
			(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
			 errmsg("ring \"%s\" has no more cycles", ring->name),
			 errdetail("Positions in a ring go up to 2^63 - 1.")));
	pg_unreachable();
}

/*
 * Has a series, whose row says reserved_to, entered a cycle?  All that it has
 * passed counts, also what coderring_advance jumped over (codes of it may
 * exist elsewhere), but not what is recorded as skipped.
 */
bool
cycles_owned(const Ring *ring, const SeriesId *id, int64 cycle, int64 reserved_to)
{
	int64		start = cycle * ring->base_codes;
	SkippedRange skip;

	return cycle >= ring->first_cycle && reserved_to > start &&
		!(series_next_skip(id, start, &skip) &&
		  skip.first <= start && skip.end - start >= ring->base_codes);
}

/*
 * How many cycles from this one on begin as codes of another series of the
 * ring do, which has entered the cycles that they would be; 0 if this one does
 * not.  With `foreseen`, also those that the other may have entered before a
 * failover.
 *
 * Both numerals grow by one from cycle to cycle as long as neither gets longer,
 * so all that the other series has come past is found at once.
 */
int64
cycles_taken(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 own_cycle, const Prefix *prefix,
			 bool foreseen)
{
	SeriesId	other = *id;

	for (uint32 len = 0; len <= Min(prefix->len, EXTRA_MAX_LEN); len++)
	{
		uint64		cycle;
		SeriesNumbers numbers;

		if (len == id->extra_len ||
			!codec_read_uniquizer(&ring->codec, prefix->text + len, prefix->len - len, &cycle) ||
			cycle > (uint64) (PG_INT64_MAX / ring->base_codes))
			continue;
		CHECK_FOR_INTERRUPTS();
		other.extra_len = len;
		memcpy(other.extra, prefix->text, len);
		if (!series_read(&other, &numbers))
			continue;

		if (foreseen && numbers.reserved_to <= (int64) cycle * ring->base_codes)
			numbers.reserved_to = cycles_failover_target(ring, filter, &other, &numbers, numbers.reserved_to, true);
		if (cycles_owned(ring, &other, cycle, numbers.reserved_to))
		{
			int64		passed = (numbers.reserved_to - 1) / ring->base_codes - cycle;
			uint64		other_longer = codec_first_longer_cycle(&ring->codec, cycle) - 1 - cycle;
			uint64		own_longer = codec_first_longer_cycle(&ring->codec, own_cycle) - 1 - own_cycle;
			SkippedRange skip;

			passed = Min((uint64) passed, Min(other_longer, own_longer));
			if (series_next_skip(&other, cycle * ring->base_codes, &skip))
				passed = Min(passed, Max((skip.first - 1) / ring->base_codes - (int64) cycle, 0));
			return passed + 1;
		}
	}
	return 0;
}

/*
 * How many cycles from this one on have a word of the blocklist in what is
 * before the same place of their uniquizers: at least 1.
 */
int64
cycles_blocked(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 cycle, const Prefix *prefix)
{
	uint32		state = wordfilter_pass(filter, id->extra, id->extra_len);
	uint64		same = 1;		/* numerals that have these digits in front */
	uint32		at = id->extra_len;
	uint64		rest = codec_numeral(&ring->codec, cycle);

	while (at < prefix->len && state != WORDFILTER_BLOCKED)
		state = wordfilter_next(filter, state, prefix->text[at++]);
	if (state != WORDFILTER_BLOCKED || cycle == 0)
		return 1;
	for (; at < prefix->len; at++)
		same *= ring->codec.radix;
	return (int64) (same - rest % same);
}

/*
 * Is no code possible that begins with an extra, in no cycle?  So it is where
 * some word is completed whatever follows.  Where as much can follow as without
 * an extra, that is not looked into.
 */
bool
cycles_nothing_follows(const Ring *ring, const WordFilter *filter, const SeriesId *id)
{
	bool	   *reached = palloc0(filter->states * sizeof(bool));
	bool	   *next = palloc(filter->states * sizeof(bool));
	bool		any = true;
	bool		start = false;

	reached[wordfilter_pass(filter, id->extra, id->extra_len)] = true;
	for (uint32 length = 0; length < CODEC_MAX_UNIQUIZER + ring->tail_length && any && !start; length++)
	{
		bool	   *swap = reached;

		CHECK_FOR_INTERRUPTS();
		any = false;
		memset(next, 0, filter->states * sizeof(bool));
		for (uint32 state = 0; state < filter->states; state++)
		{
			for (uint32 i = 0; reached[state] && i < ring->codec.radix; i++)
			{
				uint32		to = wordfilter_next(filter, state, ring->codec.alphabet[i]);

				start = start || to == WORDFILTER_START;
				if (to != WORDFILTER_BLOCKED)
					any = next[to] = true;
			}
		}
		reached = next;
		next = swap;
	}
	pfree(reached);
	pfree(next);
	return !any;
}

/* Would the codes behind a prefix be longer than the ring's are to be? */
bool
cycles_too_long(const Ring *ring, const Prefix *prefix)
{
	return ring->max_length > 0 && prefix->characters + ring->tail_length > (uint32) ring->max_length;
}

/* Raise 2200H if they would. */
void
cycles_check_length(const Ring *ring, const SeriesId *id, int64 cycle, const Prefix *prefix)
{
	if (cycles_too_long(ring, prefix))
		ereport(ERROR,
				(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
				 errmsg("codes of ring \"%s\" would be longer than %d characters", ring->name, ring->max_length),
				 errdetail("In cycle %lld with extra \"%.*s\" they have %u characters.",
						   (long long) cycle, id->extra_len, id->extra, prefix->characters + ring->tail_length)));
}

/* The key of a series that neither words nor other series are in the way of, in a ring without max_length. */
static void
set_plain_key(Ring *ring, SeriesId *id)
{
	ring->max_length = 0;
	ring_series_id(ring, id);
	id->extra_len = 1;
	id->extra[0] = PLAIN_EXTRA;
}

/*
 * Where the codes of a series end: the first position that there is not, or
 * whose code would be longer than the ring's are to be.
 */
int64
cycles_end(const Ring *ring, const SeriesId *id)
{
	uint64		last = PG_INT64_MAX / ring->base_codes;
	uint32		characters = mbtext_count(id->extra, id->extra_len) + ring->tail_length;
	uint64		cycle = ring->max_length > 0 ? 0 : last;

	while (cycle < last &&
		   characters + codec_uniquizer_length(&ring->codec, cycle) <= (uint32) ring->max_length)
		cycle = codec_first_longer_cycle(&ring->codec, cycle);
	return (int64) Min(cycle, last) * ring->base_codes;
}

/*
 * Would a series that stands at the start of a cycle enter that one, as things
 * are now?  If not, it goes on in one after it.
 */
bool
cycles_possible(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 cycle)
{
	int64		start = cycle * ring->base_codes;
	SkippedRange recorded;
	Prefix		prefix;

	if (series_next_skip(id, start, &recorded) && recorded.first <= start && recorded.end - start >= ring->base_codes)
		return false;
	encode_prefix(ring, filter, id, cycle, &prefix);
	return cycles_taken(ring, filter, id, cycle, &prefix, true) == 0 && capacity_enough(ring, filter, &prefix);
}

/* Cycles that a series is moved over, and which of them are others'. */
typedef struct Passed
{
	const Ring *ring;
	const SeriesId *id;
	int64		from;			/* cycle */
	int64		to;
	List	   *found;			/* of SkippedRange */
} Passed;

static void
note_other(Passed *passed, int64 from, int64 to)
{
	int64		codes = passed->ring->base_codes;
	SkippedRange *found = passed->found != NIL ? llast(passed->found) : NULL;

	if (found == NULL || found->end != from * codes)
	{
		found = palloc(sizeof(SkippedRange));
		found->first = from * codes;
		passed->found = lappend(passed->found, found);
	}
	found->end = to * codes;
}

/*
 * Note which of the cycles begin as codes of another series do, which has
 * entered the cycles that they would be.  One of the two extras begins with
 * the other.
 *
 * As long as the uniquizer behind the longer extra gets no longer, the cycles of both
 * series grow by one alike.
 */
static void
note_others_of(Passed *passed, const SeriesId *other)
{
	const Ring *ring = passed->ring;
	int64		codes = ring->base_codes;
	uint64		last = PG_INT64_MAX / codes;
	bool		own_is_longer = passed->id->extra_len > other->extra_len;
	const SeriesId *longer = own_is_longer ? passed->id : other;
	const SeriesId *shorter = own_is_longer ? other : passed->id;
	SeriesNumbers numbers;
	uint64		next;

	if (!series_read(other, &numbers) || numbers.reserved_to == 0)
		return;
	for (uint64 cycle = 0; cycle < last; cycle = next)
	{
		char		prefix[PREFIX_MAX_LEN];
		uint32		len = encode_write_prefix(&ring->codec, longer, cycle, prefix);
		uint64		shorter_cycle;
		int64		before;		/* what the other's cycles are less than our own by */
		int64		from;		/* of the other's cycles */
		int64		to;
		int64		position;

		next = Min(codec_first_longer_cycle(&ring->codec, cycle), last);
		if (!codec_read_uniquizer(&ring->codec, prefix + shorter->extra_len, len - shorter->extra_len, &shorter_cycle) ||
			shorter_cycle >= last)
			continue;

		/* The last cycle is at most half of 2^63 - 1, so sums of two are possible. */
		before = own_is_longer ? (int64) cycle - (int64) shorter_cycle : (int64) shorter_cycle - (int64) cycle;
		from = (int64) (own_is_longer ? shorter_cycle : cycle);
		to = Min(from + (int64) (next - cycle), (numbers.reserved_to - 1) / codes + 1);
		to = Min(to, passed->to - before);
		from = Max(Max(from, ring->first_cycle), passed->from - before);

		/* Cycles that the other has recorded as skipped are not its own. */
		position = from < to ? from * codes : 0;
		while (from < to)
		{
			SkippedRange skip;
			int64		skip_from = to;
			int64		skip_to = to;

			CHECK_FOR_INTERRUPTS();
			if (series_next_skip(other, position, &skip))
			{
				position = skip.end;
				skip_from = Max(skip.first / codes + (skip.first % codes > 0), from);
				skip_to = skip.end / codes;
				if (skip_to <= skip_from)
					continue;	/* no whole cycle */
				skip_from = Min(skip_from, to);
			}
			if (skip_from > from)
				note_other(passed, from + before, skip_from + before);
			from = skip_to;
		}
	}
}

/* Can a uniquizer begin so, and go on? */
static bool
all_digits(const Ring *ring, const char *text, uint32 len)
{
	for (uint32 i = 0; i < len; i++)
	{
		if (ring->codec.digit_value[(unsigned char) text[i]] < 0)
			return false;
	}
	return true;
}

/*
 * The extras of other series that begin with a series' own and go on as a
 * uniquizer does.
 */
static List *
list_longer(const Ring *ring, const SeriesId *id)
{
	Relation	rel = tables_open(id->relid, Natts_state, AccessShareLock);
	Datum		own = PointerGetDatum(cstring_to_text_with_len(id->extra, id->extra_len));
	ScanKeyData scankey[2];
	RowScan		scan;
	HeapTuple	tuple;
	List	   *extras = NIL;

	ScanKeyInit(&scankey[0], Anum_state_incarnation, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(&id->incarnation));
	ScanKeyInit(&scankey[1], Anum_state_extra, BTGreaterEqualStrategyNumber, F_TEXT_GE, own);
	series_scan(&scan, rel, lengthof(scankey), scankey);
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		bool		isnull;
		text	   *extra = DatumGetTextPP(heap_getattr(tuple, Anum_state_extra, RelationGetDescr(rel), &isnull));
		uint32		len = VARSIZE_ANY_EXHDR(extra);

		CHECK_FOR_INTERRUPTS();
		if (len < id->extra_len || memcmp(VARDATA_ANY(extra), id->extra, id->extra_len) != 0)
		{
			if (scan.ordered)
				break;			/* the column's collation is C */
			continue;
		}
		if (len > id->extra_len && len <= EXTRA_MAX_LEN && len - id->extra_len <= CODEC_MAX_UNIQUIZER &&
			all_digits(ring, VARDATA_ANY(extra) + id->extra_len, len - id->extra_len))
			extras = lappend(extras, cstring_to_text_with_len(VARDATA_ANY(extra), len));
	}
	scan_end(&scan);
	table_close(rel, AccessShareLock);
	return extras;
}

/*
 * Of the cycles from one on to before another, list those whose codes begin as
 * codes of another series do that has entered them: of SkippedRange, in no
 * order.
 */
List *
cycles_list_others(const Ring *ring, const SeriesId *id, int64 from, int64 to)
{
	Passed		passed = {ring, id, from, to, NIL};
	SeriesId	other = *id;
	List	   *extras;
	ListCell   *cell;

	/* Extras that this one begins with */
	while (other.extra_len > 0 && all_digits(ring, id->extra + other.extra_len - 1, 1))
	{
		other.extra_len--;
		CHECK_FOR_INTERRUPTS();
		note_others_of(&passed, &other);
	}

	extras = list_longer(ring, id);
	foreach(cell, extras)
	{
		const text *extra = lfirst(cell);

		other.extra_len = VARSIZE_ANY_EXHDR(extra);
		memcpy(other.extra, VARDATA_ANY(extra), other.extra_len);
		note_others_of(&passed, &other);
	}
	list_free_deep(extras);
	return passed.found;
}

/*
 * How many codes there are at positions from one on to before another, in one
 * cycle: exactly, or at least `enough`.
 */
static int64
count_codes(const Ring *ring, const WordFilter *filter, const SeriesId *id, const Prefix *prefix,
			int64 first, int64 end, int64 enough)
{
	Capacity   *capacity;
	int64		count;

	if (filter == NULL)
		return end - first;
	capacity = capacity_create(ring, filter);
	count = capacity_of_prefix(capacity, prefix);
	capacity_free(capacity);
	if (end - first == ring->base_codes)
		return count;

	/* Where that leaves no doubt, a share is as good. */
	count = (int64) ((long double) count * (end - first) / ring->base_codes);
	if (count / 2 >= enough + DOUBTFUL)
		return enough;
	count = 0;
	while (first < end && count < enough)
	{
		int64		next = end - first > COUNTED_AT_ONCE ? first + COUNTED_AT_ONCE : end;

		count += encode_count(ring, filter, id, prefix, first, next);
		first = next;
	}
	return count;
}

/*
 * How many codes a series that is at a position can still hand out, within the
 * ring's max_length and before its cycles end, as things are now: exactly, or
 * at least `enough`.  Goes the way of entering_settle, without a lock.  Its row
 * says reserved_to, 0 if there is none: where it is to stand in a cycle that it
 * has not entered, that may turn out to be one after it, as in advance_to().
 */
int64
cycles_count_left(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 position, int64 reserved_to,
				  int64 enough)
{
	int64		codes = ring->base_codes;
	int64		last = PG_INT64_MAX / codes;
	int64		left = 0;
	int			blocked = 0;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "coderring cycles", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);

	while (left < enough && position / codes < last)
	{
		int64		cycle = position / codes;
		int64		end = (cycle + 1) * codes;
		bool		entered = reserved_to > cycle * codes;
		int64		offset = entered ? 0 : position % codes;	/* that it is to have in any case */
		int64		next = 0;
		SkippedRange recorded;
		Prefix		prefix;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
		if (series_next_skip(id, position, &recorded))
		{
			if (recorded.first <= position)
			{
				position = recorded.end + (recorded.end % codes == 0 ? offset : 0);
				continue;
			}
			end = Min(end, recorded.first);
		}
		encode_prefix(ring, filter, id, cycle, &prefix);
		if (cycles_too_long(ring, &prefix))
			break;
		if (position % codes == 0 || !entered)
			next = cycles_taken(ring, filter, id, cycle, &prefix, true);
		if (next == 0 && !capacity_enough(ring, filter, &prefix))
		{
			if (++blocked > MAX_BLOCKED_CYCLES || (blocked == 1 && cycles_nothing_follows(ring, filter, id)))
				break;
			next = cycles_blocked(ring, filter, id, cycle, &prefix);
		}
		if (next == 0)
		{
			left += count_codes(ring, filter, id, &prefix, position, end, enough - left);
			position = end;
		}
		else
			position = (cycle + Min(next, last - cycle)) * codes + offset;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return left;
}

/* How many codes there are at least among so many positions of a cycle that has so many. */
static int64
estimate_codes(const Ring *ring, int64 count, int64 positions)
{
	long double expected = (long double) count * positions / ring->base_codes;

	/* The order is as good as random, so ten times the deviation, 10 * sqrt(expected), is never seen; this is more. */
	return (int64) Max(expected - expected / 64 - 1600, 0);
}

/* A way that a series may have gone. */
typedef struct Way
{
	const Ring *ring;
	const WordFilter *filter;
	const SeriesId *id;
	Capacity   *capacity;
	int64		from;			/* cycle */
	int64		end;			/* cycle: here its codes end */
	bool		roughly;		/* to the end of the cycle will do */
	bool		no_skips;		/* none is recorded from there on */
	int			looked_up;
	List	   *others;			/* of SkippedRange, in order; found when `looked_up` is over */
	int			other;			/* that is looked at */
} Way;

static int
compare_ranges(const ListCell *a, const ListCell *b)
{
	int64		first = ((const SkippedRange *) lfirst(a))->first;
	int64		second = ((const SkippedRange *) lfirst(b))->first;

	return (first > second) - (first < second);
}

/*
 * May the series enter a cycle, as far as that depends on other series and on
 * what is recorded as skipped?  *next is the first one after it for which the
 * answer may be another, or the uniquizer is longer.
 */
static bool
way_open(Way *way, int64 cycle, int64 *next)
{
	const Ring *ring = way->ring;
	int64		codes = ring->base_codes;
	int64		start = cycle * codes;
	SkippedRange skip;

	CHECK_FOR_INTERRUPTS();
	*next = (int64) Min(codec_first_longer_cycle(&ring->codec, cycle), (uint64) way->end);
	way->no_skips = way->no_skips || !series_next_skip(way->id, start, &skip);
	if (!way->no_skips)
	{
		if (skip.first < start + codes)
		{
			*next = Min(Max(skip.end / codes, cycle + 1), way->end);
			return false;
		}
		*next = Min(*next, skip.first / codes);
	}
	if (way->looked_up < LOOKED_UP)
	{
		Prefix		prefix;
		int64		taken;

		way->looked_up++;
		encode_prefix(ring, way->filter, way->id, cycle, &prefix);
		taken = cycles_taken(ring, way->filter, way->id, cycle, &prefix, false);
		*next = cycle + Min(Max(taken, 1), way->end - cycle);
		return taken == 0;
	}
	if (way->looked_up++ == LOOKED_UP)
	{
		way->others = cycles_list_others(ring, way->id, way->from, way->end);
		list_sort(way->others, compare_ranges);
	}
	for (; way->other < list_length(way->others); way->other++)
	{
		const SkippedRange *other = list_nth(way->others, way->other);

		if (other->end <= start)
			continue;
		*next = Min(*next, (other->first <= start ? other->end : other->first) / codes);
		return other->first > start;
	}
	return true;
}

/*
 * From a position on within its cycle, where so many codes have been handed
 * out, at most to the end of the cycle.  *codes is lowered by those.
 */
static int64
way_in_cycle(Way *way, int64 position, uint64 *codes)
{
	const Ring *ring = way->ring;
	int64		start = position - position % ring->base_codes;
	int64		end = start + ring->base_codes;
	Prefix		prefix;
	int64		count;
	int64		rest = end - position;

	if (way->filter == NULL)
	{
		rest = (int64) Min(*codes, (uint64) rest);
		*codes -= rest;
		return position + rest;
	}
	encode_prefix(ring, way->filter, way->id, position / ring->base_codes, &prefix);
	count = capacity_of_prefix(way->capacity, &prefix);
	if (position == start && *codes >= (uint64) count)
	{
		*codes -= count;
		return end;
	}
	if (way->roughly || (long double) *codes * ring->base_codes > (long double) count * ESTIMATED_FROM)
	{
		int64		none = 0;
		uint64		least;

		if (position == start)
			least = count;
		else if (rest <= ESTIMATED_FROM && !way->roughly)
			least = encode_count(ring, way->filter, way->id, &prefix, position, end);
		else
			least = estimate_codes(ring, count, rest);
		if (*codes >= least || rest <= ESTIMATED_FROM || way->roughly)
		{
			*codes -= Min(*codes, least);
			return end;
		}

		/* The fewest positions that have so many for sure: more than `none`, at most `rest` */
		while (rest - none > 1)
		{
			int64		middle = none + (rest - none) / 2;

			if ((uint64) estimate_codes(ring, count, middle) >= *codes)
				rest = middle;
			else
				none = middle;
		}
		*codes = 0;
		return position + rest;
	}
	while (*codes > 0 && position < end)
	{
		CodeBatch	batch;

		encode_batch(ring, way->filter, way->id, &prefix,
					 &(Span) {position, end, end, Min(*codes, BLOCK_MAX_CODES)}, &batch);
		position = batch.end;
		*codes -= batch.count;
		encode_free(&batch);
	}
	return position;
}

/*
 * Where a series that stands at a position would be so many codes on, or, with
 * `by_cycles`, at the start of the cycle that it enters so many after this one:
 * at most where its codes end.  If the filter leaves no way at all, so many
 * positions on.
 */
static int64
way_to(Way *way, int64 position, bool complete, int64 wanted, bool by_cycles)
{
	const Ring *ring = way->ring;
	int64		codes = ring->base_codes;
	int64		cycle = position / codes;
	uint64		left = wanted;
	bool		any = false;
	int64		plain;

	if (wanted <= 0)
		return position;
	way->no_skips = false;
	way->other = 0;
	if (by_cycles)
	{
		plain = wanted > way->end - cycle ? way->end * codes : (cycle + wanted - complete) * codes;
		if (position % codes == 0 && !complete)
			left++;				/* the one that it enters first is this one */
		cycle += position % codes > 0;
	}
	else
	{
		plain = wanted > way->end * codes - position ? way->end * codes : position + wanted;
		if (position % codes > 0)
		{
			position = way_in_cycle(way, position, &left);
			if (left == 0)
				return position;
			cycle++;
		}
	}

	while (cycle < way->end)
	{
		int64		next;
		int64		before = cycle; /* so many are too few */
		int64		after;
		uint64		here;

		if (!way_open(way, cycle, &next))
		{
			cycle = next;
			continue;
		}
		here = capacity_entered(way->capacity, way->id, cycle, next, by_cycles);
		any = any || here > 0;
		if (here < left)
		{
			left -= here;
			cycle = next;
			continue;
		}
		after = next;
		while (after - before > 1)
		{
			int64		middle = before + (after - before) / 2;

			if (capacity_entered(way->capacity, way->id, cycle, middle, by_cycles) < left)
				before = middle;
			else
				after = middle;
		}
		if (by_cycles)
			return before * codes;
		left -= capacity_entered(way->capacity, way->id, cycle, before, false);
		return way_in_cycle(way, before * codes, &left);
	}
	return any ? way->end * codes : Max(plain, position);
}

/*
 * Where a series that stands at a position may have come elsewhere: as many
 * cycles on as it would enter, at the start of one, or behind as many codes as
 * it would hand out, whichever is further, by the words and the rows that there
 * are now, and at most where its codes end.  `complete` says that it has handed
 * out the last code of the cycle before.  With `roughly` to the end of a cycle
 * will do.  Takes no lock, as no answer would stay true.
 */
int64
cycles_further(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 position, bool complete,
			   int64 cycles, int64 codes, bool roughly)
{
	Way			way = {.ring = ring, .filter = filter, .id = id, .roughly = roughly};
	MemoryContext scratch;
	MemoryContext caller;
	int64		by_cycles;
	int64		by_codes;

	way.from = position / ring->base_codes;
	way.end = cycles_end(ring, id) / ring->base_codes;
	if (way.from >= way.end)
		return position;
	scratch = AllocSetContextCreate(CurrentMemoryContext, "coderring way", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(scratch);
	way.capacity = capacity_create(ring, filter);
	by_cycles = way_to(&way, position, complete, cycles, true);
	by_codes = way_to(&way, position, complete, codes, false);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return Max(by_cycles, by_codes);
}

/*
 * For a ring's new_series_cycle: the cycle that is so far on from where series
 * without a row begin now.  What is blocked and whose cycles are others' depends on
 * the extra, so that is for one that is in nobody's way, and a little further
 * where there is a filter; cycles_start() does the rest.
 */
int64
cycles_further_start(const Ring *ring, const WordFilter *filter, int64 cycles, int64 codes)
{
	Ring		unlimited = *ring;
	SeriesId	id;
	int64		start = ring_start_cycle(ring) * ring->base_codes;
	int64		position;

	set_plain_key(&unlimited, &id);
	if (filter != NULL)
		codes = codes > PG_INT64_MAX - codes / START_SHARE - 1 ? PG_INT64_MAX : codes + codes / START_SHARE + 1;
	position = cycles_further(&unlimited, filter, &id, start, false, cycles, codes, true);
	return position / ring->base_codes + (position % ring->base_codes > 0);
}

/*
 * Where a series without a row begins: as far on from the ring's first cycle as
 * new_series_cycle is, measured by what this series hands out on that way.
 */
int64
cycles_start(const Ring *ring, const WordFilter *filter, const SeriesId *id)
{
	int64		base_codes = ring->base_codes;
	Ring		unlimited = *ring;
	SeriesId	plain;
	Capacity   *capacity;
	int64		position;
	int64		least;
	int64		next;
	uint64		codes = 0;
	uint64		cycles = 0;

	if (ring->new_series_cycle <= ring->first_cycle)
		return ring->first_cycle * base_codes;
	set_plain_key(&unlimited, &plain);
	capacity = capacity_create(&unlimited, filter);
	for (int64 cycle = ring->first_cycle; cycle < ring->new_series_cycle; cycle = next)
	{
		next = (int64) Min(codec_first_longer_cycle(&ring->codec, cycle), (uint64) ring->new_series_cycle);
		codes += capacity_entered(capacity, &plain, cycle, next, false);
		cycles += capacity_entered(capacity, &plain, cycle, next, true);
	}
	capacity_free(capacity);
	if (filter != NULL)
		codes -= codes / (START_SHARE + 1);
	position = cycles_further(ring, filter, id, ring->first_cycle * base_codes, false, cycles, codes, true);
	least = cycles_end(ring, id);
	least = Min(least, ring->new_series_cycle * base_codes);
	position = Max(position, least);
	return (position / base_codes + (position % base_codes > 0)) * base_codes;
}

/*
 * Where a series that stands at a position goes on: at that position, unless
 * something is to be passed over.  For each timeline never further than
 * coderring_recover() moves it.  With `roughly` to the end of a cycle will do.
 */
int64
cycles_failover_target(const Ring *ring, const WordFilter *filter, const SeriesId *id, const SeriesNumbers *numbers,
					   int64 position, bool roughly)
{
	int64		times = failover_timelines(ring, numbers);
	bool		complete = numbers != NULL && position == numbers->reserved_to &&
	series_at_end_of_cycle(numbers, ring->base_codes);
	int64		gap;

	if (failover_gap == 0 || times == 0)
		return position;
	gap = failover_gap_of(ring, id, numbers);
	if (filter != NULL)
	{
		/*
		 * So many codes are expected there.  Ten times the deviation more,
		 * 10 * sqrt(expected), are never seen, and this is no less than that.
		 */
		Capacity   *capacity = capacity_create(ring, filter);
		long double expected = (long double) gap * capacity_most(capacity) / ring->base_codes;

		capacity_free(capacity);
		gap = Min((int64) (expected + expected / 8) + 200, gap);
	}
	if (gap <= RECOVER_CODES)
		return cycles_further(ring, filter, id, position, false, 0, gap * times, roughly);
	while (times-- > 0)
	{
		int64		furthest = cycles_further(ring, filter, id, position, complete, RECOVER_CYCLES, RECOVER_CODES, roughly);
		int64		behind;

		if (furthest <= position)
			break;				/* its codes end here */
		behind = cycles_further(ring, filter, id, position, false, 0, gap, roughly);
		position = Min(behind, furthest);
		complete = false;
	}
	return position;
}
