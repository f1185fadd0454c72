/*
 * acl.h
 *		Who may take codes of a ring, and who may change it.
 */
#ifndef CODERRING_ACL_H
#define CODERRING_ACL_H

#include "postgres.h"

#include "nodes/lockoptions.h"

#include "compat.h"
#include "store/ring.h"
#include "store/scan.h"

/* The OID that stands for all roles in coderring.ring_grant. */
#define GRANT_PUBLIC_OID	InvalidOid
#define GRANT_PUBLIC_NAME	"public"

/* Columns of coderring.ring_grant */
enum
{
	Anum_grant_ring_id = 1,
	Anum_grant_role,
	Anum_grant_role_name,
	Natts_grant = Anum_grant_role_name
};

extern bool acl_may_use(const Ring *ring, Oid user);
extern bool acl_may_change(const Ring *ring, Oid user);
extern void acl_report_denied(const Ring *ring, bool change) pg_attribute_noreturn();
extern List *acl_list(const pg_uuid_t *ring);
extern bool acl_exists(const pg_uuid_t *ring, const char *role_name);
extern bool acl_ring_to_change(Relation rel, const char *name, LockTupleMode mode, Ring *ring);
extern void acl_begin_scan(RowScan *scan, Relation rel, const pg_uuid_t *ring);
extern Oid acl_grantee(Relation rel, HeapTuple tuple);
extern bool acl_find_grant(const pg_uuid_t *ring, const char *role_name, Oid *role);

#endif							/* CODERRING_ACL_H */
