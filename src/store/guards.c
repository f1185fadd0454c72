/*
 * guards.c
 *		Is what keeps a table of the extension true still in force?
 *
 * Triggers see to it that nothing that SQL, a restore or logical replication
 * writes makes codes come twice; for workers of logical replication they have
 * to be ENABLE ALWAYS.  PostgreSQL's ENABLE TRIGGER ALL, with which a restore
 * with --disable-triggers ends, leaves them less than that for good.  And no
 * table may be one that a crash empties.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

#include "store/guards.h"
#include "store/tables.h"

#define MAX_TRIGGERS	3

typedef struct Guards
{
	const char *table;
	const char *triggers[MAX_TRIGGERS];
} Guards;

static const Guards guards[] = {
	{"ring", {"admit_row", "definitions_changed", "refuse_truncate"}},
	{"ring_grant", {"admit_row", "definitions_changed", "refuse_truncate"}},
	{"blocklist", {"admit_row", "definitions_changed", "refuse_truncate"}},
	{"series_state", {"admit_row", "refuse_change", "refuse_truncate"}},
	{"skipped_positions", {"admit_row", "refuse_change", "refuse_truncate"}},
};

static const Guards *
guards_of(Relation rel)
{
	for (int i = 0; i < (int) lengthof(guards); i++)
	{
		if (strcmp(guards[i].table, RelationGetRelationName(rel)) == 0)
			return &guards[i];
	}
	elog(ERROR, "nothing guards \"%s\"", RelationGetRelationName(rel));
	return NULL;
}

/* The state of a trigger as pg_trigger has it, 0 if there is none of that name. */
static char
state_of(Relation rel, const char *name)
{
	const TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (strcmp(triggers->triggers[i].tgname, name) == 0)
			return triggers->triggers[i].tgenabled;
	}
	return 0;
}

/* The first trigger that is not as it should be, NULL if all are. */
static const char *
open_guard(Relation rel)
{
	const Guards *own = guards_of(rel);

	for (int i = 0; i < MAX_TRIGGERS; i++)
	{
		if (state_of(rel, own->triggers[i]) != TRIGGER_FIRES_ALWAYS)
			return own->triggers[i];
	}
	return NULL;
}

/*
 * Are all guards of a table in force, and is it one that survives a crash?
 */
static bool
guards_hold(Relation rel)
{
	return rel->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT && open_guard(rel) == NULL;
}

/*
 * Raise 55000, with what to type, if not.
 */
void
guards_check(Relation rel)
{
	const char *table = RelationGetRelationName(rel);
	const char *open = open_guard(rel);
	StringInfoData remedy;

	if (rel->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot take codes while \"coderring.%s\" is unlogged", table),
				 errdetail("A crash empties the table, and then codes would come again."),
				 errhint("ALTER TABLE coderring.%s SET LOGGED; if the server has crashed meanwhile, what was in the table is lost: restore a backup.",
						 table)));
	if (open == NULL)
		return;
	initStringInfo(&remedy);
	for (int i = 0; i < MAX_TRIGGERS; i++)
		appendStringInfo(&remedy, "%s ENABLE ALWAYS TRIGGER %s", i > 0 ? "," : "", guards_of(rel)->triggers[i]);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot take codes while trigger \"%s\" of \"coderring.%s\" is not enabled always", open, table),
			 errdetail("It keeps what restores and logical replication write from making codes come twice. A restore with --disable-triggers leaves it like this."),
			 state_of(rel, open) != 0 ?
			 errhint("ALTER TABLE coderring.%s%s;", table, remedy.data) :
			 errhint("It was dropped: create it again as the script of the extension does, ENABLE ALWAYS.")));
}

/*
 * There are no codes unless the guards of all these are in force.  Those of
 * series_state are asked for when it is written.
 */
static const char *const definitions[] = {"ring", "ring_grant", "blocklist", "skipped_positions"};

/*
 * Are the guards of all these tables in force?  If not, with `raise`, 55000 for
 * the first that is not.
 */
bool
guards_of_definitions(bool raise)
{
	bool		hold = true;

	for (int i = 0; hold && i < (int) lengthof(definitions); i++)
	{
		Relation	rel = table_open(tables_relation(definitions[i]), AccessShareLock);

		if (raise)
			guards_check(rel);
		hold = guards_hold(rel);
		table_close(rel, AccessShareLock);
	}
	return hold;
}

/*
 * Raise 55000 for a change by SQL that is not admitted, with what to call
 * instead.
 */
void
guards_report_change(Relation rel)
{
	const char *table = RelationGetRelationName(rel);
	bool		is_ring = strcmp(table, "ring") == 0;
	bool		is_grant = strcmp(table, "ring_grant") == 0;
	bool		is_list = strcmp(table, "blocklist") == 0;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot change \"coderring.%s\" by SQL", table),
			 is_ring ? errdetail("A ring takes with it how far its series have come; created again, it would hand out other codes, or the same ones twice.") :
			 is_grant ? errdetail("Grants must not be lost by accident.") :
			 is_list ? errdetail("Rings are filtered with the lists, and those that are built in would be gone for good.") :
			 errdetail("Its rows are written outside of transactions; a change could make codes come twice."),
			 is_ring ? errhint("Use coderring_drop or coderring_reset.") :
			 is_grant ? errhint("Use coderring_revoke.") :
			 is_list ? errhint("Use coderring_define_blocklist, with NULL to drop a list.") :
			 errhint("Use coderring_advance, coderring_reset or coderring_drop.")));
	pg_unreachable();
}
