/*
 * triggers.c
 *		Triggers: rows of definitions that come from elsewhere, and what follows a change.
 *
 * OIDs of roles differ from server to server, so the name decides: the trigger
 * finds the OID.  A ring or list whose owner is no role here is left to
 * superusers; a grantee who is none is left out.
 *
 * Logical replication brings definitions, and nothing of how far series have
 * come.  Two servers that hand out codes of one ring would give the same ones.
 * So a ring that comes that way is marked, and hands out nothing here
 * (ring_check_dispenses) until coderring_recover() or coderring_reset() says
 * that its codes are this server's.  The mark is each server's own: it is never
 * taken from the row that comes.  A ring without the mark is this server's: a
 * change on the other side, where it was dropped or reset, does not take its
 * codes away here, and who owns it and may take codes is decided here.  Lists of
 * words have such a mark, too, until somebody here defines them.
 *
 * A row that would collide with one that is here is left out, with a line in
 * the log: an error would stop the worker, and all tables with it.  So a ring
 * that was made on both sides stays on each side what it is, and so does a list
 * of words.  A list that rings here use is not deleted, nor changed so that one
 * that hands out codes here would have too few.
 *
 * How far series have come is table data, too.  Where a row is here already, of
 * a dump that is loaded twice or into a database whose rings are in use, or of an
 * initial copy that is made again, the series moves to where the new row says,
 * if that is further, and the row is left out: an error would leave out all
 * others.
 *
 * SQL may change what does not tell one code from another: an UPDATE of what
 * does is refused.  SQL deletes nothing: a tool that empties all tables, or loads
 * them anew, would take the series of all rings with them.  (A ring with a damaged
 * definition, which no function can drop, may be deleted.)  A row that comes back
 * in the transaction that has deleted it is refused.
 *
 * What the extension itself writes passes unchanged, whatever the session's
 * settings are.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "codes/capacity.h"
#include "codes/failover.h"
#include "compat.h"
#include "core/codec.h"
#include "core/permutation.h"
#include "ddl/blocklistcmds.h"
#include "ddl/ringcmds.h"
#include "recover.h"
#include "shmem/shared.h"
#include "store/acl.h"
#include "store/blocklist.h"
#include "store/guards.h"
#include "store/pending.h"
#include "store/ring.h"
#include "store/rows.h"
#include "store/series.h"
#include "store/state.h"
#include "store/tables.h"

PG_FUNCTION_INFO_V1(coderring_admit_row);
PG_FUNCTION_INFO_V1(coderring_definitions_changed);
PG_FUNCTION_INFO_V1(coderring_refuse_change);

/* One of the three tables, and its columns. */
typedef struct Table
{
	Relation	rel;
	bool		is_grant;
	bool		is_list;
	int			role;			/* number of the column with the OID */
} Table;

/*
 * Is a row written by logical replication?  IsLogicalWorker() tells the
 * workers of CREATE SUBSCRIPTION, for the initial copy and for what follows.
 * Others that apply changes (pglogical, and programs that do it by SQL) set an
 * origin, so that changes do not go round in circles, or
 * session_replication_role, as pgcopydb, Bucardo and Debezium's consumers do.
 */
static bool
written_by_replication(void)
{
	return IsLogicalWorker() || coderring_has_origin() ||
		SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA;
}

static Datum
column(const Table *table, HeapTuple tuple, const char *name)
{
	TupleDesc	desc = RelationGetDescr(table->rel);
	int			number = SPI_fnumber(desc, name);
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (number > 0)
		value = heap_getattr(tuple, number, desc, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\" of relation \"%s\" violates not-null constraint",
						name, RelationGetRelationName(table->rel))));
	return value;
}

/* What the table's own constraints say: of a number, or of the length of a text in bytes. */
typedef struct Limits
{
	const char *column;
	int64		min;
	int64		max;
} Limits;

