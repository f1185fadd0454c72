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
 * The ring is in force, so a slot is no longer in doubt if the series has its
 * row, and nothing of it hangs on this very transaction.
 */
void
work_clear_doubt(Slot *slot)
{
	if (slot->in_doubt && !XLogRecPtrIsInvalid(slot->reserved_lsn) && !pending_open(&slot->key.incarnation))
		slot->in_doubt = false;
}

/*
 * Take the locks under which a series is changed: before its slot is looked up,
 * that of its table too, or DROP and CREATE EXTENSION could give the slot to
 * another series meanwhile.  False, without locks, if what this session
 * remembers of it is no longer true, or may not be: then whoever is dropping or
 * resetting the ring has ended.  *waited says whether somebody else had the
 * series.
 */
bool
work_lock(const Series *series, bool *waited)
{
	const SeriesKey *key = &series->key;
	uint32		detail = locks_series_detail(key->extra, key->extra_len);
	Slot	   *slot;
	TransactionId undecided = InvalidTransactionId;

	locks_acquire(LOCK_DEFINITION, key->lock_id, 0, DEFINITION_USE);
	*waited = !locks_acquire_conditional(LOCK_REFILL, key->lock_id, detail, ExclusiveLock);
	if (*waited)
		locks_acquire(LOCK_REFILL, key->lock_id, detail, ExclusiveLock);
	LockRelationOid(key->relid, RowExclusiveLock);
	AcceptInvalidationMessages();

	/* It may have been something else that has changed, at any rate. */
	if (definitions_current() || session_unchanged(series))
	{
		slot = entry_find(key);
		if (slot != NULL && !slot->in_doubt)
			return true;
		if (ring_in_force(&key->incarnation, &undecided))
		{
			if (slot != NULL)
				work_clear_doubt(slot);
			return true;
		}
		definitions_forget();
	}

	/* Waiting with the locks would keep that transaction from ending. */
	work_unlock(key);
	if (TransactionIdIsValid(undecided))
		XactLockTableWait(undecided, NULL, NULL, XLTW_None);
	CHECK_FOR_INTERRUPTS();
	return false;
}

void
work_unlock(const SeriesKey *key)
{
	UnlockRelationOid(key->relid, RowExclusiveLock);
	locks_release(LOCK_REFILL, key->lock_id, locks_series_detail(key->extra, key->extra_len), ExclusiveLock);
	locks_release(LOCK_DEFINITION, key->lock_id, 0, DEFINITION_USE);
}

/*
 * Begin to work at a series that is locked.  Refuses to filter with words that a
 * rollback would take back.
 */
void
work_begin(SeriesWork *work, const Ring *ring, const SeriesKey *key)
{
	pending_check_words(ring);
	work->ring = ring;
	work->key = *key;
	work->list = blocklist_filter(ring, &work->filter);
	work->slot = entry_find(key);
}

/* Find its row, and where it stands. */
void
work_read(SeriesWork *work)
{
	series_open(&work->row, &work->key);
	work->state = progress_read(work->ring, work->list, work->filter, work->slot, &work->key, work_numbers(work));
}

/* Let go of the row and of the locks. */
void
work_end(SeriesWork *work)
{
	series_close(&work->row);
	work_unlock(&work->key);
}
