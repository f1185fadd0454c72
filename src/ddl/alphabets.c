/*
 * alphabets.c
 *		Alphabets that have a name.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "core/codec.h"
#include "ddl/alphabets.h"

#define DIGITS	"0123456789"
#define UPPER	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER	"abcdefghijklmnopqrstuvwxyz"

static const struct
{
	const char *name;
	const char *characters;
}			alphabets[] =
{
	{"default", CODEC_DEFAULT_ALPHABET},	/* CoderRing 0.2.3 */
	{"alphanumeric", DIGITS UPPER LOWER},
	{"base58", "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"},	/* Bitcoin's */
	{"base64url", UPPER LOWER DIGITS "-_"}, /* RFC 4648, section 5 */
	{"crockford", DIGITS "ABCDEFGHJKMNPQRSTVWXYZ"}, /* Douglas Crockford's Base 32 */
	{"digits", DIGITS},
	{"hex", DIGITS "ABCDEF"},	/* RFC 4648, section 8 */
	{"lower", LOWER},
	{"nolookalikes", "346789ABCDEFGHJKLMNPQRTUVWXYabcdefghijkmnpqrtwxyz"},	/* nanoid's */
	{"rfc4648", UPPER "234567"},	/* RFC 4648, section 6 */
	{"safe", "23456789BCDFGHJKLMNPQRSTVWXZ"},	/* no E, no word: nothing but itself to other programs */
	{"upper", UPPER}
};

/* The names, for a hint. */
const char *
alphabets_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(alphabets); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", alphabets[i].name);
	return names.data;
}

/*
 * The characters of an alphabet by its name; 22023 for another name.
 */
const char *
alphabets_find(const char *name)
{
	for (int i = 0; i < (int) lengthof(alphabets); i++)
	{
		if (strcmp(alphabets[i].name, name) == 0)
			return alphabets[i].characters;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no alphabet with the name \"%s\"", name),
			 errhint("The names are %s.", alphabets_names())));
	pg_unreachable();
}

/*
 * The characters of an alphabet that is given by its name or literally.
 *
 * A name is always taken for the name: a ring of h, e and x would be one for
 * ever, and who wants that writes them in another order.  22023 for a name in
 * other case, which may be meant as either.
 */
const char *
alphabets_resolve(const char *alphabet)
{
	for (int i = 0; i < (int) lengthof(alphabets); i++)
	{
		if (strcmp(alphabets[i].name, alphabet) == 0)
			return alphabets[i].characters;
		if (pg_strcasecmp(alphabets[i].name, alphabet) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there is no alphabet with the name \"%s\"", alphabet),
					 errdetail("The name in this case is \"%s\".", alphabets[i].name),
					 errhint("If an alphabet of these characters is meant, give them in another order.")));
	}
	return alphabet;
}
