/*
 * views.c
 *		Rows of the views coderring.rings, coderring.series and coderring.stats.
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

#include "codes/capacity.h"
#include "codes/cycles.h"
#include "codes/progress.h"
#include "compat.h"
#include "core/codec.h"
#include "core/wordfilter.h"
#include "shmem/block.h"
#include "shmem/entry.h"
#include "shmem/shared.h"
#include "store/acl.h"
#include "store/blocklist.h"
#include "store/ring.h"
#include "store/series.h"
#include "store/state.h"

PG_FUNCTION_INFO_V1(coderring_list_rings);
PG_FUNCTION_INFO_V1(coderring_list_series);
PG_FUNCTION_INFO_V1(coderring_list_stats);

#define RING_COLUMNS	9
#define SERIES_COLUMNS	11
#define STATS_COLUMNS	8

typedef struct Listing
{
	const Ring *ring;
	const WordFilter *filter;
	uint64		blocklist_id;	/* identity of its words */
	Capacity   *capacity;
	ReturnSetInfo *result;
} Listing;

static bool
may_see(const Ring *ring, Oid user)
{
	return acl_may_use(ring, user) || has_privs_of_role(user, ROLE_PG_MONITOR);
}

/*
 * The names of the roles that a ring is granted to, as name[].
 */
