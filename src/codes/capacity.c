/*
 * capacity.c
 *		How many codes a ring has: in a cycle, and before they get longer.
 *
 * Without a filter that is arithmetic.  With one the texts that may follow a
 * prefix are counted over the states of the filter's automaton (wordfilter.c),
 * exactly, whatever the length.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "codes/capacity.h"
#include "codes/encode.h"
#include "codes/mbtext.h"
#include "core/check.h"
#include "core/codec.h"
#include "core/wordfilter.h"
#include "shmem/shared.h"
#include "store/blocklist.h"
#include "store/ring.h"

/* Counts that a session keeps. */
#define KEPT	4

/*
 * How many texts of base_length characters can follow each state of an
 * automaton, and of the check: kept, because every cycle that begins asks for
 * one of them.
 */
typedef struct KeptCounts
{
	uint64		used;			/* 0 for never */
	uint64		blocklist_id;
	bool		check;
	uint32		radix;
	uint32		base_length;
	char		alphabet[CODEC_MAX_ALPHABET];
	uint64	   *counts;			/* [word state * width + check state] */

	/* Behind a state and so many more digits, of cycles with enough: codes, cycles; NULL before they are needed */
	uint64	   *entered[2][CODEC_MAX_UNIQUIZER];
} KeptCounts;

static KeptCounts kept[KEPT];
static uint64 uses = 0;

struct Capacity
{
	const Ring *ring;
	const WordFilter *filter;	/* NULL for none */
	FilterCounter *counter;		/* NULL before it is needed */
	uint32		levels;			/* of the counter */
};

/*
 * The filter is NULL where there is none.  Both must stay.
 */
Capacity *
capacity_create(const Ring *ring, const WordFilter *filter)
{
	Capacity   *capacity = palloc0(sizeof(Capacity));

	capacity->ring = ring;
	capacity->filter = filter;
	return capacity;
}

void
capacity_free(Capacity *capacity)
{
	if (capacity->counter != NULL)
		pfree(capacity->counter);
	pfree(capacity);
}

static FilterCounter *
get_counter(Capacity *capacity, uint32 levels)
{
	const Ring *ring = capacity->ring;

	if (capacity->counter == NULL || capacity->levels < levels)
	{
		Size		size = wordfilter_counter_bytes(capacity->filter, &ring->codec, ring->check, levels);

		if (capacity->counter != NULL)
			pfree(capacity->counter);
		capacity->counter = NULL;
		if (size == 0)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("blocklist \"%s\" is too large to count the codes of ring \"%s\"",
							ring->blocklist, ring->name)));
		capacity->counter = MemoryContextAllocHuge(CurrentMemoryContext, size);
		wordfilter_counter_set(capacity->counter, capacity->filter, &ring->codec, ring->check, levels);
		capacity->levels = levels;
	}
	return capacity->counter;
}

/*
 * What is kept of a ring, its counts at least.
 */
static KeptCounts *
get_kept(Capacity *capacity)
{
	const Ring *ring = capacity->ring;
	uint64		blocklist_id = blocklist_id_of(capacity->filter);
	uint32		width = ring->check != NULL ? ring->codec.radix : 1;
	uint32		levels = ring->codec.base_length;
	KeptCounts *entry = &kept[0];
	FilterCounter *counter;
	uint64	   *counts;

	for (int i = 0; i < KEPT; i++)
	{
		if (kept[i].used > 0 && kept[i].blocklist_id == blocklist_id && kept[i].base_length == levels &&
			kept[i].radix == ring->codec.radix && kept[i].check == (ring->check != NULL) &&
			memcmp(kept[i].alphabet, ring->codec.alphabet, ring->codec.radix) == 0)
		{
			kept[i].used = ++uses;
			return &kept[i];
		}
		if (kept[i].used < entry->used)
			entry = &kept[i];
	}

	counter = get_counter(capacity, levels);
	counts = MemoryContextAllocHuge(TopMemoryContext, (Size) capacity->filter->states * width * sizeof(uint64));
	for (uint32 words = 0; words < capacity->filter->states; words++)
	{
		for (uint32 check = 0; check < width; check++)
			counts[words * width + check] = wordfilter_counter_get(counter, levels, words, check);
	}
	if (entry->used > 0)
		pfree(entry->counts);
	for (int i = 0; i < CODEC_MAX_UNIQUIZER; i++)
	{
		for (int what = 0; what < 2; what++)
		{
			if (entry->entered[what][i] != NULL)
				pfree(entry->entered[what][i]);
			entry->entered[what][i] = NULL;
		}
	}
	entry->counts = counts;
	entry->blocklist_id = blocklist_id;
	entry->check = ring->check != NULL;
	entry->radix = ring->codec.radix;
	entry->base_length = levels;
	memcpy(entry->alphabet, ring->codec.alphabet, sizeof(entry->alphabet));
	entry->used = ++uses;
	return entry;
}

