/*
 * acl.c
 *		Who may take codes of a ring, and who may change it.
 *
 * A grant is a row of coderring.ring_grant with the role's OID, which decides,
 * and its name, by which a trigger finds the OID when a dump is restored.  (An
 * aclitem or a bare OID in a table is not seen by DROP ROLE, and then a dump
 * does not restore.)  A role that has been dropped leaves a row that is good
 * for nobody.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "store/acl.h"
#include "store/ring.h"
#include "store/rows.h"
#include "store/scan.h"
#include "store/tables.h"

void
acl_begin_scan(RowScan *scan, Relation rel, const pg_uuid_t *ring)
{
	static const AttrNumber columns[] = {Anum_grant_ring_id};
	ScanKeyData key;

	ScanKeyInit(&key, Anum_grant_ring_id, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(ring));
	scan_begin(scan, rel, SnapshotSelf, 1, &key, lengthof(columns), columns);
}

Oid
acl_grantee(Relation rel, HeapTuple tuple)
{
	bool		isnull;

	return DatumGetObjectId(heap_getattr(tuple, Anum_grant_role, RelationGetDescr(rel), &isnull));
}

/*
 * The OIDs of the roles that a ring is granted to.
 */
List *
acl_list(const pg_uuid_t *ring)
{
	List	   *grantees = NIL;
	Relation	rel = tables_open(tables_relation("ring_grant"), Natts_grant, AccessShareLock);
	RowScan		scan;
	HeapTuple	tuple;

	acl_begin_scan(&scan, rel, ring);
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
		grantees = lappend_oid(grantees, acl_grantee(rel, tuple));
	scan_end(&scan);
	table_close(rel, AccessShareLock);
	return grantees;
}

/*
 * Is there a grant of a ring by that name of a role?  *role is its OID then.
 */
bool
acl_find_grant(const pg_uuid_t *ring, const char *role_name, Oid *role)
{
	bool		found = false;
	Relation	rel = tables_open(tables_relation("ring_grant"), Natts_grant, AccessShareLock);
	RowScan		scan;
	HeapTuple	tuple;

	acl_begin_scan(&scan, rel, ring);
	while (!found && HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		bool		isnull;
		Datum		name = heap_getattr(tuple, Anum_grant_role_name, RelationGetDescr(rel), &isnull);

		found = strcmp(NameStr(*DatumGetName(name)), role_name) == 0;
		*role = acl_grantee(rel, tuple);
	}
	scan_end(&scan);
	table_close(rel, AccessShareLock);
	return found;
}

bool
acl_exists(const pg_uuid_t *ring, const char *role_name)
{
	Oid			role;

	return acl_find_grant(ring, role_name, &role);
}

/*
 * May a user take codes by what was granted?
 */
static bool
allowed_by_grant(const pg_uuid_t *ring, Oid user)
{
	List	   *grantees = acl_list(ring);
	ListCell   *cell;
	bool		allowed = false;

	foreach(cell, grantees)
	{
		Oid			role = lfirst_oid(cell);

		if (role == GRANT_PUBLIC_OID || has_privs_of_role(user, role))
		{
			allowed = true;
			break;
		}
	}
	list_free(grantees);
	return allowed;
}

/* May a user drop, reset, rename and grant a ring? */
bool
acl_may_change(const Ring *ring, Oid user)
{
	return superuser_arg(user) ||
		(OidIsValid(ring->owner) && has_privs_of_role(user, ring->owner));
}

/* May a user take codes? */
bool
acl_may_use(const Ring *ring, Oid user)
{
	return acl_may_change(ring, user) || allowed_by_grant(&ring->id, user);
}

/* Raise 42501 for what the current user may not do. */
void
acl_report_denied(const Ring *ring, bool change)
{
	char	   *owner = GetUserNameFromId(ring->owner, true);
	char	   *user = GetUserNameFromId(GetUserId(), false);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 change ? errmsg("must be owner of ring \"%s\"", ring->name) :
			 errmsg("permission denied for ring \"%s\"", ring->name),
			 owner != NULL ?
			 errdetail("The ring belongs to role \"%s\".", owner) :
			 errdetail("The ring's owner is not a role of this server; only superusers may change the ring."),
			 change || owner == NULL ? 0 :
			 errhint("Its owner can let the role \"%s\" take codes: SELECT coderring_grant(%s, %s);",
					 user, quote_literal_cstr(ring->name), quote_literal_cstr(user))));
	pg_unreachable();
}

/*
 * Find a ring that the current user may change, and lock its row: what is
 * returned stays true until the end of the transaction.  False if there is no
 * such ring.  The mode is that of what is to follow: LockTupleExclusive for one
 * that takes the incarnation away, LockTupleNoKeyExclusive for others.
 */
bool
acl_ring_to_change(Relation rel, const char *name, LockTupleMode mode, Ring *ring)
{
	while (ring_read(rel, name, ring))
	{
		/* Whoever may not change a ring must not hold it up either. */
		if (!acl_may_change(ring, GetUserId()))
			acl_report_denied(ring, true);
		switch (rows_lock(rel, &ring->tid, mode))
		{
			case TM_Ok:
				return true;
			case TM_Updated:
			case TM_Deleted:
				break;			/* by somebody who has committed */
			default:
				ring_report_changing(name);
		}
	}
	return false;
}
