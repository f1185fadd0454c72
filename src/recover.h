/*
 * recover.h
 *		Rings that may have handed out codes which this server knows nothing of.
 */
#ifndef CODERRING_RECOVER_H
#define CODERRING_RECOVER_H

#include "postgres.h"

extern int32 recover_rings(const char *name, int64 cycles, int64 codes, bool new_extras);

#endif							/* CODERRING_RECOVER_H */
