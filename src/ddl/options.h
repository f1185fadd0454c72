/*
 * options.h
 *		What a ring can be: checks of names and options.
 */
#ifndef CODERRING_OPTIONS_H
#define CODERRING_OPTIONS_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "core/codec.h"
#include "store/ring.h"

/* What a ring is to be. */
typedef struct RingOptions
{
	int32		base_length;
	const char *alphabet;		/* its name or its characters, NULL for the default */
	const char *blocklist;		/* NULL for none */
	bool		check_character;
	bool		have_max_length;
	int32		max_length;
	int64		first_cycle;
} RingOptions;

extern void options_check_name(const char *name);
extern void options_check_list_name(const char *list);
extern char *options_list_names(const char *lists);
extern void options_check_first_cycle(const Ring *ring, int64 first_cycle);
extern void options_make_ring(Ring *wanted, const char *name, const RingOptions *options);
extern void options_report_check(const Ring *ring);
extern void options_make_codec(const RingOptions *options, const char *name, const char *alphabet, Codec *codec);
extern void options_report_existing(const Ring *ring, const RingOptions *options, const Ring *wanted);

#endif							/* CODERRING_OPTIONS_H */
