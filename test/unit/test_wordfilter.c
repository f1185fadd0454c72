/*
 * test_wordfilter.c
 *		Unit tests of src/core/wordfilter.c: folding, matching, limits, identity, counts.
 *
 * Everything is compared with the plain way: words are searched for at each
 * place of a text one by one, and texts are counted by writing all of them.
 * Memory is allocated to the byte, so that the address sanitizer sees a write
 * beyond, and filled with rubbish.
 */
#include <stdlib.h>
#include <string.h>

#include "core/wordfilter.h"
#include "sheet.h"
#include "core/spreadsheet.h"
#include "tap.h"

/* What counts as one character; all other bytes stand for themselves. */
static const char *const alike[] = {
	"0Oo", "1IiLl", "2Zz", "3Ee", "4Aa", "5Ss", "69Gg", "7Tt", "8Bb", "Cc", "Dd", "Ff", "Hh", "Jj",
	"Kk", "Mm", "Nn", "Pp", "Qq", "Rr", "Uu", "Vv", "Ww", "Xx", "Yy"
};

#define ALIKE	(sizeof(alike) / sizeof(alike[0]))

#define MAX_WORDS	1024
#define MAX_WORD	24

static char storage[MAX_WORDS][MAX_WORD];
static FilterWord words[MAX_WORDS];
static size_t count;
static bool joined;				/* with what spreadsheet.c knows */

static uint64_t random_state = 1;

static uint32_t
below(uint32_t limit)
{
	return (uint32_t) (next_random(&random_state) % limit);
}

static unsigned char
plain_fold(unsigned char c)
{
	static unsigned char first_alike[256];
	static bool set;

	if (!set)
	{
		for (int i = 0; i < 256; i++)
			first_alike[i] = (unsigned char) i;
		for (size_t i = 0; i < ALIKE; i++)
			for (const char *other = alike[i]; *other != '\0'; other++)
				first_alike[(unsigned char) *other] = (unsigned char) alike[i][0];
		set = true;
	}
	return first_alike[c];
}

/* Another way to write c. */
static char
respell(char c)
{
	for (size_t i = 0; c != '\0' && i < ALIKE; i++)
		if (strchr(alike[i], c) != NULL)
			return alike[i][below((uint32_t) strlen(alike[i]))];
	return c;
}

static void *
allocate(size_t bytes)
{
	void	   *memory = malloc(bytes);

	if (memory == NULL)
	{
		printf("Bail out! out of memory\n");
		exit(1);
	}
	memset(memory, 0xA5, bytes);
	return memory;
}

static void
no_words(void)
{
	count = 0;
}

static void
add_bytes(const char *text, size_t len)
{
	memcpy(storage[count], text, len);
	words[count].text = storage[count];
	words[count].len = len;
	count++;
}

/* `texts` are words with spaces between them. */
static void
use(const char *texts)
{
	no_words();
	for (size_t len; *texts != '\0'; texts += len)
	{
		texts += strspn(texts, " ");
		len = strcspn(texts, " ");
		if (len > 0)
			add_bytes(texts, len);
	}
}

/* The list of `words`, in memory of exactly the size it needs. */
static WordFilter *
built(void)
{
	size_t		bytes = wordfilter_bytes(words, count);
	WordFilter  *list = allocate(bytes > 0 ? bytes : 1);
	WordFilter  *copy;
	size_t		used;

	if (bytes == 0 || !wordfilter_build(list, words, count) ||
		(used = wordfilter_used_bytes(list)) > bytes)
	{
		printf("Bail out! cannot build list\n");
		exit(1);
	}
	copy = allocate(used);
	memcpy(copy, list, used);
	free(list);
	if (joined)
	{
		FilterPairs *pairs = allocate(sizeof(FilterPairs));

		bytes = wordfilter_joined_bytes(copy, pairs);
		list = allocate(bytes > 0 ? bytes : 1);
		if (bytes > 0)
			wordfilter_join(list, copy, pairs);
		if (bytes == 0 || wordfilter_used_bytes(list) != bytes)
		{
			printf("Bail out! cannot join list\n");
			exit(1);
		}
		free(pairs);
		free(copy);
		copy = list;
	}
	return copy;
}

static bool
same_text(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (plain_fold((unsigned char) a[i]) != plain_fold((unsigned char) b[i]))
			return false;
	return true;
}

/*
 * Does a word count that ends with the last character so far?  The first
 * `passed` ones are somebody else's; `whole` says whether the text ends there.
 */
static bool
ends_in_word(const char *text, size_t len, size_t passed, bool whole)
{
	for (size_t i = 0; i < count; i++)
	{
		const char *word = words[i].text;
		size_t		word_len = words[i].len;
		bool		begin = word[0] == '^';
		bool		end = word[word_len - 1] == '$';

		word += begin;
		word_len -= begin + end;
		if (word_len <= len && len > passed && (!begin || word_len == len) && (!end || whole) &&
			same_text(word, text + len - word_len, word_len))
			return true;
	}
	return joined && whole && len > passed && sheet_takes(text, len);
}

/* Is a text blocked, by the plain way? */
static bool
holds_word(const char *text, size_t len, size_t passed)
{
	for (size_t i = 0; i <= len; i++)
		if (ends_in_word(text, i, passed, i == len))
			return true;
	return false;
}

/* Is it, by the automaton? */
static bool
blocks_bytes(const WordFilter *list, const char *text, size_t len, size_t passed)
{
	return wordfilter_blocks(list, wordfilter_run(list, wordfilter_pass(list, text, passed),
												text + passed, len - passed));
}

static bool
blocks(const WordFilter *list, const char *text)
{
	return blocks_bytes(list, text, strlen(text), 0);
}

