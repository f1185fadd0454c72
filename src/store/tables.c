/*
 * tables.c
 *		The extension's tables: found and opened.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/relation.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "common/relpath.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "store/columns.h"
#include "store/definitions.h"
#include "store/tables.h"
#include "store/version.h"

#define SCHEMA	"coderring"

/* coderring.series_state, as long as definitions_current() */
static Oid	series_state = InvalidOid;

static void
report_no_extension(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("the tables of the extension \"coderring\" do not exist"),
			 OidIsValid(get_extension_oid("coderring", true)) ?
			 errhint("Were the schema \"coderring\" or its tables renamed or moved? Undo that; DROP EXTENSION would lose all rings.") :
			 errhint("CREATE EXTENSION coderring WITH SCHEMA public;")));
}

/*
 * The OID of one of the extension's relations, by name in its schema.
 */
Oid
tables_relation(const char *name)
{
	Oid			namespace = get_namespace_oid(SCHEMA, true);
	Oid			relid = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;

	if (!OidIsValid(relid))
		report_no_extension();
	return relid;
}

/*
 * Open a table of the extension.  DROP EXTENSION may have been faster.  Raises
 * 55000 if it has not so many columns, or others, since somebody has altered it, if the
 * library does not serve this version of the extension, or if the table is not of
 * the one access method that is understood.
 */
Relation
tables_open(Oid relid, int columns, LOCKMODE mode)
{
	Relation	rel;

	if (!definitions_current())
		version_check();
	rel = try_relation_open(relid, mode);
	if (rel == NULL)
		report_no_extension();
	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"coderring.%s\" is not a heap table", RelationGetRelationName(rel)),
				 errdetail("How far series have come is written in place, which no other access method is known to bear."),
				 errhint("ALTER TABLE coderring.%s SET ACCESS METHOD heap;", RelationGetRelationName(rel))));
	columns_check(rel, columns);
	return rel;
}

/*
 * Raise 55000 if a table is none of the extension's: somebody has put a copy of
 * one in its place, which lacks what was written in place meanwhile.
 */
static void
check_member(Oid relid)
{
	Oid			extension = get_extension_oid("coderring", true);

	if (OidIsValid(extension) && !creating_extension &&
		getExtensionOfObject(RelationRelationId, relid) != extension)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"coderring.%s\" is not the table of the extension \"coderring\"", get_rel_name(relid)),
				 errdetail("A copy of a table lacks what was handed out since it was made."),
				 errhint("Put the extension's own table back in its place.")));
}

/*
 * Look up the tables that definitions need, for as long as what is remembered
 * of them is good.
 */
void
tables_look_up(void)
{
	static const char *const names[DEFINITIONS_TABLES] =
	{"ring", "series_state", "ring_grant", "blocklist", "skipped_positions"};
	Oid			tables[DEFINITIONS_TABLES];

	for (int i = 0; i < DEFINITIONS_TABLES; i++)
		tables[i] = tables_relation(names[i]);
	definitions_watch(tables);
	check_member(tables[0]);
	check_member(tables[1]);
	series_state = tables[1];
}

/* The OID of coderring.series_state. */
Oid
tables_series_state(void)
{
	return definitions_current() ? series_state : tables_relation("series_state");
}

#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

/*
 * What tells this database from another one that has had its OID, as CREATE
 * DATABASE ... OID allows: which file its PG_VERSION is, and from when.  It is
 * another one after ALTER DATABASE ... SET TABLESPACE too, which nobody is
 * connected through: what was in entries is skipped then.
 */
uint32
tables_database_instance(void)
{
	static bool known = false;
	static uint32 instance;

	if (!known)
	{
		char	   *directory = GetDatabasePath(MyDatabaseId, MyDatabaseTableSpace);
		char	   *path = psprintf("%s/PG_VERSION", directory);
		struct stat st;
		uint64		parts[3];

		if (stat(path, &st) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_IO_ERROR),
					 errmsg("could not look up the directory of the database"),
					 errdetail("\"%s\": %m.", path)));
		parts[0] = st.st_ino;
		parts[1] = st.st_mtim.tv_sec;
		parts[2] = st.st_mtim.tv_nsec;
		instance = hash_bytes((const unsigned char *) parts, sizeof(parts));
		known = true;
		pfree(path);
		pfree(directory);
	}
	return instance;
}
