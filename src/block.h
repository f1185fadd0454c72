/*
 * block.h
 *		Slots of series and their blocks of codes in shared memory: reserved,
 *		computed, not yet handed out.
 */
#ifndef CODERRING_BLOCK_H
#define CODERRING_BLOCK_H

#include "postgres.h"

#include "access/xlogdefs.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "port/atomics.h"
#include "utils/uuid.h"

#include "memory.h"

#define EXTRA_MAX_LEN		63	/* bytes */

#define BLOCK_MAX_CODES		4096

/* From so many codes on, half a block calls for the next one; less in make faults and make torture. */
#ifndef AHEAD_FROM
#define AHEAD_FROM			BLOCK_MAX_CODES
#endif

/*
 * A ticket is generation (48 bits) | closed (1 bit) | index (15 bits).  The
 * index is that of the next code to take.  Read as one 16-bit number the low
 * part of a closed ticket is beyond every block's size.
 */
#define TICKET_INDEX_BITS	16
#define TICKET_CLOSED		((uint64) 0x8000)
#define TICKET_GENERATION(t)	((t) >> TICKET_INDEX_BITS)
#define TICKET_LOW(t)		((uint32) ((t) & 0xFFFF))
#define TICKET_INDEX(t)		((uint32) ((t) & 0x7FFF))

/* The index of a ticket whose block is being written, or was never there. */
#define NO_INDEX				((uint64) 0x7FFF)

/* So many slots of rings that are gone are unlinked at once. */
#define DEAD_AT_ONCE			256

/* What a series is, to everyone in the server. */
typedef struct SeriesKey
{
	Oid			database;
	Oid			relid;			/* of series_state: another one after DROP and CREATE EXTENSION */
	uint32		instance;		/* of the database: another one where its OID is used again */
	pg_uuid_t	incarnation;
	uint32		lock_id;		/* not part of the identity, for the locks */
	uint8		extra_len;
	char		extra[EXTRA_MAX_LEN];
} SeriesKey;

/*
 * A series' place in shared memory.  Once made, the memory stays a slot for
 * as long as the server runs: a session that remembers a slot which has been
 * given to another series finds another generation in its ticket.
 */
typedef struct Slot
{
	pg_atomic_uint64 ticket;

	/*
	 * Counters of the view coderring.stats.  Written under the refill lock and
	 * so seldom that they do no harm on the ticket's own cache line.
	 */
	int64		issued;			/* codes handed out, those of the block not included */
	int64		skipped;		/* positions passed over for good: blocked, or left by a bump */
	int64		refill_time;	/* microseconds */
	TimestampTz since;
	uint32		refills;
	uint32		refill_waits;	/* callers that met the refill lock taken */

	/* As seldom: the words for all codes of the series, as its row has them. */
	uint64		series_filter;

	/* As seldom: what is computed for the next block (ahead.c). */
	SharedRef	ahead;			/* under the control lock; written by the refill lock's holder */
	pg_atomic_uint32 ahead_of;	/* low part of the generation that somebody has done it for */

	/* Under the control lock; constant while the slot is linked. */
	SeriesKey	key;
	SharedRef	self;
	SharedRef	next;			/* in the bucket, or in the list of free slots */
	pg_atomic_uint32 next_dead; /* in the list of dead slots */
	pg_atomic_uint32 dead;		/* given up: free, or linked and not to be found any more */
	SharedRef	owner;			/* the slot that stands for all of its database's (slot.c) */
	uint32		seen;			/* low part of the ticket when the clock came by; of an owner, how many slots it has */

	/*
	 * The block.  Written by the holder of the series' refill lock while the
	 * ticket is closed, read by anyone between two reads of the ticket that
	 * show the same generation, open.
	 */
	SharedRef	codes;			/* text of codes without prefix, one after the other */
	uint8		codes_order;	/* the array's size as the allocator counts */
	bool		acknowledged:1; /* what is durable has been so by synchronous standbys, too */
	bool		in_doubt:1;		/* see slot_doubt() */
	uint16		size;			/* codes in the block */
	uint32		map;			/* where in the array the map of its positions begins, 0 for none */
	uint32		span;			/* positions from that of the code at index 0, or before it where there is a map, to published_end */
	uint64		filter;			/* identity of the words that these codes were filtered with */

	/* Written under the refill lock, read without by the view. */
	int64		counted;		/* codes of the cycle before published_end */
	int64		reserved_end;	/* first position that this slot has not reserved, or -1 */
	int64		published_end;	/* first position neither handed out nor in the block */
	XLogRecPtr	reserved_lsn;	/* end of the record that reserved up to reserved_end */

	/* Under the refill lock. */
	TimestampTz reserved_at;
	uint32		reserved_span;	/* from where the series then was to reserved_end, 0 before the first */
	uint32		undurable;		/* positions before reserved_end not known to be on disk */
} Slot;