/* All pairs of bytes, by wordfilter_fold and by words of the one in texts of the other. */
static void
test_folding(void)
{
	bool		folds = true;
	bool		matches = true;
	int			equal = 0;

	for (int a = 0; a < 256; a++)
	{
		char		word[3] = {(char) a, (char) a, (char) a};

		for (size_t len = 2; len <= 3; len++)
		{
			WordFilter  *list;

			no_words();
			add_bytes(word, len);
			list = built();
			for (int b = 0; b < 256; b++)
			{
				bool		one = plain_fold((unsigned char) a) == plain_fold((unsigned char) b);
				char		text[3] = {(char) b, (char) b, (char) b};

				equal += one;
				folds = folds && one == (wordfilter_fold((unsigned char) a) == wordfilter_fold((unsigned char) b));
				matches = matches && one == blocks_bytes(list, text, len, 0);
			}
			free(list);
		}
	}
	/* 194 bytes alone, 16 letters in two cases, and looks of 3, 4 and 5 characters */
	ok(folds && equal == 2 * (194 + 16 * 4 + 7 * 9 + 16 + 25), "256 * 256 bytes: %d pairs are equal", equal / 2);
	ok(matches, "words of two and three match by folded bytes");
}

static void
test_examples(void)
{
	WordFilter  *list;

	use("shit FUCK Ass");
	list = built();
	ok(blocks(list, "SHIT") && blocks(list, "5H17") && blocks(list, "xxShLtxx") && blocks(list, "fuck") &&
	   blocks(list, "7A5S") && blocks(list, "4S5") && blocks(list, "GRASS") && blocks(list, "aass"),
	   "words are found anywhere, in any case and look");
	ok(!blocks(list, "") && !blocks(list, "SHI") && !blocks(list, "HIT") && !blocks(list, "S-HIT") &&
	   !blocks(list, "FUK") && !blocks(list, "AS") && !blocks(list, "ASHES") && !blocks(list, "FUFUC"),
	   "other texts are not blocked");
	ok(list->states == 2 + 3 + 3 + 2 && list->classes == 1 + 9 && list->hidden == 0, "states and classes: %u, %u",
	   (unsigned) list->states, (unsigned) list->classes);
	ok(wordfilter_begin(list) == WORDFILTER_START, "nothing is anchored");
	free(list);

	use("kz FA xyz");
	list = built();
	ok(blocks(list, "K2") && blocks(list, "f4") && blocks(list, "xFAx") && blocks(list, "kzfa") && blocks(list, "faxyz") &&
	   !blocks(list, "2K") && !blocks(list, "kx") && !blocks(list, "f") && !blocks(list, ""),
	   "words of two are found anywhere");
	free(list);

	use("^ss tit$ ^abc$ ^7 e$ gr^ $x");
	list = built();
	ok(blocks(list, "SS") && blocks(list, "55x") && !blocks(list, "xss") && !blocks(list, "s"),
	   "^ is the beginning of the text");
	ok(blocks(list, "tit") && blocks(list, "x717") && !blocks(list, "xtitx"), "$ is its end");
	ok(blocks(list, "ABC") && !blocks(list, "xABC") && !blocks(list, "ABCx"), "^ and $, the whole text");
	ok(blocks(list, "7") && blocks(list, "TX") && !blocks(list, "x7x") && blocks(list, "3") && blocks(list, "x3") &&
	   !blocks(list, "3x"), "one character, anchored");
	ok(blocks(list, "xGR^") && blocks(list, "x$x") && !blocks(list, "gr") && !blocks(list, "x"),
	   "elsewhere they are characters");
	free(list);

	use("ass asses bb bbb lass$ ^xa");
	list = built();
	ok(!blocks_bytes(list, "GLASS-", 6, 6) && !blocks_bytes(list, "GLASS-7", 7, 6) && !blocks_bytes(list, "ass", 3, 3),
	   "a word in what is passed does not count");
	ok(blocks_bytes(list, "AS5", 3, 2) && blocks_bytes(list, "xass", 4, 1) && blocks_bytes(list, "assass", 6, 3) &&
	   blocks_bytes(list, "assbb", 5, 4), "one that reaches beyond does");
	ok(blocks_bytes(list, "asses", 5, 3) && blocks_bytes(list, "asses", 5, 4) && blocks_bytes(list, "bbb", 3, 2) &&
	   !blocks_bytes(list, "asses", 5, 5) && !blocks_bytes(list, "assex", 5, 3),
	   "also one that goes on behind a word in there");
	ok(blocks_bytes(list, "xa", 2, 1) && !blocks_bytes(list, "xa", 2, 2) && !blocks_bytes(list, "xxa", 3, 2) &&
	   blocks_bytes(list, "glass", 5, 4) && !blocks_bytes(list, "glass-", 6, 5), "anchored ones alike");
	free(list);

	use("ab.c d--\xE4\xF6 \xC3\xA4\xC3 @@@ [{} \xE1\xE1\xE1");
	list = built();
	ok(blocks(list, "8A8.C8") && blocks(list, "D--\xE4\xF6") && blocks(list, "x\xC3\xA4\xC3\xA4") &&
	   blocks(list, "@@@@") && blocks(list, "[{}") && blocks(list, "\xE1\xE1\xE1"),
	   "punctuation and bytes from 0x80 up");
	ok(!blocks(list, "AB,C") && !blocks(list, "D--\xC4\xD6") && !blocks(list, "\xC3\xA4\xE3") && !blocks(list, "``@@") &&
	   !blocks(list, "{{}") && !blocks(list, "[[]") && !blocks(list, "\xC1\xC1\xC1") && !blocks(list, "aaa"),
	   "they are equal to themselves only");
	free(list);

	no_words();
	add_bytes("a\0b", 3);
	list = built();
	ok(blocks_bytes(list, "xA\0" "8", 4, 0) && !blocks(list, "aab"), "a zero byte");
	free(list);

	no_words();
	list = built();
	ok(!blocks(list, "anything at all") && list->states == 2 && list->classes == 1 &&
	   wordfilter_bytes(NULL, 0) > 0 && wordfilter_build(list, NULL, 0), "no words block nothing");
	free(list);
}

