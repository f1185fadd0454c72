/*
 * alphabets.c
 *		Alphabets that have a name.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "alphabets.h"
#include "codec.h"

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
	{"upper", UPPER}
};

/*
 * The characters of an alphabet by its name; 22023 for another name.
 */
const char *
alphabets_find(const char *name)
{
	StringInfoData names;

	for (int i = 0; i < (int) lengthof(alphabets); i++)
	{
		if (strcmp(alphabets[i].name, name) == 0)
			return alphabets[i].characters;
	}
	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(alphabets); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", alphabets[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no alphabet with the name \"%s\"", name),
			 errhint("The names are %s.", names.data)));
	pg_unreachable();
}
