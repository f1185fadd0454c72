/*
 * recover.h
 *		Rings that may have handed out codes which this server knows nothing of.
 */
#ifndef CODERRING_RECOVER_H
#define CODERRING_RECOVER_H

#include "postgres.h"

#include "access/htup.h"
#include "utils/relcache.h"

#include "store/state.h"

extern void recover_restored(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
							 const SeriesNumbers *numbers);
extern int32 recover_rings(const char *name, int64 cycles, int64 codes, bool new_extras);
extern bool recover_admit_skip(Relation rel, HeapTuple tuple);

#endif							/* CODERRING_RECOVER_H */