/* Words and texts over few characters, so that they overlap in every way. */
static void
random_words(const char *characters, uint32_t most, uint32_t longest)
{
	uint32_t	n = below(most + 1);

	no_words();
	while (count < n)
	{
		char		text[MAX_WORD];
		size_t		len = 2 + below(longest - 1);

		/* some go on like an earlier one, hold it or end like it */
		for (size_t i = 0; i < len; i++)
			text[i] = respell(characters[below((uint32_t) strlen(characters))]);
		if (count > 0 && below(3) == 0)
		{
			const FilterWord *other = &words[below((uint32_t) count)];
			size_t		part = 1 + below((uint32_t) other->len);
			size_t		place = below((uint32_t) len);

			if (part > len - place)
				part = len - place;
			memcpy(text + place, other->text + below((uint32_t) (other->len - part + 1)), part);
		}
		if (below(5) == 0)
			text[0] = WORDFILTER_BEGIN;
		if (below(5) == 0)
			text[len - 1] = WORDFILTER_END;
		if (len == 2 && text[0] == WORDFILTER_BEGIN && text[1] == WORDFILTER_END)
			continue;
		add_bytes(text, len);
		if (below(8) == 0 && count < n)
		{
			for (size_t i = 0; i < len; i++)
				text[i] = respell(text[i]);
			add_bytes(text, len);
		}
	}
}

/* Beginnings of words, shorter than these, by folded text. */
static uint32_t
plain_states(void)
{
	static char seen[MAX_WORDS * MAX_WORD][MAX_WORD];
	static size_t seen_len[MAX_WORDS * MAX_WORD];
	uint32_t	n = 0;

	for (size_t i = 0; i < count; i++)
	{
		for (size_t len = 1; len < words[i].len; len++)
		{
			uint32_t	k = 0;

			while (k < n && !(seen_len[k] == len && same_text(seen[k], words[i].text, len)))
				k++;
			if (k == n)
			{
				memcpy(seen[n], words[i].text, len);
				seen_len[n++] = len;
			}
		}
	}
	return 2 + n;
}

static void
test_matching(const char *characters, const char *name)
{
	bool		good = true;
	bool		absorbs = true;
	bool		least = true;
	bool		repeatable = true;
	int			blocked = 0;
	int			texts = 0;

	for (int i = 0; i < 600; i++)
	{
		WordFilter  *list;
		WordFilter  *twin;

		random_words(characters, 10, 2 + below(6));
		list = built();
		least = least && list->states == plain_states();

		/* the same bytes, whatever was in the memory */
		twin = allocate(wordfilter_bytes(words, count));
		memset(twin, 0, wordfilter_bytes(words, count));
		repeatable = repeatable && wordfilter_build(twin, words, count) &&
			wordfilter_used_bytes(twin) == wordfilter_used_bytes(list) &&
			memcmp(twin, list, wordfilter_used_bytes(list)) == 0;
		free(twin);

		for (int c = 0; c < 256; c++)
			absorbs = absorbs && wordfilter_next(list, WORDFILTER_BLOCKED, (unsigned char) c) == WORDFILTER_BLOCKED;
		for (int t = 0; t < 40; t++)
		{
			char		text[16];
			size_t		len = below(sizeof(text) + 1);
			size_t		passed = t % 2 == 0 ? 0 : below((uint32_t) len + 1);
			uint32_t	state = WORDFILTER_START;
			bool		found = false;

			for (size_t k = 0; k < len; k++)
				text[k] = below(10) == 0 ? (char) below(256) :
					respell(characters[below((uint32_t) strlen(characters))]);
			for (size_t k = passed; k <= len; k++)
			{
				state = k == passed ? wordfilter_pass(list, text, passed) :
					wordfilter_next(list, state, (unsigned char) text[k - 1]);
				found = found || ends_in_word(text, k, passed, false);
				good = good && (state == WORDFILTER_BLOCKED) == found && state < list->states;
				good = good && (k == passed || wordfilter_blocks(list, state) == holds_word(text, k, passed));
				good = good && wordfilter_run(list, wordfilter_pass(list, text, passed), text + passed, k - passed) == state;
			}
			blocked += holds_word(text, len, passed);
			texts++;
		}
		free(list);
	}
	ok(good && blocked > texts / 40 && blocked < texts - texts / 40, "%s: %d of %d random texts are blocked",
	   name, blocked, texts);
	ok(least && absorbs && repeatable, "%s: no needless state, BLOCKED stays, the same bytes each time", name);
}

