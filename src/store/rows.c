/*
 * rows.c
 *		Rows of the tables of definitions, written as SQL would write them.
 *
 * coderring.ring, ring_grant and blocklist have primary keys, so tools follow
 * their changes by triggers: a repacker copies the table, replays what its
 * triggers have seen, and swaps the files.  A row that were written past the
 * executor, as in a catalog, would be lost by that.  So these are written with
 * the routines by which logical replication applies changes: row triggers fire,
 * constraints and the replica identity are checked, and every index that is
 * ready gets its entry.
 *
 * Privileges are not asked for, since the caller has none on these tables, and
 * policies of row-level security do not apply.  Statement triggers do not fire.
 * Only a superuser or the owner of the tables can put triggers of their own on
 * them; those run with the rights of whoever calls coderring's function, as
 * all triggers do, and may raise an error.  One that keeps a row from being
 * written is refused: what belongs to the row would go, or stay, without it.  So
 * is one before the row that changes that very row.
 *
 * The caller has locked the table, and increments the command counter.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "store/columns.h"
#include "store/rows.h"

typedef struct Write
{
	EState	   *estate;
	ResultRelInfo *info;
	EPQState	epq;
	TupleTableSlot *row;		/* the new one */
	TupleTableSlot *old;
	MemoryContext caller;
} Write;

/* The row that is being written by this file, NULL for none. */
typedef struct Writing
{
	const TupleTableSlot *slot; /* that a trigger before the row is told of */
	Oid			relid;
	ItemPointerData tid;		/* invalid for an insert */
	const struct Writing *outer;	/* within whose triggers this one is written */
} Writing;

static const Writing *writing = NULL;

/*
 * Is a row trigger fired before a row that the extension itself writes?
 */
bool
rows_own(const TriggerData *trigger)
{
	const TupleTableSlot *slot = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
		trigger->tg_newslot : trigger->tg_trigslot;

	return writing != NULL && slot == writing->slot;
}

/*
 * Raise 55000 if a row that is about to be changed is one that is being written
 * already, and this is a trigger before it.
 */
void
rows_check_unwritten(Relation rel, ItemPointer tid)
{
	for (const Writing *outer = writing; outer != NULL; outer = outer->outer)
	{
		if (outer->relid == RelationGetRelid(rel) && ItemPointerIsValid(&outer->tid) &&
			ItemPointerEquals((ItemPointer) &outer->tid, tid))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("a trigger changes the row of \"coderring.%s\" that it is fired before", RelationGetRelationName(rel)),
					 errhint("Drop the trigger, or disable it: it is not the extension's.")));
	}
}

static void
begin(Write *write, Relation rel, Bitmapset *updated)
{
	RangeTblEntry *entry;

	write->estate = CreateExecutorState();
	write->caller = MemoryContextSwitchTo(write->estate->es_query_cxt);
	entry = makeNode(RangeTblEntry);
	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(rel);
	entry->relkind = rel->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
	coderring_init_range_table(write->estate, entry, bms_copy(updated));

	write->info = makeNode(ResultRelInfo);
	InitResultRelInfo(write->info, rel, 1, NULL, 0);
	write->estate->es_opened_result_relations = list_make1(write->info);
	write->estate->es_output_cid = GetCurrentCommandId(true);
	write->row = ExecInitExtraTupleSlot(write->estate, RelationGetDescr(rel), &TTSOpsHeapTuple);
	write->old = table_slot_create(rel, &write->estate->es_tupleTable);
	coderring_init_recheck(&write->epq, write->estate);
	ExecOpenIndices(write->info, false);
	AfterTriggerBeginQuery();
}

static void
finish(Write *write)
{
	AfterTriggerEndQuery(write->estate);
	EvalPlanQualEnd(&write->epq);
	ExecCloseResultRelations(write->estate);
	ExecResetTupleTable(write->estate->es_tupleTable, false);
	MemoryContextSwitchTo(write->caller);
	FreeExecutorState(write->estate);
}

/*
 * Wait for the row, and keep others from changing it.  False if it is not the
 * latest version of its row (any more).
 */