static const Limits ring_ranges[] = {
	{"name", 1, RING_NAME_MAX_LEN},
	{"key", PERMUTATION_KEY_LEN, PERMUTATION_KEY_LEN},
	{"first_cycle", 0, PG_INT64_MAX},
	{"new_series_cycle", 0, PG_INT64_MAX},
	{"base_length", 1, CODEC_MAX_BASE_LENGTH},
	{"max_length", 1, PG_INT64_MAX},
	{"alphabet", CODEC_MIN_ALPHABET, CODEC_MAX_ALPHABET},
	{"blocklist", 1, RING_LISTS_MAX_LEN},
	{"no_extra", 1, 0},			/* nothing but NULL */
};

static int64
measure(Oid type, Datum value)
{
	switch (type)
	{
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return DatumGetInt64(value);
		default:
			return toast_raw_datum_size(value) - VARHDRSZ;
	}
}

/*
 * Raise the error of the first constraint that a ring's row violates.
 * PostgreSQL's own shows the row, in the server's log as well, and with it
 * nearly all of the key.
 */
static void
check_ring_row(const Table *table, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(table->rel);

	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attnotnull && !TupleDescAttr(desc, i)->attisdropped)
			(void) column(table, tuple, NameStr(TupleDescAttr(desc, i)->attname));
	}
	for (int i = 0; i < (int) lengthof(ring_ranges); i++)
	{
		const Limits *range = &ring_ranges[i];
		int			number = SPI_fnumber(desc, range->column);
		bool		isnull = true;
		Datum		value = number > 0 ? heap_getattr(tuple, number, desc, &isnull) : (Datum) 0;
		int64		measured = isnull ? 0 : measure(TupleDescAttr(desc, number - 1)->atttypid, value);

		if (!isnull && (measured < range->min || measured > range->max))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("new row for relation \"%s\" violates check constraint \"ring_%s_check\"",
							RelationGetRelationName(table->rel), range->column)));
	}
}

static HeapTuple
replace_column(const Table *table, HeapTuple tuple, int number, Datum value)
{
	bool		isnull = false;

	return heap_modify_tuple_by_cols(tuple, RelationGetDescr(table->rel), 1, &number, &value, &isnull);
}

/*
 * The row with the OID that its role has here; NULL for a grant to a role that
 * is none.
 */
static HeapTuple
find_role(const Table *table, HeapTuple tuple)
{
	const char *name = NameStr(*DatumGetName(column(table, tuple, table->is_grant ? "role_name" : "owner_name")));
	Oid			role = GRANT_PUBLIC_OID;

	if (!table->is_grant || strcmp(name, GRANT_PUBLIC_NAME) != 0)
	{
		role = get_role_oid(name, true);
		if (!OidIsValid(role))
			ereport(WARNING,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("role \"%s\" of a %s does not exist", name, table->is_list ? "blocklist" : "ring"),
					 table->is_grant ? errdetail("It was allowed to take codes.") :
					 table->is_list ? errdetail("It was the owner; only superusers may change the list.") :
					 errdetail("It was the owner; only superusers may change the ring.")));
		if (!OidIsValid(role) && table->is_grant)
			return NULL;
	}
	return replace_column(table, tuple, table->role, ObjectIdGetDatum(role));
}

static bool
same_column(const Table *table, HeapTuple a, HeapTuple b, const char *name)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table->rel),
												SPI_fnumber(RelationGetDescr(table->rel), name) - 1);

	return datum_image_eq(column(table, a, name), column(table, b, name), attribute->attbyval, attribute->attlen);
}

static bool
same_incarnation(const Table *table, HeapTuple a, HeapTuple b)
{
	return same_column(table, a, b, "incarnation");
}

/*
 * The first column of those that tell codes of one incarnation from others
 * which differs, NULL if none does.
 */
static const char *
other_codes(const Table *table, HeapTuple old, HeapTuple tuple)
{
	static const char *const names[] = {"id", "key", "alphabet", "base_length", "check_character", "first_cycle"};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (!same_column(table, old, tuple, names[i]))
			return names[i];
	}
	return NULL;
}

/*
 * Is a ring to be deleted, or to get other codes, of which this server hands
 * out codes?
 */
