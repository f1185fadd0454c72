/*
 * grantcmds.h
 *		Who may take codes of a ring, and who may change it.
 */
#ifndef CODERRING_GRANTCMDS_H
#define CODERRING_GRANTCMDS_H

#include "postgres.h"

#include "utils/uuid.h"

extern void grantcmds_grant(const char *name, const char *role);
extern void grantcmds_revoke(const char *name, const char *role);
extern void grantcmds_change_owner(const char *name, const char *new_owner);

extern void grantcmds_delete_all(const pg_uuid_t *ring, const char *ring_name);

#endif							/* CODERRING_GRANTCMDS_H */
