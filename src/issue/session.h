/*
 * session.h
 *		What a session remembers of rings and series.
 */
#ifndef CODERRING_SESSION_H
#define CODERRING_SESSION_H

#include "postgres.h"

#include "core/codec.h"
#include "shmem/block.h"
#include "shmem/shared.h"
#include "store/ring.h"

/* A series as a caller names it. */
typedef struct CodeRequest
{
	const text *name;
	const char *extra;
	uint32		extra_len;		/* bytes */
	uint32		count;			/* codes that will be asked for, 1 if unknown */
} CodeRequest;

/* What a session remembers of one series, to take codes without a lock. */
typedef struct Series
{
	Ring	   *ring;
	Oid			user;			/* whom the privilege check let through */
	CodeBlock	block;
	SeriesId	id;
	uint32		tail_length;	/* ring->tail_length */
	uint32		prefix_len;
	uint32		name_len;
	char		name[RING_NAME_MAX_LEN];
	char		prefix[EXTRA_MAX_LEN + CODEC_MAX_UNIQUIZER];	/* extra and uniquizer */
} Series;

/* The series that this session used last. */
extern Series *session_last;

extern Series *session_series(const text *name, const char *extra, uint32 extra_len);
extern const Ring *session_ring(const text *name);
extern bool session_unchanged(const Series *series);

#endif							/* CODERRING_SESSION_H */
