/*
 * control.h
 *		The control block: made, or found.
 */
#ifndef CODERRING_CONTROL_H
#define CODERRING_CONTROL_H

#include "postgres.h"

#include "shmem/shared.h"

/* Entries of databases and extensions that are gone are looked for from so many on. */
#define FIRST_SWEEP		256

extern PGDLLIMPORT ControlBlock *control_block;

extern Size control_shmem_size(void);
extern void control_attach(void);

static inline uint64
control_new_generation(void)
{
	return pg_atomic_add_fetch_u64(&control_block->generation, 1) << TICKET_INDEX_BITS;
}

/* The state of definitions; raised by every committed change to one. */
static inline uint64
control_definitions_version(void)
{
	return pg_atomic_read_u64(&control_block->definitions_version);
}

static inline void
control_raise_definitions_version(void)
{
	pg_atomic_fetch_add_u64(&control_block->definitions_version, 1);
}

#endif							/* CODERRING_CONTROL_H */