/* How many codes there are behind a prefix. */
int64
capacity_of_prefix(Capacity *capacity, const Prefix *prefix)
{
	const Ring *ring = capacity->ring;

	if (capacity->filter == NULL)
		return ring->base_codes;
	if (prefix->word_state == WORDFILTER_BLOCKED)
		return 0;
	return (int64) get_kept(capacity)->counts[prefix->word_state * (ring->check != NULL ? ring->codec.radix : 1) +
											  prefix->check_state];
}

/* How many codes a series has in a cycle. */
int64
capacity_of_cycle(Capacity *capacity, const SeriesId *id, int64 cycle)
{
	Prefix		prefix;

	if (capacity->filter == NULL)
		return capacity->ring->base_codes;
	encode_prefix(capacity->ring, capacity->filter, id, cycle, &prefix);
	return capacity_of_prefix(capacity, &prefix);
}

/*
 * How many codes a cycle has at most, of any series.  Where no word has begun
 * there are more than where one has.
 */
int64
capacity_most(Capacity *capacity)
{
	const Ring *ring = capacity->ring;
	uint32		width = ring->check != NULL ? ring->codec.radix : 1;
	uint64		most = 0;

	if (capacity->filter == NULL)
		return ring->base_codes;
	for (uint32 check = 0; check < width; check++)
		most = Max(most, get_kept(capacity)->counts[WORDFILTER_START * width + check]);
	return (int64) most;
}

/* Has a cycle with so many codes enough of them to be entered? */
static bool
enough(const Ring *ring, int64 count)
{
	return count >= Max(ring->base_codes / CAPACITY_SHARE, 1);
}

/*
 * How many codes there are behind each state and so many more digits of a
 * uniquizer, in the cycles that have enough of them, or how many such cycles.
 * Modulo 2^64.
 */
static const uint64 *
get_entered(Capacity *capacity, uint32 digits, bool cycles)
{
	const Ring *ring = capacity->ring;
	const Codec *codec = &ring->codec;
	const WordFilter *filter = capacity->filter;
	KeptCounts *entry = get_kept(capacity);
	uint64	  **entered = entry->entered[cycles];
	uint32		width = ring->check != NULL ? codec->radix : 1;
	static uint64 *sums = NULL; /* not finished, by a call that was cancelled */

	for (uint32 more = 0; more <= digits; more++)
	{
		if (entered[more] != NULL)
			continue;
		if (sums != NULL)
			pfree(sums);
		sums = NULL;
		sums = MemoryContextAllocHuge(TopMemoryContext, (Size) filter->states * width * sizeof(uint64));
		for (uint32 words = 0; words < filter->states; words++)
		{
			CHECK_FOR_INTERRUPTS();
			for (uint32 check = 0; check < width; check++)
			{
				Size		at = (Size) words * width + check;

				sums[at] = 0;
				if (words == WORDFILTER_BLOCKED)
					continue;
				if (more == 0)
				{
					if (enough(ring, (int64) entry->counts[at]))
						sums[at] = cycles ? 1 : entry->counts[at];
					continue;
				}
				for (uint32 i = 0; i < codec->radix; i++)
				{
					char		digit = codec->alphabet[i];
					uint32		next_check = check;

					if (ring->check != NULL)
						next_check = check_add(ring->check, check, codec->base_length + more,
											   codec->base_value[(unsigned char) digit]);
					sums[at] += entered[more - 1][(Size) wordfilter_next(filter, words, digit) * width + next_check];
				}
			}
		}
		entered[more] = sums;
		sums = NULL;
	}
	return entered[digits];
}

/* Sum of what is not negative, at most the largest bigint. */
static int64
add_up(int64 a, int64 b)
{
	return a > PG_INT64_MAX - b ? PG_INT64_MAX : a + b;
}

/* What count_rest() counts. */
typedef enum Counted
{
	ENTERED_CODES,				/* of cycles that have enough of them to be entered */
	ENTERED_CYCLES,
	ALL_CODES
} Counted;