static void
test_limits(void)
{
	static char text[WORDFILTER_MAX_BYTES + 1];
	static FilterWord many[32768];
	WordFilter  *list;
	size_t		bytes;
	bool		good = true;
	uint32_t	state;

	many[0].text = text;
	memset(text, 'x', sizeof(text));
	for (size_t len = 0; len < 3; len++)
	{
		WordFilter	untouched;

		memset(&untouched, 0x5A, sizeof(untouched));
		use("word ^$other");
		words[1].len = len;
		ok(wordfilter_bytes(words, 2) == 0 && !wordfilter_build(&untouched, words, 2) &&
		   untouched.states == 0x5A5A5A5A && untouched.classes == 0x5A5A5A5A,
		   "a word of %zu characters, or of anchors alone, is not taken", len);
	}

	/* one word of everything, every byte */
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char) (below(2) == 0 ? i : below(256));
	text[0] = text[WORDFILTER_MAX_BYTES - 1] = 'x';
	many[0].len = WORDFILTER_MAX_BYTES;
	bytes = wordfilter_bytes(many, 1);
	list = allocate(bytes);
	ok(bytes > 0 && wordfilter_build(list, many, 1) && list->states == 65536 && wordfilter_used_bytes(list) <= bytes,
	   "a word of 65,535 bytes: %zu bytes", bytes);
	state = wordfilter_run(list, WORDFILTER_START, text, WORDFILTER_MAX_BYTES - 1);
	ok(state == 65535 &&
	   wordfilter_next(list, state, (unsigned char) text[WORDFILTER_MAX_BYTES - 1]) == WORDFILTER_BLOCKED &&
	   wordfilter_run(list, WORDFILTER_START, text + 1, WORDFILTER_MAX_BYTES - 1) != WORDFILTER_BLOCKED,
	   "it is met by its last byte");
	free(list);
	many[0].len++;
	ok(wordfilter_bytes(many, 1) == 0 && !wordfilter_build(NULL, many, 1), "a word of 65,536 bytes");
	many[0].len = SIZE_MAX;
	ok(wordfilter_bytes(many, 1) == 0, "a word of SIZE_MAX bytes");
	many[1].text = text;
	many[1].len = SIZE_MAX - 1;
	many[0].len = 3;
	ok(wordfilter_bytes(many, 2) == 0, "sizes whose sum is beyond SIZE_MAX");

	/* as many as there can be, of three and of two */
	for (size_t i = 0; i < 21845; i++)
	{
		text[3 * i] = (char) (i % 26 + 'a');
		text[3 * i + 1] = (char) (i / 26 % 26 + 'a');
		text[3 * i + 2] = (char) (i / 676 + 0xA0);
		many[i].text = text + 3 * i;
		many[i].len = 3;
	}
	bytes = wordfilter_bytes(many, 21845);
	list = allocate(bytes);
	ok(bytes > 0 && wordfilter_build(list, many, 21845), "21,845 words of three: %zu bytes", bytes);
	for (size_t i = 0; i < 21845; i++)
	{
		char		other[3] = {text[3 * i], text[3 * i + 1], (char) (text[3 * i + 2] + 64)};

		good = good && wordfilter_run(list, WORDFILTER_START, text + 3 * i, 3) == WORDFILTER_BLOCKED &&
			wordfilter_run(list, WORDFILTER_START, other, 3) != WORDFILTER_BLOCKED;
	}
	ok(good && wordfilter_used_bytes(list) <= bytes,
	   "all of them are met: %zu bytes used", wordfilter_used_bytes(list));
	free(list);
	many[21845] = many[0];
	ok(wordfilter_bytes(many, 21846) == 0, "65,538 bytes in words of three");
	for (size_t i = 0; i < 32768; i++)
	{
		many[i].text = text + 2 * i;
		many[i].len = 2;
		text[2 * i] = (char) (i >> 7);
		text[2 * i + 1] = (char) (i | 0x80);
	}
	bytes = wordfilter_bytes(many, 32767);
	list = allocate(bytes);
	ok(bytes > 0 && wordfilter_build(list, many, 32767) && wordfilter_used_bytes(list) <= bytes,
	   "32,767 words of two: %zu bytes", bytes);
	ok(blocks_bytes(list, text + 65532, 2, 0) && !blocks_bytes(list, "\x01\x7F", 2, 0), "the last of them is met");
	free(list);
	ok(wordfilter_bytes(many, 32768) == 0, "65,536 bytes in words of two");

	/* sorted words get hardly more memory than they need */
	use("cat catapult catch dog doghouse dogma dome domestic domino zebra");
	list = built();
	bytes = wordfilter_bytes(words, count);
	ok(bytes - wordfilter_used_bytes(list) <= count * 2 * sizeof(uint16_t) + (4 * (list->classes + 1) + 3 * (list->states + 4)) * sizeof(uint16_t),
	   "sorted words: %zu bytes, %zu used", bytes, wordfilter_used_bytes(list));
	free(list);
}

/* Identities may be stored, so they never change.  These were computed by a few lines of Python, too. */
#define IDENTITY_NONE	UINT64_C(0xDBD238973A2B148A)
#define IDENTITY_THREE	UINT64_C(0x0D262F367EF39434)
#define IDENTITY_ODD	UINT64_C(0x0F6B2585ADFFDFEE)
#define IDENTITY_800	UINT64_C(0xC809B891822F96E8)

static uint64_t
identity_of(const char *texts)
{
	use(texts);
	return wordfilter_identity(words, count);
}

