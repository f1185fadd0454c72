/*
 * decode.h
 *		Codes back to what they were made of.
 */
#ifndef CODERRING_DECODE_H
#define CODERRING_DECODE_H

#include "postgres.h"

#include "shmem/shared.h"
#include "store/ring.h"

/* What a code is made of. */
typedef struct Decoded
{
	SeriesId	id;				/* of the series that the code is of */
	int64		cycle;
	int64		position;
	uint32		uniquizer_len;	/* behind the extra; the base code follows */
	bool		owned;			/* the series has entered the cycle */
	bool		issued;
	uint64		blocklist_id;	/* words that the series was filtered with */
} Decoded;

extern bool decode_code(const Ring *ring, const char *code, uint32 len, Decoded *decoded);
extern bool decode_checks_out(const Ring *ring, const char *code, uint32 len);
extern bool decode_never_emitted(const Ring *ring, uint64 series_blocklist_id, uint32 extra_len,
								 const char *code, uint32 len);

#endif							/* CODERRING_DECODE_H */
