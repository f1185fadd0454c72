/*
 * coderring.c
 *		The module: magic, settings, hooks.
 *
 * Works loaded on demand.  In shared_preload_libraries it takes its control
 * block from the shared memory that is asked for, not from the slop.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/guc.h"

#include "codes/failover.h"
#include "compat.h"
#include "shmem/control.h"
#include "shmem/memory.h"
#include "store/definitions.h"
#include "store/pending.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static void
request_shared_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(control_shmem_size());
}

static void
start_shared_memory(void)
{
	if (previous_startup_hook)
		previous_startup_hook();

	/* After a crash the server starts over with fresh shared memory. */
	control_block = NULL;
	control_attach();
}

void
_PG_init(void)
{
	/*
	 * What can raise an error comes first: the next call begins again, and a
	 * setting cannot be defined twice.
	 */
	if (!process_shared_preload_libraries_in_progress)
		control_attach();

	DefineCustomIntVariable("coderring.max_shared_memory",
							"Sets the maximum amount of dynamic shared memory for blocks of codes.",
							"Beyond it series get smaller blocks, and series not in use give theirs up.",
							&memory_limit_kb,
							48 * 1024, 1024, MAX_KILOBYTES,
							PGC_SIGHUP,
							GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("coderring.failover_gap",
							"Sets how much a promoted server passes over: what each series may have handed out in this time.",
							"What a failover has lost is not handed out again then; 0 passes over nothing.",
							&failover_gap,
							10000, 0, INT_MAX,
							PGC_SIGHUP,
							GUC_UNIT_MS,
							NULL, NULL, NULL);
	MarkGUCPrefixReserved("coderring");

	if (process_shared_preload_libraries_in_progress)
	{
		HookShmemRequest(previous_request_hook, request_shared_memory);
		previous_startup_hook = shmem_startup_hook;
		shmem_startup_hook = start_shared_memory;
	}
	definitions_init();
	pending_init();
}
