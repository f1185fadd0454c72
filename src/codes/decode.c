/*
 * decode.c
 *		Codes back to what they were made of.
 *
 * The base code at the end has a fixed length.  What is before it is an extra
 * and a uniquizer in one of a few ways; at most one series of the ring has
 * entered the cycle that such a split names (cycles.c).  The permutation is
 * inverted to find the code's position there, and a code was handed out if
 * the series has passed that position, unless it is recorded as skipped or
 * the filter blocks it.  No table of codes is needed.
 *
 * A series' place is read from its entry, as exact as if the codes had been
 * counted; where it has none (it was not used since the server started, or
 * this is a standby), from its row: then what is reserved counts.
 *
 * Once a ring's words have changed, codes may be out that the filter blocks
 * by now.  Since a code that is out must never be denied, the filter has no
 * say any more for a series that has reserved codes with other words, not even
 * if the words are again as they were (SeriesNumbers.filter).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "codes/basecodes.h"
#include "codes/cycles.h"
#include "codes/decode.h"
#include "codes/mbtext.h"
#include "core/check.h"
#include "core/codec.h"
#include "core/wordfilter.h"
#include "shmem/block.h"
#include "shmem/shared.h"
#include "store/blocklist.h"
#include "store/definitions.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

/* Is the check character of a code right, if it has one? */
bool
decode_checks_out(const Ring *ring, const char *code, uint32 len)
{
	if (ring->check == NULL)
		return true;
	return len > 0 && ring->codec.base_value[(unsigned char) code[len - 1]] >= 0 &&
		mbtext_check(&ring->codec, ring->check, CHECK_START, mbtext_count(code, len) - 1,
					 code, len) == CHECK_START;
}

/*
 * Does the ring's filter, which has always been the same for a series, block
 * this text, if it is a code of it?
 */
bool
decode_never_emitted(const Ring *ring, uint64 series_blocklist_id, uint32 extra_len, const char *code, uint32 len)
{
	uint64		blocklist_id;
	const WordFilter *filter;

	if (ring->blocklist_id == 0 || ring->blocklist_id != series_blocklist_id)
		return false;
	filter = blocklist_filter(ring, &blocklist_id);
	return blocklist_id == series_blocklist_id &&
		wordfilter_blocks(filter, wordfilter_run(filter, wordfilter_pass(filter, code, extra_len),
												 code + extra_len, len - extra_len));
}

/*
 * Parts of series of which it is known that nothing in them is recorded as
 * skipped.  That stays true, because a series records only what is still
 * before it.  Direct-mapped; an entry is all zero bits before its first use,
 * which no ring's incarnation is.
 */
typedef struct Unskipped
{
	pg_uuid_t	incarnation;
	int64		from;			/* position */
	int64		to;
	uint32		extra_len;
	char		extra[EXTRA_MAX_LEN];
} Unskipped;

#define UNSKIPPED	2048		/* a power of two */

static Unskipped unskipped[UNSKIPPED];

/*
 * Is a position, which the series has passed, recorded as skipped?
 * *whole tells whether all of its cycle is.  The series has come to `passed`;
 * `exact` if that is known from its entry.
 */
static bool
skipped(const Ring *ring, const SeriesId *id, int64 position, int64 passed, bool exact, bool *whole)
{
	int64		start = position - position % ring->base_codes;
	uint32		hash = hash_combine(hash_bytes((const unsigned char *) id->extra, id->extra_len),
									hash_bytes_uint32(start / ring->base_codes));
	Unskipped  *known = &unskipped[hash & (UNSKIPPED - 1)];
	int64		from = start;
	SkippedRange skip = {PG_INT64_MAX, PG_INT64_MAX};

	*whole = false;
	if (position >= known->from && position < known->to && known->extra_len == id->extra_len &&
		memcmp(known->extra, id->extra, id->extra_len) == 0 &&
		memcmp(&known->incarnation, &id->incarnation, sizeof(pg_uuid_t)) == 0)
		return false;
	if (series_next_skip(id, start, &skip) && skip.end <= position)
	{
		from = position;		/* what is between has not been looked at */
		skip.first = PG_INT64_MAX;
		(void) series_next_skip(id, position, &skip);
	}
	if (skip.first <= position)
	{
		*whole = skip.first <= start && skip.end - start >= ring->base_codes;
		return true;
	}
	if (!exact)
		return false;			/* what is reserved may yet be skipped by a bump */
	known->incarnation = id->incarnation;
	known->extra_len = id->extra_len;
	memcpy(known->extra, id->extra, id->extra_len);
	known->from = from;
	known->to = Min(skip.first, passed);
	return false;
}

