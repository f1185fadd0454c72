/*
 * encode.h
 *		What a ring emits: the text of codes, and which of them it does not emit.
 */
#ifndef CODERRING_ENCODE_H
#define CODERRING_ENCODE_H

#include "postgres.h"

#include "core/codec.h"
#include "core/wordfilter.h"
#include "shmem/shared.h"
#include "store/ring.h"

#define PREFIX_MAX_LEN	(EXTRA_MAX_LEN + CODEC_MAX_UNIQUIZER)

/* What stands before the base codes of a cycle, and how the text goes on from there. */
typedef struct Prefix
{
	uint32		len;			/* bytes */
	uint32		characters;
	uint32		word_state;		/* WORDFILTER_BLOCKED: none of the codes is emitted */
	uint32		check_state;
	char		text[PREFIX_MAX_LEN];
} Prefix;

/* Positions of a cycle, in order, until there are so many codes */
typedef struct Span
{
	int64		first;
	int64		enough;			/* not beyond this one once there is a code */
	int64		end;			/* never beyond this one */
	uint32		want;			/* codes, at most BLOCK_MAX_CODES */
} Span;

extern uint32 encode_write_prefix(const Codec *codec, const SeriesId *id, int64 cycle, char *prefix);
extern void encode_prefix(const Ring *ring, const WordFilter *filter, const SeriesId *id, int64 cycle, Prefix *prefix);
extern bool encode_finish(const Ring *ring, const WordFilter *filter, const Prefix *prefix, char *code);
extern void encode_batch(const Ring *ring, const WordFilter *filter, const SeriesId *id, const Prefix *prefix,
						 const Span *span, CodeBatch *batch);
extern void encode_free(CodeBatch *batch);
extern int64 encode_count(const Ring *ring, const WordFilter *filter, const SeriesId *id, const Prefix *prefix,
						  int64 first, int64 end);
extern text *encode_room(const char *prefix, uint32 prefix_len, uint32 tail_length);

#endif							/* CODERRING_ENCODE_H */
