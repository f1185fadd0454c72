/*
 * faults.c
 *		Which call is to fail, and the SQL functions that say so.
 *
 * Only for the build of test/faults.sh.  A session arms a fault for itself:
 *
 *	faults_arm(n, mode, filter)
 *		The n-th call from now on fails: of that function, or in that file of
 *		the source, or (NULL) of all.
 *		Modes: "error" (it raises an error, or returns a failure where it
 *		raises none), "refuse" (it returns a failure; others do not count) and
 *		"cancel" (a cancel arrives just before it).
 *	faults_disarm()
 *		Returns the place of the call that has failed, NULL if none has.
 *	faults_noted()
 *		The codes that the session's functions have returned since the last
 *		time, separated by blanks.
 *	faults_places()
 *		All places where something can fail.
 *	faults_left(ring)
 *		So many codes are left in the block of the ring's series without an extra.
 *	faults_room()
 *		Is there memory for another entry?
 *	faults_lock(kind, id, extra, mode)
 *		Takes a lock of the extension for the transaction.
 *
 * In a critical section no call fails: it would be a PANIC by the server's
 * rules, whoever made it.
 */
#include "issue/session.h"
#include "shmem/block.h"
#include "shmem/control.h"
#include "shmem/entry.h"
#include "shmem/locks.h"
#include "shmem/memory.h"
#include "store/ring.h"

PG_FUNCTION_INFO_V1(faults_arm);
PG_FUNCTION_INFO_V1(faults_disarm);
PG_FUNCTION_INFO_V1(faults_noted);
PG_FUNCTION_INFO_V1(faults_places);
PG_FUNCTION_INFO_V1(faults_left);
PG_FUNCTION_INFO_V1(faults_room);
PG_FUNCTION_INFO_V1(faults_lock);

typedef enum FaultMode
{
	MODE_OFF,
	MODE_ERROR,
	MODE_REFUSE,
	MODE_CANCEL
} FaultMode;

static FaultMode mode = MODE_OFF;
static int	calls_left;
static char filter[NAMEDATALEN];
static const FaultSite *failed = NULL;

static StringInfoData noted;

extern const FaultSite *const __start_fault_sites[];
extern const FaultSite *const __stop_fault_sites[];

static int
error_code(int faults)
{
	switch (faults & FAULT_ERRORS)
	{
		case FAULT_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case FAULT_IO:
			return ERRCODE_IO_ERROR;
		case FAULT_LOCK:
			return ERRCODE_LOCK_NOT_AVAILABLE;
		default:
			return ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;
	}
}

static const char *
file_of(const FaultSite *site)
{
	const char *slash = strrchr(site->file, '/');

	return slash != NULL ? slash + 1 : site->file;
}

static bool
is_meant(const FaultSite *site)
{
	return filter[0] == '\0' || strcmp(filter, site->function) == 0 || strcmp(filter, file_of(site)) == 0;
}

bool
faults_call(const FaultSite *site, int faults)
{
	FaultMode	now = mode;

	if (now == MODE_OFF || faults == 0 || CritSectionCount > 0 ||
		(now == MODE_REFUSE && !(faults & FAULT_REFUSE)) ||
		!is_meant(site) ||
		--calls_left > 0)
		return false;
	mode = MODE_OFF;
	failed = site;
	if (now == MODE_CANCEL || (faults & FAULT_INTERRUPT))
	{
		QueryCancelPending = true;
		InterruptPending = true;
		return false;
	}
	if (now == MODE_REFUSE || !(faults & FAULT_ERRORS))
		return true;
	ereport(ERROR,
			(errcode(error_code(faults)),
			 errmsg("injected fault in %s", site->function)));
	return false;
}

bool
faults_no_segments(void)
{
	const char *limit = getenv("FAULTS_SEGMENTS");

	return limit != NULL && (int) control_block->memory.nsegments >= atoi(limit);
}

