/*
 * faults.h
 *		Calls that fail when a test says so.
 *
 * Only for the build of test/faults.sh, which puts this file before every
 * source file of the extension.  Each call of a function of the server, of
 * OpenSSL or of the C library that can fail goes through faults_call() first:
 * faults_calls.h, made from the list in `calls`, redefines their names.  All
 * headers come before that, so what inline functions of the server call is
 * not seen.
 */
#ifndef CODERRING_FAULTS_H
#define CODERRING_FAULTS_H

/* Blocks that call for the next one, small enough for rings that are emptied each time */
#define PREFETCH_FROM		32

#include "postgres.h"
#include "faults_headers.h"		/* all that the sources include of the server's */

/* What can become of a call. */
#define FAULT_MEMORY	1		/* an error: out of memory */
#define FAULT_IO		2		/* an error: of reading or writing */
#define FAULT_LOCK		3		/* an error: of waiting for a lock */
#define FAULT_ANY		4		/* an error of any other kind */
#define FAULT_ERRORS	7
#define FAULT_REFUSE	8		/* it returns that it has not succeeded */
#define FAULT_INTERRUPT 16		/* it serves a cancel */

/* A call in the source. */
typedef struct FaultSite
{
	const char *function;
	const char *file;
	int			line;
	int			faults;
} FaultSite;

/* True if the call is to return that it has failed; raises an error if it is to fail so. */
extern bool faults_call(const FaultSite *site, int faults);

/* A text, maybe a code, goes to the caller of an SQL function. */
extern Datum faults_note(const char *function, Datum code);

/* Are there all segments of shared memory that the test allows? */
extern bool faults_no_segments(void);

/* The places stand in a section of their own, so that all of them can be listed. */
#define FAULTS_CALL(name, possible, now) \
	__extension__ ({ \
		static const FaultSite fault_site = {name, __FILE__, __LINE__, possible}; \
		static const FaultSite *const volatile fault_place \
			__attribute__((section("fault_sites"))) = &fault_site; \
		faults_call(fault_place, now); \
	})

#define FAULTS_ERROR(name, faults)	((void) FAULTS_CALL(name, faults, faults))
#define FAULTS_REFUSED(name, faults)	FAULTS_CALL(name, faults, faults)

#include "faults_calls.h"

/* A lock that is not waited for can be refused. */
#define LockAcquire(tag, mode, session, dont_wait) \
	(FAULTS_CALL("LockAcquire", FAULT_LOCK | FAULT_REFUSE, \
				 (dont_wait) ? FAULT_LOCK | FAULT_REFUSE : FAULT_LOCK) ? \
	 LOCKACQUIRE_NOT_AVAIL : LockAcquire(tag, mode, session, dont_wait))

/* It fails for who holds very many; at the end of a transaction nobody holds one. */
#define LWLockAcquire(lock, mode) \
	((void) FAULTS_CALL("LWLockAcquire", FAULT_LOCK, strcmp(__func__, "entry_bury") == 0 ? 0 : FAULT_LOCK), \
	 LWLockAcquire(lock, mode))

/* To look something up takes no memory. */
#define hash_search(table, key, action, found) \
	((void) FAULTS_CALL("hash_search", FAULT_MEMORY, (action) == HASH_FIND ? 0 : FAULT_MEMORY), \
	 hash_search(table, key, action, found))

/* Nothing fails when a buffer is unlocked. */
#define LockBuffer(buffer, mode) \
	(FAULTS_ERROR("LockBuffer", (mode) == BUFFER_LOCK_UNLOCK ? 0 : FAULT_LOCK), LockBuffer(buffer, mode))

/*
 * A flush fails by a PANIC, and by no error that could come true.  Between
 * reservation and publication it gets one all the same, but not where a code
 * is taken already.
 */
#define XLogFlush(lsn) \
	(FAULTS_ERROR("XLogFlush", strstr(__FILE__, "series.c") != NULL ? FAULT_IO : 0), XLogFlush(lsn))

/* Memory that the system does not have */
#define dsm_create(...) \
	(FAULTS_REFUSED("dsm_create", FAULT_MEMORY | FAULT_REFUSE) || faults_no_segments() ? \
	 NULL : dsm_create(__VA_ARGS__))

#undef CHECK_FOR_INTERRUPTS
#define CHECK_FOR_INTERRUPTS() \
	do { \
		FAULTS_ERROR("CHECK_FOR_INTERRUPTS", FAULT_INTERRUPT); \
		if (InterruptPending) \
			ProcessInterrupts(); \
	} while (0)

/* What has left a function is handed out, whatever becomes of the statement. */
#undef PG_RETURN_TEXT_P
#define PG_RETURN_TEXT_P(text)	return faults_note(__func__, PointerGetDatum(text))
#undef SRF_RETURN_NEXT
#define SRF_RETURN_NEXT(context, result) \
	do { \
		Datum		fault_result = faults_note(__func__, result); \
		(context)->call_cntr++; \
		((ReturnSetInfo *) fcinfo->resultinfo)->isDone = ExprMultipleResult; \
		PG_RETURN_DATUM(fault_result); \
	} while (0)

/* So has what is stored for the executor. */
#define tuplestore_puttupleslot(store, slot) \
	do { \
		bool		fault_null; \
		(void) faults_note(__func__, (slot_getattr)(slot, 1, &fault_null)); \
		FAULTS_ERROR("tuplestore_puttupleslot", FAULT_IO); \
		tuplestore_puttupleslot(store, slot); \
	} while (0)

#endif							/* CODERRING_FAULTS_H */
