/*
 * work.c
 *		A series that is held locked, and what is known of it meanwhile.
 *
 * Whoever changes where a series stands (refill, advance, evict) holds its refill
 * lock, and the ring's definition lock as one who uses it: see locks.c.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/inval.h"

#include "codes/progress.h"
#include "issue/session.h"
#include "issue/work.h"
#include "shmem/entry.h"
#include "shmem/locks.h"
#include "shmem/shared.h"
#include "store/blocklist.h"
#include "store/definitions.h"
#include "store/pending.h"
#include "store/ring.h"
#include "store/series.h"

/*
 * The ring is in force, so an entry is no longer in doubt if the series has its
 * row, and nothing of it hangs on this very transaction.
 */
void
work_clear_doubt(SharedSeries *entry)
{
	if (entry->in_doubt && !XLogRecPtrIsInvalid(entry->reserved_lsn) && !pending_open(&entry->id.incarnation))
		entry->in_doubt = false;
}

/*
 * Take the locks under which a series is changed: before its entry is looked up,
 * that of its table too, or DROP and CREATE EXTENSION could give the entry to
 * another series meanwhile.  False, without locks, if what this session
 * remembers of it is no longer true, or may not be: then whoever is dropping or
 * resetting the ring has ended.  *waited says whether somebody else had the
 * series.
 */
bool
work_lock(const Series *series, bool *waited)
{
	const SeriesId *id = &series->id;
	uint32		detail = locks_series_detail(id->extra, id->extra_len);
	SharedSeries *entry;
	TransactionId undecided = InvalidTransactionId;

	locks_acquire(LOCK_DEFINITION, id->lock_id, 0, DEFINITION_USE);
	*waited = !locks_acquire_conditional(LOCK_REFILL, id->lock_id, detail, ExclusiveLock);
	if (*waited)
		locks_acquire(LOCK_REFILL, id->lock_id, detail, ExclusiveLock);
	LockRelationOid(id->relid, RowExclusiveLock);
	AcceptInvalidationMessages();

	/* It may have been something else that has changed, at any rate. */
	if (definitions_current() || session_unchanged(series))
	{
		entry = entry_find(id);
		if (entry != NULL && !entry->in_doubt)
			return true;
		if (ring_in_force(&id->incarnation, &undecided))
		{
			if (entry != NULL)
				work_clear_doubt(entry);
			return true;
		}
		definitions_forget();
	}

	/* Waiting with the locks would keep that transaction from ending. */
	work_unlock(id);
	if (TransactionIdIsValid(undecided))
		XactLockTableWait(undecided, NULL, NULL, XLTW_None);
	CHECK_FOR_INTERRUPTS();
	return false;
}

void
work_unlock(const SeriesId *id)
{
	UnlockRelationOid(id->relid, RowExclusiveLock);
	locks_release(LOCK_REFILL, id->lock_id, locks_series_detail(id->extra, id->extra_len), ExclusiveLock);
	locks_release(LOCK_DEFINITION, id->lock_id, 0, DEFINITION_USE);
}

/*
 * Begin to work at a series that is locked.  Refuses to filter with words that a
 * rollback would take back.
 */
void
work_begin(SeriesWork *work, const Ring *ring, const SeriesId *id)
{
	pending_check_words(ring);
	work->ring = ring;
	work->id = *id;
	work->filter = blocklist_filter(ring, &work->blocklist_id);
	work->entry = entry_find(id);
}

/* Find its row, and where it stands. */
void
work_read(SeriesWork *work)
{
	series_open(&work->row, &work->id);
	work->state = progress_read(work->ring, work->filter, work->blocklist_id, work->entry, &work->id, work_numbers(work));
}

/* Let go of the row and of the locks. */
void
work_end(SeriesWork *work)
{
	series_close(&work->row);
	work_unlock(&work->id);
}
