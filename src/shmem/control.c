/*
 * control.c
 *		The control block of shared memory: found, or made.
 *
 * Without shared_preload_libraries only this small block is taken from the slop
 * of the main shared memory segment, as contrib/pg_prewarm does; the rest is
 * dynamic (memory.c).  A server that runs has it as the library made it that came
 * first, so a library of another layout refuses it before it reads a byte more.
 */
#include "postgres.h"

#include "storage/ipc.h"
#include "storage/shmem.h"

#include "compat.h"
#include "shmem/control.h"
#include "shmem/memory.h"
#include "shmem/shared.h"

ControlBlock *control_block = NULL;

StaticAssertDecl(sizeof(CODERRING_VERSION) <= sizeof(((SharedVersion *) NULL)->library),
				 "the library's version fits");

/*
 * Raises 55000 if the server has shared memory of another layout.  Called
 * before the library takes its control block, with AddinShmemInitLock held.
 */
static void
check_layout(void)
{
	bool		found;
	SharedVersion *shared = ShmemInitStruct("coderring version", sizeof(SharedVersion), &found);

	if (!found)
	{
		memset(shared, 0, sizeof(SharedVersion));
		shared->layout = SHARED_LAYOUT;
		strlcpy(shared->library, CODERRING_VERSION, sizeof(shared->library));
	}
	else if (shared->layout != SHARED_LAYOUT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the shared memory of coderring is that of another version of its library"),
				 errdetail("Version %s made it when the server began to use coderring; this is version %s.",
						   shared->library, CODERRING_VERSION),
				 errhint("Restart the server.")));
}

Size
control_shmem_size(void)
{
	return MAXALIGN(sizeof(ControlBlock)) + MAXALIGN(sizeof(SharedVersion));
}

/*
 * Find the control block, or make it if this process is the first.  Serves
 * the preloaded library (at postmaster start) and the one loaded on demand.
 */
void
control_attach(void)
{
	bool		found;
	ControlBlock *control;

	if (control_block != NULL)
		return;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	check_layout();
	control = ShmemInitStruct("coderring", sizeof(ControlBlock), &found);
	if (!found)
	{
		memset(control, 0, sizeof(ControlBlock));
		LWLockInitialize(&control->lock, LWLockNewTrancheId());
		pg_atomic_init_u64(&control->generation, 0);
		pg_atomic_init_u64(&control->definitions_version, 1);
		pg_atomic_init_u32(&control->dead_entries, InvalidSharedRef);
		control->sweep_at = FIRST_SWEEP;
		memory_init(&control->memory);
	}
	LWLockRelease(AddinShmemInitLock);

	LWLockRegisterTranche(control->lock.tranche, "coderring");
	memory_attach(&control->memory, &control->lock);
	control_block = control;
}