/*
 * A series has come so far as `state` says; `exact` if that is known from its
 * entry.  Find out whether it has entered the cycle, and handed out the code.
 */
static void
judge(const Ring *ring, uint64 number, const BlockState *state, bool exact, Decoded *decoded)
{
	int64		start = decoded->cycle * ring->base_codes;

	decoded->owned = false;
	decoded->issued = false;
	decoded->blocklist_id = state->blocklist_id;
	if (state->reserved_end <= start || decoded->cycle < ring->first_cycle)
		return;
	decoded->position = basecodes_position(ring, &decoded->id, decoded->cycle, number);

	if (state->position > start && state->position - start < ring->base_codes)
	{
		/* Nothing is skipped in a cycle in which codes are still to come. */
		decoded->owned = true;
		decoded->issued = decoded->position < state->position;
	}
	else if (decoded->position < state->position)
	{
		bool		whole;

		decoded->issued = !skipped(ring, &decoded->id, decoded->position, state->position, exact, &whole);
		decoded->owned = !whole;
	}
	else
		decoded->owned = cycles_owned(ring, &decoded->id, decoded->cycle, state->reserved_end);
}

/*
 * Judge by the place of the series of decoded->id: by its entry (then *entry is
 * that) and, if it has none, by its row, unless only_entry.  False if it is not
 * there.
 */
static bool
look_up(const Ring *ring, uint64 number, bool only_entry, Decoded *decoded, SharedSeries **entry)
{
	BlockState	state;

	*entry = RecoveryInProgress() ? NULL : block_find(&decoded->id, &state);
	if (*entry == NULL)
	{
		SeriesNumbers numbers;
		bool		exists;

		if (only_entry)
			return false;
		exists = series_read(&decoded->id, &numbers);

		/* An entry that was made meanwhile knew the place before the row said more. */
		*entry = RecoveryInProgress() ? NULL : block_find(&decoded->id, &state);
		if (*entry == NULL)
		{
			if (!exists)
				return false;
			state.reserved_end = state.position = numbers.reserved_to;
			state.blocklist_id = numbers.blocklist_id;
		}
	}
	judge(ring, number, &state, *entry != NULL, decoded);
	return true;
}

/*
 * How codes that begin so were read last, where one was handed out.  A code
 * that was handed out by that reading need not be read in the other ways.
 * Direct-mapped, and good for as long as the session's memory of rings.
 */
typedef struct Reading
{
	uint64		begun;			/* definitions_begun; 0 in an entry not used yet */
	const Ring *ring;
	SeriesId	id;
	SharedSeries *entry;
	int64		cycle;
	uint32		prefix_len;
	char		prefix[EXTRA_MAX_LEN + CODEC_MAX_UNIQUIZER];
} Reading;

#define READINGS	256			/* a power of two */

static Reading readings[READINGS];

static Reading *
reading_of(const char *prefix, uint32 len)
{
	return &readings[len == 0 ? 0 : hash_bytes((const unsigned char *) prefix, len) & (READINGS - 1)];
}

static void
remember(Reading *known, const Ring *ring, const char *prefix, uint32 len, const Decoded *decoded, SharedSeries *entry)
{
	known->begun = definitions_begun;
	known->ring = ring;
	known->id = decoded->id;
	known->entry = entry;
	known->cycle = decoded->cycle;
	known->prefix_len = len;
	memcpy(known->prefix, prefix, len);
}

