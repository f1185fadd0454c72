/*
 * definitions.c
 *		Is what this process remembers of definitions still true?
 *
 * Every committed change of a definition raises the version in the control block
 * (see pending.c), and every call compares it with the one that was there when
 * this process began to remember.  On a standby, and where tables or roles change,
 * invalidations do the same.
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/syscache.h"

#include "shmem/control.h"
#include "store/definitions.h"
#include "store/version.h"

uint64		definitions_read_version = 0;
uint64		definitions_begun = 0;

/* Tables whose loss invalidates everything. */
static Oid	watched[DEFINITIONS_TABLES];

static void
on_relation_change(Datum arg, Oid relid)
{
	bool		ours = relid == InvalidOid;

	for (int i = 0; i < DEFINITIONS_TABLES; i++)
		ours = ours || relid == watched[i];
	if (ours)
		definitions_forget();
}

static void
on_role_change(Datum arg, int cacheid, uint32 hash)
{
	definitions_forget();
}

void
definitions_init(void)
{
	CacheRegisterRelcacheCallback(on_relation_change, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, on_role_change, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, on_role_change, (Datum) 0);

	/* The owner of the database is a member of pg_database_owner. */
	CacheRegisterSyscacheCallback(DATABASEOID, on_role_change, (Datum) 0);
}

/*
 * Begin to read definitions anew: what was remembered is not good from now on.
 * Returns their version, for definitions_end().
 */
uint64
definitions_begin(void)
{
	/*
	 * Read it first: a change that commits while definitions are read then shows
	 * at the next comparison.
	 */
	uint64		version = control_definitions_version();

	version_check();

	/* Without this, names would be looked up as they were at some earlier time. */
	AcceptInvalidationMessages();
	pg_read_barrier();
	definitions_read_version = 0;
	definitions_begun++;
	return version;
}

/* Tell these tables' changes, those of definitions. */
void
definitions_watch(const Oid *tables)
{
	memcpy(watched, tables, sizeof(watched));
}

/* What is remembered from now on is good, as long as the version stays. */
void
definitions_end(uint64 version)
{
	definitions_read_version = version;
}
