/*
 * block.h
 *		Blocks of codes: reserved, computed, not yet handed out.
 */
#ifndef CODERRING_BLOCK_H
#define CODERRING_BLOCK_H

#include "postgres.h"

#include "shmem/shared.h"

/* How far a series has come, as far as its entry knows. */
typedef struct BlockState
{
	int64		position;		/* that will be handed out next, -1 if unknown */
	int64		counted;		/* codes of its cycle before it */
	int64		issued;			/* codes that the entry has handed out */
	int64		reserved_end;	/* of the entry; set by block_find() only */
	uint64		blocklist_id;	/* words for all codes of the series; by block_find() only */
} BlockState;

/* What a session remembers of a block. */
typedef struct CodeBlock
{
	SharedSeries *entry;
	const char *codes;
	uint64		generation;
	uint32		limit;			/* index up to which the session takes codes without another look */
	bool		past_middle;	/* of a block that calls for the next one */
	bool		acknowledged;	/* by synchronous standbys */
	int64		first;
} CodeBlock;

extern bool block_adopt(SharedSeries *entry, const SeriesId *id, uint64 blocklist_id, CodeBlock *block);
extern uint32 block_close(SharedSeries *entry);
extern bool block_reopen(SharedSeries *entry);
extern void block_withdraw(SharedSeries *entry);
extern void block_strip(SharedSeries *entry);
extern void block_read(SharedSeries *entry, BlockState *state);
extern SharedSeries *block_find(const SeriesId *id, BlockState *state);
extern bool block_look(SharedSeries *entry, const SeriesId *id, BlockState *state);
extern void block_reserved(SharedSeries *entry, int64 first, int64 counted, int64 end, uint64 blocklist_id,
						   uint64 series_blocklist_id, XLogRecPtr lsn);
extern uint32 block_publish(SharedSeries *entry, const CodeBatch *batch, int64 counted, uint64 blocklist_id);
extern bool block_prefetch_due(const CodeBlock *block);
extern void block_doubt(SharedSeries *entry);
extern void block_strip_series(const SeriesId *id);

/*
 * Take the next code of a block, without a lock.  False when there is none
 * left or the block is not the one remembered.
 *
 * No code is lost and none is taken twice or from another block: the code is
 * read before the ticket is swapped, the ticket is changed before the codes
 * are overwritten, and no generation comes back.
 */
static inline bool
block_take(const CodeBlock *block, char *code, uint32 tail_length)
{
	pg_atomic_uint64 *place = &block->entry->ticket;
	uint64		ticket = pg_atomic_read_u64(place);

	for (;;)
	{
		if (TICKET_GENERATION(ticket) != block->generation ||
			TICKET_LOW(ticket) >= block->limit)
			return false;
		pg_read_barrier();
		memcpy(code, block->codes + (Size) TICKET_LOW(ticket) * tail_length, tail_length);
		if (pg_atomic_compare_exchange_u64(place, &ticket, ticket + 1))
			return true;
	}
}

#endif							/* CODERRING_BLOCK_H */