/*
 * How many codes, or cycles, there are in the cycles after `cycle` whose
 * uniquizers are as long as its own: behind every place where such a uniquizer
 * can first differ, all that may follow.  Modulo 2^64, as what it adds up is.
 */
static uint64
count_rest(Capacity *capacity, const SeriesId *id, int64 cycle, uint32 digits, Counted what)
{
	const Ring *ring = capacity->ring;
	const Codec *codec = &ring->codec;
	uint32		levels = codec->base_length + digits - 1;
	FilterCounter *counter = what == ALL_CODES ? get_counter(capacity, levels) : NULL;
	uint32		width = ring->check != NULL ? codec->radix : 1;
	uint64		sum = 0;
	Prefix		prefix;
	uint32		words;
	uint32		check;

	/* The states behind the extra alone, and then digit by digit. */
	encode_prefix(ring, capacity->filter, id, cycle, &prefix);
	words = wordfilter_pass(capacity->filter, id->extra, id->extra_len);
	check = CHECK_START;
	if (ring->check != NULL)
		check = mbtext_check(codec, ring->check, CHECK_START, prefix.characters + codec->base_length,
							 id->extra, id->extra_len);
	for (uint32 i = 0; i < digits; i++)
	{
		char		own = prefix.text[id->extra_len + i];
		uint32		distance = codec->base_length + digits - i;
		const uint64 *entered = NULL;

		if (what != ALL_CODES)
			entered = get_entered(capacity, digits - i - 1, what == ENTERED_CYCLES);
		for (uint32 digit = codec->digit_value[(unsigned char) own] + 1; digit < codec->radix; digit++)
		{
			char		other = codec->digits[digit];
			uint32		next = wordfilter_next(capacity->filter, words, other);
			uint32		next_check = check;

			if (ring->check != NULL)
				next_check = check_add(ring->check, check, distance, codec->base_value[(unsigned char) other]);
			if (entered != NULL)
				sum += entered[(Size) next * width + next_check];
			else
				sum += wordfilter_counter_get(counter, levels - i, next, next_check);
		}
		words = wordfilter_next(capacity->filter, words, own);
		if (ring->check != NULL)
			check = check_add(ring->check, check, distance, codec->base_value[(unsigned char) own]);
	}
	return sum;
}

/*
 * How many codes a series has in the cycles from one on to before another, or
 * how many cycles, of those that have enough of them to be entered.  Their
 * uniquizers are all of one length.
 */
uint64
capacity_entered(Capacity *capacity, const SeriesId *id, int64 from, int64 to, bool cycles)
{
	const Ring *ring = capacity->ring;
	Counted		what = cycles ? ENTERED_CYCLES : ENTERED_CODES;
	uint32		digits = codec_uniquizer_length(&ring->codec, from);
	int64		count;

	if (from >= to)
		return 0;
	if (capacity->filter == NULL)
		return (uint64) (to - from) * (cycles ? 1 : ring->base_codes);
	count = capacity_of_cycle(capacity, id, from);
	count = enough(ring, count) ? (cycles ? 1 : count) : 0;
	if (to - from == 1)
		return count;
	return count + count_rest(capacity, id, from, digits, what) - count_rest(capacity, id, to - 1, digits, what);
}

/*
 * How many codes there are before the next longer one, or before the last one
 * there can be, the remaining ones of this cycle included; the largest bigint if
 * that is not enough.  Cycles that will turn out to be another series', or to
 * have too few codes, are counted.
 */
int64
capacity_until_longer(Capacity *capacity, const SeriesId *id, int64 cycle, int64 remaining)
{
	const Ring *ring = capacity->ring;
	uint64		none = PG_INT64_MAX / ring->base_codes; /* the first cycle that there is not */
	uint64		longer = codec_first_longer_cycle(&ring->codec, cycle);
	uint64		end = Min(longer, none);
	uint64		cycles;
	uint32		digits = codec_uniquizer_length(&ring->codec, cycle);
	uint64		rest;

	if (end <= (uint64) cycle + 1)
		return remaining;
	cycles = end - cycle - 1;
	if (cycles > (uint64) ((PG_INT64_MAX - remaining) / ring->base_codes))
		return PG_INT64_MAX;
	if (capacity->filter == NULL)
		return remaining + (int64) cycles * ring->base_codes;
	rest = count_rest(capacity, id, cycle, digits, ALL_CODES);
	if (end < longer)
		rest -= count_rest(capacity, id, end - 1, digits, ALL_CODES);
	return add_up(remaining, (int64) rest);
}

