/*
 * functions.c
 *		SQL functions that take codes and change rings: arguments, and the call.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "arguments.h"
#include "codes/failover.h"
#include "compat.h"
#include "ddl/blocklistcmds.h"
#include "ddl/grantcmds.h"
#include "ddl/import.h"
#include "ddl/options.h"
#include "ddl/ringcmds.h"
#include "issue/advance.h"
#include "issue/getcode.h"
#include "issue/session.h"
#include "recover.h"
#include "shmem/block.h"
#include "store/acl.h"
#include "store/definitions.h"
#include "store/ring.h"

PG_FUNCTION_INFO_V1(coderring_create);
PG_FUNCTION_INFO_V1(coderring_drop);
PG_FUNCTION_INFO_V1(coderring_rename);
PG_FUNCTION_INFO_V1(coderring_reset);
PG_FUNCTION_INFO_V1(coderring_get_code);
PG_FUNCTION_INFO_V1(coderring_get_codes);
PG_FUNCTION_INFO_V1(coderring_advance);
PG_FUNCTION_INFO_V1(coderring_import);
PG_FUNCTION_INFO_V1(coderring_recover);
PG_FUNCTION_INFO_V1(coderring_start_rings);
PG_FUNCTION_INFO_V1(coderring_grant);
PG_FUNCTION_INFO_V1(coderring_revoke);
PG_FUNCTION_INFO_V1(coderring_change_owner);
PG_FUNCTION_INFO_V1(coderring_define_blocklist);
PG_FUNCTION_INFO_V1(coderring_set_blocklist);

/*
 * coderring_create(name, base_length, blocklist, alphabet, check_character,
 *					max_length, first_cycle, if_not_exists)
 */
Datum
coderring_create(PG_FUNCTION_ARGS)
{
	RingOptions options = {0};

	arguments_check_writable("coderring_create");
	arguments_check_not_null(fcinfo, 0, "name of a ring");
	options.base_length = PG_ARGISNULL(1) ? 4 : PG_GETARG_INT32(1);
	options.blocklist = PG_ARGISNULL(2) ? NULL : arguments_text(fcinfo, 2);
	options.alphabet = PG_ARGISNULL(3) ? NULL : arguments_text(fcinfo, 3);
	options.check_character = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	options.have_max_length = !PG_ARGISNULL(5);
	options.max_length = PG_ARGISNULL(5) ? 0 : PG_GETARG_INT32(5);
	options.first_cycle = PG_ARGISNULL(6) ? 0 : PG_GETARG_INT64(6);
	ringcmds_create(arguments_text(fcinfo, 0), &options, !PG_ARGISNULL(7) && PG_GETARG_BOOL(7));
	PG_RETURN_VOID();
}

/* coderring_drop(name, if_exists) */
Datum
coderring_drop(PG_FUNCTION_ARGS)
{
	arguments_check_writable("coderring_drop");
	arguments_check_not_null(fcinfo, 0, "name of a ring");
	ringcmds_drop(arguments_text(fcinfo, 0), !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}

/* coderring_rename(name, new_name) */
Datum
coderring_rename(PG_FUNCTION_ARGS)
{
	arguments_check_writable("coderring_rename");
	arguments_check_not_null(fcinfo, 0, "name of a ring");
	arguments_check_not_null(fcinfo, 1, "new name of a ring");
	ringcmds_rename(arguments_text(fcinfo, 0), arguments_text(fcinfo, 1));
	PG_RETURN_VOID();
}

/* coderring_reset(name, first_cycle, test_seed) */
Datum
coderring_reset(PG_FUNCTION_ARGS)
{
	arguments_check_writable("coderring_reset");
	arguments_check_not_null(fcinfo, 0, "name of a ring");
	ringcmds_reset(arguments_text(fcinfo, 0),
				   PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1),
				   PG_ARGISNULL(2) ? NULL : arguments_text(fcinfo, 2));
	PG_RETURN_VOID();
}

/* coderring_get_code(name, extra, bump) */
Datum
coderring_get_code(PG_FUNCTION_ARGS)
{
	CodeRequest request;

	arguments_check_writable("coderring_get_code");
	arguments_get_request(fcinfo, 1, &request);
	if (unlikely(!PG_ARGISNULL(2) && PG_GETARG_BOOL(2)))
		PG_RETURN_TEXT_P(getcode_slowly(&request, true));
	PG_RETURN_TEXT_P(getcode(&request));
}

