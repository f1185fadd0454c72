/*
 * ring.h
 *		A ring's definition: its row, who may use it, and what a session remembers.
 */
#ifndef CODERRING_RING_H
#define CODERRING_RING_H

#include "postgres.h"

#include "access/htup.h"
#include "nodes/lockoptions.h"
#include "storage/lock.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

#include "compat.h"
#include "core/check.h"
#include "core/codec.h"
#include "core/permutation.h"
#include "shmem/shared.h"

#define RING_NAME_MAX_LEN	63	/* bytes */
#define RING_LISTS_MAX_LEN	255 /* names of its lists of words, with commas */

/* Columns of coderring.ring */
enum
{
	Anum_ring_id = 1,
	Anum_ring_incarnation,
	Anum_ring_name,
	Anum_ring_owner,
	Anum_ring_owner_name,
	Anum_ring_first_cycle,
	Anum_ring_base_length,
	Anum_ring_max_length,
	Anum_ring_alphabet,
	Anum_ring_blocklist,
	Anum_ring_check_character,
	Anum_ring_new_series_cycle,
	Anum_ring_timeline,
	Anum_ring_replicated,
	Anum_ring_no_extra,			/* always NULL, for foreign keys: see the script */
	Anum_ring_key,				/* behind what messages show of a row */
	Natts_ring = Anum_ring_key
};

/* A definition, as read from its row. */
typedef struct Ring
{
	pg_uuid_t	id;				/* stays through reset and rename */
	Oid			owner;
	int32		max_length;		/* characters in a code, 0 for no limit */
	int64		first_cycle;
	int64		new_series_cycle;	/* where a series without a row begins, if that is after first_cycle */
	int64		timeline;		/* of the server, when the ring was created or reset */
	int64		base_codes;		/* codec.base_codes, signed */
	pg_uuid_t	incarnation;
	ItemPointerData tid;		/* of the row; good while that is locked */
	uint8		key[PERMUTATION_KEY_LEN];
	bool		guarded;		/* as guards_hold() says, when a session has read it */
	bool		replicated;		/* hands out nothing: see ring_check_dispenses() */
	char		name[RING_NAME_MAX_LEN + 1];
	char		blocklist[RING_LISTS_MAX_LEN + 1];	/* names of its lists of words, "" for none */
	uint64		blocklist_id;	/* the words' identity, 0 for none; see blocklist_read_id() */
	uint32		tail_length;	/* characters of a code behind extra and uniquizer */
	const CheckTable *check;	/* NULL where codes have no check character */
	Codec		codec;
} Ring;

/* The cycle that a series without a row begins in. */
static inline int64
ring_start_cycle(const Ring *ring)
{
	return Max(ring->first_cycle, ring->new_series_cycle);
}

static inline bool
ring_same_id(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a, b, sizeof(pg_uuid_t)) == 0;
}

extern void ring_series_id(const Ring *ring, SeriesId *id);

extern bool ring_read(Relation rel, const char *name, Ring *ring);
extern bool ring_read_incarnation(const pg_uuid_t *incarnation, Ring *ring);
extern bool ring_incarnation_alive(const pg_uuid_t *incarnation);
extern void ring_from_tuple(Ring *ring, HeapTuple tuple, TupleDesc desc);
extern bool ring_is_damaged(HeapTuple tuple, TupleDesc desc);
extern void ring_report_missing(const char *name) pg_attribute_noreturn();
extern void ring_report_changing(const char *name) pg_attribute_noreturn();
extern void ring_check_dispenses(const Ring *ring);
extern bool ring_in_the_way(Relation rel, const pg_uuid_t *id, const char *name, const pg_uuid_t *incarnation,
							bool update);
extern char *ring_name_if_own(const pg_uuid_t *id);
extern bool ring_in_force(const pg_uuid_t *incarnation, TransactionId *undecided);
extern bool ring_being_named(Relation rel, const char *name, TransactionId *maker);
extern void ring_update(Relation rel, const Ring *ring, Datum *values, bool *nulls, bool *replace);
extern List *ring_list(bool (*may_see) (const Ring *ring, Oid user));

#endif							/* CODERRING_RING_H */