static void
test_identity(void)
{
	static const char *const lists[] = {
		"", "ab", "a", "b", "abc", "abd", "ab abc", "ab c", "a bc", "abc abd", "abcabd", "abc abc1", "abc abe",
		"ab\xC3 abd", "ab- abd", "abc-abd", "xyz", "aa aaa", "aaa aaaa", "^abc", "abc$", "^abc$", "^ab"
	};
	static const size_t sizes[] = {1, 2, 100, 255, 256, 257, 511, 512, 513, 800};
	uint64_t	whole;
	bool		good = true;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t k = 0; k < i; k++)
			good = good && identity_of(lists[i]) != identity_of(lists[k]);
	ok(good, "other words, other identity");
	ok(identity_of("shit fuck ass") == identity_of("ASS ass FUCK 5H17 shLt aSs"),
	   "order, repetition and spelling do not count");
	ok(identity_of("abc abc") == identity_of("abc") && identity_of("abc") != 0 && identity_of("") != 0,
	   "a word twice, no words");
	ok(identity_of("") == IDENTITY_NONE, "no words: 0x%016" PRIX64, identity_of(""));
	ok(identity_of("shit fuck ass") == IDENTITY_THREE, "three words: 0x%016" PRIX64, identity_of("shit fuck ass"));
	ok(identity_of("l0l \xC3\xA4\xC3\xB6 a-z fa") == IDENTITY_ODD, "odd words: 0x%016" PRIX64,
	   identity_of("l0l \xC3\xA4\xC3\xB6 a-z fa"));

	/* more words than are sorted at once, by one or not, some of them twice, in any order */
	for (size_t t = 0; t < sizeof(sizes) / sizeof(sizes[0]); t++)
	{
		size_t		n = sizes[t];
		FilterWord any;

		no_words();
		for (size_t i = 0; i < n; i++)
		{
			char		text[3] = {(char) (0x80 + i / 32), (char) (0x80 + i % 32), '!'};

			add_bytes(text, 3);
		}
		whole = wordfilter_identity(words, n);
		good = true;
		for (size_t i = 0; i < n; i += 1 + n / 16)
		{
			any = words[i];
			words[i] = words[(i + 1) % n];
			good = good && (n == 1 || wordfilter_identity(words, n) != whole);
			words[i] = any;
		}
		for (; count < MAX_WORDS; count++)
			words[count] = words[below((uint32_t) n)];
		for (int shuffle = 0; shuffle < 30; shuffle++)
		{
			for (size_t i = count; i > 1; i--)
			{
				size_t		k = below((uint32_t) i);

				any = words[i - 1];
				words[i - 1] = words[k];
				words[k] = any;
			}
			good = good && wordfilter_identity(words, count) == whole;
		}
		ok(good && (n != 800 || whole == IDENTITY_800), "identity of %zu words: 0x%016" PRIX64, n, whole);
	}
}

/* The text before, and how many of the characters that can follow it are never blocked: by writing them all. */
static char written[MAX_WORD];

static uint64_t
plain_count(const Codec *codec, const CheckTable *check, size_t passed, size_t len, uint32_t level, uint32_t g)
{
	uint64_t	sum = 0;

	if (level == 0)
	{
		if (check != NULL)
			written[len++] = codec->alphabet[check->inverse[g]];
		return !holds_word(written, len, passed);
	}
	for (uint32_t x = 0; x < codec->radix; x++)
	{
		written[len] = codec->alphabet[x];
		if (!ends_in_word(written, len + 1, passed, false))
			sum += plain_count(codec, check, passed, len + 1, level - 1,
							   check ? check->combine[g][check->weigh[level % check->period][x]] : 0);
	}
	return sum;
}

/* Some characters, none twice, of `from`. */
static void
random_alphabet(Codec *codec, const char *from, uint32_t radix)
{
	char		characters[128];
	size_t		n = strlen(from);

	memcpy(characters, from, n);
	for (size_t i = 0; i < n; i++)
	{
		size_t		k = i + below((uint32_t) (n - i));
		char		c = characters[i];

		characters[i] = characters[k];
		characters[k] = c;
	}
	if (codec_set(codec, characters, radix < n ? radix : n, 1, NULL) != CODEC_OK)
	{
		printf("Bail out! cannot set codec\n");
		exit(1);
	}
}

/* A table that is no group, for the counts do not depend on that. */
static void
random_check(CheckTable *check, uint32_t radix)
{
	memset(check, 0xFF, sizeof(*check));
	check->radix = radix;
	check->period = 1 + below(5);
	for (uint32_t a = 0; a < radix; a++)
	{
		for (uint32_t d = 0; d < check->period; d++)
			check->weigh[d][a] = (uint8_t) below(radix);
		for (uint32_t b = 0; b < radix; b++)
			check->combine[a][b] = (uint8_t) below(radix);
		check->inverse[a] = (uint8_t) below(radix);
	}
}

static FilterCounter *
counted(const WordFilter *list, const Codec *codec, const CheckTable *check, uint32_t levels)
{
	FilterCounter *counter = allocate(wordfilter_counter_bytes(list, codec, check, levels));

	wordfilter_counter_set(counter, list, codec, check, levels);
	return counter;
}

/* Are the counts from the state after this text those of all texts? */
static bool
counts_after(const FilterCounter *counter, const WordFilter *list, const Codec *codec,
			 const CheckTable *check, uint32_t levels, const char *text, size_t len, int64_t *work)
{
	size_t		passed = len > 0 ? below((uint32_t) len) : 0;
	uint32_t	state = wordfilter_run(list, wordfilter_pass(list, text, passed), text + passed, len - passed);
	uint64_t	texts = 1;

	memcpy(written, text, len);
	for (uint32_t level = 0; level <= levels; level++, texts *= codec->radix)
	{
		uint32_t	checks = check ? codec->radix : 1;
		/* all check states where that is quick */
		uint32_t	step = texts * checks < 2000 ? 1 : 1 + below(checks);

		for (uint32_t g = below(step); g < checks; g += step)
		{
			uint64_t	expected = state == WORDFILTER_BLOCKED ? 0 : plain_count(codec, check, passed, len, level, g);

			if (wordfilter_counter_get(counter, level, state, g) != expected)
			{
				printf("# level %u, state %u, check state %u: %" PRIu64 ", not %" PRIu64 "\n", (unsigned) level,
					   (unsigned) state, (unsigned) g, wordfilter_counter_get(counter, level, state, g), expected);
				return false;
			}
			*work -= (int64_t) texts;
		}
	}
	return true;
}

static char *
add_some(char *at, const char *of, uint32_t most)
{
	for (uint32_t n = below(most + 1); n > 0; n--)
		*at++ = of[below((uint32_t) strlen(of))];
	return at;
}