StaticAssertDecl(sizeof(Slot) <= 256, "a slot takes a sixteenth of a 4 kB page");
StaticAssertDecl(offsetof(Slot, key) == MEMORY_UNIT, "the ticket's cache line holds nothing that is often read");

StaticAssertDecl(BLOCK_MAX_CODES <= PG_UINT16_MAX, "a block's size fits its field");

/* Whose slots there are: a table of series in a database. */
typedef struct SlotOwner
{
	Oid			database;
	Oid			relid;
	uint32		instance;
} SlotOwner;

/*
 * Codes at positions from first to before end, one after the other.  Where
 * some of the positions have no code, bit n of the map says whether first + n
 * has one.
 */
typedef struct CodeBatch
{
	int64		first;
	int64		end;
	uint32		count;
	uint32		stride;			/* characters in a code */
	char	   *codes;
	uint8	   *map;			/* NULL where every position has a code */
} CodeBatch;

/* How far a series has come, as far as its slot knows. */
typedef struct BlockState
{
	int64		position;		/* that will be handed out next, -1 if unknown */
	int64		counted;		/* codes of its cycle before it */
	int64		issued;			/* codes that the slot has handed out */
	int64		reserved_end;	/* of the slot; set by block_find() only */
	uint64		filter;			/* words for all codes of the series; by block_find() only */
} BlockState;

/* What a session remembers of a block. */
typedef struct CodeBlock
{
	Slot	   *slot;
	const char *codes;
	uint64		generation;
	uint32		limit;			/* index up to which the session takes codes without another look */
	bool		past_middle;	/* of a block that calls for the next one */
	bool		acknowledged;	/* by synchronous standbys */
	int64		first;
} CodeBlock;

typedef struct BlockControl
{
	LWLock		lock;			/* protects what is not atomic below, and all of memory.c */
	pg_atomic_uint64 generation;	/* the last one given */
	MemoryControl memory;

	SharedRef	buckets;		/* array of SharedRef */
	uint32		nbuckets;		/* a power of two, 0 before the first slot */
	uint32		nslots;			/* linked */
	uint32		nfree;			/* in the list of free ones */
	uint32		nslabs;			/* pages of slots */
	SharedRef	owners;			/* list of slots that stand for all of a database's */
	uint32		sweep_at;		/* look for slots of gone databases at this many */
	uint32		clock;			/* next bucket to look at for eviction */
	SharedRef	free_slots;
	pg_atomic_uint32 dead_slots;	/* list of slots to unlink; pushed to without a lock */

	/* Read at every call, written when a definition changes: a line of its own. */
	char		pad1[MEMORY_UNIT];
	pg_atomic_uint64 epoch;
	char		pad2[MEMORY_UNIT - sizeof(pg_atomic_uint64)];
} BlockControl;

extern PGDLLIMPORT BlockControl *block_control;