static bool
lock_row(Write *write, ItemPointer tid, LockTupleMode mode)
{
	TM_FailureData failure;

	return table_tuple_lock(write->info->ri_RelationDesc, tid, SnapshotSelf, write->old,
							write->estate->es_output_cid, mode, LockWaitBlock, 0, &failure) == TM_Ok;
}

static void
report_kept(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a trigger keeps a row of \"coderring.%s\" from being written", RelationGetRelationName(rel)),
			 errhint("Drop the trigger, or disable it: it is not the extension's.")));
}

/*
 * One write, by one of the three routines: that of `tid` (NULL for an insert)
 * to `new` (NULL for a deletion).  False if the row is not the latest version.
 */
static bool
write_row(Relation rel, ItemPointer tid, HeapTuple new, Bitmapset *updated)
{
	Writing		this = {.relid = RelationGetRelid(rel), .outer = writing};
	Write		write;
	bool		kept;

	if (tid != NULL)
	{
		rows_check_unwritten(rel, tid);
		this.tid = *tid;
	}
	begin(&write, rel, updated);
	if (tid != NULL && !lock_row(&write, tid, new != NULL ? LockTupleNoKeyExclusive : LockTupleExclusive))
	{
		finish(&write);
		return false;
	}
	if (new != NULL)
		ExecStoreHeapTuple(new, write.row, false);
	ItemPointerSetInvalid(&write.row->tts_tid);

	PG_TRY();
	{
		this.slot = new != NULL ? write.row : ExecGetTriggerOldSlot(write.estate, write.info);
		writing = &this;
		if (tid == NULL)
			ExecSimpleRelationInsert(write.info, write.estate, write.row);
		else if (new != NULL)
			ExecSimpleRelationUpdate(write.info, write.estate, &write.epq, write.old, write.row);
		else
			ExecSimpleRelationDelete(write.info, write.estate, &write.epq, write.old);
	}
	PG_FINALLY();
	{
		writing = this.outer;
	}
	PG_END_TRY();

	if (new == NULL)
		kept = write.info->ri_TrigDesc != NULL && write.info->ri_TrigDesc->trig_delete_before_row &&
			table_tuple_fetch_row_version(rel, tid, SnapshotSelf, write.old);
	else
		kept = !ItemPointerIsValid(&write.row->tts_tid) ||
			(tid != NULL && ItemPointerEquals(&write.row->tts_tid, tid));
	if (kept)
		report_kept(rel);
	finish(&write);
	return true;
}

/*
 * Lock a row to the end of the transaction, as SELECT FOR UPDATE does.  Waits
 * for whoever is changing it.  TM_Ok if it is still the latest version.
 */
TM_Result
rows_lock(Relation rel, ItemPointer tid, LockTupleMode mode)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TM_FailureData failure;
	TM_Result	result = table_tuple_lock(rel, tid, SnapshotSelf, slot, GetCurrentCommandId(true), mode,
										  LockWaitBlock, 0, &failure);

	ExecDropSingleTupleTableSlot(slot);
	return result;
}

/*
 * Insert a row of these columns.
 */
void
rows_insert(Relation rel, Datum *values, bool *nulls)
{
	HeapTuple	tuple = columns_form(RelationGetDescr(rel), values, nulls);

	(void) write_row(rel, NULL, tuple, NULL);
	heap_freetuple(tuple);
}

/*
 * Replace the row at tid by a new one, whose columns marked in replace are
 * others.  False, and nothing changed, if somebody else has been faster.
 */
bool
rows_update(Relation rel, ItemPointer tid, HeapTuple new, const bool *replace)
{
	Bitmapset  *updated = NULL;
	bool		written;

	for (int i = 0; i < columns_count(RelationGetDescr(rel)); i++)
	{
		if (replace[i])
			updated = bms_add_member(updated, i + 1 - FirstLowInvalidHeapAttributeNumber);
	}
	written = write_row(rel, tid, new, updated);
	bms_free(updated);
	return written;
}

/*
 * Delete the row at tid.  False, and nothing changed, if somebody else has
 * been faster.
 */
bool
rows_delete(Relation rel, ItemPointer tid)
{
	return write_row(rel, tid, NULL, NULL);
}
