/*
 * storage.c
 *		Does what is written to a table last?
 *
 * series.c writes outside of transactions, and codes go out on the strength of
 * it.  So nothing is written where a rollback, a crash or a tool takes it away.
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

#include "compat.h"
#include "store/guards.h"
#include "store/storage.h"

/*
 * Was a file of the table made in this very transaction?  Where the table itself
 * was, the rings go the same way as the file; not so if the file is newer still.
 */
static bool
made_here(Relation rel, Relation table)
{
	return RelationNewFileSubid(rel) != InvalidSubTransactionId ||
		rel->rd_createSubid != table->rd_createSubid;
}

/*
 * Is this an index by which tools take a row for the same one before and after
 * a change, and so rewrite the table?
 */
static bool
identifies_rows(Relation index, Relation table)
{
	if (!index->rd_index->indisunique || !index->rd_index->indisvalid || RelationGetIndexPredicate(index) != NIL)
		return false;
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
	{
		AttrNumber	column = index->rd_index->indkey.values[i];

		if (column <= 0 || !TupleDescAttr(RelationGetDescr(table), column - 1)->attnotnull)
			return false;
	}
	return true;
}

/*
 * Refuse to write to files that do not last: what a rollback would throw away,
 * because this transaction has rewritten the table or an index of it (CLUSTER,
 * REINDEX, ALTER TABLE, a key dropped and added again), or a crash would empty.
 * A row of a file that stays whose entry was in an index that went would not be
 * found any more; nor one without an entry in an index that this transaction has
 * dropped and a rollback brings back.  Whatever does such things has locked the
 * table more than writers do.  Nor does anything last where the table has a key:
 * see the head of series.c.
 */
void
storage_check(Relation rel)
{
	List	   *indexes;
	ListCell   *cell;
	bool		lasts = !made_here(rel, rel);
	NameData	key = {0};

	guards_check(rel);
	indexes = RelationGetIndexList(rel);
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		lasts = lasts && !made_here(index, rel);
		if (identifies_rows(index, rel))
			key = index->rd_rel->relname;
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	if (NameStr(key)[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot take codes while \"coderring.%s\" has a key over columns that are not null",
						RelationGetRelationName(rel)),
				 errdetail("By the index \"%s\" a tool such as pg_repack would rewrite the table, and lose what is written in place.",
						   NameStr(key)),
				 errhint("Drop the constraint that was added, and the NOT NULL that came with it.")));
	if (rel->rd_createSubid == InvalidSubTransactionId && CheckRelationLockedByMe(rel, ShareLock, true))
		lasts = false;
	if (!lasts)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot take codes in a transaction that has changed or locked \"coderring.%s\"",
						RelationGetRelationName(rel)),
				 errdetail("What is reserved now could be forgotten if the transaction rolled back."),
				 errhint("Commit the transaction first.")));
}
