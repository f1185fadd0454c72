/*
 * ring.c
 *		A ring's definition: its row, who may use it, and what a session
 *		remembers of it.
 *
 * Rows are read with SnapshotSelf: what is committed now, plus what this
 * transaction did itself.  A snapshot of the statement or the transaction
 * would go on showing rings that have been dropped, and any MVCC snapshot is
 * tracked by serializable transactions, which would then fail each other over
 * reads that are none of the user's.
 *
 * A session remembers rings and series by name until the shared epoch moves
 * (every committed change of a definition raises it, see lifecycle.c) or a
 * relcache, role or transaction callback calls ring_forget().  Then all of it
 * is thrown away at the next use.  The epoch is compared at every single call,
 * so a change reaches a session in the middle of a long transaction too.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/relscan.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "grant.h"
#include "locks.h"
#include "ring.h"

#define SCHEMA	"coderring"

/* So many series are remembered, then the session begins anew. */
#define MAX_REMEMBERED	20000

typedef struct SeriesName
{
	const char *name;
	const char *extra;
	uint32		name_len;
	uint32		extra_len;
} SeriesName;

typedef struct RingEntry
{
	char		name[NAMEDATALEN];
	Ring	   *ring;
} RingEntry;

StaticAssertDecl(RING_NAME_MAX_LEN < NAMEDATALEN, "a ring's name fits dynahash's string keys");

typedef struct SeriesEntry
{
	Series	   *series;
	uint32		hash;
	char		status;
} SeriesEntry;

static inline uint32
hash_name(SeriesName key)
{
	return hash_combine(hash_bytes((const unsigned char *) key.name, key.name_len),
						hash_bytes((const unsigned char *) key.extra, key.extra_len));
}

static inline SeriesName
name_of(const Series *series)
{
	SeriesName	key = {series->name, series->key.extra, series->name_len, series->key.extra_len};

	return key;
}

static inline bool
equal_names(SeriesName a, SeriesName b)
{
	return a.name_len == b.name_len && a.extra_len == b.extra_len &&
		memcmp(a.name, b.name, a.name_len) == 0 &&
		memcmp(a.extra, b.extra, a.extra_len) == 0;
}

/*
 * The table of remembered series.  The key lives in the series, so the table
 * is searched with a hash and a comparison of our own.
 */
#define SH_PREFIX		memory_of_series
#define SH_ELEMENT_TYPE SeriesEntry
#define SH_KEY_TYPE		Series *
#define SH_KEY			series
#define SH_HASH_KEY(tb, key)	hash_name(name_of(key))
#define SH_EQUAL(tb, a, b)		equal_names(name_of(a), name_of(b))
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a)		(a)->hash
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

uint64		ring_memory_epoch = 0;
Series	   *ring_last_series = NULL;

static MemoryContext memory = NULL;
static memory_of_series_hash *remembered = NULL;
static HTAB *rings = NULL;		/* of RingEntry, by name */

/* Objects whose loss invalidates everything; InvalidOid when not looked up. */
static Oid	ring_relid = InvalidOid;
static Oid	series_relid = InvalidOid;

static void
on_relation_change(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == ring_relid || relid == series_relid)
		ring_forget();
}

static void
on_role_change(Datum arg, int cacheid, uint32 hash)
{
	ring_forget();
}

void
ring_init(void)
{
	CacheRegisterRelcacheCallback(on_relation_change, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, on_role_change, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, on_role_change, (Datum) 0);
}

static void
report_no_extension(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("the tables of the extension \"coderring\" do not exist"),
			 errhint("CREATE EXTENSION coderring;")));
}

/*
 * The OID of one of the extension's relations, by name in its schema.
 */
Oid
ring_relation(const char *name)
{
	Oid			namespace = get_namespace_oid(SCHEMA, true);
	Oid			relid = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;

	if (!OidIsValid(relid))
		report_no_extension();
	return relid;
}

/*
 * Open a table of the extension.  DROP EXTENSION may have been faster.
 */
Relation
ring_open(Oid relid, LOCKMODE mode)
{
	Relation	rel = try_relation_open(relid, mode);

	if (rel == NULL)
		report_no_extension();
	return rel;
}

