/*
 * grant.h
 *		Who may take codes of a ring, and who may change it.
 */
#ifndef CODERRING_GRANT_H
#define CODERRING_GRANT_H

#include "postgres.h"

#include "ring.h"

/* The OID that stands for all roles in coderring.ring_grant. */
#define GRANT_PUBLIC_OID	InvalidOid
#define GRANT_PUBLIC_NAME	"public"

extern void grant_give(const char *name, const char *role);
extern void grant_take(const char *name, const char *role);
extern void grant_change_owner(const char *name, const char *new_owner);

extern bool grant_may_use(const Ring *ring, Oid user);
extern bool grant_may_change(const Ring *ring, Oid user);
extern void grant_report_denied(const Ring *ring, bool change) pg_attribute_noreturn();
extern List *grant_list(const pg_uuid_t *ring);
extern bool grant_exists(const pg_uuid_t *ring, const char *role_name);
extern void grant_delete_all(const pg_uuid_t *ring, const char *ring_name);

#endif							/* CODERRING_GRANT_H */
