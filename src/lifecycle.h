/*
 * lifecycle.h
 *		Create, drop, rename and reset rings, in transactions.
 */
#ifndef CODERRING_LIFECYCLE_H
#define CODERRING_LIFECYCLE_H

#include "postgres.h"

#include "ring.h"

/* What a ring is to be; -1 stands for no limit in max_length. */
typedef struct RingOptions
{
	int32		base_length;
	const char *alphabet;		/* NULL for the default */
	bool		have_max_length;
	int32		max_length;
	int64		first_cycle;
} RingOptions;

extern void lifecycle_init(void);
extern void lifecycle_create(const char *name, const RingOptions *options, bool if_not_exists);
extern void lifecycle_drop(const char *name, bool if_exists);
extern void lifecycle_rename(const char *name, const char *new_name);
extern void lifecycle_reset(const char *name, int64 first_cycle, const char *test_seed);
extern void lifecycle_definitions_changed(void);

extern bool lifecycle_open(const pg_uuid_t *incarnation);
extern void lifecycle_note_slot(Slot *slot);

#endif							/* CODERRING_LIFECYCLE_H */