static void
begin_memory(void)
{
	uint64		epoch = block_epoch();

	/* Without this, names would be looked up as they were at some earlier time. */
	AcceptInvalidationMessages();

	/*
	 * Read the epoch first: a change that commits while we read definitions
	 * then shows at the next comparison.
	 */
	pg_read_barrier();
	ring_memory_epoch = 0;
	ring_last_series = NULL;
	remembered = NULL;
	rings = NULL;
	if (memory == NULL)
		memory = AllocSetContextCreate(TopMemoryContext, "coderring", ALLOCSET_DEFAULT_SIZES);
	else
		MemoryContextReset(memory);
	ring_relid = ring_relation("ring");
	series_relid = ring_relation("series_state");
	remembered = memory_of_series_create(memory, 64, NULL);
	{
		HASHCTL		info = {0};

		info.keysize = NAMEDATALEN;
		info.entrysize = sizeof(RingEntry);
		info.hcxt = memory;
		rings = hash_create("coderring rings", 16, &info, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	ring_memory_epoch = epoch;
}

/* Raise the error for a name that no ring has. */
void
ring_report_missing(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("ring \"%s\" does not exist", name),
			 errhint("Create it with: SELECT coderring_create(%s);", quote_literal_cstr(name))));
	pg_unreachable();
}

/*
 * A definition from its row.
 */
void
ring_from_tuple(Ring *ring, HeapTuple tuple, TupleDesc desc)
{
	Datum		values[Natts_ring];
	bool		nulls[Natts_ring];
	text	   *alphabet;
	bytea	   *key;
	CodecStatus status;

	if (desc->natts != Natts_ring)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the tables of the extension \"coderring\" do not fit its library"),
				 errhint("ALTER EXTENSION coderring UPDATE;")));
	heap_deform_tuple(tuple, desc, values, nulls);
	ring->id = DatumGetInt32(values[Anum_ring_id - 1]);
	ring->owner = DatumGetObjectId(values[Anum_ring_owner - 1]);
	ring->max_length = nulls[Anum_ring_max_length - 1] ? 0 :
		DatumGetInt32(values[Anum_ring_max_length - 1]);
	ring->first_cycle = DatumGetInt64(values[Anum_ring_first_cycle - 1]);
	ring->incarnation = *DatumGetUUIDP(values[Anum_ring_incarnation - 1]);
	ring->tid = tuple->t_self;
	text_to_cstring_buffer(DatumGetTextPP(values[Anum_ring_name - 1]), ring->name, sizeof(ring->name));

	key = DatumGetByteaPP(values[Anum_ring_key - 1]);
	alphabet = DatumGetTextPP(values[Anum_ring_alphabet - 1]);
	status = codec_set(&ring->codec, VARDATA_ANY(alphabet), VARSIZE_ANY_EXHDR(alphabet),
					   DatumGetInt32(values[Anum_ring_base_length - 1]), NULL);
	if (status != CODEC_OK || VARSIZE_ANY_EXHDR(key) != PERMUTATION_KEY_LEN ||
		ring->max_length < 0 || ring->first_cycle < 0 ||
		ring->first_cycle >= PG_INT64_MAX / (int64) ring->codec.base_codes)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the definition of ring \"%s\" is damaged", ring->name),
				 errdetail("Its row in coderring.ring was changed by other means than the functions of the extension.")));
	memcpy(ring->key, VARDATA_ANY(key), PERMUTATION_KEY_LEN);
	ring->base_codes = (int64) ring->codec.base_codes;
}

/*
 * Look for a row by one key column, under a snapshot.
 */
static bool
find_row(Relation rel, Oid index, const ScanKeyData *wanted, Snapshot snapshot, Ring *ring)
{
	ScanKeyData key = *wanted;	/* systable_beginscan writes to it */
	SysScanDesc scan = systable_beginscan(rel, index, true, snapshot, 1, &key);
	HeapTuple	tuple = systable_getnext(scan);
	bool		found = HeapTupleIsValid(tuple);

	if (found && ring != NULL)
		ring_from_tuple(ring, tuple, RelationGetDescr(rel));
	systable_endscan(scan);
	return found;
}

/*
 * The index on one column of the table of rings.
 */