/* slot.c */
extern Size slot_shmem_size(void);
extern void slot_attach(void);
extern Slot *slot_find(const SeriesKey *key);
extern Slot *slot_make(const SeriesKey *key, bool entitled);
extern void slot_unlink(Slot *slot, const SeriesKey *key);
extern void slot_unlink_dead(uint32 most);
extern void slot_bury(Slot *slot, const pg_uuid_t *incarnation);
extern List *slot_collect(const SeriesKey *any);
extern void slot_doubt(Slot *slot);
extern bool slot_page_allowed(void);
extern bool slot_allowed(const Slot *owner);
extern bool slot_sweep_due(const SeriesKey *key);
extern List *slot_owners(void);
extern void slot_sweep(const List *gone);
extern List *slot_candidates(const SeriesKey *except, bool slots, int count);
extern void slot_strip(const SeriesKey *key);

/* block.c */
extern bool block_adopt(Slot *slot, const SeriesKey *key, uint64 filter, CodeBlock *block);
extern uint32 block_close(Slot *slot);
extern bool block_reopen(Slot *slot);
extern void block_withdraw(Slot *slot);
extern void block_strip(Slot *slot);
extern void block_resume(Slot *slot, int64 position, int64 counted, uint64 filter, uint64 series_filter);
extern void block_read(Slot *slot, BlockState *state);
extern Slot *block_find(const SeriesKey *key, BlockState *state);
extern bool block_look(Slot *slot, const SeriesKey *key, BlockState *state);
extern void block_reserved(Slot *slot, int64 first, int64 counted, int64 end, uint64 filter,
						   uint64 series_filter, XLogRecPtr lsn);
extern uint32 block_publish(Slot *slot, const CodeBatch *batch, int64 counted, uint64 filter);

/* ahead.c */
extern bool ahead_due(const CodeBlock *block);
extern void ahead_keep(Slot *slot, const CodeBatch *batch, uint64 filter);
extern bool ahead_find(Slot *slot, int64 first, int64 end, uint64 filter, CodeBatch *batch);
extern void ahead_free(Slot *slot);
extern void ahead_drop(Slot *slot);

/* Are two series those of one table? */
static inline bool
slot_same_owner(const SeriesKey *a, const SeriesKey *b)
{
	return a->database == b->database && a->relid == b->relid && a->instance == b->instance;
}

static inline bool
slot_same_series(const SeriesKey *a, const SeriesKey *b)
{
	return slot_same_owner(a, b) &&
		a->extra_len == b->extra_len &&
		memcmp(&a->incarnation, &b->incarnation, sizeof(pg_uuid_t)) == 0 &&
		(a->extra_len == 0 || memcmp(a->extra, b->extra, a->extra_len) == 0);
}

static inline uint64
block_new_generation(void)
{
	return pg_atomic_add_fetch_u64(&block_control->generation, 1) << TICKET_INDEX_BITS;
}

/* The state of definitions; raised by every committed change to one. */
static inline uint64
block_epoch(void)
{
	return pg_atomic_read_u64(&block_control->epoch);
}

static inline void
block_raise_epoch(void)
{
	pg_atomic_fetch_add_u64(&block_control->epoch, 1);
}

/*
 * Take the next code of a block, without a lock.  False when there is none
 * left or the block is not the one remembered.
 *
 * No code is lost and none is taken twice or from another block: the code is
 * read before the ticket is swapped, the ticket is changed before the codes
 * are overwritten, and no generation comes back.
 */
static inline bool
block_take(const CodeBlock *block, char *code, uint32 stride)
{
	pg_atomic_uint64 *place = &block->slot->ticket;
	uint64		ticket = pg_atomic_read_u64(place);

	for (;;)
	{
		if (TICKET_GENERATION(ticket) != block->generation ||
			TICKET_LOW(ticket) >= block->limit)
			return false;
		pg_read_barrier();
		memcpy(code, block->codes + (Size) TICKET_LOW(ticket) * stride, stride);
		if (pg_atomic_compare_exchange_u64(place, &ticket, ticket + 1))
			return true;
	}
}

#endif							/* CODERRING_BLOCK_H */
