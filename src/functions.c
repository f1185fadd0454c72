/*
 * functions.c
 *		The SQL functions: check arguments, call the room that does the work.
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

#include "alphabets.h"
#include "characters.h"
#include "dispense.h"
#include "grant.h"
#include "guards.h"
#include "lifecycle.h"
#include "move.h"
#include "recover.h"
#include "ring.h"
#include "words.h"

PG_FUNCTION_INFO_V1(coderring_create);
PG_FUNCTION_INFO_V1(coderring_drop);
PG_FUNCTION_INFO_V1(coderring_rename);
PG_FUNCTION_INFO_V1(coderring_reset);
PG_FUNCTION_INFO_V1(coderring_get_code);
PG_FUNCTION_INFO_V1(coderring_get_codes);
PG_FUNCTION_INFO_V1(coderring_advance);
PG_FUNCTION_INFO_V1(coderring_recover);
PG_FUNCTION_INFO_V1(coderring_start_rings);
PG_FUNCTION_INFO_V1(coderring_grant);
PG_FUNCTION_INFO_V1(coderring_revoke);
PG_FUNCTION_INFO_V1(coderring_change_owner);
PG_FUNCTION_INFO_V1(coderring_define_blocklist);
PG_FUNCTION_INFO_V1(coderring_set_blocklist);
PG_FUNCTION_INFO_V1(coderring_is_valid);
PG_FUNCTION_INFO_V1(coderring_alphabet);
PG_FUNCTION_INFO_V1(coderring_definitions_changed);
PG_FUNCTION_INFO_V1(coderring_refuse_change);

static void
report_unwritable(const char *function)
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

/*
 * Raise 25006 where nothing can be written.  (A standby's transactions are
 * read-only too.)
 */
static inline void
check_writable(const char *function)
{
	if (unlikely(XactReadOnly || IsInParallelMode()))
		report_unwritable(function);
}