/* Codes that are stored in a row before other sessions' changes are asked for. */
#define STORED_AT_ONCE	64

/*
 * All codes of a coderring_get_codes() in FROM, into the executor's tuplestore.
 *
 * Codes of a block differ in a few bytes of the same length, so a tuple is
 * formed once a block, and each code is taken into its place there.
 */
static void
store_codes(ReturnSetInfo *result, CodeRequest *request, int32 count)
{
	MemoryContext slow = AllocSetContextCreate(CurrentMemoryContext, "coderring codes", ALLOCSET_SMALL_SIZES);
	TupleTableSlot *first = MakeSingleTupleTableSlot(result->setDesc, &TTSOpsVirtual);
	TupleTableSlot *others = MakeSingleTupleTableSlot(result->setDesc, &TTSOpsMinimalTuple);

	while (count > 0)
	{
		MemoryContext caller = MemoryContextSwitchTo(slow);
		const Series *series;
		char	   *place;
		bool		isnull;

		/* One as ever, which leaves its block to be remembered. */
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(slow);
		ExecClearTuple(first);
		request->count = count;
		first->tts_values[0] = PointerGetDatum(getcode(request));
		first->tts_isnull[0] = false;
		MemoryContextSwitchTo(caller);
		ExecStoreVirtualTuple(first);
		tuplestore_puttupleslot(result->setResult, first);
		count--;

		series = getcode_last(request);
		if (series == NULL)
			continue;
		ExecStoreMinimalTuple(ExecCopySlotMinimalTuple(first), others, true);
		place = VARDATA_ANY(DatumGetPointer(slot_getattr(others, 1, &isnull))) + series->prefix_len;
		for (int i = 1; count > 0 && definitions_current() && getcode_allowed(series) &&
			 block_take(&series->block, place, series->tail_length); i++)
		{
			tuplestore_puttupleslot(result->setResult, others);
			count--;
			if (i % STORED_AT_ONCE == 0)
			{
				CHECK_FOR_INTERRUPTS();
				if (getcode_last(request) != series)
					break;
			}
		}
	}
	ExecDropSingleTupleTableSlot(first);
	ExecDropSingleTupleTableSlot(others);
	MemoryContextDelete(slow);
}

/*
 * coderring_get_codes(name, count, extra).  In a select list it takes each code
 * when the executor asks for it: a query that stops early has used no more
 * than it shows.  In FROM the executor would fetch all before it goes on, so
 * they are handed over at once, which is faster.  Either way it is looked
 * first whether there are so many.  The type of count is that of count(*), but
 * one statement takes no more than an integer holds: looking through the
 * cycles for more would have no end.
 */
Datum
coderring_get_codes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	FuncCallContext *context;
	CodeRequest *request;

	arguments_check_writable("coderring_get_codes");
	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		int32		count;
		int64		given;

		arguments_check_not_null(fcinfo, 0, "name of a ring");
		arguments_check_not_null(fcinfo, 1, "count");
		given = PG_GETARG_INT64(1);
		if (given < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("count must not be negative"),
					 errdetail("It is %lld.", (long long) given)));
		if (given > PG_INT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("count must not be greater than %d", PG_INT32_MAX),
					 errdetail("It is %lld.", (long long) given),
					 errhint("Call it more than once.")));
		count = (int32) given;
		if (result != NULL && IsA(result, ReturnSetInfo) && (result->allowedModes & SFRM_Materialize_Preferred) != 0)
		{
			CodeRequest all;

			arguments_get_request(fcinfo, 2, &all);
			(void) session_series(all.name, all.extra, all.extra_len);
			if (count > 1)
				getcode_check_left(&all, count);
			InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
			store_codes(result, &all, count);
			PG_RETURN_NULL();
		}
		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		request = palloc(sizeof(CodeRequest));
		arguments_get_request(fcinfo, 2, request);
		request->name = PG_GETARG_TEXT_P_COPY(0);
		request->extra = pnstrdup(request->extra, request->extra_len);
		context->user_fctx = request;
		context->max_calls = count;
		MemoryContextSwitchTo(old);

		/* An unknown ring is an error also for no codes. */
		(void) session_series(request->name, request->extra, request->extra_len);
		if (count > 1)
			getcode_check_left(request, count);
	}

	context = SRF_PERCALL_SETUP();
	request = context->user_fctx;
	if (context->call_cntr < context->max_calls)
	{
		CHECK_FOR_INTERRUPTS();
		request->count = context->max_calls - context->call_cntr;
		SRF_RETURN_NEXT(context, PointerGetDatum(getcode(request)));
	}
	SRF_RETURN_DONE(context);
}