static Oid
index_on(Relation rel, AttrNumber column)
{
	List	   *indexes = RelationGetIndexList(rel);
	Oid			result = InvalidOid;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index->rd_index->indnkeyatts == 1 && index->rd_index->indisunique &&
			index->rd_index->indkey.values[0] == column &&
			RelationGetIndexExpressions(index) == NIL && RelationGetIndexPredicate(index) == NIL)
			result = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	if (!OidIsValid(result))
		elog(ERROR, "index on column %d of coderring.ring is missing", column);
	return result;
}

/*
 * Replace columns of a ring's row.  The caller holds the definition lock.
 */
void
ring_update(Relation rel, const Ring *ring, Datum *values, bool *nulls, bool *replace)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	old;
	HeapTuple	new;

	ScanKeyInit(&key, Anum_ring_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(ring->name));
	scan = systable_beginscan(rel, index_on(rel, Anum_ring_name), true, SnapshotSelf, 1, &key);
	old = systable_getnext(scan);
	if (!HeapTupleIsValid(old))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("ring \"%s\" is being changed by SQL", ring->name)));
	new = heap_modify_tuple(old, RelationGetDescr(rel), values, nulls, replace);
	CatalogTupleUpdate(rel, &old->t_self, new);
	systable_endscan(scan);
}

/*
 * Read a ring by name; false if there is none.
 *
 * A row that another transaction is just replacing can be missed: its new
 * version is met before that transaction commits and its old one after.  So
 * nothing found means to look again with a snapshot in which every row has
 * exactly one version.  (A serializable transaction that hears that a ring is
 * missing then depends on it, as it should.)
 */
bool
ring_read(Relation rel, const char *name, Ring *ring)
{
	ScanKeyData key;
	Oid			index = index_on(rel, Anum_ring_name);

	ScanKeyInit(&key, Anum_ring_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));

	/* Not for ever: what this very command has deleted by SQL looks the same. */
	for (int tries = 0; tries < 100; tries++)
	{
		Snapshot	latest;
		bool		found;

		if (find_row(rel, index, &key, SnapshotSelf, ring))
			return true;
		latest = RegisterSnapshot(GetLatestSnapshot());
		found = find_row(rel, index, &key, latest, NULL);
		UnregisterSnapshot(latest);
		if (!found)
			return false;
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/*
 * Does an incarnation belong to a ring, of a committed transaction or of one
 * that is still running?
 */
bool
ring_incarnation_alive(const pg_uuid_t *incarnation)
{
	Relation	rel = ring_open(ring_relation("ring"), AccessShareLock);
	Oid			index = index_on(rel, Anum_ring_incarnation);
	ScanKeyData key;
	SnapshotData dirty;
	Snapshot	latest;
	bool		alive;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&key, Anum_ring_incarnation, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(incarnation));
	alive = find_row(rel, index, &key, &dirty, NULL);
	if (!alive)
	{
		/* As in ring_read. */
		latest = RegisterSnapshot(GetLatestSnapshot());
		alive = find_row(rel, index, &key, latest, NULL);
		UnregisterSnapshot(latest);
	}
	table_close(rel, AccessShareLock);
	return alive;
}

void
ring_make_key(const Ring *ring, SeriesKey *key)
{
	memset(key, 0, sizeof(SeriesKey));
	key->database = MyDatabaseId;
	key->relid = ring_relation("series_state");
	key->incarnation = ring->incarnation;
	key->ring_id = ring->id;
}

/*
 * Find a ring that the current user may change, and take its definition lock:
 * what is returned stays true as long as the lock is held, which is until the
 * end of the transaction.  False if there is no such ring.
 */
bool
ring_find_to_change(Relation rel, const char *name, LOCKMODE mode, Ring *ring)
{
	while (ring_read(rel, name, ring))
	{
		int32		id = ring->id;

		/* Whoever may not change a ring must not hold it up either. */
		if (!grant_may_change(ring, GetUserId()))
			grant_report_denied(ring, true);
		ring_lock(LOCK_DEFINITION, id, 0, mode);
		if (!ring_read(rel, name, ring))
		{
			ring_unlock(LOCK_DEFINITION, id, 0, mode);
			return false;
		}
		if (ring->id == id)
		{
			if (!grant_may_change(ring, GetUserId()))
				grant_report_denied(ring, true);
			return true;
		}
		ring_unlock(LOCK_DEFINITION, id, 0, mode);
	}
	return false;
}

