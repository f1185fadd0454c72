/*
 * options.c
 *		What a ring can be: checks of names and options.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/scansup.h"

#include "core/check.h"
#include "core/codec.h"
#include "ddl/alphabets.h"
#include "ddl/options.h"
#include "store/acl.h"
#include "store/blocklist.h"
#include "store/ring.h"

/* 22023 for a name that no ring can have. */
void
options_check_name(const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a ring is empty")));
	if (strlen(name) > RING_NAME_MAX_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a ring is too long"),
				 errdetail("It has %zu bytes; at most %d are possible.", strlen(name), RING_NAME_MAX_LEN)));
}

/* 22023 for a name that no list of words can have. */
void
options_check_list_name(const char *list)
{
	if (list[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a blocklist is empty"),
				 errhint("NULL means no blocklist.")));
	if (strlen(list) > RING_NAME_MAX_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a blocklist is too long"),
				 errdetail("It has %zu bytes; at most %d are possible.", strlen(list), RING_NAME_MAX_LEN)));
	if (strchr(list, ',') != NULL || scanner_isspace(list[0]) ||
		scanner_isspace(list[strlen(list) - 1]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" cannot be the name of a blocklist", list),
				 errdetail("A ring names several with commas between them, and blanks around them do not count.")));
}

/*
 * The same as they are stored: each once, with a comma and a blank between
 * them.  22023 for what no list can be called.
 */
char *
options_list_names(const char *lists)
{
	List	   *kept = NIL;
	StringInfoData names;
	ListCell   *cell;

	initStringInfo(&names);
	foreach(cell, blocklist_names(lists))
	{
		char	   *name = lfirst(cell);
		ListCell   *other;
		bool		again = false;

		CHECK_FOR_INTERRUPTS();
		options_check_list_name(name);
		foreach(other, kept)
			again = again || strcmp(lfirst(other), name) == 0;
		if (again)
			continue;
		kept = lappend(kept, name);
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", name);
		if (names.len > RING_LISTS_MAX_LEN)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a ring cannot have so many blocklists"),
					 errdetail("Their names, with commas and blanks, have at most %d bytes.", RING_LISTS_MAX_LEN),
					 errhint("Define one list with the words of several.")));
	}
	return names.data;
}

/*
 * 22023 for a cycle whose positions are not possible, or whose codes would be
 * longer than max_length, if the ring has one.
 */
void
options_check_first_cycle(const Ring *ring, int64 first_cycle)
{
	int64		last = PG_INT64_MAX / ring->base_codes - 1;
	int			shortest;

	if (first_cycle < 0 || first_cycle > last)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("first_cycle %lld is not possible in ring \"%s\"", (long long) first_cycle, ring->name),
				 errdetail("Its cycles go from 0 to %lld.", (long long) last)));
	shortest = ring->tail_length + codec_uniquizer_length(&ring->codec, first_cycle);
	if (ring->max_length > 0 && ring->max_length < shortest)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("first_cycle %lld is not possible in ring \"%s\"", (long long) first_cycle, ring->name),
				 errdetail("The first codes would have %d characters, and max_length is %d.",
						   shortest, ring->max_length)));
}

/* 22023 for a length that not even the first codes have. */
static void
check_max_length(const Ring *ring, int32 max_length)
{
	int			shortest = ring->tail_length + codec_uniquizer_length(&ring->codec, ring->first_cycle);

	if (max_length < shortest)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_length %d is not possible in ring \"%s\"", max_length, ring->name),
				 errdetail("Its first codes have %d characters.", shortest)));
}

/* Could somebody have meant a name by an alphabet? */
static bool
could_be_name(const char *alphabet)
{
	return alphabet[strspn(alphabet, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ ")] == '\0';
}

/*
 * The codec of a ring with these options; 22023, with what is wrong, if there
 * is none.  `name` is the ring's, NULL where it is only about an alphabet,
 * which is given by its name or its characters.
 */
void
options_make_codec(const RingOptions *options, const char *name, const char *alphabet, Codec *codec)
{
	size_t		bad = 0;
	const char *whose = name != NULL ? psprintf(" of ring \"%s\"", name) : "";
	CodecStatus status;

	alphabet = alphabets_resolve(alphabet);
	status = codec_set(codec, alphabet, strlen(alphabet), options->base_length, &bad);
	switch (status)
	{
		case CODEC_OK:
			return;
		case CODEC_ALPHABET_SIZE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("alphabet%s must have %d to %d characters", whose, CODEC_MIN_ALPHABET, CODEC_MAX_ALPHABET),
					 errdetail("It has %d.", pg_mbstrlen(alphabet))));
			break;
		case CODEC_ALPHABET_CHARACTER:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("alphabet%s has a character that is not possible in a code", whose),
					 errdetail("Character %d is not a printable ASCII character, or is a space.",
							   pg_mbstrlen_with_len(alphabet, bad) + 1),
					 could_be_name(alphabet) ? errhint("If a name is meant, the names are %s.", alphabets_names()) : 0));
			break;
		case CODEC_ALPHABET_DUPLICATE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("alphabet%s has the character \"%c\" twice", whose, alphabet[bad]),
					 could_be_name(alphabet) ? errhint("If a name is meant, the names are %s.", alphabets_names()) : 0));
			break;
		case CODEC_BASE_LENGTH:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("base_length %d of ring \"%s\" is not possible", options->base_length, name),
					 errdetail("A base code has 1 to %d characters.", CODEC_MAX_BASE_LENGTH)));
			break;
		case CODEC_TOO_MANY_CODES:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("base_length %d of ring \"%s\" is too large for an alphabet of %zu characters",
							options->base_length, name, strlen(alphabet)),
					 errdetail("A ring has at most 2^60 base codes.")));
			break;
	}
}

