/*
 * state.c
 *		Rows of coderring.series_state and coderring.skipped_positions, inserted.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"
#include "shmem/shared.h"
#include "store/columns.h"
#include "store/state.h"

Datum
state_extra_datum(const SeriesId *id)
{
	return PointerGetDatum(cstring_to_text_with_len(id->extra, id->extra_len));
}

/*
 * Insert a row and its index entries.  It vanishes with the transaction, or
 * with what there is of it, until its page has been through freeze().
 */
static ItemPointerData
insert_row(Relation rel, Datum *values)
{
	bool		nulls[INDEX_MAX_KEYS] = {false};
	HeapTuple	tuple = columns_form(RelationGetDescr(rel), values, nulls);
	ResultRelInfo *indexes = CatalogOpenIndexes(rel);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	EState	   *estate = CreateExecutorState(); /* for expressions of a DBA's indexes */

	/* In-place writes are not decoded, so a subscriber must not get the row. */
	heap_insert(rel, tuple, GetCurrentCommandId(true), HEAP_INSERT_NO_LOGICAL, NULL);

	ExecStoreHeapTuple(tuple, slot, false);
	GetPerTupleExprContext(estate)->ecxt_scantuple = slot;
	for (int i = 0; i < indexes->ri_NumIndices; i++)
	{
		Relation	index = indexes->ri_IndexRelationDescs[i];
		IndexInfo  *info = indexes->ri_IndexRelationInfo[i];
		Datum		keys[INDEX_MAX_KEYS];
		bool		key_nulls[INDEX_MAX_KEYS];

		if (!info->ii_ReadyForInserts)
			continue;
		if (info->ii_Predicate != NIL &&
			!ExecQual(ExecPrepareQual(info->ii_Predicate, estate), GetPerTupleExprContext(estate)))
			continue;
		FormIndexDatum(info, slot, estate, keys, key_nulls);
		index_insert(index, keys, key_nulls, &tuple->t_self, rel,
					 index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
					 false, info);
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	CatalogCloseIndexes(indexes);
	return tuple->t_self;
}

/*
 * Insert what a background worker was asked to, or what need not be asked of one.
 */
ItemPointerData
state_insert(Relation rel, const StateInsert *insert)
{
	Datum		values[Natts_state];

	StaticAssertStmt((int) Natts_skipped <= (int) Natts_state, "values has room for either row");
	if (insert->is_skip)
	{
		values[Anum_skipped_incarnation - 1] = UUIDPGetDatum(&insert->id.incarnation);
		values[Anum_skipped_last_position - 1] = Int64GetDatum(insert->skip.end - 1);
		values[Anum_skipped_first_position - 1] = Int64GetDatum(insert->skip.first);
		values[Anum_skipped_extra - 1] = state_extra_datum(&insert->id);
	}
	else
	{
		values[Anum_state_incarnation - 1] = UUIDPGetDatum(&insert->id.incarnation);
		values[Anum_state_reserved_to - 1] = Int64GetDatum(insert->numbers.reserved_to);
		values[Anum_state_counted_to - 1] = Int64GetDatum(insert->numbers.counted_to);
		values[Anum_state_unblocked - 1] = Int64GetDatum(insert->numbers.unblocked);
		values[Anum_state_filter - 1] = Int64GetDatum((int64) insert->numbers.blocklist_id);
		values[Anum_state_timeline - 1] = Int64GetDatum(insert->numbers.timeline);
		values[Anum_state_pace - 1] = Int64GetDatum(insert->numbers.pace);
		values[Anum_state_measured_from - 1] = Int64GetDatum(insert->numbers.measured_from);
		values[Anum_state_measured_at - 1] = TimestampTzGetDatum(insert->numbers.measured_at);
		values[Anum_state_reserved_at - 1] = TimestampTzGetDatum(insert->numbers.reserved_at);
		values[Anum_state_extra - 1] = state_extra_datum(&insert->id);
	}
	return insert_row(rel, values);
}