static bool
takes_codes_away(const Table *table, HeapTuple old, HeapTuple tuple)
{
	return !DatumGetBool(column(table, old, "replicated")) &&
		(tuple == NULL || !same_incarnation(table, old, tuple) || other_codes(table, old, tuple) != NULL);
}

/*
 * Would a ring hand out too few codes, or none, since the row is damaged, or its
 * lists of words are not here, or block too much?
 */
static bool
ends_its_codes(const Table *table, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(table->rel);
	bool		damaged = ring_is_damaged(tuple, desc);
	Ring		ring = {0};

	if (!damaged)
		ring_from_tuple(&ring, tuple, desc);
	return damaged || !blocklist_find_id(&ring) || !capacity_left(&ring);
}

/* Has a ring other lists of words now? */
static bool
other_lists(const Table *table, HeapTuple old, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(table->rel);
	bool		had_none;
	bool		has_none;
	Datum		had = heap_getattr(old, Anum_ring_blocklist, desc, &had_none);
	Datum		has = heap_getattr(tuple, Anum_ring_blocklist, desc, &has_none);

	return had_none != has_none ||
		(!had_none && strcmp(TextDatumGetCString(had), TextDatumGetCString(has)) != 0);
}

/* A row with a column as it is here, NULL if it is. */
static HeapTuple
keep_column(const Table *table, HeapTuple old, HeapTuple tuple, int number)
{
	bool		isnull;
	Datum		value = heap_getattr(old, number, RelationGetDescr(table->rel), &isnull);

	return heap_modify_tuple_by_cols(tuple, RelationGetDescr(table->rel), 1, &number, &value, &isnull);
}

/*
 * A ring of this server's own that replication changes, with the owner that it
 * has.
 */
static HeapTuple
keep_owner(const Table *table, HeapTuple old, HeapTuple tuple)
{
	if (!same_column(table, old, tuple, "owner_name"))
		ereport(LOG,
				(errmsg("left out a change of the owner of ring \"%s\" that arrived by logical replication",
						TextDatumGetCString(column(table, old, "name"))),
				 errdetail("The ring is this server's, and keeps the owner that it has here.")));
	tuple = keep_column(table, old, tuple, Anum_ring_owner_name);
	return keep_column(table, old, tuple, Anum_ring_owner);
}

/*
 * A ring that replication brings (old is NULL), changes or deletes (tuple is
 * NULL).
 */
static HeapTuple
admit_ring(const Table *table, HeapTuple old, HeapTuple tuple)
{
	HeapTuple	row = tuple != NULL ? tuple : old;
	const pg_uuid_t *id = DatumGetUUIDP(column(table, row, "id"));
	const pg_uuid_t *incarnation = DatumGetUUIDP(column(table, row, "incarnation"));
	char	   *name = TextDatumGetCString(column(table, row, "name"));
	bool		replicated = true;
	bool		own = old != NULL && takes_codes_away(table, old, tuple);

	if (own || (tuple != NULL && ring_in_the_way(table->rel, id, name, incarnation, old != NULL)))
	{
		ereport(LOG,
				(errmsg("left out a change of ring \"%s\" that arrived by logical replication", name),
				 own ? errdetail("The ring is this server's, and goes on as it is.") :
				 errdetail("There is a ring of that name, id or incarnation already.")));
		return NULL;
	}
	if (tuple == NULL)
		return old;
	if (old != NULL && same_incarnation(table, old, tuple))
	{
		/* Where new series begin never goes back, and it is this server's affair in a ring of its own. */
		int64		here = DatumGetInt64(column(table, old, "new_series_cycle"));
		int64		there = DatumGetInt64(column(table, tuple, "new_series_cycle"));

		replicated = DatumGetBool(column(table, old, "replicated"));
		if (replicated)
			here = Max(here, there);
		else
		{
			if (ring_is_damaged(tuple, RelationGetDescr(table->rel)))
			{
				ereport(LOG,
						(errmsg("left out a change of ring \"%s\" that arrived by logical replication", name),
						 errdetail("The definition that arrived is damaged.")));
				return NULL;
			}
			tuple = keep_column(table, old, tuple, Anum_ring_max_length);
			if (other_lists(table, old, tuple) && ends_its_codes(table, tuple))
			{
				ereport(LOG,
						(errmsg("left out a change of the blocklist of ring \"%s\" that arrived by logical replication", name),
						 errdetail("It would have too few codes, or its lists of words are not here.")));
				tuple = keep_column(table, old, tuple, Anum_ring_blocklist);
			}
		}
		tuple = replace_column(table, tuple, Anum_ring_new_series_cycle, Int64GetDatum(here));
		tuple = keep_column(table, old, tuple, Anum_ring_timeline);
	}
	return replace_column(table, tuple, Anum_ring_replicated, BoolGetDatum(replicated));
}

