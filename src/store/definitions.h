/*
 * definitions.h
 *		Is what this process remembers of definitions still true?
 */
#ifndef CODERRING_DEFINITIONS_H
#define CODERRING_DEFINITIONS_H

#include "postgres.h"

#include "shmem/control.h"

/*
 * The control_definitions_version() at which this session's memory of rings was begun; 0 when
 * it must not be used any more.
 */
extern uint64 definitions_read_version;

/* How often that was: what is remembered elsewhere, with this number, is good as long. */
extern uint64 definitions_begun;

static inline bool
definitions_current(void)
{
	return definitions_read_version == control_definitions_version();
}

static inline void
definitions_forget(void)
{
	definitions_read_version = 0;
}

/* Tables in which definitions are, or which they need */
#define DEFINITIONS_TABLES	5

extern void definitions_init(void);
extern uint64 definitions_begin(void);
extern void definitions_watch(const Oid *tables);
extern void definitions_end(uint64 version);

#endif							/* CODERRING_DEFINITIONS_H */
