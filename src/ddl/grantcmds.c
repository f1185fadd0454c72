/*
 * grantcmds.c
 *		Grants of rings, and their owners, changed.
 *
 * All changes are transactional and reach every session at once, in the way of a
 * rename: see pending.c.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "ddl/grantcmds.h"
#include "store/acl.h"
#include "store/pending.h"
#include "store/ring.h"
#include "store/rows.h"
#include "store/scan.h"
#include "store/tables.h"

static Oid
grantee_oid(const char *role)
{
	return strcmp(role, GRANT_PUBLIC_NAME) == 0 ? GRANT_PUBLIC_OID : get_role_oid(role, false);
}

/*
 * Delete grants of a ring: those of a role, or all (role_name NULL).  A row
 * goes also if it has the role's name and the OID of a role which was dropped:
 * two rows of one name could not be restored.
 */
static void
delete_grants(const pg_uuid_t *ring, const char *ring_name, Oid role, const char *role_name)
{
	Relation	rel = tables_open(tables_relation("ring_grant"), Natts_grant, RowExclusiveLock);
	RowScan		scan;
	HeapTuple	tuple;

	acl_begin_scan(&scan, rel, ring);
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		bool		isnull;
		Datum		name = heap_getattr(tuple, Anum_grant_role_name, RelationGetDescr(rel), &isnull);

		if ((role_name == NULL || acl_grantee(rel, tuple) == role ||
			 (strcmp(NameStr(*DatumGetName(name)), role_name) == 0 &&
			  GetUserNameFromId(acl_grantee(rel, tuple), true) == NULL)) &&
			!rows_delete(rel, &tuple->t_self))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("grants of ring \"%s\" are being changed by SQL", ring_name)));
	}
	scan_end(&scan);
	table_close(rel, NoLock);
}

/*
 * What was granted goes with the ring.
 */
void
grantcmds_delete_all(const pg_uuid_t *ring, const char *ring_name)
{
	delete_grants(ring, ring_name, InvalidOid, NULL);
}

/*
 * Find a ring that the current user may change, and keep others from changing
 * it before the transaction ends.
 */
static void
find_to_alter(Relation rel, const char *name, Ring *ring)
{
	if (!acl_ring_to_change(rel, name, LockTupleNoKeyExclusive, ring))
		ring_report_missing(name);
	pending_definitions_changed();
}

static void
insert_grant(const pg_uuid_t *ring, Oid grantee, const char *role)
{
	Relation	rel = tables_open(tables_relation("ring_grant"), Natts_grant, RowExclusiveLock);
	Datum		values[Natts_grant];
	bool		nulls[Natts_grant] = {false};
	NameData	role_name;

	namestrcpy(&role_name, role);
	values[Anum_grant_ring_id - 1] = UUIDPGetDatum(ring);
	values[Anum_grant_role - 1] = ObjectIdGetDatum(grantee);
	values[Anum_grant_role_name - 1] = NameGetDatum(&role_name);
	rows_insert(rel, values, nulls);
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

/*
 * Let a role, or "public", take codes of a ring.  42704 if there is no such
 * ring or role, 42501 if the ring belongs to others.
 */
void
grantcmds_grant(const char *name, const char *role)
{
	Oid			grantee = grantee_oid(role);
	Relation	rings = tables_open(tables_relation("ring"), Natts_ring, RowShareLock);
	Ring		ring;

	find_to_alter(rings, name, &ring);

	/* Given anew, it has the role's present name, should it have changed. */
	delete_grants(&ring.id, ring.name, grantee, role);
	CommandCounterIncrement();
	while (role != NULL)
	{
		Oid			renamed = InvalidOid;
		const char *renamed_to = NULL;

		/* Another role's that had this name: that row gets its present one. */
		if (acl_find_grant(&ring.id, role, &renamed))
		{
			renamed_to = GetUserNameFromId(renamed, false);
			delete_grants(&ring.id, ring.name, renamed, renamed_to);
			CommandCounterIncrement();
		}
		insert_grant(&ring.id, grantee, role);
		grantee = renamed;
		role = renamed_to;
	}
	table_close(rings, NoLock);
}

/*
 * Take a grant back; no error if it was never given.
 */
void
grantcmds_revoke(const char *name, const char *role)
{
	Oid			grantee = grantee_oid(role);
	Relation	rings = tables_open(tables_relation("ring"), Natts_ring, RowShareLock);
	Ring		ring;

	find_to_alter(rings, name, &ring);
	delete_grants(&ring.id, ring.name, grantee, role);
	table_close(rings, NoLock);
	CommandCounterIncrement();
}

/*
 * Give a ring to another role.  As with tables, the current user must be able
 * to act as the new owner, superusers excepted.
 */
void
grantcmds_change_owner(const char *name, const char *new_owner)
{
	Oid			owner = get_role_oid(new_owner, false);
	Relation	rings = tables_open(tables_relation("ring"), Natts_ring, RowExclusiveLock);
	Ring		ring;
	NameData	owner_name;
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring] = {false};
	bool		replace[Natts_ring] = {false};

	find_to_alter(rings, name, &ring);
	coderring_check_can_own(GetUserId(), owner);
	namestrcpy(&owner_name, new_owner);
	values[Anum_ring_owner - 1] = ObjectIdGetDatum(owner);
	replace[Anum_ring_owner - 1] = true;
	values[Anum_ring_owner_name - 1] = NameGetDatum(&owner_name);
	replace[Anum_ring_owner_name - 1] = true;
	ring_update(rings, &ring, values, nulls, replace);
	table_close(rings, NoLock);
	CommandCounterIncrement();
}
