/*
 * getcode.h
 *		A code for a caller.
 */
#ifndef CODERRING_GETCODE_H
#define CODERRING_GETCODE_H

#include "postgres.h"

#include "miscadmin.h"
#include "utils/inval.h"

#include "compat.h"
#include "issue/session.h"
#include "shmem/block.h"
#include "store/definitions.h"
#include "store/ring.h"

extern text *getcode_slowly(const CodeRequest *request, bool bump);
extern void getcode_check_left(const CodeRequest *request, int64 count);
extern void getcode_load(const Ring *ring);

/*
 * May codes of the block that is remembered be taken?  Where synchronous
 * standbys are to be waited for since it was made, they have to get to know of it first.
 */
static inline bool
getcode_allowed(const Series *series)
{
	return series->block.acknowledged || !coderring_sync_awaited();
}

/*
 * The series that this session used last, if it is the one that is wanted and
 * what is remembered of it is still true; else NULL.
 */
static inline Series *
getcode_last(const CodeRequest *request)
{
	Series	   *series;

	/*
	 * Five nanoseconds, for which DROP EXTENSION and a lost membership in a
	 * role are noticed at once too, also in the middle of a transaction.
	 */
	AcceptInvalidationMessages();
	series = session_last;

	if (series != NULL && definitions_current() &&
		series->block.generation != 0 &&
		getcode_allowed(series) &&
		series->user == GetUserId() &&
		series->name_len == VARSIZE_ANY_EXHDR(request->name) &&
		series->id.extra_len == request->extra_len &&
		memcmp(series->name, VARDATA_ANY(request->name), series->name_len) == 0 &&
		memcmp(series->id.extra, request->extra, request->extra_len) == 0)
		return series;
	return NULL;
}

/*
 * Take a code of the block that is remembered of a series; NULL if it has none
 * left, or is no longer there.
 *
 * The result is allocated before a code is taken, so that running out of
 * memory loses none.
 */
static inline text *
getcode_remembered(const Series *series)
{
	uint32		len = series->prefix_len + series->tail_length;
	text	   *code = (text *) palloc(VARHDRSZ + len);

	SET_VARSIZE(code, VARHDRSZ + len);
	memcpy(VARDATA(code), series->prefix, series->prefix_len);
	if (block_take(&series->block, VARDATA(code) + series->prefix_len, series->tail_length))
		return code;
	pfree(code);
	return NULL;
}

/*
 * A new code.  Takes it from the block that this session used last, if it is
 * still that series, block and definition, and has codes left.
 */
static inline text *
getcode(const CodeRequest *request)
{
	const Series *series = getcode_last(request);
	text	   *code = series != NULL ? getcode_remembered(series) : NULL;

	return code != NULL ? code : getcode_slowly(request, false);
}

#endif							/* CODERRING_GETCODE_H */