/* A text that is like those of spreadsheet.c, of at most `room` characters. */
static size_t
random_sheet(char *text, size_t room)
{
	char		all[64];
	char	   *at = all;
	const char *word = sheet_words[below(sizeof(sheet_words) / sizeof(sheet_words[0]))];
	size_t		word_len = strlen(word);
	size_t		len;

	if (below(3) == 0)
	{
		at = add_some(at, "+-", 1);
		at = add_some(at, "0123456789", 6);
		at = add_some(at, ".", 1);
		at = add_some(at, "0123456789", 3);
		at = add_some(at, "Ee", 1);
		at = add_some(at, "+-", 1);
		at = add_some(at, "0123456789", 2);
	}
	else
	{
		at = below(3) == 0 ? add_some(at, "+-#", 1) : add_some(at, "0123456789", below(3) * 2);
		at = add_some(at, "  -/.", below(3));
		if (below(2))
			word_len = 2 + below((uint32_t) word_len - 1);
		for (size_t i = 0; i < word_len; i++)
			*at++ = (char) (below(2) || word[i] < 'A' ? word[i] : word[i] - 'A' + 'a');
		at = add_some(at, "  -/.", below(3));
		at = add_some(at, "0123456789", below(3) * 2);
	}
	len = (size_t) (at - all) < room ? (size_t) (at - all) : room;
	memcpy(text, all, len);
	return len;
}

/* Texts of spreadsheet.c's, and words, whole and in pieces */
static void
test_joined(const char *characters)
{
	bool		good = true;
	bool		repeatable = true;
	int			blocked = 0;
	int			sheets = 0;
	int			texts = 0;

	joined = true;
	for (int i = 0; i < 300; i++)
	{
		WordFilter  *list;
		WordFilter  *twin;

		random_words(characters, 10, 2 + below(6));
		list = built();
		twin = built();
		repeatable = repeatable && memcmp(list, twin, wordfilter_used_bytes(list)) == 0;
		free(twin);
		for (int t = 0; t < 100; t++)
		{
			char		text[16];
			size_t		len = random_sheet(text, sizeof(text));
			size_t		passed = t % 2 == 0 ? 0 : below((uint32_t) len + 1);
			uint32_t	state = WORDFILTER_START;
			bool		found = false;

			if (len > 0 && below(4) == 0)
				text[below((uint32_t) len)] = below(2) ? (char) below(256) : characters[below((uint32_t) strlen(characters))];
			for (size_t k = passed; k <= len; k++)
			{
				state = k == passed ? wordfilter_pass(list, text, passed) :
					wordfilter_next(list, state, (unsigned char) text[k - 1]);
				found = found || ends_in_word(text, k, passed, false);
				good = good && (state == WORDFILTER_BLOCKED) == found && state < list->states;
				good = good && (k == passed || wordfilter_blocks(list, state) == holds_word(text, k, passed));
			}
			blocked += holds_word(text, len, passed);
			sheets += sheet_takes(text, len);
			texts++;
		}
		free(list);
	}
	joined = false;
	ok(good && repeatable && sheets > texts / 20 && blocked > texts / 20 && blocked < texts - texts / 20,
	   "words of \"%s\", joined: %d of %d texts are blocked, %d of them as a whole", characters, blocked, texts, sheets);
}

/* The automaton by itself: whatever is added to texts that it knows, and all texts of few characters */
static void
test_sheet(void)
{
	bool		good = true;
	int			known = 0;

	for (int i = 0; i < 200000; i++)
	{
		char		text[32];
		size_t		len = random_sheet(text, sizeof(text));
		uint32_t	state = SPREADSHEET_BEGIN;

		if (len > 0 && below(4) == 0)
			text[below((uint32_t) len)] = (char) below(256);
		for (size_t k = 0; k < len; k++)
		{
			state = spreadsheet_next(state, spreadsheet_class((unsigned char) text[k]));
			good = good && state < SPREADSHEET_STATES;
		}
		good = good && spreadsheet_ends(state) == sheet_takes(text, len);
		known += spreadsheet_ends(state);
	}
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++)
		{
			char		text[] = {(char) a, (char) b};
			uint32_t	state = spreadsheet_next(SPREADSHEET_BEGIN, spreadsheet_class((unsigned char) a));

			good = good && !spreadsheet_ends(state);
			state = spreadsheet_next(state, spreadsheet_class((unsigned char) b));
			good = good && spreadsheet_ends(state) == sheet_takes(text, 2);
		}
	for (int c = 0; c < 256; c++)
		good = good && spreadsheet_next(SPREADSHEET_NOTHING, (unsigned char) c) == SPREADSHEET_NOTHING;
	ok(good && known > 10000, "what spreadsheets take for something else: %d texts, and no other", known);
}

/* Identities of lists, and lists of very many words */
static void
test_joined_limits(void)
{
	static FilterWord many[8000];
	static char text[8000 * 8];
	WordFilter  *list;
	FilterPairs *pairs = allocate(sizeof(FilterPairs));
	size_t		joined_bytes;

	ok(wordfilter_identity_joined(IDENTITY_NONE) == UINT64_C(0x6C3F93E5961F4ADE) &&
	   wordfilter_identity_joined(IDENTITY_THREE) != wordfilter_identity_joined(IDENTITY_NONE) &&
	   wordfilter_identity_joined(IDENTITY_THREE) != IDENTITY_THREE,
	   "identity, joined: 0x%016" PRIX64, wordfilter_identity_joined(IDENTITY_NONE));

	for (size_t n = 1000; n <= 8000; n += 7000)
	{
		for (size_t i = 0; i < n; i++)
		{
			/* of digits, so that each may be the end of a number */
			for (size_t k = 0; k < 8; k++)
				text[i * 8 + k] = (char) ('0' + below(10));
			many[i] = (FilterWord) {text + i * 8, 8};
		}
		list = allocate(wordfilter_bytes(many, n));
		wordfilter_build(list, many, n);
		joined_bytes = wordfilter_joined_bytes(list, pairs);
		ok((joined_bytes > 0) == (n == 1000), "%zu words of digits, %u states: %s", n, (unsigned) list->states,
		   joined_bytes > 0 ? "there is room" : "there is none");
		free(list);
	}
	free(pairs);
}