/* coderring_advance(name, extra, to_cycle, to_offset) */
Datum
coderring_advance(PG_FUNCTION_ARGS)
{
	CodeRequest request;

	arguments_check_writable("coderring_advance");
	arguments_get_request(fcinfo, 1, &request);
	advance_series(&request, PG_ARGISNULL(2),
				   PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2),
				   PG_ARGISNULL(3) ? 0 : PG_GETARG_INT64(3));
	PG_RETURN_VOID();
}

/* coderring_recover(name, cycles, codes, new_extras): the number of rings */
Datum
coderring_recover(PG_FUNCTION_ARGS)
{
	arguments_check_writable("coderring_recover");
	PG_RETURN_INT32(recover_rings(PG_ARGISNULL(0) ? NULL : arguments_text(fcinfo, 0),
								  PG_ARGISNULL(1) ? RECOVER_CYCLES : PG_GETARG_INT32(1),
								  PG_ARGISNULL(2) ? RECOVER_CODES : PG_GETARG_INT64(2),
								  PG_ARGISNULL(3) || PG_GETARG_BOOL(3)));
}

/* coderring_import(codes, memos, first_cycle) */
Datum
coderring_import(PG_FUNCTION_ARGS)
{
	int64		first_cycle = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);

	arguments_check_writable("coderring_import");
	arguments_check_not_null(fcinfo, 0, "name of the table of codes");
	arguments_check_not_null(fcinfo, 1, "name of the table of memos");
	PG_RETURN_INT32(import_rings(PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1), PG_ARGISNULL(2) ? NULL : &first_cycle));
}

/* coderring_start_rings(): the number of rings that the caller may use */
Datum
coderring_start_rings(PG_FUNCTION_ARGS)
{
	List	   *rings;
	ListCell   *cell;

	arguments_check_writable("coderring_start_rings");
	rings = ring_list(acl_may_use);
	foreach(cell, rings)
		getcode_load(lfirst(cell));
	PG_RETURN_INT32(list_length(rings));
}

/* coderring_grant(name, role) */
Datum
coderring_grant(PG_FUNCTION_ARGS)
{
	arguments_check_writable("coderring_grant");
	arguments_check_not_null(fcinfo, 0, "name of a ring");
	arguments_check_not_null(fcinfo, 1, "name of a role");
	grantcmds_grant(arguments_text(fcinfo, 0), NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}

/* coderring_revoke(name, role) */
Datum
coderring_revoke(PG_FUNCTION_ARGS)
{
	arguments_check_writable("coderring_revoke");
	arguments_check_not_null(fcinfo, 0, "name of a ring");
	arguments_check_not_null(fcinfo, 1, "name of a role");
	grantcmds_revoke(arguments_text(fcinfo, 0), NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}

/* coderring_change_owner(name, new_owner) */
Datum
coderring_change_owner(PG_FUNCTION_ARGS)
{
	arguments_check_writable("coderring_change_owner");
	arguments_check_not_null(fcinfo, 0, "name of a ring");
	arguments_check_not_null(fcinfo, 1, "name of a role");
	grantcmds_change_owner(arguments_text(fcinfo, 0), NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}

/* coderring_define_blocklist(list, words) */
Datum
coderring_define_blocklist(PG_FUNCTION_ARGS)
{
	arguments_check_writable("coderring_define_blocklist");
	arguments_check_not_null(fcinfo, 0, "name of a blocklist");
	blocklistcmds_define(arguments_text(fcinfo, 0), PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1));
	PG_RETURN_VOID();
}

/* coderring_set_blocklist(name, blocklist) */
Datum
coderring_set_blocklist(PG_FUNCTION_ARGS)
{
	arguments_check_writable("coderring_set_blocklist");
	arguments_check_not_null(fcinfo, 0, "name of a ring");
	ringcmds_set_blocklist(arguments_text(fcinfo, 0), PG_ARGISNULL(1) ? NULL : arguments_text(fcinfo, 1));
	PG_RETURN_VOID();
}