static void
report_other_codes(const Table *table, HeapTuple old, const char *column_name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot change column \"%s\" of ring \"%s\" by SQL", column_name,
					TextDatumGetCString(column(table, old, "name"))),
			 errdetail("Its codes would come twice, or not be known any more."),
			 errhint("Use coderring_reset, which gives the ring another key as well, or create another ring.")));
}

/*
 * A ring that SQL changes: what its codes are goes with its incarnation, and
 * another incarnation wants another key, as with a reset.
 */
static void
check_ring_update(const Table *table, HeapTuple old, HeapTuple tuple)
{
	const char *other = other_codes(table, old, tuple);

	if (same_incarnation(table, old, tuple))
	{
		if (other == NULL && DatumGetInt64(column(table, tuple, "new_series_cycle")) <
			DatumGetInt64(column(table, old, "new_series_cycle")))
			other = "new_series_cycle";
		if (other != NULL)
			report_other_codes(table, old, other);
	}
	else if (!same_column(table, old, tuple, "id"))
		report_other_codes(table, old, "id");
	else if (same_column(table, old, tuple, "key"))
		report_other_codes(table, old, "incarnation");
}

/*
 * A ring that SQL inserts, or gives another incarnation: not one whose series
 * this transaction has deleted.
 */
static void
check_ring_deleted(const Table *table, HeapTuple tuple)
{
	if (pending_deleted(DatumGetUUIDP(column(table, tuple, "incarnation"))))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot bring ring \"%s\" back in the transaction that has deleted it",
						TextDatumGetCString(column(table, tuple, "name"))),
				 errdetail("How far its series had come was deleted with it, so its codes would come twice."),
				 errhint("Roll back. To change a ring by SQL, UPDATE its row.")));
}

/*
 * A grant that replication brings, changes or deletes (tuple is NULL).  The ring
 * may come after it, since tables are copied at the same time.
 */
static HeapTuple
admit_grant(const Table *table, HeapTuple old, HeapTuple tuple)
{
	HeapTuple	row = tuple != NULL ? tuple : old;
	const pg_uuid_t *ring = DatumGetUUIDP(column(table, row, "ring_id"));
	const char *own = ring_name_if_own(ring);
	char	   *role_name = NameStr(*DatumGetName(column(table, row, "role_name")));

	/* Given on both sides: that is the same. */
	if (tuple != NULL && (old == NULL || !same_column(table, old, tuple, "ring_id") ||
						  !same_column(table, old, tuple, "role_name")) &&
		acl_exists(ring, role_name))
		return NULL;
	if (own == NULL && old != NULL)
		own = ring_name_if_own(DatumGetUUIDP(column(table, old, "ring_id")));
	if (own != NULL)
	{
		ereport(LOG,
				(tuple != NULL ?
				 errmsg("left out a grant of ring \"%s\" to role \"%s\" that arrived by logical replication",
						own, role_name) :
				 errmsg("left out a revoke of ring \"%s\" from role \"%s\" that arrived by logical replication",
						own, role_name),
				 errdetail("The ring is this server's: who may take its codes is decided here.")));
		return NULL;
	}
	return row;
}

/*
 * A list that replication brings, changes or deletes (tuple is NULL).
 */
