/*
 * memory.h
 *		Shared memory that is never unmapped, in units of 64 bytes.
 */
#ifndef CODERRING_MEMORY_H
#define CODERRING_MEMORY_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/dsm.h"
#include "storage/lwlock.h"

#define MEMORY_UNIT			64	/* bytes; a cache line */
#define MEMORY_ORDERS		11	/* blocks of 2^0 to 2^10 units: 64 bytes to 64 kB */
#define MEMORY_MAX_SEGMENTS	32

/* A place in shared memory, the same in every process; 0 is none. */
typedef uint32 SharedRef;

#define InvalidSharedRef	((SharedRef) 0)

typedef struct MemoryControl
{
	uint32		nsegments;		/* written under the lock after the handle; read without */
	dsm_handle	handles[MEMORY_MAX_SEGMENTS];	/* set before nsegments counts them */
	uint64		total;			/* bytes in all segments; under the lock */
	SharedRef	free[MEMORY_ORDERS];	/* heads of the lists of free blocks; under the lock */
	TimestampTz refused_at;		/* when the system last refused a segment; under the lock */
} MemoryControl;

/* Places the memory's lock and lists; called once, by whoever makes the control block. */
extern void memory_init(MemoryControl *control);

/* Tells this process where they are. */
extern void memory_attach(MemoryControl *control, LWLock *lock);

extern void memory_lock(LWLockMode mode);
extern bool memory_grow(void);
extern SharedRef memory_allocate(int order);
extern void memory_free(SharedRef ref, int order);
extern void *memory_address(SharedRef ref);

static inline int
memory_order(Size bytes)
{
	int			order = 0;

	while (((Size) MEMORY_UNIT << order) < bytes)
		order++;
	return order;
}

extern PGDLLIMPORT int memory_limit_kb;

#endif							/* CODERRING_MEMORY_H */
