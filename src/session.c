/*
 * session.c
 *		What a session remembers of rings and series, so that it need not look
 *		them up at every call.
 *
 * A session remembers rings and series by name until the shared epoch moves
 * (every committed change of a definition raises it, see lifecycle.c) or a
 * relcache, role or transaction callback calls ring_forget().  Then all of it
 * is thrown away at the next use.  The epoch is compared at every single call,
 * so a change reaches a session in the middle of a long transaction too.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "common/relpath.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "grant.h"
#include "guards.h"
#include "locks.h"
#include "order.h"
#include "ring.h"
#include "version.h"
#include "words.h"

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
	Oid			user;			/* whom ring_find() let through */
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
uint64		ring_memory_begun = 0;
Series	   *ring_last_series = NULL;

static MemoryContext memory = NULL;
static memory_of_series_hash *remembered = NULL;
static HTAB *rings = NULL;		/* of RingEntry, by name */
static RingEntry *last_ring = NULL; /* that ring_find() has found */

/* Objects whose loss invalidates everything; InvalidOid when not looked up. */
static Oid	ring_relid = InvalidOid;
static Oid	series_relid = InvalidOid;
static Oid	grant_relid = InvalidOid;
static Oid	list_relid = InvalidOid;
static Oid	skipped_relid = InvalidOid;

static void
on_relation_change(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == ring_relid || relid == series_relid ||
		relid == grant_relid || relid == list_relid || relid == skipped_relid)
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

	/* The owner of the database is a member of pg_database_owner. */
	CacheRegisterSyscacheCallback(DATABASEOID, on_role_change, (Datum) 0);
}

/*
 * Raise 55000 if a table is none of the extension's: somebody has put a copy of
 * one in its place, which lacks what was written in place meanwhile.
 */
static void
check_member(Oid relid)
{
	Oid			extension = get_extension_oid("coderring", true);

	if (OidIsValid(extension) && !creating_extension &&
		getExtensionOfObject(RelationRelationId, relid) != extension)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"coderring.%s\" is not the table of the extension \"coderring\"", get_rel_name(relid)),
				 errdetail("A copy of a table lacks what was handed out since it was made."),
				 errhint("Put the extension's own table back in its place.")));
}

static void
begin_memory(void)
{
	uint64		epoch = block_epoch();

	version_check();

	/* Without this, names would be looked up as they were at some earlier time. */
	AcceptInvalidationMessages();

	/*
	 * Read the epoch first: a change that commits while we read definitions
	 * then shows at the next comparison.
	 */
	pg_read_barrier();
	ring_memory_epoch = 0;
	ring_memory_begun++;
	order_forget();
	ring_last_series = NULL;
	last_ring = NULL;
	remembered = NULL;
	rings = NULL;
	if (memory == NULL)
		memory = AllocSetContextCreate(TopMemoryContext, "coderring", ALLOCSET_DEFAULT_SIZES);
	else
		MemoryContextReset(memory);
	ring_relid = ring_relation("ring");
	series_relid = ring_relation("series_state");
	grant_relid = ring_relation("ring_grant");
	list_relid = ring_relation("blocklist");
	skipped_relid = ring_relation("skipped_positions");
	check_member(ring_relid);
	check_member(series_relid);
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

#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

/*
 * What tells this database from another one that has had its OID, as CREATE
 * DATABASE ... OID allows: which file its PG_VERSION is, and from when.  It is
 * another one after ALTER DATABASE ... SET TABLESPACE too, which nobody is
 * connected through: what was in slots is skipped then.
 */
uint32
ring_database_instance(void)
{
	static bool known = false;
	static uint32 instance;

	if (!known)
	{
		char	   *directory = GetDatabasePath(MyDatabaseId, MyDatabaseTableSpace);
		char	   *path = psprintf("%s/PG_VERSION", directory);
		struct stat st;
		uint64		parts[3];

		if (stat(path, &st) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_IO_ERROR),
					 errmsg("could not look up the directory of the database"),
					 errdetail("\"%s\": %m.", path)));
		parts[0] = st.st_ino;
		parts[1] = st.st_mtim.tv_sec;
		parts[2] = st.st_mtim.tv_nsec;
		instance = hash_bytes((const unsigned char *) parts, sizeof(parts));
		known = true;
		pfree(path);
		pfree(directory);
	}
	return instance;
}

/*
 * What everyone in the server knows the series of a ring by, without an extra.
 */
