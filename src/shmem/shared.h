/*
 * shared.h
 *		Everything that lies in shared memory, and the number of its layout.
 *
 * Raise SHARED_LAYOUT with every change of it; the assertions of sizes beside the
 * number are there so that nobody forgets.
 */
#ifndef CODERRING_SHARED_H
#define CODERRING_SHARED_H

#include "postgres.h"

#include "access/xlogdefs.h"
#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/dsm.h"
#include "storage/lwlock.h"
#include "utils/uuid.h"

#define MEMORY_UNIT			64	/* bytes; a cache line */
#define MEMORY_SIZE_CLASSES	11	/* blocks of 2^0 to 2^10 units: 64 bytes to 64 kB */
#define MEMORY_MAX_SEGMENTS	32

/* A place in shared memory, the same in every process; 0 is none. */
typedef uint32 SharedRef;

#define InvalidSharedRef	((SharedRef) 0)

typedef struct MemoryControl
{
	uint32		nsegments;		/* written under the lock after the handle; read without */
	dsm_handle	handles[MEMORY_MAX_SEGMENTS];	/* set before nsegments counts them */
	uint64		total;			/* bytes in all segments; under the lock */
	SharedRef	free[MEMORY_SIZE_CLASSES];	/* heads of the lists of free blocks; under the lock */
	TimestampTz refused_at;		/* when the system last refused a segment; under the lock */
} MemoryControl;

#define EXTRA_MAX_LEN		63	/* bytes */

#define BLOCK_MAX_CODES		4096

/* From so many codes on, half a block calls for the next one; less in make faults and make torture. */
#ifndef PREFETCH_FROM
#define PREFETCH_FROM			BLOCK_MAX_CODES
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

/* So many entries of rings that are gone are unlinked at once. */
#define DEAD_AT_ONCE			256

/* What a series is, to everyone in the server. */
typedef struct SeriesId
{
	Oid			database;
	Oid			relid;			/* of series_state: another one after DROP and CREATE EXTENSION */
	uint32		instance;		/* of the database: another one where its OID is used again */
	pg_uuid_t	incarnation;
	uint32		lock_id;		/* not part of the identity, for the locks */
	uint8		extra_len;
	char		extra[EXTRA_MAX_LEN];
} SeriesId;

/*
 * A series' place in shared memory.  Once made, the memory stays an entry for
 * as long as the server runs: a session that remembers an entry which has been
 * given to another series finds another generation in its ticket.
 */
typedef struct SharedSeries
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
	uint64		series_blocklist_id;

	/* As seldom: what is computed for the next block (prefetch.c). */
	SharedRef	ahead;			/* under the control lock; written by the refill lock's holder */
	pg_atomic_uint32 prefetched_for;	/* low part of the generation that somebody has done it for */

	/* Under the control lock; constant while the entry is linked. */
	SeriesId	id;
	SharedRef	self;
	SharedRef	next;			/* in the bucket, or in the list of free entries */
	pg_atomic_uint32 next_dead; /* in the list of dead entries */
	pg_atomic_uint32 dead;		/* given up: free, or linked and not to be found any more */
	SharedRef	owner;			/* the entry that stands for all of its database's (entry.c) */
	uint32		seen;			/* low part of the ticket when the clock came by; of an owner, how many entries it has */

	/*
	 * The block.  Written by the holder of the series' refill lock while the
	 * ticket is closed, read by anyone between two reads of the ticket that
	 * show the same generation, open.
	 */
	SharedRef	codes;			/* text of codes without prefix, one after the other */
	uint8		codes_size_class;	/* the array's size as the allocator counts */
	bool		acknowledged:1; /* what is durable has been so by synchronous standbys, too */
	bool		in_doubt:1;		/* see block_doubt() */
	uint16		size;			/* codes in the block */
	uint32		map;			/* where in the array the map of its positions begins, 0 for none */
	uint32		span;			/* positions from that of the code at index 0, or before it where there is a map, to published_end */
	uint64		blocklist_id;	/* identity of the words that these codes were filtered with */

	/* Written under the refill lock, read without by the view. */
	int64		counted;		/* codes of the cycle before published_end */
	int64		reserved_end;	/* first position that this entry has not reserved, or -1 */
	int64		published_end;	/* first position neither handed out nor in the block */
	XLogRecPtr	reserved_lsn;	/* end of the record that reserved up to reserved_end */

	/* Under the refill lock. */
	TimestampTz reserved_at;
	uint32		reserved_span;	/* from where the series then was to reserved_end, 0 before the first */
	uint32		undurable;		/* positions before reserved_end not known to be on disk */
} SharedSeries;

StaticAssertDecl(sizeof(SharedSeries) <= 256, "an entry takes a sixteenth of a 4 kB page");
StaticAssertDecl(offsetof(SharedSeries, id) == MEMORY_UNIT, "the ticket's cache line holds nothing that is often read");

StaticAssertDecl(BLOCK_MAX_CODES <= PG_UINT16_MAX, "a block's size fits its field");

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
	uint32		tail_length;	/* characters in a code */
	char	   *codes;
	uint8	   *map;			/* NULL where every position has a code */
} CodeBatch;

/* In front of the array. */
typedef struct Prefetch
{
	CodeBatch	batch;			/* without its pointers, which are a process' own */
	uint64		blocklist_id;	/* identity of the words that the codes were filtered with */
	bool		has_map;		/* behind the codes */
	int			size_class;		/* the array's size as the allocator counts */
} Prefetch;

typedef struct FreeBlock
{
	SharedRef	prev;
	SharedRef	next;
} FreeBlock;

typedef struct ControlBlock
{
	LWLock		lock;			/* protects what is not atomic below, and all of memory.c */
	pg_atomic_uint64 generation;	/* the last one given */
	MemoryControl memory;

	SharedRef	buckets;		/* array of SharedRef */
	uint32		nbuckets;		/* a power of two, 0 before the first entry */
	uint32		nentries;		/* linked */
	uint32		nfree;			/* in the list of free ones */
	uint32		nslabs;			/* pages of entries */
	SharedRef	owners;			/* list of entries that stand for all of a database's */
	uint32		sweep_at;		/* look for entries of gone databases at this many */
	uint32		clock;			/* next bucket to look at for eviction */
	SharedRef	free_entries;
	pg_atomic_uint32 dead_entries;	/* list of entries to unlink; pushed to without a lock */

	/* Read at every call, written when a definition changes: a line of its own. */
	char		pad1[MEMORY_UNIT];
	pg_atomic_uint64 definitions_version;
	char		pad2[MEMORY_UNIT - sizeof(pg_atomic_uint64)];
} ControlBlock;

/* This must never change itself, or a library could not tell. */
typedef struct SharedVersion
{
	uint32		layout;
	char		library[60];	/* the version that made it */
} SharedVersion;

/* Another number here wants another one for the layout. */
#ifndef SHARED_LAYOUT
#define SHARED_LAYOUT	2
#endif

StaticAssertDecl(sizeof(SharedVersion) == 64, "this one never changes");
#if SIZEOF_VOID_P == 8
StaticAssertDecl(sizeof(SharedSeries) == 256, "the layout of shared memory has changed");
StaticAssertDecl(sizeof(MemoryControl) == 200, "the layout of shared memory has changed");
StaticAssertDecl(sizeof(Prefetch) == 56, "the layout of shared memory has changed");
StaticAssertDecl(sizeof(FreeBlock) == 8, "the layout of shared memory has changed");
StaticAssertDecl(sizeof(ControlBlock) - offsetof(ControlBlock, generation) == 376, "the layout of shared memory has changed");
#endif

#endif							/* CODERRING_SHARED_H */
