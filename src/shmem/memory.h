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

#include "shmem/shared.h"

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
memory_size_class(Size bytes)
{
	int			order = 0;

	while (((Size) MEMORY_UNIT << order) < bytes)
		order++;
	return order;
}

extern PGDLLIMPORT int memory_limit_kb;

#endif							/* CODERRING_MEMORY_H */
