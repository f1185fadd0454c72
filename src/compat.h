/*
 * compat.h
 *		Every difference between PostgreSQL's versions, and nothing else.
 *
 * No other file of coderring looks at PG_VERSION_NUM.
 */
#ifndef CODERRING_COMPAT_H
#define CODERRING_COMPAT_H

#include "postgres.h"

#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/lock.h"

#if PG_VERSION_NUM < 150000
#error "coderring needs PostgreSQL 15 or later"
#endif

/* 16 calls it a locator. */
#if PG_VERSION_NUM >= 160000
#define RelationRewrittenSubid(rel) ((rel)->rd_newRelfilelocatorSubid)
#else
#define RelationRewrittenSubid(rel) ((rel)->rd_newRelfilenodeSubid)
#endif

/* 16 tells membership from the right to SET ROLE. */
#if PG_VERSION_NUM >= 160000
#define coderring_check_can_own(user, role) check_can_set_role(user, role)
#else
#define coderring_check_can_own(user, role) check_is_member_of_role(user, role)
#endif

/* 17 has another name for what all know of transactions. */
#if PG_VERSION_NUM >= 170000
#define TransamState TransamVariables
#else
#define TransamState ShmemVariableCache
#endif

/* 17 can ask for stronger modes too. */
#if PG_VERSION_NUM >= 170000
#define LockModeHeldByMe(tag, mode) LockHeldByMe(tag, mode, false)
#else
#define LockModeHeldByMe(tag, mode) LockHeldByMe(tag, mode)
#endif

/*
 * Are synchronous standbys configured, as the checkpointer has told everyone?
 * The field became a set of bits in a minor release of each branch.
 */
static inline bool
coderring_sync_standbys_defined(void)
{
#ifdef SYNC_STANDBY_INIT
	bits8		status = ((volatile WalSndCtlData *) WalSndCtl)->sync_standbys_status;

	if (status & SYNC_STANDBY_INIT)
		return (status & SYNC_STANDBY_DEFINED) != 0;
	return SyncRepStandbyNames != NULL && SyncRepStandbyNames[0] != '\0';
#else
	return ((volatile WalSndCtlData *) WalSndCtl)->sync_standbys_defined;
#endif
}

#endif							/* CODERRING_COMPAT_H */
