/*
 * emit.h
 *		What a ring emits: the text of codes, and which of them it does not emit.
 */
#ifndef CODERRING_EMIT_H
#define CODERRING_EMIT_H

#include "postgres.h"

#include "blocklist.h"
#include "ring.h"

#define PREFIX_MAX_LEN	(EXTRA_MAX_LEN + CODEC_MAX_UNIQUIZER)

/* What stands before the base codes of a cycle, and how the text goes on from there. */
typedef struct Prefix
{
	uint32		len;			/* bytes */
	uint32		characters;
	uint32		word_state;		/* BLOCKLIST_BLOCKED: none of the codes is emitted */
	uint32		check_state;
	char		text[PREFIX_MAX_LEN];
} Prefix;

extern uint32 emit_write_prefix(const Codec *codec, const SeriesKey *key, int64 cycle, char *prefix);
extern void emit_prefix(const Ring *ring, const Blocklist *list, const SeriesKey *key, int64 cycle, Prefix *prefix);
extern bool emit_finish(const Ring *ring, const Blocklist *list, const Prefix *prefix, char *code);
extern void emit_batch(const Ring *ring, const Blocklist *list, const SeriesKey *key, const Prefix *prefix,
					   int64 first, int64 enough, int64 end, uint32 want, CodeBatch *batch);
extern int64 emit_count(const Ring *ring, const Blocklist *list, const SeriesKey *key, const Prefix *prefix,
						int64 first, int64 end);

#endif							/* CODERRING_EMIT_H */
