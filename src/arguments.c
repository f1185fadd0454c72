/*
 * arguments.c
 *		Arguments of SQL functions: NULLs, and where nothing can be written.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "arguments.h"

void
arguments_report_unwritable(const char *function)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s() during recovery", function),
				 errhint("Call it on the primary server.")));
	if (XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s() in a read-only transaction", function)));
	ereport(ERROR,
			(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
			 errmsg("cannot execute %s() during a parallel operation", function)));
}

void
arguments_check_not_null(FunctionCallInfo fcinfo, int number, const char *what)
{
	if (unlikely(PG_ARGISNULL(number)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
}

/*
 * A name or an extra that is to be stored, or compared with what is.
 */
char *
arguments_text(FunctionCallInfo fcinfo, int number)
{
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}
