/*
 * apart.c
 *		Rows that are committed by a transaction of their own.
 *
 * The row of a new series has to be there for good before its first code is
 * handed out, whatever becomes of the caller's transaction.  series.c inserts it
 * and freezes it in place.  While an index of the table is being built
 * concurrently, that would give the row two entries, or make the build fail (see
 * the head of series.c); to wait for the build would mean to wait for every
 * transaction that the build waits for, the caller's own among them.  So then a
 * background worker inserts the row and commits, as any other client would, and
 * the caller waits for that, a few milliseconds.
 *
 * One worker at a time and database: the lock that sees to this is the last that
 * a refill takes.  The worker is of the caller's lock group, so where the caller
 * has the table locked it need not wait either, whoever else waits for that.
 *
 * If the transaction that wants the row has also created the ring and then fails,
 * the row stays, as an orphan that nobody looks at and no dump has.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "shmem/locks.h"
#include "store/apart.h"
#include "store/state.h"

/* What the two share. */
typedef struct Apart
{
	Oid			database;
	PGPROC	   *caller;
	int			caller_pid;
	StateInsert insert;
	ItemPointerData tid;		/* where the row is */
	bool		done;
} Apart;

PGDLLEXPORT void coderring_insert_apart(Datum arg);

/*
 * The background worker.
 */
void
coderring_insert_apart(Datum arg)
{
	dsm_segment *segment;
	Apart	   *apart;
	Relation	rel;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	CurrentResourceOwner = ResourceOwnerCreate(NULL, "coderring");
	segment = dsm_attach(DatumGetUInt32(arg));
	if (segment == NULL)
		proc_exit(0);			/* whoever wanted it is gone */
	dsm_pin_mapping(segment);
	apart = dsm_segment_address(segment);
	if (!BecomeLockGroupMember(apart->caller, apart->caller_pid))
		proc_exit(0);

	BackgroundWorkerInitializeConnectionByOid(apart->database, InvalidOid, BGWORKER_BYPASS_ALLOWCONN);

	/* What the caller flushes next, and waits for, is behind our commit. */
	SetConfigOption("synchronous_commit", "off", PGC_SUSET, PGC_S_OVERRIDE);
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	rel = table_open(apart->insert.relid, RowExclusiveLock);
	apart->tid = state_insert(rel, &apart->insert);
	table_close(rel, RowExclusiveLock);
	PopActiveSnapshot();
	CommitTransactionCommand();
	apart->done = true;
	proc_exit(0);
}

/*
 * The lock under which a session finds out whether an index is being built, and
 * has a worker at work.
 */
void
apart_lock(void)
{
	locks_acquire(LOCK_NAME, 0, LOCK_NAME_APART, ExclusiveLock);
}

void
apart_unlock(void)
{
	locks_release(LOCK_NAME, 0, LOCK_NAME_APART, ExclusiveLock);
}

/* Raise 53000; the setting is the one that was too low. */
static void
report_no_worker(const char *setting)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
			 errmsg("no background worker is free to begin a series"),
			 errdetail("An index of coderring's tables is being built, or one is invalid while the table is vacuumed; meanwhile new series need one."),
			 errhint("Try again, raise %s, or drop the index if it was left behind invalid.", setting)));
}

/*
 * End a worker whose caller fails, or is terminated.  Being of the caller's lock
 * group it must not outlive the locks of the table and of the series.
 */
static void
end_worker(int code, Datum arg)
{
	BackgroundWorkerHandle *handle = (BackgroundWorkerHandle *) DatumGetPointer(arg);

	TerminateBackgroundWorker(handle);
	HOLD_INTERRUPTS();
	(void) WaitForBackgroundWorkerShutdown(handle);
	RESUME_INTERRUPTS();
}

/*
 * Have a row inserted and committed.  The caller has the table locked.  Raises
 * 53000 if no worker can be had, XX000 if it fails.
 */
ItemPointerData
apart_insert(const StateInsert *insert)
{
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle;
	dsm_segment *segment;
	Apart	   *apart;
	ItemPointerData tid;
	bool		done;

	apart_lock();
	BecomeLockGroupLeader();
	segment = dsm_create(sizeof(Apart), DSM_CREATE_NULL_IF_MAXSEGMENTS);
	if (segment == NULL)
		report_no_worker("max_connections");
	apart = dsm_segment_address(segment);
	apart->database = MyDatabaseId;
	apart->insert = *insert;
	apart->caller = MyProc;
	apart->caller_pid = MyProcPid;
	apart->done = false;

	strlcpy(worker.bgw_name, "coderring new series", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "coderring", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "coderring", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "coderring_insert_apart", BGW_MAXLEN);
	worker.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(segment));
	worker.bgw_notify_pid = MyProcPid;
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
		report_no_worker("max_worker_processes");
	PG_ENSURE_ERROR_CLEANUP(end_worker, PointerGetDatum(handle));
	{
		(void) WaitForBackgroundWorkerShutdown(handle);
	}
	PG_END_ENSURE_ERROR_CLEANUP(end_worker, PointerGetDatum(handle));
	done = apart->done;
	tid = apart->tid;
	dsm_detach(segment);
	apart_unlock();
	if (!done)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("a background worker could not begin a series"),
				 errhint("The server's log says why.")));
	return tid;
}