Datum
faults_note(const char *caller, Datum code)
{
	text	   *bytes = (text *) DatumGetPointer(code);

	if (strncmp(caller, "coderring_get_code", strlen("coderring_get_code")) != 0 &&
		strcmp(caller, "store_codes") != 0)
		return code;
	if (noted.data == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		(initStringInfo) (&noted);
		MemoryContextSwitchTo(old);
	}
	appendBinaryStringInfo(&noted, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	appendStringInfoChar(&noted, ' ');
	return code;
}

/* faults_arm(n, mode, filter) */
Datum
faults_arm(PG_FUNCTION_ARGS)
{
	const char *name = (text_to_cstring) (PG_GETARG_TEXT_PP(1));

	filter[0] = '\0';
	if (!PG_ARGISNULL(2))
		strlcpy(filter, (text_to_cstring) (PG_GETARG_TEXT_PP(2)), sizeof(filter));
	calls_left = PG_GETARG_INT32(0);
	failed = NULL;
	if (strcmp(name, "error") == 0)
		mode = MODE_ERROR;
	else if (strcmp(name, "refuse") == 0)
		mode = MODE_REFUSE;
	else if (strcmp(name, "cancel") == 0)
		mode = MODE_CANCEL;
	else
		elog(ERROR, "no such mode: %s", name);
	PG_RETURN_VOID();
}

static Datum
place_of(const FaultSite *site)
{
	return PointerGetDatum((cstring_to_text) ((psprintf) ("%s:%d:%s", file_of(site), site->line,
														  site->function)));
}

/* faults_disarm() */
Datum
faults_disarm(PG_FUNCTION_ARGS)
{
	const FaultSite *site = failed;

	mode = MODE_OFF;
	failed = NULL;

	/* Every lightweight lock that is held holds interrupts too. */
	if (InterruptHoldoffCount != 0 || QueryCancelHoldoffCount != 0 || CritSectionCount != 0)
		elog(ERROR, "a lightweight lock or a hold on interrupts was left");
	if (site == NULL)
		PG_RETURN_NULL();
	return place_of(site);
}

/* faults_noted() */
Datum
faults_noted(PG_FUNCTION_ARGS)
{
	text	   *result = (cstring_to_text) (noted.data != NULL ? noted.data : "");

	if (noted.data != NULL)
		resetStringInfo(&noted);
	return PointerGetDatum(result);
}

/* faults_places() */
Datum
faults_places(PG_FUNCTION_ARGS)
{
	(InitMaterializedSRF) (fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (const FaultSite *const *place = __start_fault_sites; place < __stop_fault_sites; place++)
	{
		ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
		Datum		value = place_of(*place);
		bool		isnull = false;

		if ((*place)->faults == 0 || strcmp(file_of(*place), "faults.c") == 0)
			continue;
		(tuplestore_putvalues) (result->setResult, result->setDesc, &value, &isnull);
	}
	return (Datum) 0;
}

/* faults_left(ring) */
Datum
faults_left(PG_FUNCTION_ARGS)
{
	Series	   *series = session_series(PG_GETARG_TEXT_PP(0), "", 0);
	SharedSeries	   *entry = entry_find(&series->id);
	uint32		index;

	if (entry == NULL)
		PG_RETURN_INT32(0);
	index = TICKET_INDEX(pg_atomic_read_u64(&entry->ticket));
	PG_RETURN_INT32(index < entry->size ? entry->size - index : 0);
}

/* faults_room() */
Datum
faults_room(PG_FUNCTION_ARGS)
{
	bool		room;

	memory_lock(LW_SHARED);
	room = pg_atomic_read_u32(&control_block->dead_entries) != InvalidSharedRef ||
		control_block->owners == InvalidSharedRef ||
		entry_allowed(memory_address(control_block->owners));	/* there is no other */
	for (int order = memory_size_class(4096); order < MEMORY_SIZE_CLASSES; order++)
		room = room || (entry_page_allowed() && control_block->memory.free[order] != InvalidSharedRef);
	LWLockRelease(&control_block->lock);
	PG_RETURN_BOOL(room);
}

/* faults_lock(kind, id, extra, mode) */
Datum
faults_lock(PG_FUNCTION_ARGS)
{
	text	   *extra = PG_GETARG_TEXT_PP(2);

	locks_acquire((LockKind) PG_GETARG_INT32(0), locks_ring_id(PG_GETARG_UUID_P(1)),
			  PG_GETARG_INT32(0) == LOCK_REFILL ?
			  locks_series_detail(VARDATA_ANY(extra), VARSIZE_ANY_EXHDR(extra)) : 0,
			  PG_GETARG_INT32(3));
	PG_RETURN_VOID();
}