/*
 * Was a code, with so many bytes before its base code, handed out by the
 * reading that is remembered for them?  If not, it may be by another.
 */
static bool
read_again(const Reading *known, const Ring *ring, uint64 number, const char *code, uint32 len, Decoded *decoded)
{
	BlockState	state;

	if (known->begun != definitions_begun || known->ring != ring || known->prefix_len != len ||
		(len > 0 && memcmp(known->prefix, code, len) != 0) ||
		RecoveryInProgress() || pg_atomic_read_u32(&known->entry->dead) != 0 ||
		!block_look(known->entry, &known->id, &state))
		return false;
	decoded->id = known->id;
	decoded->cycle = known->cycle;
	decoded->uniquizer_len = len - known->id.extra_len;
	judge(ring, number, &state, true, decoded);
	return decoded->issued &&
		!decode_never_emitted(ring, decoded->blocklist_id, known->id.extra_len, code, len + ring->tail_length);
}

/*
 * What a code is made of.  Of the ways to read it: that of the series which
 * has entered the cycle; or else, as the code may yet come, that of the series
 * with the longest extra that is there; or else without an extra.  False if it is no code of the
 * ring, nor can become one as long as no other extra is used.
 */
bool
decode_code(const Ring *ring, const char *code, uint32 len, Decoded *decoded)
{
	uint32		prefix_len = len - ring->tail_length;
	int			best = 0;		/* 1: without an extra, 2: of a series, 3: entered */
	uint64		number;
	Decoded		candidate;
	Reading    *reading;
	SharedSeries *entry;
	bool		seen[EXTRA_MAX_LEN + 1];

	if (len < ring->tail_length || prefix_len > EXTRA_MAX_LEN + CODEC_MAX_UNIQUIZER ||
		!codec_read_base(&ring->codec, code + prefix_len, &number) ||
		!decode_checks_out(ring, code, len))
		return false;

	reading = reading_of(code, prefix_len);
	if (read_again(reading, ring, number, code, prefix_len, decoded))
		return true;

	memset(seen, false, sizeof(seen));
	memset(&candidate, 0, sizeof(candidate));
	ring_series_id(ring, &candidate.id);

	/* Entries first: of a code that was handed out nothing else need be read. */
	for (int i = 0; i < 2 && !candidate.issued; i++)
	{
		for (int extra_len = prefix_len; extra_len >= 0 && !candidate.issued; extra_len--)
		{
			uint64		cycle;
			int			rank = 0;

			/* What no uniquizer holds ends the search. */
			if (extra_len < (int) prefix_len && ring->codec.digit_value[(unsigned char) code[extra_len]] < 0)
				break;
			if (extra_len > EXTRA_MAX_LEN || seen[extra_len] ||
				!codec_read_uniquizer(&ring->codec, code + extra_len, prefix_len - extra_len, &cycle) ||
				cycle >= (uint64) (PG_INT64_MAX / ring->base_codes))
				continue;
			candidate.id.extra_len = extra_len;
			memcpy(candidate.id.extra, code, extra_len);
			candidate.cycle = cycle;
			candidate.uniquizer_len = prefix_len - extra_len;
			seen[extra_len] = look_up(ring, number, i == 0, &candidate, &entry);
			if (seen[extra_len] && candidate.issued &&
				decode_never_emitted(ring, candidate.blocklist_id, extra_len, code, len))
				candidate.issued = false;
			if (seen[extra_len])
				rank = candidate.owned ? 3 : 2;
			else if (i > 0 && extra_len == 0)
				rank = 1;
			if (rank > best || candidate.issued ||
				(rank == 2 && best == 2 && extra_len > decoded->id.extra_len))
			{
				best = rank;
				*decoded = candidate;
			}
			if (candidate.issued && entry != NULL)
				remember(reading, ring, code, prefix_len, &candidate, entry);
		}
	}
	if (best == 0)
		return false;
	if (best < 3)
		decoded->position = basecodes_position(ring, &decoded->id, decoded->cycle, number);
	return true;
}
