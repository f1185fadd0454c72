/*
 * grant.h
 *		Who may take codes of a ring besides its owner.
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

extern bool grant_allows(int32 ring_id, Oid user);
extern List *grant_list(int32 ring_id);
extern void grant_delete_all(int32 ring_id);

#endif							/* CODERRING_GRANT_H */