static HeapTuple
admit_list(const Table *table, HeapTuple old, HeapTuple tuple)
{
	char	   *name = TextDatumGetCString(column(table, old != NULL ? old : tuple, "name"));
	char	   *new_name = tuple != NULL ? TextDatumGetCString(column(table, tuple, "name")) : NULL;
	bool		appears = new_name != NULL && (old == NULL || strcmp(new_name, name) != 0);
	bool		goes = old != NULL && (new_name == NULL || strcmp(new_name, name) != 0);
	const char *reason = NULL;

	if (old != NULL && DatumGetBool(column(table, old, "builtin")))
		return NULL;
	if (old != NULL && !DatumGetBool(column(table, old, "replicated")))
		reason = "The list is this server's, and stays as it is.";
	else if (appears && blocklist_exists(new_name))
		reason = "There is a list of that name already.";
	else if (goes && blocklistcmds_used(name))
		reason = "Rings use the list.";
	else if (tuple != NULL && !blocklistcmds_suits(new_name, DatumGetArrayTypeP(column(table, tuple, "words"))))
		reason = "It would leave too few codes of a ring that hands them out here.";
	if (reason != NULL)
	{
		ereport(LOG,
				(errmsg("left out a change of blocklist \"%s\" that arrived by logical replication", name),
				 errdetail("%s", reason)));
		return NULL;
	}
	if (tuple == NULL)
		return old;
	return replace_column(table, tuple, SPI_fnumber(RelationGetDescr(table->rel), "replicated"), BoolGetDatum(true));
}

/*
 * A row of how far a series has come, or of what it skips; NULL if it is not to
 * be inserted.
 */
static HeapTuple
admit_series(Relation rel, HeapTuple tuple)
{
	int			column = Anum_state_timeline;
	int64		timeline = failover_timeline();
	Datum		value = Int64GetDatum(timeline);
	bool		isnull = false;
	SeriesId	id;
	SeriesNumbers numbers;

	if (RelationGetRelid(rel) == tables_relation("skipped_positions"))
		return recover_admit_skip(rel, tuple) ? tuple : NULL;

	/* A gap that is still to come is the dumped database's; nothing is lost here yet. */
	if (!series_admit(rel, tuple, &id, &numbers))
	{
		numbers.timeline = timeline;
		recover_restored(&id.incarnation, id.extra, id.extra_len, &numbers);

		/* There may be nothing else in the transaction for which its commit would flush, and wait for standbys. */
		(void) GetTopTransactionId();
		ForceSyncCommit();
		return NULL;
	}
	return heap_modify_tuple_by_cols(tuple, RelationGetDescr(rel), 1, &column, &value, &isnull);
}

/*
 * Before a row of a definition is inserted, updated or deleted, or one of a
 * series is inserted.
 */
