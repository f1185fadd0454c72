/*
 * rows.h
 *		Rows of the tables of definitions, written as SQL would write them.
 */
#ifndef CODERRING_ROWS_H
#define CODERRING_ROWS_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tableam.h"
#include "commands/trigger.h"
#include "utils/relcache.h"

extern TM_Result rows_lock(Relation rel, ItemPointer tid, LockTupleMode mode);
extern void rows_insert(Relation rel, Datum *values, bool *nulls);
extern bool rows_update(Relation rel, ItemPointer tid, HeapTuple new, const bool *replace);
extern bool rows_delete(Relation rel, ItemPointer tid);
extern bool rows_own(const TriggerData *trigger);
extern void rows_check_unwritten(Relation rel, ItemPointer tid);

#endif							/* CODERRING_ROWS_H */
