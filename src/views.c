/*
 * views.c
 *		Rows of the views coderring.rings and coderring.series.
 *
 * As with PostgreSQL's own catalogs they show what is there now, not what a
 * transaction's snapshot would show.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

#include "block.h"
#include "grant.h"
#include "ring.h"
#include "series.h"

PG_FUNCTION_INFO_V1(coderring_list_rings);
PG_FUNCTION_INFO_V1(coderring_list_series);

#define RING_COLUMNS	7
#define SERIES_COLUMNS	11

typedef struct Listing
{
	const Ring *ring;
	ReturnSetInfo *result;
} Listing;

static bool
may_see(const Ring *ring, Oid user)
{
	return grant_may_use(ring, user) || has_privs_of_role(user, ROLE_PG_MONITOR);
}

/*
 * The names of the roles that a ring is granted to, as name[].
 */
static Datum
grantee_names(const Ring *ring)
{
	List	   *grantees = grant_list(ring->id);
	Datum	   *names = palloc((list_length(grantees) + 1) * sizeof(Datum));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, grantees)
	{
		Oid			role = lfirst_oid(cell);
		char	   *name = role == GRANT_PUBLIC_OID ? GRANT_PUBLIC_NAME : GetUserNameFromId(role, true);

		if (name != NULL)		/* not a role that has been dropped */
			names[count++] = DirectFunctionCall1(namein, CStringGetDatum(name));
	}
	return PointerGetDatum(construct_array(names, count, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR));
}

/* coderring.list_rings() */
Datum
coderring_list_rings(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	foreach(cell, ring_list(may_see))
	{
		const Ring *ring = lfirst(cell);
		char	   *owner = GetUserNameFromId(ring->owner, true);
		Datum		values[RING_COLUMNS];
		bool		nulls[RING_COLUMNS] = {false};

		values[0] = CStringGetTextDatum(ring->name);
		nulls[1] = owner == NULL;
		values[1] = owner == NULL ? (Datum) 0 : DirectFunctionCall1(namein, CStringGetDatum(owner));
		values[2] = Int32GetDatum((int32) ring->codec.base_length);
		values[3] = PointerGetDatum(cstring_to_text_with_len(ring->codec.alphabet, ring->codec.radix));
		nulls[4] = ring->max_length == 0;
		values[4] = Int32GetDatum(ring->max_length);
		values[5] = Int64GetDatum(ring->first_cycle);
		values[6] = grantee_names(ring);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * How many codes there are before the next longer one, this cycle's remaining
 * ones included; the largest bigint if that is not enough.
 */
static int64
until_longer(const Ring *ring, int64 cycle, int64 remaining)
{
	uint64		longer = codec_first_longer_cycle(&ring->codec, cycle);
	uint64		cycles = longer - cycle - 1;

	if (cycles > (uint64) ((PG_INT64_MAX - remaining) / ring->base_codes))
		return PG_INT64_MAX;
	return remaining + (int64) cycles * ring->base_codes;
}

static void
list_one(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
		 int64 reserved_to, int64 unblocked, void *arg)
{
	Listing    *listing = arg;
	const Ring *ring = listing->ring;
	int64		codes = ring->base_codes;
	int64		position = reserved_to;
	int64		cycle;
	int64		offset;
	char		uniquizer[CODEC_MAX_UNIQUIZER];
	size_t		uniquizer_len;
	char		percent[32];
	SeriesKey	key;
	Slot	   *slot;
	Datum		values[SERIES_COLUMNS];
	bool		nulls[SERIES_COLUMNS] = {false};

	ring_make_key(ring, &key);
	key.extra_len = extra_len;
	memcpy(key.extra, extra, extra_len);
	slot = RecoveryInProgress() ? NULL : slot_find(&key);
	if (slot != NULL)
	{
		int64		known = block_position(slot);

		if (known >= 0 && known < reserved_to)
			position = known;
	}

	/* The end of a cycle belongs to it, until the next one is entered. */
	cycle = position / codes;
	offset = position % codes;
	if (offset == 0 && position == reserved_to && unblocked > 0 && cycle > 0)
	{
		cycle--;
		offset = codes;
	}
	uniquizer_len = codec_write_uniquizer(&ring->codec, cycle, uniquizer);
	{
		/* Exact to the second place, rounded down. */
		int64		hundredths = (int64) ((long double) offset * 10000 / codes);

		snprintf(percent, sizeof(percent), "%d.%02d", (int) (hundredths / 100), (int) (hundredths % 100));
	}

	values[0] = CStringGetTextDatum(ring->name);
	values[1] = PointerGetDatum(cstring_to_text_with_len(extra, extra_len));
	values[2] = Int64GetDatum(cycle);
	values[3] = PointerGetDatum(cstring_to_text_with_len(uniquizer, uniquizer_len));
	values[4] = Int64GetDatum(offset);
	nulls[4] = RecoveryInProgress();
	values[5] = Int64GetDatum(reserved_to);
	values[6] = Int64GetDatum(codes);
	values[7] = Int64GetDatum(codes - offset);
	values[8] = DirectFunctionCall3(numeric_in, CStringGetDatum(percent),
									ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	values[9] = Int32GetDatum(pg_mbstrlen_with_len(extra, extra_len) + uniquizer_len + ring->codec.base_length);
	values[10] = Int64GetDatum(until_longer(ring, cycle, codes - offset));
	tuplestore_putvalues(listing->result->setResult, listing->result->setDesc, values, nulls);
}

/* coderring.list_series() */
Datum
coderring_list_series(PG_FUNCTION_ARGS)
{
	Listing		listing;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	listing.result = (ReturnSetInfo *) fcinfo->resultinfo;
	foreach(cell, ring_list(may_see))
	{
		listing.ring = lfirst(cell);
		series_visit(&listing.ring->incarnation, list_one, &listing);
	}
	return (Datum) 0;
}