/*
 * A ring with these options, which are checked, as far as they make it.
 */
void
options_make_ring(Ring *wanted, const char *name, const RingOptions *options)
{
	memset(wanted, 0, sizeof(Ring));
	options_check_name(name);
	strlcpy(wanted->name, name, sizeof(wanted->name));
	options_make_codec(options, name, options->alphabet != NULL ? options->alphabet : CODEC_DEFAULT_ALPHABET,
					   &wanted->codec);
	wanted->base_codes = (int64) wanted->codec.base_codes;
	wanted->tail_length = wanted->codec.base_length;
	if (options->check_character)
	{
		wanted->check = check_table(wanted->codec.radix);
		wanted->tail_length++;
	}
	options_check_first_cycle(wanted, options->first_cycle);
	wanted->first_cycle = options->first_cycle;
	if (options->have_max_length)
	{
		check_max_length(wanted, options->max_length);
		wanted->max_length = options->max_length;
	}
	if (options->blocklist != NULL)
	{
		strlcpy(wanted->blocklist, options_list_names(options->blocklist), sizeof(wanted->blocklist));
	}
}

/*
 * A check character of this alphabet may catch less than people expect.
 */
void
options_report_check(const Ring *ring)
{
	if (!check_catches_swaps(ring->codec.radix))
		ereport(NOTICE,
				(errmsg("the check character of ring \"%s\" does not catch swapped characters", ring->name),
				 errdetail("It catches every single wrong character. No check character can do more with an alphabet of %u characters.",
						   ring->codec.radix)));
}

/*
 * if_not_exists has found a ring: say how it differs from what was asked for.
 */
void
options_report_existing(const Ring *ring, const RingOptions *options, const Ring *wanted)
{
	const Codec *codec = &wanted->codec;
	StringInfoData differs;
	char	   *owner;

	ereport(NOTICE,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("ring \"%s\" already exists, skipping", ring->name)));
	initStringInfo(&differs);
	if (ring->codec.base_length != codec->base_length)
		appendStringInfo(&differs, ", base_length is %u", ring->codec.base_length);
	if (ring->codec.radix != codec->radix ||
		memcmp(ring->codec.alphabet, codec->alphabet, codec->radix) != 0)
		appendStringInfo(&differs, ", alphabet is \"%.*s\"", (int) ring->codec.radix, ring->codec.alphabet);
	if (strcmp(ring->blocklist, wanted->blocklist) != 0)
	{
		if (ring->blocklist[0] != '\0')
			appendStringInfo(&differs, ", blocklist is \"%s\"", ring->blocklist);
		else
			appendStringInfoString(&differs, ", blocklist is not set");
	}
	if (ring->check != wanted->check)
		appendStringInfo(&differs, ", check_character is %s", ring->check != NULL ? "true" : "false");
	if (ring->max_length != (options->have_max_length ? options->max_length : 0))
	{
		if (ring->max_length > 0)
			appendStringInfo(&differs, ", max_length is %d", ring->max_length);
		else
			appendStringInfoString(&differs, ", max_length is not set");
	}
	if (ring->first_cycle != options->first_cycle)
		appendStringInfo(&differs, ", first_cycle is %lld", (long long) ring->first_cycle);

	/* A superuser may change every ring, and wants to know whose this one is all the more. */
	owner = GetUserNameFromId(ring->owner, true);
	if (!acl_may_change(ring, GetUserId()) || (owner != NULL && superuser() && !superuser_arg(ring->owner)))
		appendStringInfo(&differs, ", the owner is \"%s\"", owner != NULL ? owner : "");
	if (differs.len > 0)
		ereport(WARNING,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("ring \"%s\" differs from what was asked for", ring->name),
				 errdetail("In the ring that exists%s.", differs.data + 1)));
}