static Datum
grantee_names(const Ring *ring)
{
	List	   *grantees = acl_list(&ring->id);
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
		nulls[4] = ring->blocklist[0] == '\0';
		values[4] = CStringGetTextDatum(ring->blocklist);
		values[5] = BoolGetDatum(ring->check != NULL);
		nulls[6] = ring->max_length == 0;
		values[6] = Int32GetDatum(ring->max_length);
		values[7] = Int64GetDatum(ring->first_cycle);
		values[8] = grantee_names(ring);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static void
list_one(const pg_uuid_t *incarnation, const char *extra, uint32 extra_len,
		 const SeriesNumbers *numbers, void *arg)
{
	Listing    *listing = arg;
	const Ring *ring = listing->ring;
	int64		positions = ring->base_codes;
	int64		cycle;
	int64		offset;
	int64		codes;
	int64		remaining;
	int32		code_length;
	bool		too_long;		/* none of these codes can be had */
	char		uniquizer[CODEC_MAX_UNIQUIZER];
	size_t		uniquizer_len;
	char		percent[32];
	SeriesId	id;
	BlockState	state;
	Datum		values[SERIES_COLUMNS];
	bool		nulls[SERIES_COLUMNS] = {false};

	ring_series_id(ring, &id);
	id.extra_len = extra_len;
	memcpy(id.extra, extra, extra_len);
	state = progress_read(ring, listing->filter, listing->blocklist_id,
						  RecoveryInProgress() ? NULL : entry_find(&id), &id, numbers);

	cycle = state.position / positions;
	offset = state.position % positions;
	if (state.position == numbers->reserved_to && series_at_end_of_cycle(numbers, positions))
	{
		/* The end of a cycle belongs to it, until the next one is entered. */
		cycle--;
		offset = positions;
	}
	else if (cycle >= PG_INT64_MAX / positions)
	{
		/* There is no next one. */
		cycle = PG_INT64_MAX / positions - 1;
		offset = positions;
	}
	codes = capacity_of_cycle(listing->capacity, &id, cycle);
	uniquizer_len = codec_write_uniquizer(&ring->codec, cycle, uniquizer);
	code_length = pg_mbstrlen_with_len(extra, extra_len) + uniquizer_len + ring->tail_length;

	/* What is counted along can be an estimate, and is not to say that nothing is left. */
	if (offset < positions && codes <= state.counted)
		state.counted = progress_count_before(ring, listing->filter, &id, state.position);

	/*
	 * A cycle is complete with its last code, wherever the last reservation
	 * ended: positions behind it that have none are not waited for.
	 */
	too_long = ring->max_length > 0 && code_length > ring->max_length;
	if (codes <= state.counted || too_long)
		offset = positions;

	/* Moved to where nothing is to be had, it goes on in a cycle after it. */
	if (offset == 0 && numbers->reserved_to <= state.position &&
		!cycles_possible(ring, listing->filter, &id, cycle))
		offset = positions;
	remaining = offset == positions ? 0 : codes - state.counted;
	{
		/* Exact to the second place, rounded down. */
		int64		hundredths = codes == 0 ? 10000 : (int64) ((long double) (codes - remaining) * 10000 / codes);

		snprintf(percent, sizeof(percent), "%d.%02d", (int) (hundredths / 100), (int) (hundredths % 100));
	}

	values[0] = CStringGetTextDatum(ring->name);
	values[1] = PointerGetDatum(cstring_to_text_with_len(extra, extra_len));
	values[2] = Int64GetDatum(cycle);
	values[3] = PointerGetDatum(cstring_to_text_with_len(uniquizer, uniquizer_len));
	values[4] = Int64GetDatum(offset);
	nulls[4] = RecoveryInProgress();
	values[5] = Int64GetDatum(numbers->reserved_to);
	values[6] = Int64GetDatum(codes);
	values[7] = Int64GetDatum(remaining);
	values[8] = DirectFunctionCall3(numeric_in, CStringGetDatum(percent),
									ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	values[9] = Int32GetDatum(code_length);
	values[10] = Int64GetDatum(too_long ? 0 : capacity_until_longer(listing->capacity, &id, cycle, remaining));
	tuplestore_putvalues(listing->result->setResult, listing->result->setDesc, values, nulls);
}

/* coderring.list_series() */
Datum
coderring_list_series(PG_FUNCTION_ARGS)
{
	Listing		listing;
	ListCell   *cell;
	const Ring *last = NULL;

	InitMaterializedSRF(fcinfo, 0);
	listing.result = (ReturnSetInfo *) fcinfo->resultinfo;
	foreach(cell, ring_list(may_see))
	{
		Ring	   *ring = lfirst(cell);

		/* Rings are many, and lists are few. */
		if (last != NULL && strcmp(last->blocklist, ring->blocklist) == 0)
			ring->blocklist_id = last->blocklist_id;
		else if (!blocklist_find_id(ring))
			continue;			/* dropped with its list, a moment ago */
		last = ring;
		listing.ring = ring;
		listing.filter = blocklist_filter(ring, &listing.blocklist_id);
		listing.capacity = capacity_create(ring, listing.filter);
		series_visit(&ring->incarnation, list_one, &listing);
		capacity_free(listing.capacity);
	}
	return (Datum) 0;
}

static int
compare_incarnations(const ListCell *a, const ListCell *b)
{
	return memcmp(&((Ring *) lfirst(a))->incarnation, &((Ring *) lfirst(b))->incarnation, sizeof(pg_uuid_t));
}

/* The ring of an incarnation in a list that is sorted by them; NULL if it is not there. */
static const Ring *
find_incarnation(const List *rings, const pg_uuid_t *incarnation)
{
	int			low = 0;
	int			high = list_length(rings);

	while (low < high)
	{
		int			middle = (low + high) / 2;
		const Ring *ring = list_nth(rings, middle);
		int			order = memcmp(&ring->incarnation, incarnation, sizeof(pg_uuid_t));

		if (order == 0)
			return ring;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* coderring.list_stats() */
Datum
coderring_list_stats(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result;
	List	   *rings;
	ListCell   *cell;
	SeriesId	id;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	rings = RecoveryInProgress() ? NIL : ring_list(may_see);
	if (rings == NIL)
		return (Datum) 0;
	list_sort(rings, compare_incarnations);
	ring_series_id(linitial(rings), &id);

	/* All entries at once: rings may be many, and the search holds a lock. */
	foreach(cell, entry_collect(&id))
	{
		SharedSeries *entry = lfirst(cell);
		const Ring *ring;
		BlockState	state;
		Datum		values[STATS_COLUMNS];
		bool		nulls[STATS_COLUMNS] = {false};

		id = entry->id;
		ring = find_incarnation(rings, &id.incarnation);
		if (ring == NULL)
			continue;			/* not for this user, or not a ring any more */
		block_read(entry, &state);
		if (state.position < 0)
			continue;			/* made, and not used yet */
		values[0] = CStringGetTextDatum(ring->name);
		values[1] = PointerGetDatum(cstring_to_text_with_len(id.extra, Min(id.extra_len, EXTRA_MAX_LEN)));
		values[2] = Int64GetDatum(state.issued);
		values[3] = Int64GetDatum(entry->skipped);
		values[4] = Int64GetDatum((int64) entry->refills);
		values[5] = Int64GetDatum((int64) entry->refill_waits);
		values[6] = Float8GetDatum(entry->refill_time / 1000.0);
		values[7] = TimestampTzGetDatum(entry->since);
		pg_read_barrier();
		if (entry_same_series(&entry->id, &id))
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
