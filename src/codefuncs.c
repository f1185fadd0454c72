/*
 * codefuncs.c
 *		SQL functions that look at codes: decode, issued, normalize, is_valid.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "arguments.h"
#include "codes/decode.h"
#include "codes/mbtext.h"
#include "codes/normalize.h"
#include "core/check.h"
#include "core/codec.h"
#include "ddl/alphabets.h"
#include "ddl/options.h"
#include "issue/session.h"
#include "store/ring.h"

PG_FUNCTION_INFO_V1(coderring_is_valid);
PG_FUNCTION_INFO_V1(coderring_alphabet);
PG_FUNCTION_INFO_V1(coderring_decode);
PG_FUNCTION_INFO_V1(coderring_issued);
PG_FUNCTION_INFO_V1(coderring_normalize);

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

	options_make_codec(&options, NULL, arguments_text(fcinfo, 0), &codec);
	if (len < 2 || codec.base_value[(unsigned char) bytes[len - 1]] < 0)
		PG_RETURN_BOOL(false);
	characters = mbtext_count(bytes, len);
	PG_RETURN_BOOL(characters >= 2 &&
				   mbtext_check(&codec, check_table(codec.radix), CHECK_START, characters - 1,
								bytes, len) == CHECK_START);
}

/* coderring_alphabet(name) */
Datum
coderring_alphabet(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(alphabets_find(arguments_text(fcinfo, 0))));
}

#define DECODE_COLUMNS	6

static const Ring *
find_ring(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name of a ring must not be null")));
	return session_ring(PG_GETARG_TEXT_PP(0));
}

/* coderring_decode(name, code) */
Datum
coderring_decode(PG_FUNCTION_ARGS)
{
	const Ring *ring = find_ring(fcinfo);
	Datum		values[DECODE_COLUMNS];
	bool		nulls[DECODE_COLUMNS];
	TupleDesc	desc;
	Decoded		decoded;
	const char *code;
	uint32		len;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	code = VARDATA_ANY(PG_GETARG_TEXT_PP(1));
	len = VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != DECODE_COLUMNS)
		elog(ERROR, "coderring_decode must return a row of %d columns", DECODE_COLUMNS);
	memset(nulls, true, sizeof(nulls));
	nulls[5] = false;
	values[5] = BoolGetDatum(false);
	if (decode_code(ring, code, len, &decoded))
	{
		const char *uniquizer = code + decoded.id.extra_len;

		memset(nulls, false, sizeof(nulls));
		values[0] = PointerGetDatum(cstring_to_text_with_len(code, decoded.id.extra_len));
		values[1] = PointerGetDatum(cstring_to_text_with_len(uniquizer, decoded.uniquizer_len));
		values[2] = PointerGetDatum(cstring_to_text_with_len(uniquizer + decoded.uniquizer_len,
															 ring->codec.base_length));
		values[3] = Int64GetDatum(decoded.cycle);
		values[5] = BoolGetDatum(decoded.issued);

		/*
		 * The place of a code that is still to come would tell everyone whom
		 * the ring is granted to the order to come.  A standby does not know
		 * which of the reserved codes are out.
		 */
		nulls[4] = !decoded.issued || RecoveryInProgress();
		values[4] = Int64GetDatum(decoded.position % ring->base_codes);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* coderring_issued(name, code) */
Datum
coderring_issued(PG_FUNCTION_ARGS)
{
	const Ring *ring = find_ring(fcinfo);
	Decoded		decoded;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(decode_code(ring, VARDATA_ANY(PG_GETARG_TEXT_PP(1)),
							   VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1)), &decoded) &&
				   decoded.issued);
}

/* coderring_normalize(name, input) */
Datum
coderring_normalize(PG_FUNCTION_ARGS)
{
	const Ring *ring;
	text	   *input;
	char	   *code;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name of a ring must not be null")));
	ring = session_ring(PG_GETARG_TEXT_PP(0));
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	input = PG_GETARG_TEXT_PP(1);
	code = normalize_input(ring, VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input));
	if (code == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(code));
}
