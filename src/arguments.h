/*
 * arguments.h
 *		Arguments of SQL functions: what may be missing, and where nothing can be written.
 */
#ifndef CODERRING_ARGUMENTS_H
#define CODERRING_ARGUMENTS_H

#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"

#include "compat.h"
#include "issue/session.h"

extern void arguments_report_unwritable(const char *function) pg_attribute_noreturn();
extern void arguments_check_not_null(FunctionCallInfo fcinfo, int number, const char *what);
extern char *arguments_text(FunctionCallInfo fcinfo, int number);

/*
 * Raise 25006 where nothing can be written.  (A standby's transactions are
 * read-only too.)
 */
static inline void
arguments_check_writable(const char *function)
{
	if (unlikely(XactReadOnly || IsInParallelMode()))
		arguments_report_unwritable(function);
}

static inline void
arguments_get_request(FunctionCallInfo fcinfo, int extra_number, CodeRequest *request)
{
	arguments_check_not_null(fcinfo, 0, "name of a ring");
	request->name = PG_GETARG_TEXT_PP(0);
	request->count = 1;
	if (PG_ARGISNULL(extra_number))
	{
		request->extra = "";
		request->extra_len = 0;
	}
	else
	{
		text	   *extra = PG_GETARG_TEXT_PP(extra_number);

		request->extra = VARDATA_ANY(extra);
		request->extra_len = VARSIZE_ANY_EXHDR(extra);
	}
}

#endif							/* CODERRING_ARGUMENTS_H */
