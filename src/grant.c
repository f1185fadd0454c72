/*
 * grant.c
 *		Who may take codes of a ring, and who may change it.
 *
 * A grant is a row of coderring.ring_grant with the role's OID, which decides,
 * and its name, by which a trigger finds the OID when a dump is restored.  (An
 * aclitem or a bare OID in a table is not seen by DROP ROLE, and then a dump
 * does not restore.)  A role that has been dropped leaves a row that is good
 * for nobody.
 *
 * All three changes are transactional and reach every session at once, in the
 * way of a rename: see lifecycle.c.
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
#include "grant.h"
#include "lifecycle.h"
#include "locks.h"
#include "rows.h"
#include "scan.h"

/* Columns of coderring.ring_grant */
enum
{
	Anum_grant_ring_id = 1,
	Anum_grant_role,
	Anum_grant_role_name,
	Natts_grant = Anum_grant_role_name
};

static Oid
grantee_oid(const char *role)
{
	return strcmp(role, GRANT_PUBLIC_NAME) == 0 ? GRANT_PUBLIC_OID : get_role_oid(role, false);
}

static void
begin_scan(RowScan *scan, Relation rel, const pg_uuid_t *ring)
{
	static const AttrNumber columns[] = {Anum_grant_ring_id};
	ScanKeyData key;

	ScanKeyInit(&key, Anum_grant_ring_id, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(ring));
	scan_begin(scan, rel, SnapshotSelf, 1, &key, lengthof(columns), columns);
}

static Oid
grantee_of(Relation rel, HeapTuple tuple)
{
	bool		isnull;

	return DatumGetObjectId(heap_getattr(tuple, Anum_grant_role, RelationGetDescr(rel), &isnull));
}

/*
 * The OIDs of the roles that a ring is granted to.
 */
List *
grant_list(const pg_uuid_t *ring)
{
	List	   *grantees = NIL;
	Relation	rel = ring_open(ring_relation("ring_grant"), Natts_grant, AccessShareLock);
	RowScan		scan;
	HeapTuple	tuple;

	begin_scan(&scan, rel, ring);
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
		grantees = lappend_oid(grantees, grantee_of(rel, tuple));
	scan_end(&scan);
	table_close(rel, AccessShareLock);
	return grantees;
}

/*
 * Is there a grant of a ring by that name of a role?  *role is its OID then.
 */
static bool
find_grant(const pg_uuid_t *ring, const char *role_name, Oid *role)
{
	bool		found = false;
	Relation	rel = ring_open(ring_relation("ring_grant"), Natts_grant, AccessShareLock);
	RowScan		scan;
	HeapTuple	tuple;

	begin_scan(&scan, rel, ring);
	while (!found && HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		bool		isnull;
		Datum		name = heap_getattr(tuple, Anum_grant_role_name, RelationGetDescr(rel), &isnull);

		found = strcmp(NameStr(*DatumGetName(name)), role_name) == 0;
		*role = grantee_of(rel, tuple);
	}
	scan_end(&scan);
	table_close(rel, AccessShareLock);
	return found;
}

bool
grant_exists(const pg_uuid_t *ring, const char *role_name)
{
	Oid			role;

	return find_grant(ring, role_name, &role);
}

/*
 * May a user take codes by what was granted?
 */
static bool
allowed_by_grant(const pg_uuid_t *ring, Oid user)
{
	List	   *grantees = grant_list(ring);
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
grant_may_change(const Ring *ring, Oid user)
{
	return superuser_arg(user) ||
		(OidIsValid(ring->owner) && has_privs_of_role(user, ring->owner));
}

/* May a user take codes? */
bool
grant_may_use(const Ring *ring, Oid user)
{
	return grant_may_change(ring, user) || allowed_by_grant(&ring->id, user);
}

/* Raise 42501 for what the current user may not do. */
void
grant_report_denied(const Ring *ring, bool change)
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
 * Delete grants of a ring: those of a role, or all (role_name NULL).  A row
 * goes also if it has the role's name and the OID of a role which was dropped:
 * two rows of one name could not be restored.
 */
static void
delete_grants(const pg_uuid_t *ring, const char *ring_name, Oid role, const char *role_name)
{
	Relation	rel = ring_open(ring_relation("ring_grant"), Natts_grant, RowExclusiveLock);
	RowScan		scan;
	HeapTuple	tuple;

	begin_scan(&scan, rel, ring);
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		bool		isnull;
		Datum		name = heap_getattr(tuple, Anum_grant_role_name, RelationGetDescr(rel), &isnull);

		if ((role_name == NULL || grantee_of(rel, tuple) == role ||
			 (strcmp(NameStr(*DatumGetName(name)), role_name) == 0 &&
			  GetUserNameFromId(grantee_of(rel, tuple), true) == NULL)) &&
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
grant_delete_all(const pg_uuid_t *ring, const char *ring_name)
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
	if (!ring_find_to_change(rel, name, LockTupleNoKeyExclusive, ring))
		ring_report_missing(name);
	lifecycle_definitions_changed();
}

static void
insert_grant(const pg_uuid_t *ring, Oid grantee, const char *role)
{
	Relation	rel = ring_open(ring_relation("ring_grant"), Natts_grant, RowExclusiveLock);
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
grant_give(const char *name, const char *role)
{
	Oid			grantee = grantee_oid(role);
	Relation	rings = ring_open(ring_relation("ring"), Natts_ring, RowShareLock);
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
		if (find_grant(&ring.id, role, &renamed))
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
grant_take(const char *name, const char *role)
{
	Oid			grantee = grantee_oid(role);
	Relation	rings = ring_open(ring_relation("ring"), Natts_ring, RowShareLock);
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
grant_change_owner(const char *name, const char *new_owner)
{
	Oid			owner = get_role_oid(new_owner, false);
	Relation	rings = ring_open(ring_relation("ring"), Natts_ring, RowExclusiveLock);
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