/*
 * Are there enough codes behind a prefix for a cycle to be entered?
 */
bool
capacity_enough(const Ring *ring, const WordFilter *filter, const Prefix *prefix)
{
	Capacity   *capacity;
	int64		count;

	if (filter == NULL)
		return true;
	if (prefix->word_state == WORDFILTER_BLOCKED)
		return false;
	capacity = capacity_create(ring, filter);
	count = capacity_of_prefix(capacity, prefix);
	capacity_free(capacity);
	return enough(ring, count);
}

/*
 * Is there a text of so many characters, the first of them from first_digit on,
 * that no word blocks?  States that such texts lead to, one length after the
 * other.
 */
static bool
any_text(const WordFilter *filter, const Codec *codec, uint32 first_digit, uint32 length)
{
	bool	   *reached = palloc0(filter->states * sizeof(bool));
	bool	   *next = palloc(filter->states * sizeof(bool));
	bool		any = true;

	reached[wordfilter_begin(filter)] = true;
	for (uint32 at = 0; at < length && any; at++)
	{
		bool	   *swap = reached;

		any = false;
		memset(next, 0, filter->states * sizeof(bool));
		for (uint32 state = 0; state < filter->states; state++)
		{
			for (uint32 i = at == 0 ? first_digit : 0; reached[state] && i < codec->radix; i++)
			{
				uint32		to = wordfilter_next(filter, state, codec->digits[i]);

				if (to != WORDFILTER_BLOCKED)
					next[to] = any = true;
			}
		}
		reached = next;
		next = swap;
	}
	pfree(reached);
	pfree(next);
	return any;
}

/*
 * Can the codes of a ring go on getting longer?  Nearly always the first
 * character that is not blocked, and the first one after that, will do.
 */
static bool
can_grow(const Ring *ring, const WordFilter *filter)
{
	const Codec *codec = &ring->codec;
	uint32		length = CODEC_MAX_UNIQUIZER + ring->tail_length;
	uint32		state = wordfilter_begin(filter);
	uint32		at;

	for (at = 0; at < length; at++)
	{
		uint32		to = WORDFILTER_BLOCKED;

		/* No uniquizer but the first begins with the digit 0. */
		for (uint32 i = at == 0 ? 1 : 0; to == WORDFILTER_BLOCKED && i < codec->radix; i++)
			to = wordfilter_next(filter, state, codec->digits[i]);
		if (to == WORDFILTER_BLOCKED)
			break;
		state = to;
	}
	return at == length || any_text(filter, codec, 1, length);
}

/*
 * Does the filter of a ring leave enough of its base codes, with nothing before
 * them?  (Cycles whose uniquizers make it worse are passed over, see cycles.c.)
 */
bool
capacity_left(const Ring *ring)
{
	uint64		blocklist_id;
	const WordFilter *filter = blocklist_filter(ring, &blocklist_id);
	SeriesId	id = {0};
	Prefix		prefix;

	if (filter == NULL)
		return true;
	encode_prefix(ring, filter, &id, 0, &prefix);
	return capacity_enough(ring, filter, &prefix);
}

/*
 * Raise 22023 if it does not, and warn if it leaves no long ones.
 */
void
capacity_check(const Ring *ring)
{
	uint64		blocklist_id;
	const WordFilter *filter = blocklist_filter(ring, &blocklist_id);

	if (filter == NULL)
		return;
	if (!capacity_left(ring))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("blocklist \"%s\" leaves too few codes of ring \"%s\"", ring->blocklist, ring->name),
				 errdetail("In a cycle of %lld base codes less than one in %d would be left.",
						   (long long) ring->base_codes, CAPACITY_SHARE),
				 errhint("Take a list with fewer or longer words, or a larger alphabet or base_length.")));

	/* With max_length they end anyway. */
	if (ring->max_length == 0 && !can_grow(ring, filter))
		ereport(WARNING,
				(errmsg("blocklist \"%s\" keeps codes of ring \"%s\" from getting longer", ring->blocklist, ring->name),
				 errdetail("It blocks whatever can be put before the base codes of later cycles, so that the ring ends after the first ones."),
				 errhint("Take a list with fewer or longer words, or a larger alphabet.")));
}
