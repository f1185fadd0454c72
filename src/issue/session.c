/*
 * session.c
 *		What a session remembers of rings and series.
 *
 * A session remembers rings and series by name until the version of
 * definitions moves (every committed change of one raises it, see pending.c) or a
 * relcache, role or transaction callback calls definitions_forget().  Then all of it
 * is thrown away at the next use.  The version is compared at every single call,
 * so a change reaches a session in the middle of a long transaction too.
 */
#include "postgres.h"

#include "access/table.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "codes/basecodes.h"
#include "issue/session.h"
#include "shmem/shared.h"
#include "store/acl.h"
#include "store/blocklist.h"
#include "store/definitions.h"
#include "store/guards.h"
#include "store/ring.h"
#include "store/tables.h"

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
	Oid			user;			/* whom session_ring() let through */
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
	SeriesName	key = {series->name, series->id.extra, series->name_len, series->id.extra_len};

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

Series	   *session_last = NULL;

static MemoryContext memory = NULL;
static memory_of_series_hash *remembered = NULL;
static HTAB *rings = NULL;		/* of RingEntry, by name */
static RingEntry *last_ring = NULL; /* that session_ring() has found */

static void
begin_memory(void)
{
	uint64		version = definitions_begin();
	HASHCTL		info = {.keysize = NAMEDATALEN, .entrysize = sizeof(RingEntry)};

	basecodes_forget();
	session_last = NULL;
	last_ring = NULL;
	remembered = NULL;
	rings = NULL;
	if (memory == NULL)
		memory = AllocSetContextCreate(TopMemoryContext, "coderring", ALLOCSET_DEFAULT_SIZES);
	else
		MemoryContextReset(memory);
	tables_look_up();
	remembered = memory_of_series_create(memory, 64, NULL);
	info.hcxt = memory;
	rings = hash_create("coderring rings", 16, &info, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	definitions_end(version);
}

/*
 * Is what this session remembers of a series still true?  Asked under the
 * ring's definition lock, where a remembered thing cannot go on changing.
 */
bool
session_unchanged(const Series *series)
{
	Relation	rel = tables_open(tables_relation("ring"), Natts_ring, AccessShareLock);
	char	   *name = pnstrdup(series->name, series->name_len);
	Ring		ring;
	bool		unchanged;

	unchanged = ring_read(rel, name, &ring) &&
		!ring.replicated && ring_same_id(&ring.id, &series->ring->id) &&
		memcmp(&ring.incarnation, &series->ring->incarnation, sizeof(pg_uuid_t)) == 0 &&
		series->id.relid == tables_relation("series_state") &&
		acl_may_use(&ring, GetUserId());
	unchanged = unchanged && blocklist_find_id(&ring) && ring.blocklist_id == series->ring->blocklist_id;
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
		Relation	rel = tables_open(tables_relation("ring"), Natts_ring, AccessShareLock);
		bool		found = ring_read(rel, name, &ring);
		bool		filtered;
		Ring	   *copy;

		/* Somebody may just have given it another list, and dropped the one that it had. */
		filtered = found && blocklist_find_id(&ring);
		if (found && !filtered)
			found = ring_read(rel, name, &ring);
		ring.guarded = found && guards_of_definitions(false);
		table_close(rel, AccessShareLock);
		if (!found)
			ring_report_missing(name);
		if (!filtered)
			blocklist_read_id(&ring);
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
session_ring(const text *name)
{
	uint32		len = VARSIZE_ANY_EXHDR(name);
	RingEntry  *entry;

	if (len > RING_NAME_MAX_LEN)
		ring_report_missing(text_to_cstring(name));
	AcceptInvalidationMessages();
	if (!definitions_current() || remembered->members >= MAX_REMEMBERED)
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
		if (!acl_may_use(entry->ring, GetUserId()))
			acl_report_denied(entry->ring, false);
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
session_series(const text *name, const char *extra, uint32 extra_len)
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

	if (!definitions_current() || remembered->members >= MAX_REMEMBERED)
		begin_memory();

	probe.name_len = key.name_len;
	memcpy(probe.name, key.name, key.name_len);
	probe.id.extra_len = extra_len;
	memcpy(probe.id.extra, extra, extra_len);
	entry = memory_of_series_lookup_hash(remembered, &probe, hash);
	if (entry != NULL)
		series = entry->series;
	else
	{
		Ring	   *ring = load_ring(text_to_cstring(name))->ring;
		uint64		version;

		series = MemoryContextAllocZero(memory, sizeof(Series));
		series->ring = ring;
		series->user = InvalidOid;
		ring_series_id(ring, &series->id);
		series->id.extra_len = extra_len;
		memcpy(series->id.extra, extra, extra_len);
		series->tail_length = ring->tail_length;
		series->name_len = key.name_len;
		memcpy(series->name, key.name, key.name_len);

		/* A table that could not grow counts as larger than it is: throw it away with all the rest. */
		version = definitions_read_version;
		definitions_read_version = 0;
		entry = memory_of_series_insert_hash(remembered, series, hash, &found);
		entry->series = series;
		definitions_read_version = version;
	}

	if (series->user != user)
	{
		if (!acl_may_use(series->ring, user))
			acl_report_denied(series->ring, false);
		series->user = user;
	}
	ring_check_dispenses(series->ring);
	session_last = series;
	return series;
}
