/*
 * version.c
 *		Which scripts the library serves.
 *
 * A package replaces the library for all databases at once, and each database has
 * the objects of a script until ALTER EXTENSION coderring UPDATE runs there.  The
 * library serves every script from OLDEST_SCRIPT to its own version.  Everything else is
 * refused, before a row is read: a code handed out by rules that do not fit could
 * come twice.  (The layout of shared memory: control.c.)
 */
#include "postgres.h"

#include <ctype.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "store/version.h"

/* The oldest script whose objects this library can serve. */
#define OLDEST_SCRIPT	"1.0.0"

/* What a version goes on with: more numbers, nothing, letters; the later one is greater. */
static int
rank_of_rest(const char *rest)
{
	return isdigit((unsigned char) *rest) ? 2 : *rest == '\0' ? 1 : 0;
}

/*
 * Compares versions as numbers between dots: negative, 0 or positive.  What
 * follows the numbers ("-dev") makes a version come before the one without.
 */
static int
compare_versions(const char *a, const char *b)
{
	while (isdigit((unsigned char) *a) && isdigit((unsigned char) *b))
	{
		char	   *a_end;
		char	   *b_end;
		long		a_number = strtol(a, &a_end, 10);
		long		b_number = strtol(b, &b_end, 10);

		if (a_number != b_number)
			return a_number < b_number ? -1 : 1;
		a = a_end + (*a_end == '.');
		b = b_end + (*b_end == '.');
	}
	if (rank_of_rest(a) != rank_of_rest(b))
		return rank_of_rest(a) - rank_of_rest(b);
	return strcmp(a, b);
}

/*
 * The version of the script that made this database's objects, or NULL if the
 * extension is not there (its objects may be, made by hand).
 */
static char *
script_version(void)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *version = NULL;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("coderring"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(rel), &isnull);

		if (!isnull)
			version = text_to_cstring(DatumGetTextPP(value));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return version;
}

/*
 * Raises 55000 if the library cannot serve the objects of this database.  Not
 * while a script runs: what it calls is in the middle between two versions.
 */
void
version_check(void)
{
	char	   *script;

	if (creating_extension)
		return;
	script = script_version();
	if (script == NULL)
		return;
	if (compare_versions(script, CODERRING_VERSION) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the extension \"coderring\" of this database is newer than its library"),
				 errdetail("The extension has version %s, the library %s.", script, CODERRING_VERSION),
				 errhint("Install the library of version %s, and restart the server if it preloads coderring.", script)));
	if (compare_versions(script, OLDEST_SCRIPT) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the extension \"coderring\" of this database is older than its library can serve"),
				 errdetail("The extension has version %s, the library %s, which serves versions from %s on.",
						   script, CODERRING_VERSION, OLDEST_SCRIPT),
				 errhint("ALTER EXTENSION coderring UPDATE;")));
	pfree(script);
}

PG_FUNCTION_INFO_V1(coderring_check_version);

/* coderring.check_version(): raises what any other function would raise. */
Datum
coderring_check_version(PG_FUNCTION_ARGS)
{
	version_check();
	PG_RETURN_VOID();
}