void
ring_make_key(const Ring *ring, SeriesKey *key)
{
	memset(key, 0, sizeof(SeriesKey));
	key->database = MyDatabaseId;
	key->relid = ring_memory_good() ? series_relid : ring_relation("series_state");
	key->instance = ring_database_instance();
	key->incarnation = ring->incarnation;
	key->lock_id = ring_lock_id(&ring->id);
}

/*
 * Is what this session remembers of a series still true?  Asked under the
 * ring's definition lock, where a remembered thing cannot go on changing.
 */
bool
ring_unchanged(const Series *series)
{
	Relation	rel = ring_open(ring_relation("ring"), Natts_ring, AccessShareLock);
	char	   *name = pnstrdup(series->name, series->name_len);
	Ring		ring;
	bool		unchanged;

	unchanged = ring_read(rel, name, &ring) &&
		!ring.replicated && ring_same_id(&ring.id, &series->ring->id) &&
		memcmp(&ring.incarnation, &series->ring->incarnation, sizeof(pg_uuid_t)) == 0 &&
		series->key.relid == ring_relation("series_state") &&
		grant_may_use(&ring, GetUserId());
	unchanged = unchanged && words_find_filter(&ring) && ring.filter == series->ring->filter;
	table_close(rel, AccessShareLock);
	pfree(name);
	return unchanged;
}

static RingEntry *
load_ring(const char *name)
{
	Ring		ring;
	RingEntry  *entry = hash_search(rings, name, HASH_FIND, NULL);

	if (entry == NULL)
	{
		Relation	rel = ring_open(ring_relation("ring"), Natts_ring, AccessShareLock);
		bool		found = ring_read(rel, name, &ring);
		bool		filtered;
		Ring	   *copy;

		/* Somebody may just have given it another list, and dropped the one that it had. */
		filtered = found && words_find_filter(&ring);
		if (found && !filtered)
			found = ring_read(rel, name, &ring);
		ring.guarded = found && guards_of_definitions(false);
		table_close(rel, AccessShareLock);
		if (!found)
			ring_report_missing(name);
		if (!filtered)
			words_read_filter(&ring);
		copy = MemoryContextAlloc(memory, sizeof(Ring));
		*copy = ring;
		entry = hash_search(rings, name, HASH_ENTER, NULL);
		entry->ring = copy;
		entry->user = InvalidOid;
	}
	return entry;
}

/*
 * A ring as this session remembers it, read anew if need be; good for as long
 * as a series.  Checks that the current user may take its codes.
 */
const Ring *
ring_find(const text *name)
{
	uint32		len = VARSIZE_ANY_EXHDR(name);
	RingEntry  *entry;

	if (len > RING_NAME_MAX_LEN)
		ring_report_missing(text_to_cstring(name));
	AcceptInvalidationMessages();
	if (!ring_memory_good() || remembered->members >= MAX_REMEMBERED)
		begin_memory();
	entry = last_ring;
	if (entry == NULL || memcmp(entry->name, VARDATA_ANY(name), len) != 0 || entry->name[len] != '\0')
	{
		char		buffer[RING_NAME_MAX_LEN + 1];

		text_to_cstring_buffer(name, buffer, sizeof(buffer));
		last_ring = entry = load_ring(buffer);
	}
	if (entry->user != GetUserId())
	{
		if (!grant_may_use(entry->ring, GetUserId()))
			grant_report_denied(entry->ring, false);
		entry->user = GetUserId();
	}
	return entry->ring;
}

/*
 * What this session remembers of a series, read anew if need be.  Checks that
 * the current user may take codes, and that there are some to take.  Good until something is looked up in the
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
				 errmsg("extra is too long for ring \"%s\"", text_to_cstring(name)),
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
		Ring	   *ring = load_ring(text_to_cstring(name))->ring;
		uint64		epoch;

		series = MemoryContextAllocZero(memory, sizeof(Series));
		series->ring = ring;
		series->user = InvalidOid;
		ring_make_key(ring, &series->key);
		series->key.extra_len = extra_len;
		memcpy(series->key.extra, extra, extra_len);
		series->stride = ring->stride;
		series->name_len = key.name_len;
		memcpy(series->name, key.name, key.name_len);

		/* A table that could not grow counts as larger than it is: throw it away with all the rest. */
		epoch = ring_memory_epoch;
		ring_memory_epoch = 0;
		entry = memory_of_series_insert_hash(remembered, series, hash, &found);
		entry->series = series;
		ring_memory_epoch = epoch;
	}

	if (series->user != user)
	{
		if (!grant_may_use(series->ring, user))
			grant_report_denied(series->ring, false);
		series->user = user;
	}
	ring_check_dispenses(series->ring);
	ring_last_series = series;
	return series;
}
