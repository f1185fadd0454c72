/*
 * work.h
 *		A series that is held locked.
 */
#ifndef CODERRING_WORK_H
#define CODERRING_WORK_H

#include "postgres.h"

#include "issue/session.h"
#include "shmem/shared.h"

extern bool work_lock(const Series *series, bool *waited);
extern void work_unlock(const SeriesKey *key);
extern void work_clear_doubt(Slot *slot);

#endif							/* CODERRING_WORK_H */
