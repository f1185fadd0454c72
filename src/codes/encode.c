/*
 * encode.c
 *		Positions to the text of codes, and which of them are not handed out.
 *
 * A code is extra, uniquizer, base code and, where the ring has one, a check
 * character over all of it (check.c).  The filter looks at that whole text
 * (wordfilter.c), but for words that lie in the extra alone, which are the
 * caller's own.  What can be known from the prefix alone is worked out once a
 * cycle, so that a code costs its own characters only.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "codes/basecodes.h"
#include "codes/encode.h"
#include "codes/mbtext.h"
#include "core/check.h"
#include "core/codec.h"
#include "core/wordfilter.h"
#include "shmem/shared.h"
#include "store/ring.h"

/* Positions that are computed together, and looked at at most for one batch. */
#define CHUNK			1024
#define MAX_POSITIONS	65536

/*
 * Write what stands before the base codes of a cycle, at most PREFIX_MAX_LEN
 * bytes; returns how many.
 */
uint32
encode_write_prefix(const Codec *codec, const SeriesId *id, int64 cycle, char *prefix)
{
	memcpy(prefix, id->extra, id->extra_len);
	return id->extra_len + codec_write_uniquizer(codec, cycle, prefix + id->extra_len);
}

/*
 * The prefix of a cycle, ready for encode_finish.
 */
void
encode_prefix(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 cycle, Prefix *prefix)
{
	prefix->len = encode_write_prefix(&ring->codec, id, cycle, prefix->text);
	prefix->characters = mbtext_count(prefix->text, prefix->len);
	prefix->word_state = WORDFILTER_START;
	if (filter != NULL)
		prefix->word_state = wordfilter_run(filter, wordfilter_pass(filter, id->extra, id->extra_len),
											prefix->text + id->extra_len, prefix->len - id->extra_len);
	prefix->check_state = CHECK_START;
	if (ring->check != NULL)
		prefix->check_state = mbtext_check(&ring->codec, ring->check, CHECK_START,
										   prefix->characters + ring->codec.base_length,
										   prefix->text, prefix->len);
}

/*
 * Complete the base code at `code`, which has room for ring->tail_length bytes, by
 * its check character.  False if the code that results is not emitted.
 */
bool
encode_finish(const Ring *ring, const WordFilter *filter, const Prefix *prefix, char *code)
{
	uint32		base_length = ring->codec.base_length;

	if (ring->check != NULL)
	{
		uint32		state = prefix->check_state;

		for (uint32 i = 0; i < base_length; i++)
			state = check_add(ring->check, state, base_length - i,
							  ring->codec.base_value[(unsigned char) code[i]]);
		code[base_length] = ring->codec.alphabet[check_value(ring->check, state)];
	}
	return filter == NULL ||
		!wordfilter_blocks(filter, wordfilter_run(filter, prefix->word_state, code, ring->tail_length));
}

/*
 * Compute the codes of a span.  Positions that begin it and have no code may be
 * left out of the batch, whose memory is the caller's context's.
 */
void
encode_batch(const Ring *ring, const WordFilter *filter, const SeriesId *id, const Prefix *prefix,
			 const Span *span, CodeBatch *batch)
{
	uint32		tail_length = ring->tail_length;
	int64		enough = span->enough;
	int64		end = span->end;
	uint32		want = span->want;
	int64		position = span->first;
	uint8	   *map = NULL;

	batch->first = position;
	batch->count = 0;
	batch->tail_length = tail_length;
	batch->codes = palloc((Size) want * tail_length);
	batch->map = NULL;
	if (filter != NULL)
		map = palloc(MAX_POSITIONS / 8);

	while (position < end && batch->count < want && (position < enough || batch->count == 0))
	{
		uint32		chunk = Min(want - batch->count, CHUNK);
		char	   *codes = batch->codes + (Size) batch->count * tail_length;
		uint32		kept = 0;

		CHECK_FOR_INTERRUPTS();
		chunk = Min(chunk, end - position);
		if (position < enough)
			chunk = Min(chunk, enough - position);
		if (position - batch->first + chunk > MAX_POSITIONS)
		{
			if (batch->count > 0)
				break;
			batch->first = position;
		}
		basecodes_write(ring, id, position, chunk, tail_length, codes);
		if (filter == NULL && ring->check == NULL)
			kept = chunk;
		else
		{
			for (uint32 i = 0; i < chunk; i++)
			{
				char	   *code = codes + (Size) i * tail_length;
				bool		emitted = encode_finish(ring, filter, prefix, code);

				if (map != NULL)
				{
					uint32		bit = position + i - batch->first;

					if (bit % 8 == 0)
						map[bit / 8] = 0;
					map[bit / 8] |= emitted << (bit % 8);
				}
				if (emitted)
				{
					if (kept < i)
						memmove(codes + (Size) kept * tail_length, code, tail_length);
					kept++;
				}
			}
		}
		batch->count += kept;
		position += chunk;
	}
	batch->end = position;
	if (map != NULL && batch->end - batch->first > batch->count)
		batch->map = map;
	else if (map != NULL)
		pfree(map);
}

void
encode_free(CodeBatch *batch)
{
	pfree(batch->codes);
	if (batch->map != NULL)
		pfree(batch->map);
}

/*
 * How many codes there are at positions from first to before end, in one
 * cycle.
 */
int64
encode_count(const Ring *ring, const WordFilter *filter, const SeriesId *id, const Prefix *prefix,
			 int64 first, int64 end)
{
	int64		count = 0;
	char	   *codes;

	if (filter == NULL)
		return Max(end - first, 0);
	codes = palloc(CHUNK * ring->tail_length);
	while (first < end)
	{
		uint32		chunk = Min(CHUNK, end - first);

		CHECK_FOR_INTERRUPTS();
		basecodes_write(ring, id, first, chunk, ring->tail_length, codes);
		for (uint32 i = 0; i < chunk; i++)
			count += encode_finish(ring, filter, prefix, codes + (Size) i * ring->tail_length);
		first += chunk;
	}
	pfree(codes);
	return count;
}

/*
 * Room for a code, so that nothing can fail any more once one is taken.
 */
text *
encode_room(const char *prefix, uint32 prefix_len, uint32 tail_length)
{
	text	   *code = palloc(VARHDRSZ + prefix_len + tail_length);

	SET_VARSIZE(code, VARHDRSZ + prefix_len + tail_length);
	memcpy(VARDATA(code), prefix, prefix_len);
	return code;
}