/*
 * Every ring that is there now and that the current user may see, in memory
 * of the caller's.
 */
List *
ring_list(bool (*may_see) (const Ring *ring, Oid user))
{
	List	   *list = NIL;
	Relation	rel = ring_open(ring_relation("ring"), AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, SnapshotSelf, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Ring	   *ring = palloc(sizeof(Ring));

		ring_from_tuple(ring, tuple, RelationGetDescr(rel));
		if (may_see(ring, GetUserId()))
			list = lappend(list, ring);
		else
			pfree(ring);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return list;
}

/*
 * Is what this session remembers of a series still true?  Asked under the
 * ring's definition lock, where a remembered thing cannot go on changing.
 */
bool
ring_unchanged(const Series *series)
{
	Relation	rel = ring_open(ring_relation("ring"), AccessShareLock);
	char	   *name = pnstrdup(series->name, series->name_len);
	Ring		ring;
	bool		unchanged;

	unchanged = ring_read(rel, name, &ring) &&
		ring.id == series->ring->id &&
		memcmp(&ring.incarnation, &series->ring->incarnation, sizeof(pg_uuid_t)) == 0 &&
		series->key.relid == ring_relation("series_state") &&
		grant_may_use(&ring, GetUserId());
	table_close(rel, AccessShareLock);
	pfree(name);
	return unchanged;
}

static Ring *
load_ring(const char *name)
{
	Ring		ring;
	RingEntry  *entry = hash_search(rings, name, HASH_FIND, NULL);

	if (entry == NULL)
	{
		Relation	rel = ring_open(ring_relation("ring"), AccessShareLock);
		bool		found = ring_read(rel, name, &ring);
		Ring	   *copy;

		table_close(rel, AccessShareLock);
		if (!found)
			ring_report_missing(name);
		copy = MemoryContextAlloc(memory, sizeof(Ring));
		*copy = ring;
		entry = hash_search(rings, name, HASH_ENTER, NULL);
		entry->ring = copy;
	}
	return entry->ring;
}

/*
 * What this session remembers of a series, read anew if need be.  Checks that
 * the current user may take codes.  Good until something is looked up in the
 * catalogs or a lock is waited for: then ask again.
 */
Series *
ring_series(const text *name, const char *extra, uint32 extra_len)
{
	SeriesName	key = {VARDATA_ANY(name), extra, VARSIZE_ANY_EXHDR(name), extra_len};
	uint32		hash = hash_name(key);
	Series		probe;
	SeriesEntry *entry;
	Series	   *series;
	bool		found;
	Oid			user = GetUserId();

	if (key.name_len > RING_NAME_MAX_LEN)
		ring_report_missing(text_to_cstring(name));
	if (extra_len > EXTRA_MAX_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("extra is too long"),
				 errdetail("It has %u bytes; at most %d are possible.", extra_len, EXTRA_MAX_LEN)));

	if (!ring_memory_good() || remembered->members >= MAX_REMEMBERED)
		begin_memory();

	probe.name_len = key.name_len;
	memcpy(probe.name, key.name, key.name_len);
	probe.key.extra_len = extra_len;
	memcpy(probe.key.extra, extra, extra_len);
	entry = memory_of_series_lookup_hash(remembered, &probe, hash);
	if (entry != NULL)
		series = entry->series;
	else
	{
		Ring	   *ring = load_ring(text_to_cstring(name));

		series = MemoryContextAllocZero(memory, sizeof(Series));
		series->ring = ring;
		series->user = InvalidOid;
		ring_make_key(ring, &series->key);
		series->key.extra_len = extra_len;
		memcpy(series->key.extra, extra, extra_len);
		series->stride = ring->codec.base_length;
		series->name_len = key.name_len;
		memcpy(series->name, key.name, key.name_len);
		entry = memory_of_series_insert_hash(remembered, series, hash, &found);
		entry->series = series;
	}

	if (series->user != user)
	{
		if (!grant_may_use(series->ring, user))
			grant_report_denied(series->ring, false);
		series->user = user;
	}
	ring_last_series = series;
	return series;
}
