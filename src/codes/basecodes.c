/*
 * basecodes.c
 *		The secret order of a series: positions to base codes and back.
 *
 * Joins a ring's definition to permutation.c and codec.c, which know nothing
 * of PostgreSQL, and keeps a few permutations at hand, because setting one up
 * costs as much as computing some dozens of codes.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/pg_bswap.h"

#include "codes/basecodes.h"
#include "core/codec.h"
#include "core/permutation.h"
#include "shmem/shared.h"
#include "store/ring.h"

/* Series in whose order this session computes without setting it up again. */
#define KEPT	16

typedef struct Kept
{
	Permutation *permutation;
	uint64		used;			/* 0 for never */
	uint32		hash;			/* of the extra */
	pg_uuid_t	incarnation;
	int64		cycle;
	uint8		extra_len;
	char		extra[EXTRA_MAX_LEN];
} Kept;

static Kept kept[KEPT];
static Kept *last = &kept[0];
static uint64 uses = 0;

static inline bool
keeps(const Kept *entry, const SeriesId *id, int64 cycle)
{
	return entry->cycle == cycle && entry->used != 0 &&
		entry->extra_len == id->extra_len &&
		memcmp(&entry->incarnation, &id->incarnation, sizeof(pg_uuid_t)) == 0 &&
		(id->extra_len == 0 || memcmp(entry->extra, id->extra, id->extra_len) == 0);
}

static void
report_failure(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("could not compute codes"),
			 errdetail("OpenSSL does not provide AES-256, or is out of memory.")));
}

/*
 * The permutation of a cycle.  The tweak is the cycle, 8 bytes with the most
 * significant first, and the extra; the key is the ring's own.
 */
static Permutation *
find_permutation(const Ring *ring, const SeriesId *id, int64 cycle)
{
	Kept	   *entry = &kept[0];
	uint32		hash;
	uint64		cycle_bytes = pg_hton64((uint64) cycle);
	uint8		tweak[sizeof(uint64) + EXTRA_MAX_LEN];

	/* What is kept was set for this definition: basecodes_forget() sees to that. */
	if (keeps(last, id, cycle))
		return last->permutation;

	hash = hash_bytes((const unsigned char *) id->extra, id->extra_len);
	for (int i = 0; i < KEPT; i++)
	{
		if (kept[i].hash == hash && keeps(&kept[i], id, cycle))
		{
			last = &kept[i];
			last->used = ++uses;
			return last->permutation;
		}
		if (kept[i].used < entry->used)
			entry = &kept[i];
	}

	if (entry->permutation == NULL)
		entry->permutation = permutation_create();
	if (entry->permutation == NULL)
		report_failure();
	entry->used = 0;
	memcpy(tweak, &cycle_bytes, sizeof(uint64));
	memcpy(tweak + sizeof(uint64), id->extra, id->extra_len);
	if (!permutation_set(entry->permutation, ring->key, PERMUTATION_KEY_LEN,
						 ring->codec.radix, ring->codec.base_length,
						 tweak, sizeof(uint64) + id->extra_len))
		report_failure();
	entry->hash = hash;
	entry->incarnation = id->incarnation;
	entry->cycle = cycle;
	entry->extra_len = id->extra_len;
	memcpy(entry->extra, id->extra, id->extra_len);
	entry->used = ++uses;
	last = entry;
	return entry->permutation;
}

/*
 * Definitions may have changed: set every permutation up again before its next
 * use.  Costs next to nothing where it turns out to be the same.
 */
void
basecodes_forget(void)
{
	for (int i = 0; i < KEPT; i++)
		kept[i].used = 0;
}

/*
 * The base codes at count positions from first, all in one cycle, as text: one
 * every `tail_length` bytes, what lies between is left alone.
 */
void
basecodes_write(const Ring *ring, const SeriesId *id, int64 first, uint32 count, uint32 tail_length,
				char *codes)
{
	Permutation *permutation = find_permutation(ring, id, first / ring->base_codes);
	uint64	   *numbers = palloc(count * sizeof(uint64));

	if (!permutation_forward(permutation, first % ring->base_codes, count, numbers))
		report_failure();
	for (uint32 i = 0; i < count; i++)
		codec_write_base(&ring->codec, numbers[i], codes + (Size) i * tail_length);
	pfree(numbers);
}

/*
 * The position of a base code, given as a number, in a cycle: the inverse.
 */
int64
basecodes_position(const Ring *ring, const SeriesId *id, int64 cycle, uint64 number)
{
	Permutation *permutation = find_permutation(ring, id, cycle);
	uint64		offset;

	if (!permutation_inverse(permutation, number, &offset))
		report_failure();
	return cycle * ring->base_codes + (int64) offset;
}
