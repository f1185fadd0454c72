/*
 * compat.h
 *		Every difference between PostgreSQL's versions, and nothing else.
 *
 * No other file of coderring looks at PG_VERSION_NUM.  The others are written
 * as for 15: what a later version has changed keeps its old form here, by a
 * macro where it has to be.  (A macro that names itself is not expanded again.)
 */
#ifndef CODERRING_COMPAT_H
#define CODERRING_COMPAT_H

#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "replication/origin.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/ipc.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "utils/guc.h"
#include "utils/relcache.h"

#if PG_VERSION_NUM < 140000
#error "coderring needs PostgreSQL 14 or later"
#endif

/* 15 asks libraries for their wishes in a hook, 14 when they are loaded. */
#if PG_VERSION_NUM >= 150000
#define HookShmemRequest(previous, function) \
	((previous) = shmem_request_hook, shmem_request_hook = (function))
#else
typedef void (*shmem_request_hook_type) (void);
#define HookShmemRequest(previous, function) (function) ()
#endif

/* 14 only warns of unknown settings. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 14 leaves that to each function that returns all its rows at once. */
#if PG_VERSION_NUM < 150000
#define MAT_SRF_USE_EXPECTED_DESC	0x01
static inline void
InitMaterializedSRF(FunctionCallInfo fcinfo, bits32 flags)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (result == NULL || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));

	old = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (flags & MAT_SRF_USE_EXPECTED_DESC)
		result->setDesc = CreateTupleDescCopy(result->expectedDesc);
	else if (get_call_result_type(fcinfo, NULL, &result->setDesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	result->setResult = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
	result->returnMode = SFRM_Materialize;
	MemoryContextSwitchTo(old);
}
#endif

/* 15 has a function for the timeline that the server writes, and what recovery knows in a header of its own. */
#if PG_VERSION_NUM >= 150000
#include "access/xlogrecovery.h"
#else
#define GetWALInsertionTimeLine() ThisTimeLineID
#endif

/* 16 has the macros of texts in a header of their own. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 16 calls it a locator. */
#if PG_VERSION_NUM >= 160000
#define RelationNewFileSubid(rel) ((rel)->rd_firstRelfilelocatorSubid)
#else
#define RelationNewFileSubid(rel) ((rel)->rd_firstRelfilenodeSubid)
#endif

/* 16 tells membership from the right to SET ROLE. */
#if PG_VERSION_NUM >= 160000
#define coderring_check_can_own(user, role) check_can_set_role(user, role)
#else
#define coderring_check_can_own(user, role) check_is_member_of_role(user, role)
#endif

/* 16 keeps what is updated apart from the range table; 18 asks which of its entries are left. */
#if PG_VERSION_NUM >= 160000
#include "parser/parse_relation.h"
#endif
static inline void
coderring_init_range_table(EState *estate, RangeTblEntry *entry, Bitmapset *updated)
{
#if PG_VERSION_NUM >= 160000
	List	   *permissions = NIL;

	addRTEPermissionInfo(&permissions, entry)->updatedCols = updated;
#if PG_VERSION_NUM >= 180000
	ExecInitRangeTable(estate, list_make1(entry), permissions, bms_make_singleton(1));
#else
	ExecInitRangeTable(estate, list_make1(entry), permissions);
#endif
#else
	entry->updatedCols = updated;
	ExecInitRangeTable(estate, list_make1(entry));
#endif
}

/* 16 can be told for which relations. */
#if PG_VERSION_NUM >= 160000
#define coderring_init_recheck(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL)
#else
#define coderring_init_recheck(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1)
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

/* 18 has another spelling, for the front of a declaration. */
#if PG_VERSION_NUM >= 180000
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

/* 18 can count deferrable keys too. */
#if PG_VERSION_NUM >= 180000
#define RelationGetPrimaryKeyIndex(rel) RelationGetPrimaryKeyIndex(rel, false)
#endif

/* 18 counts what index scans do, for EXPLAIN; 19 has flags for scans. */
#if PG_VERSION_NUM >= 190000
#define index_beginscan(rel, index, snapshot, nkeys, norderbys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, norderbys, SO_NONE)
#elif PG_VERSION_NUM >= 180000
#define index_beginscan(rel, index, snapshot, nkeys, norderbys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, norderbys)
#endif
#if PG_VERSION_NUM >= 190000
#define table_beginscan(rel, snapshot, nkeys, keys) \
	table_beginscan(rel, snapshot, nkeys, keys, SO_NONE)
#endif

/* 19 keeps what is known of the origin of a transaction in one place. */
#if PG_VERSION_NUM >= 190000
#define coderring_has_origin() (replorigin_xact_state.origin != InvalidReplOriginId)
#else
#define coderring_has_origin() (replorigin_session_origin != InvalidRepOriginId)
#endif

/* 19 keeps the names of tranches for all; before, each process has its own. */
#if PG_VERSION_NUM >= 190000
#define LWLockNewTrancheId() LWLockNewTrancheId("coderring")
#define LWLockRegisterTranche(tranche, name) ((void) 0)
#endif

/*
 * Are synchronous standbys configured, as the checkpointer has told everyone?
 * The field became a set of bits in a minor release of each branch.
 */
static inline bool
coderring_sync_standbys_defined(void)
{
#ifdef SYNC_STANDBY_INIT
	uint8		status = ((volatile WalSndCtlData *) WalSndCtl)->sync_standbys_status;

	if (status & SYNC_STANDBY_INIT)
		return (status & SYNC_STANDBY_DEFINED) != 0;
	return SyncRepStandbyNames != NULL && SyncRepStandbyNames[0] != '\0';
#else
	return ((volatile WalSndCtlData *) WalSndCtl)->sync_standbys_defined;
#endif
}

/* Is anybody to be waited for? */
static inline bool
coderring_sync_awaited(void)
{
	return coderring_sync_standbys_defined() && max_wal_senders > 0;
}

#endif							/* CODERRING_COMPAT_H */