static void
check_not_null(FunctionCallInfo fcinfo, int number, const char *what)
{
	if (unlikely(PG_ARGISNULL(number)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
}

/*
 * A name or an extra that is to be stored, or compared with what is.
 */
static char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static inline void
get_wanted(FunctionCallInfo fcinfo, int extra_number, Wanted *wanted)
{
	check_not_null(fcinfo, 0, "name of a ring");
	wanted->name = PG_GETARG_TEXT_PP(0);
	wanted->count = 1;
	if (PG_ARGISNULL(extra_number))
	{
		wanted->extra = "";
		wanted->extra_len = 0;
	}
	else
	{
		text	   *extra = PG_GETARG_TEXT_PP(extra_number);

		wanted->extra = VARDATA_ANY(extra);
		wanted->extra_len = VARSIZE_ANY_EXHDR(extra);
	}
}

/*
 * coderring_create(name, base_length, blocklist, alphabet, check_character,
 *					max_length, first_cycle, if_not_exists)
 */
Datum
coderring_create(PG_FUNCTION_ARGS)
{
	RingOptions options = {0};

	check_writable("coderring_create");
	check_not_null(fcinfo, 0, "name of a ring");
	options.base_length = PG_ARGISNULL(1) ? 4 : PG_GETARG_INT32(1);
	options.blocklist = PG_ARGISNULL(2) ? NULL : text_argument(fcinfo, 2);
	options.alphabet = PG_ARGISNULL(3) ? NULL : text_argument(fcinfo, 3);
	options.check_character = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	options.have_max_length = !PG_ARGISNULL(5);
	options.max_length = PG_ARGISNULL(5) ? 0 : PG_GETARG_INT32(5);
	options.first_cycle = PG_ARGISNULL(6) ? 0 : PG_GETARG_INT64(6);
	lifecycle_create(text_argument(fcinfo, 0), &options, !PG_ARGISNULL(7) && PG_GETARG_BOOL(7));
	PG_RETURN_VOID();
}

/* coderring_drop(name, if_exists) */
Datum
coderring_drop(PG_FUNCTION_ARGS)
{
	check_writable("coderring_drop");
	check_not_null(fcinfo, 0, "name of a ring");
	lifecycle_drop(text_argument(fcinfo, 0), !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}

/* coderring_rename(name, new_name) */
Datum
coderring_rename(PG_FUNCTION_ARGS)
{
	check_writable("coderring_rename");
	check_not_null(fcinfo, 0, "name of a ring");
	check_not_null(fcinfo, 1, "new name of a ring");
	lifecycle_rename(text_argument(fcinfo, 0), text_argument(fcinfo, 1));
	PG_RETURN_VOID();
}

/* coderring_reset(name, first_cycle, test_seed) */
Datum
coderring_reset(PG_FUNCTION_ARGS)
{
	check_writable("coderring_reset");
	check_not_null(fcinfo, 0, "name of a ring");
	lifecycle_reset(text_argument(fcinfo, 0),
					PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1),
					PG_ARGISNULL(2) ? NULL : text_argument(fcinfo, 2));
	PG_RETURN_VOID();
}

/* coderring_get_code(name, extra, bump) */
Datum
coderring_get_code(PG_FUNCTION_ARGS)
{
	Wanted		wanted;

	check_writable("coderring_get_code");
	get_wanted(fcinfo, 1, &wanted);
	if (unlikely(!PG_ARGISNULL(2) && PG_GETARG_BOOL(2)))
		PG_RETURN_TEXT_P(dispense_slowly(&wanted, true));
	PG_RETURN_TEXT_P(dispense(&wanted));
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
store_codes(ReturnSetInfo *result, Wanted *wanted, int32 count)
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
		wanted->count = count;
		first->tts_values[0] = PointerGetDatum(dispense(wanted));
		first->tts_isnull[0] = false;
		MemoryContextSwitchTo(caller);
		ExecStoreVirtualTuple(first);
		tuplestore_puttupleslot(result->setResult, first);
		count--;

		series = dispense_last(wanted);
		if (series == NULL)
			continue;
		ExecStoreMinimalTuple(ExecCopySlotMinimalTuple(first), others, true);
		place = VARDATA_ANY(DatumGetPointer(slot_getattr(others, 1, &isnull))) + series->prefix_len;
		for (int i = 1; count > 0 && ring_memory_good() && dispense_allowed(series) &&
			 block_take(&series->block, place, series->stride); i++)
		{
			tuplestore_puttupleslot(result->setResult, others);
			count--;
			if (i % STORED_AT_ONCE == 0)
			{
				CHECK_FOR_INTERRUPTS();
				if (dispense_last(wanted) != series)
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
	Wanted	   *wanted;

	check_writable("coderring_get_codes");
	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		int32		count;
		int64		given;

		check_not_null(fcinfo, 0, "name of a ring");
		check_not_null(fcinfo, 1, "count");
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
			Wanted		all;

			get_wanted(fcinfo, 2, &all);
			(void) ring_series(all.name, all.extra, all.extra_len);
			if (count > 1)
				dispense_check_left(&all, count);
			InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
			store_codes(result, &all, count);
			PG_RETURN_NULL();
		}
		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		wanted = palloc(sizeof(Wanted));
		get_wanted(fcinfo, 2, wanted);
		wanted->name = PG_GETARG_TEXT_P_COPY(0);
		wanted->extra = pnstrdup(wanted->extra, wanted->extra_len);
		context->user_fctx = wanted;
		context->max_calls = count;
		MemoryContextSwitchTo(old);

		/* An unknown ring is an error also for no codes. */
		(void) ring_series(wanted->name, wanted->extra, wanted->extra_len);
		if (count > 1)
			dispense_check_left(wanted, count);
	}

	context = SRF_PERCALL_SETUP();
	wanted = context->user_fctx;
	if (context->call_cntr < context->max_calls)
	{
		CHECK_FOR_INTERRUPTS();
		wanted->count = context->max_calls - context->call_cntr;
		SRF_RETURN_NEXT(context, PointerGetDatum(dispense(wanted)));
	}
	SRF_RETURN_DONE(context);
}

/* coderring_advance(name, extra, to_cycle, to_offset) */
Datum
coderring_advance(PG_FUNCTION_ARGS)
{
	Wanted		wanted;

	check_writable("coderring_advance");
	get_wanted(fcinfo, 1, &wanted);
	dispense_advance(&wanted, PG_ARGISNULL(2),
					 PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2),
					 PG_ARGISNULL(3) ? 0 : PG_GETARG_INT64(3));
	PG_RETURN_VOID();
}

/* coderring_recover(name, cycles, codes, new_extras): the number of rings */
Datum
coderring_recover(PG_FUNCTION_ARGS)
{
	check_writable("coderring_recover");
	PG_RETURN_INT32(recover_rings(PG_ARGISNULL(0) ? NULL : text_argument(fcinfo, 0),
								  PG_ARGISNULL(1) ? MOVE_CYCLES : PG_GETARG_INT32(1),
								  PG_ARGISNULL(2) ? MOVE_CODES : PG_GETARG_INT64(2),
								  PG_ARGISNULL(3) || PG_GETARG_BOOL(3)));
}

/* coderring_start_rings(): the number of rings that the caller may use */
Datum
coderring_start_rings(PG_FUNCTION_ARGS)
{
	List	   *rings;
	ListCell   *cell;

	check_writable("coderring_start_rings");
	rings = ring_list(grant_may_use);
	foreach(cell, rings)
		dispense_load(lfirst(cell));
	PG_RETURN_INT32(list_length(rings));
}

/* coderring_grant(name, role) */
Datum
coderring_grant(PG_FUNCTION_ARGS)
{
	check_writable("coderring_grant");
	check_not_null(fcinfo, 0, "name of a ring");
	check_not_null(fcinfo, 1, "name of a role");
	grant_give(text_argument(fcinfo, 0), NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}

/* coderring_revoke(name, role) */
Datum
coderring_revoke(PG_FUNCTION_ARGS)
{
	check_writable("coderring_revoke");
	check_not_null(fcinfo, 0, "name of a ring");
	check_not_null(fcinfo, 1, "name of a role");
	grant_take(text_argument(fcinfo, 0), NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}

/* coderring_change_owner(name, new_owner) */
Datum
coderring_change_owner(PG_FUNCTION_ARGS)
{
	check_writable("coderring_change_owner");
	check_not_null(fcinfo, 0, "name of a ring");
	check_not_null(fcinfo, 1, "name of a role");
	grant_change_owner(text_argument(fcinfo, 0), NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}

/* coderring_define_blocklist(list, words) */
Datum
coderring_define_blocklist(PG_FUNCTION_ARGS)
{
	check_writable("coderring_define_blocklist");
	check_not_null(fcinfo, 0, "name of a blocklist");
	words_define(text_argument(fcinfo, 0), PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1));
	PG_RETURN_VOID();
}

/* coderring_set_blocklist(name, blocklist) */
Datum
coderring_set_blocklist(PG_FUNCTION_ARGS)
{
	check_writable("coderring_set_blocklist");
	check_not_null(fcinfo, 0, "name of a ring");
	lifecycle_set_blocklist(text_argument(fcinfo, 0), PG_ARGISNULL(1) ? NULL : text_argument(fcinfo, 1));
	PG_RETURN_VOID();
}

/*
 * coderring_is_valid(alphabet, code): is the last character of the code the
 * check character of the others?  22023 for what is no alphabet.
 */
Datum
coderring_is_valid(PG_FUNCTION_ARGS)
{
	RingOptions options = {.base_length = 1};
	Codec		codec;
	text	   *code = PG_GETARG_TEXT_PP(1);
	const char *bytes = VARDATA_ANY(code);
	uint32		len = VARSIZE_ANY_EXHDR(code);
	uint32		characters;

	options_make_codec(&options, NULL, text_argument(fcinfo, 0), &codec);
	if (len < 2 || codec.base_value[(unsigned char) bytes[len - 1]] < 0)
		PG_RETURN_BOOL(false);
	characters = characters_count(bytes, len);
	PG_RETURN_BOOL(characters >= 2 &&
				   characters_check(&codec, check_table(codec.radix), CHECK_START, characters - 1,
									bytes, len) == CHECK_START);
}

/* coderring_alphabet(name) */
Datum
coderring_alphabet(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(alphabets_find(text_argument(fcinfo, 0))));
}

static TriggerData *
check_trigger(FunctionCallInfo fcinfo, const char *function)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", function)));
	return (TriggerData *) fcinfo->context;
}

/* The name of a list of words, NULL if there is none (the table was altered). */
static char *
list_name(Relation rel, HeapTuple tuple)
{
	int			number = SPI_fnumber(RelationGetDescr(rel), "name");
	bool		isnull = true;
	Datum		name = number > 0 ? heap_getattr(tuple, number, RelationGetDescr(rel), &isnull) : (Datum) 0;

	return isnull ? NULL : TextDatumGetCString(name);
}

/*
 * After definitions were changed: by a superuser, a restore, logical
 * replication, or this extension.  What belongs to a row that is gone goes too.
 */
Datum
coderring_definitions_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_trigger(fcinfo, "coderring.definitions_changed");
	Relation	rel = trigger->tg_relation;
	HeapTuple	row = trigger->tg_trigtuple;
	HeapTuple	new = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : NULL;

	lifecycle_definitions_changed();
	if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && RelationGetRelid(rel) == ring_relation("blocklist"))
	{
		lifecycle_words_changed(list_name(rel, row), NULL);
		if (new != NULL)
			lifecycle_words_changed(list_name(rel, new), NULL);
	}
	else if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
			 RelationGetRelid(rel) == ring_relation("ring"))
		lifecycle_row_gone(row, new, RelationGetDescr(rel));
	PG_RETURN_POINTER(NULL);
}

/*
 * Before the state of a series is changed by SQL, or any table is truncated.
 * Where logical replication brings a change of a row, of a table with a replica
 * identity on the other side, an error would stop its worker for good, and all
 * tables with it.  So it is left out; the log says so once a transaction.
 */
Datum
coderring_refuse_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_trigger(fcinfo, "coderring.refuse_change");

	if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && (IsLogicalWorker() || coderring_has_origin()))
	{
		static TimestampTz logged = 0;

		if (logged != GetCurrentTransactionStartTimestamp())
			ereport(LOG,
					(errmsg("left out changes of \"coderring.%s\" that have come by logical replication",
							RelationGetRelationName(trigger->tg_relation)),
					 errdetail("How far series have come is each server's own.")));
		logged = GetCurrentTransactionStartTimestamp();
		PG_RETURN_POINTER(NULL);
	}
	guards_report_change(trigger->tg_relation);
}