static void
test_counts(const char *from, uint32_t least, uint32_t most, const char *name)
{
	CheckTable	random_table;
	Codec		codec;
	bool		good = true;
	int64_t		work = joined ? 400000 : 20000000;	/* texts to write */
	int			lists = 0;
	int			starts = 0;

	for (; work > 0 && good; lists++)
	{
		uint32_t	kind = below(3);
		/* few long ones */
		uint64_t	limit = (lists % 16 == 15 ? 300000 : lists % 4 == 3 ? 20000 : 2000) / (joined ? 40 : 1);
		uint32_t	levels = 1;
		const CheckTable *check = NULL;
		WordFilter  *list;
		FilterCounter *counter;
		char		some[8] = "";
		char		text[MAX_WORD];

		random_alphabet(&codec, from, least + below(most - least + 1));
		for (uint64_t texts = codec.radix; texts * codec.radix <= limit && levels < 16; texts *= codec.radix)
			levels++;
		for (size_t i = 0; i + 1 < sizeof(some); i++)
			some[i] = codec.alphabet[below(codec.radix < 4 || below(2) ? codec.radix : 4)];
		random_words(some, limit > 2000 ? 5 : 12, 2 + below(5));
		list = built();
		if (kind == 1)
			check = check_table(codec.radix);
		else if (kind == 2)
		{
			random_check(&random_table, codec.radix);
			check = &random_table;
		}
		counter = counted(list, &codec, check, levels);

		/* after nothing, after random texts, after the beginnings of words */
		for (int t = 0; t < 6; t++)
		{
			size_t		len = t == 0 ? 0 : below(6);

			for (size_t i = 0; i < len; i++)
				text[i] = below(8) == 0 ? (char) below(256) : respell(some[below(sizeof(some) - 1)]);
			if (t > 1 && joined && below(2))
				len = random_sheet(text, 6);
			else if (t > 2 && count > 0)
			{
				const FilterWord *word = &words[below((uint32_t) count)];

				len = below((uint32_t) word->len + 1);
				memcpy(text, word->text, len);
			}
			good = good && counts_after(counter, list, &codec, check, levels, text, len, &work);
			starts++;
			}
		/* nothing follows BLOCKED */
		for (uint32_t level = 0; level <= levels; level++)
			for (uint32_t g = 0; g < (check ? codec.radix : 1); g++)
				good = good && wordfilter_counter_get(counter, level, WORDFILTER_BLOCKED, g) == 0;
		free(counter);
		free(list);
	}
	ok(good && lists >= (joined ? 20 : 50), "%s: counts of %d lists from %d starts", name, lists, starts);
}

/* Is each count the sum of those one character later?  So they are defined, but not computed. */
static bool
counts_add_up(const FilterCounter *counter, const WordFilter *list, const Codec *codec,
			  const CheckTable *check, uint32_t levels)
{
	for (uint32_t level = 1; level <= levels; level++)
		for (uint32_t state = 0; state < list->states; state++)
			for (uint32_t g = 0; g < (check ? codec->radix : 1); g++)
			{
				uint64_t	sum = 0;

				for (uint32_t x = 0; x < codec->radix; x++)
					sum += wordfilter_counter_get(counter, level - 1,
												 wordfilter_next(list, state, (unsigned char) codec->alphabet[x]),
												 check ? check_add(check, g, level, x) : 0);
				if (wordfilter_counter_get(counter, level, state, g) != sum)
					return false;
			}
	return true;
}

static uint64_t
count_of(const char *texts, const Codec *codec, const CheckTable *check, uint32_t level)
{
	WordFilter  *list;
	FilterCounter *counter;
	uint64_t	result;

	use(texts);
	list = built();
	counter = counted(list, codec, check, level);
	result = wordfilter_counter_get(counter, level, wordfilter_begin(list), CHECK_START);
	free(counter);
	free(list);
	return result;
}

/* The whole default ring, code by code. */
static void
test_default_ring(void)
{
	static const char texts[] = "shit fuck ass tit cunt cock gay fag sex dick xxx 88888";
	const CheckTable *check = check_table(32);
	Codec		codec;
	WordFilter  *list;
	uint64_t	plain = 0;
	uint64_t	checked = 0;
	uint64_t	matched = 0;

	codec_set(&codec, CODEC_DEFAULT_ALPHABET, 32, 4, NULL);
	use(texts);
	list = built();
	for (uint64_t number = 0; number < codec.base_codes; number++)
	{
		char		text[5];
		uint32_t	g = CHECK_START;
		bool		found;

		codec_write_base(&codec, number, text);
		found = holds_word(text, 4, 0);
		plain += !found;
		matched += wordfilter_run(list, WORDFILTER_START, text, 4) != WORDFILTER_BLOCKED;
		for (uint32_t i = 0; i < 4; i++)
			g = check_add(check, g, 4 - i, (uint32_t) codec.base_value[(unsigned char) text[i]]);
		text[4] = codec.alphabet[check_value(check, g)];
		checked += !holds_word(text, 5, 0);
	}
	free(list);
	ok(matched == plain && count_of(texts, &codec, NULL, 4) == plain,
	   "%" PRIu64 " codes of the default ring", plain);
	ok(count_of(texts, &codec, check, 4) == checked && checked < plain,
	   "%" PRIu64 " with a check character", checked);
	/* 4 A, 5 S, 5 S; at two places */
	ok(count_of("ass", &codec, NULL, 4) == 1048576 - 2 * 8 * 32, "codes of the default ring without ASS");
	/* 5 S, H, I is L, 7 T */
	ok(count_of("shit", &codec, NULL, 4) == 1048576 - 4, "codes of the default ring without SHIT");
	ok(count_of("foo", &codec, NULL, 4) == 1048576 && count_of("^as$", &codec, NULL, 4) == 1048576,
	   "words that cannot be written, or are all of a shorter text, take nothing");
	ok(count_of("^as", &codec, NULL, 4) == 1048576 - 4 * 1024 && count_of("as$", &codec, NULL, 4) == 1048576 - 4 * 1024 &&
	   count_of("^ass^", &codec, NULL, 4) == 1048576 && count_of("^as as$", &codec, NULL, 4) == 1048576 - 8 * 1024 + 16,
	   "anchored words, at one place");
}