Datum
coderring_admit_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Table		table;
	Oid			relid;
	bool		inserted;
	bool		deleted;
	HeapTuple	old;
	HeapTuple	tuple;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", "coderring.admit_row")));
	inserted = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	deleted = TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
	old = inserted ? NULL : trigger->tg_trigtuple;
	tuple = inserted ? trigger->tg_trigtuple : deleted ? NULL : trigger->tg_newtuple;
	if (rows_own(trigger))
		return PointerGetDatum(deleted ? old : tuple);

	if (!inserted)
		rows_check_unwritten(trigger->tg_relation, &old->t_self);

	table.rel = trigger->tg_relation;
	relid = RelationGetRelid(table.rel);
	if (inserted && TRIGGER_FIRED_BEFORE(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event) &&
		(relid == tables_relation("series_state") || relid == tables_relation("skipped_positions")))
		return PointerGetDatum(admit_series(table.rel, tuple));
	table.is_grant = relid == tables_relation("ring_grant");
	table.is_list = relid == tables_relation("blocklist");
	table.role = SPI_fnumber(RelationGetDescr(table.rel), table.is_grant ? "role" : "owner");
	if ((!table.is_grant && !table.is_list && relid != tables_relation("ring")) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		table.role <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" is not for this trigger", "coderring.admit_row")));

	if (!deleted && !table.is_grant && !table.is_list)
	{
		check_ring_row(&table, tuple);

		/* Made here, for what new extras are concerned: see failover.c. */
		if (inserted || !same_incarnation(&table, old, tuple))
			tuple = replace_column(&table, tuple, Anum_ring_timeline, Int64GetDatum(failover_timeline()));
	}

	/* The extension's script has made the lists that are built in, here as well. */
	if (inserted && table.is_list && DatumGetBool(column(&table, tuple, "builtin")))
		return PointerGetDatum(NULL);
	if (!table.is_grant && !table.is_list && !deleted && !written_by_replication())
	{
		if (!inserted)
			check_ring_update(&table, old, tuple);
		if (inserted || !same_incarnation(&table, old, tuple))
			check_ring_deleted(&table, tuple);
	}
	if (!inserted && !written_by_replication())
	{
		if (table.is_list && DatumGetBool(column(&table, old, "builtin")))
			guards_report_change(table.rel);
		if (deleted && (table.is_grant || table.is_list || !ring_is_damaged(old, RelationGetDescr(table.rel))))
			guards_report_change(table.rel);
		return PointerGetDatum(deleted ? old : tuple);
	}
	if (written_by_replication())
	{
		tuple = table.is_grant ? admit_grant(&table, old, tuple) :
			table.is_list ? admit_list(&table, old, tuple) : admit_ring(&table, old, tuple);
		if (tuple == NULL || deleted)
			return PointerGetDatum(tuple);
		if (!inserted && !table.is_grant && !table.is_list && !DatumGetBool(column(&table, old, "replicated")))
			return PointerGetDatum(keep_owner(&table, old, tuple));
	}
	return PointerGetDatum(find_role(&table, tuple));
}

static TriggerData *
check_trigger(FunctionCallInfo fcinfo, const char *function)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", function)));
	return (TriggerData *) fcinfo->context;
}

/* The name of a list of words, NULL if there is none (the table was altered). */
static char *
list_name(Relation rel, HeapTuple tuple)
{
	int			number = SPI_fnumber(RelationGetDescr(rel), "name");
	bool		isnull = true;
	Datum		name = number > 0 ? heap_getattr(tuple, number, RelationGetDescr(rel), &isnull) : (Datum) 0;

	return isnull ? NULL : TextDatumGetCString(name);
}

/*
 * After definitions were changed: by a superuser, a restore, logical
 * replication, or this extension.  What belongs to a row that is gone goes too.
 */
Datum
coderring_definitions_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_trigger(fcinfo, "coderring.definitions_changed");
	Relation	rel = trigger->tg_relation;
	HeapTuple	row = trigger->tg_trigtuple;
	HeapTuple	new = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : NULL;

	pending_definitions_changed();
	if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && RelationGetRelid(rel) == tables_relation("blocklist"))
	{
		pending_words_changed(list_name(rel, row), NULL);
		if (new != NULL)
			pending_words_changed(list_name(rel, new), NULL);
	}
	else if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
			 RelationGetRelid(rel) == tables_relation("ring"))
		ringcmds_row_gone(row, new, RelationGetDescr(rel));
	PG_RETURN_POINTER(NULL);
}

/*
 * Before the state of a series is changed by SQL, or any table is truncated.
 * Where logical replication brings a change of a row, of a table with a replica
 * identity on the other side, an error would stop its worker for good, and all
 * tables with it.  So it is left out; the log says so once a transaction.
 */
Datum
coderring_refuse_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_trigger(fcinfo, "coderring.refuse_change");

	if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && (IsLogicalWorker() || coderring_has_origin()))
	{
		static TimestampTz logged = 0;

		if (logged != GetCurrentTransactionStartTimestamp())
			ereport(LOG,
					(errmsg("left out changes of \"coderring.%s\" that arrived by logical replication",
							RelationGetRelationName(trigger->tg_relation)),
					 errdetail("Each server keeps track of its own series.")));
		logged = GetCurrentTransactionStartTimestamp();
		PG_RETURN_POINTER(NULL);
	}
	guards_report_change(trigger->tg_relation);
}
