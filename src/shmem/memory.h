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
extern SharedRef memory_allocate(int size_class);
extern void memory_free(SharedRef ref, int size_class);
extern void *memory_address(SharedRef ref);

static inline int
memory_size_class(Size bytes)
{
	int			size_class = 0;

	while (((Size) MEMORY_UNIT << size_class) < bytes)
		size_class++;
	return size_class;
}

extern PGDLLIMPORT int memory_limit_kb;

#endif							/* CODERRING_MEMORY_H */