/* Lengths that nobody can enumerate. */
static void
test_large(void)
{
	static const char sixty_four[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
	const CheckTable *check = check_table(32);
	Codec		codec;
	Codec		wide;
	WordFilter  *list;
	FilterCounter *plain;
	FilterCounter *checked;
	uint64_t	single[13] = {1, 32, 1024};
	uint64_t	triple[13] = {1, 32, 1024};
	bool		good = true;
	uint64_t	sum = 0;

	codec_set(&codec, CODEC_DEFAULT_ALPHABET, 32, 12, NULL);
	codec_set(&wide, sixty_four, 64, 10, NULL);
	ok(count_of("", &codec, NULL, 12) == UINT64_C(1) << 60 && count_of("", &codec, check, 12) == UINT64_C(1) << 60 &&
	   count_of("^fa$", &wide, NULL, 10) == UINT64_C(1) << 60 &&
	   count_of("\xC3\xA4\xC3\xB6 @@@", &wide, check_table(64), 10) == UINT64_C(1) << 60,
	   "2^60 codes without a word");

	/*
	 * XYZ cannot overlap itself and has two spellings; AAA has two characters,
	 * and what goes before a run of up to two of them is one of 30.
	 */
	for (int n = 3; n <= 12; n++)
	{
		single[n] = 32 * single[n - 1] - 2 * single[n - 3];
		triple[n] = 30 * triple[n - 1] + 60 * triple[n - 2] + 120 * triple[n - 3];
	}
	for (uint32_t n = 0; n <= 12; n++)
		good = good && count_of("xyz", &codec, NULL, n) == single[n] && count_of("aaa", &codec, NULL, n) == triple[n];
	ok(good, "XYZ and AAA obey their recurrences: %" PRIu64 ", %" PRIu64 " codes of 12", single[12], triple[12]);

	do
		random_words("ASE7TZKM", 60, 6);
	while (count < 40);
	list = built();
	plain = counted(list, &codec, NULL, 13);
	checked = counted(list, &codec, check, 12);
	for (size_t i = 0; i < codec.radix; i++)
		sum += wordfilter_counter_get(plain, 11, wordfilter_run(list, wordfilter_begin(list), &codec.alphabet[i], 1), 0);
	ok(sum == wordfilter_counter_get(plain, 12, wordfilter_begin(list), 0) && sum > UINT64_C(1) << 59 &&
	   counts_add_up(plain, list, &codec, NULL, 12) && counts_add_up(checked, list, &codec, check, 12),
	   "%" PRIu64 " codes of 12 are the sum of those of 11, of %u states", sum, (unsigned) list->states);

	/* over all states of the check, each character is the check character once */
	good = true;
	for (uint32_t level = 0; level <= 12; level++)
		for (uint32_t state = 0; state < list->states; state++)
		{
			uint64_t	all = 0;

			for (uint32_t g = 0; g < codec.radix; g++)
				all += wordfilter_counter_get(checked, level, state, g);
			good = good && all == wordfilter_counter_get(plain, level + 1, state, 0);
		}
	ok(good, "all check states together are one more character");
	free(plain);
	free(checked);

	/* beyond 2^64, and where there is nothing to count */
	plain = counted(list, &wide, NULL, 20);
	ok(counts_add_up(plain, list, &wide, NULL, 20), "counts are modulo 2^64");
	free(plain);
	ok(sizeof(size_t) < 8 || wordfilter_counter_bytes(list, &wide, NULL, UINT32_MAX) > 0,
	   "any number of levels has a size");
	free(list);
}

int
main(void)
{
	test_folding();
	test_examples();
	test_matching("ab", "two letters");
	test_matching("As4", "letters and look-alikes");
	test_matching("1LioG9", "more look-alikes");
	test_matching("a-\xC3\xA4\xFF", "punctuation and high bytes");
	test_limits();
	test_identity();
	test_counts("aB-", 2, 3, "2 and 3 characters");
	test_counts("0O1IlL5sS", 2, 9, "look-alikes");
	test_counts("aAbBsS45.", 4, 9, "both cases");
	test_counts(CODEC_DEFAULT_ALPHABET, 10, 32, "10 to 32 characters");
	test_counts("!~}|{zyxwvutsrqponmlkjihgfedcba`_^]\\[ZYXWVUTSRQPONMLKJIHGFEDCBA@0123456789", 20, 64,
				"20 to 64 characters");
	test_sheet();
	test_joined("2E3-");
	test_joined("MARmar15");
	test_joined("lLnNuU");
	test_joined_limits();
	joined = true;
	test_counts("2E5e", 2, 4, "numbers with exponents");
	test_counts("-.+0E2", 2, 6, "with signs and points");
	test_counts("MAR2YN-", 3, 7, "months");
	test_counts("JUNELY3-", 3, 8, "other months");
	test_counts("NAULIFtruse", 4, 11, "truth and nothing");
	test_counts(CODEC_DEFAULT_ALPHABET, 10, 32, "10 to 32 characters, joined");
	joined = false;
	test_default_ring();
	test_large();
	return done_testing();
}
