/*
 * fuzz_wordfilter.c
 *		libFuzzer on wordfilter.c and spreadsheet.c: the automaton against a search for
 *		every word at every place and a regular expression, its counts against
 *		trying all texts, identities against sets of folded words.
 */
#include "core/wordfilter.h"
#include "fuzz.h"
#include "sheet.h"

#define MAX_WORDS	12
#define MAX_LEN		9
#define MAX_TEXT	80
#define MAX_LEVELS	4
#define MAX_RADIX	5

static bool joined;				/* with what spreadsheet.c knows */

typedef struct Words
{
	size_t		count;
	char		text[2 * MAX_WORDS][MAX_LEN];
	FilterWord words[2 * MAX_WORDS];
} Words;

/* What looks alike, as wordfilter.c lists it, each by its first. */
static unsigned char
fold(unsigned char c)
{
	static const char *const alike[] = {"0O", "1IL", "2Z", "3E", "4A", "5S", "6G9", "7T", "8B"};

	if (c >= 'a' && c <= 'z')
		c = (unsigned char) (c - 'a' + 'A');
	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++)
		if (c != 0 && strchr(alike[i], c) != NULL)
			return (unsigned char) alike[i][0];
	return c;
}

static bool
same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (fold((unsigned char) a[i]) != fold((unsigned char) b[i]))
			return false;
	return true;
}

/*
 * Is there a word in the text that counts?  The first `passed` characters are
 * somebody else's; `whole` says whether the text ends there.
 */
static bool
holds_word(const Words *list, const char *text, size_t len, size_t passed, bool whole)
{
	for (size_t w = 0; w < list->count; w++)
	{
		const char *word = list->words[w].text;
		size_t		word_len = list->words[w].len;
		bool		begin = word[0] == WORDFILTER_BEGIN;
		bool		end = word_len > 1 && word[word_len - 1] == WORDFILTER_END;

		word += begin;
		word_len -= begin + end;
		for (size_t at = 0; at + word_len <= len; at++)
			if ((!begin || at == 0) && (!end || (whole && at + word_len == len)) && at + word_len > passed &&
				same(text + at, word, word_len))
				return true;
	}
	return joined && whole && len > passed && sheet_takes(text, len);
}

/* Characters that many words share, and now and then any byte. */
static char
take_character(Input *input)
{
	static const char few[] = "AB4a8CcSs5Zz2xX0OoIl1L^$";
	static const char sheet[] = "0258 +-./#EeMmAaRrYyNnUuLlTtPpIiFf";
	uint8_t		c = take_byte(input);

	if (joined && c % 2)
		return sheet[c / 2 % (sizeof(sheet) - 1)];
	return c < 250 ? few[c % (sizeof(few) - 1)] : (char) take_byte(input);
}

static bool
has_word(const Words *list, const FilterWord *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->words[i].len == word->len && same(list->words[i].text, word->text, word->len))
			return true;
	return false;
}

static void
test_identity(Words *list, Input *input)
{
	Words		other = *list;
	uint64_t	identity = wordfilter_identity(list->words, list->count);
	size_t		count = list->count;

	MUST(identity != 0);
	/* written otherwise, in another order, with some of them twice */
	for (size_t i = 0; i < other.count; i++)
	{
		for (size_t k = 0; k < list->words[i].len; k++)
		{
			char	   *c = &other.text[i][k];
			uint8_t		by = take_byte(input);

			if (by % 2 && *c >= 'a' && *c <= 'z')
				*c = (char) (*c - 'a' + 'A');
			else if (by % 3 == 0 && (*c == '4' || *c == 'A' || *c == 'a'))
				*c = "4Aa"[by / 6 % 3];
		}
		other.words[i].text = other.text[i];
	}
	for (size_t i = 0; i < count; i++)
	{
		size_t		k = take_byte(input) % count;
		FilterWord swap = other.words[i];

		other.words[i] = other.words[k];
		other.words[k] = swap;
		if (take_byte(input) % 4 == 0)
			other.words[other.count++] = other.words[i];
	}
	MUST(wordfilter_identity(other.words, other.count) == identity);
	/* one word less, that no other is equal to */
	if (list->count > 0)
	{
		FilterWord last = list->words[list->count - 1];

		list->count--;
		MUST((wordfilter_identity(list->words, list->count) == identity) == has_word(list, &last));
		list->count++;
	}
}

/* How many texts of `left` more characters, and the check character, hold no word. */
static uint64_t
count_texts(const Words *list, const Codec *codec, const CheckTable *check, uint32_t left,
			uint32_t check_state, char *text, size_t len, size_t passed)
{
	uint64_t	count = 0;

	if (left == 0)
	{
		if (check != NULL)
			text[len++] = codec->alphabet[check_value(check, check_state)];
		return !holds_word(list, text, len, passed, true);
	}
	for (uint32_t x = 0; x < codec->radix; x++)
	{
		text[len] = codec->alphabet[x];
		count += count_texts(list, codec, check, left - 1,
							 check ? check_add(check, check_state, left, x) : 0, text, len + 1, passed);
	}
	return count;
}

static void
test_counts(const Words *list, const WordFilter *automaton, Input *input)
{
	Codec		codec;
	char		alphabet[MAX_RADIX];
	uint32_t	radix = 0;
	uint32_t	levels = (uint32_t) take_between(input, 1, MAX_LEVELS);
	uint32_t	check_state = 0;
	const CheckTable *check;
	FilterCounter *counter;
	size_t		bytes;
	char		text[MAX_TEXT];
	size_t		len = take_between(input, 0, MAX_LEN);
	size_t		passed = len > 0 ? take_between(input, 0, len - 1) : 0;
	uint32_t	state;

	for (int i = 0; i < MAX_RADIX; i++)
	{
		char		c = take_character(input);

		if (c > ' ' && c <= '~' && memchr(alphabet, c, radix) == NULL)
			alphabet[radix++] = c;
	}
	if (codec_set(&codec, alphabet, radix, 1, NULL) != CODEC_OK)
		return;
	check = take_byte(input) % 2 ? check_table(radix) : NULL;
	bytes = wordfilter_counter_bytes(automaton, &codec, check, levels);
	MUST(bytes > 0);
	counter = malloc(bytes);
	wordfilter_counter_set(counter, automaton, &codec, check, levels);

	for (size_t i = 0; i < len; i++)
	{
		uint32_t	x = take_byte(input) % radix;

		text[i] = alphabet[x];
		if (check != NULL)
			check_state = check_add(check, check_state, (uint32_t) (len - i), x);
	}
	state = wordfilter_run(automaton, wordfilter_pass(automaton, text, passed), text + passed, len - passed);
	MUST((state == WORDFILTER_BLOCKED) == holds_word(list, text, len, passed, false));
	for (uint32_t level = 0; level <= levels; level++)
	{
		uint64_t	count = wordfilter_counter_get(counter, level, state, check_state);

		if (state == WORDFILTER_BLOCKED)
			MUST(count == 0);
		else
			MUST(count == count_texts(list, &codec, check, level, check_state, text, len, passed));
	}
	free(counter);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = {data, size};
	static Words list;
	WordFilter  *building;
	WordFilter  *automaton;
	size_t		bytes;
	size_t		used;
	bool		possible = true;
	uint32_t	state = WORDFILTER_START;
	char		text[MAX_TEXT] = {0};
	size_t		len;
	size_t		passed;

	joined = take_byte(&input) % 4 == 0;		/* which is slow */
	list.count = take_between(&input, 0, MAX_WORDS);
	for (size_t i = 0; i < list.count; i++)
	{
		uint8_t		kind = take_byte(&input);

		len = kind == 0 ? 1 : kind < 80 ? 2 : 3 + kind % (MAX_LEN - 2);
		list.words[i].text = list.text[i];
		list.words[i].len = len;
		for (size_t k = 0; k < len; k++)
			list.text[i][k] = take_character(&input);
		possible = possible && len >= 2 &&
			!(len == 2 && list.text[i][0] == WORDFILTER_BEGIN && list.text[i][1] == WORDFILTER_END);
	}
	bytes = wordfilter_bytes(list.words, list.count);
	MUST((bytes > 0) == possible);
	building = malloc(bytes > 0 ? bytes : sizeof(WordFilter));
	MUST(wordfilter_build(building, list.words, list.count) == (bytes > 0));
	if (bytes == 0)
	{
		free(building);
		return 0;
	}

	/* what is used is all that is needed, wherever it is */
	used = wordfilter_used_bytes(building);
	MUST(used <= bytes);
	automaton = malloc(used);
	memcpy(automaton, building, used);
	memset(building, 0x5A, bytes);
	free(building);
	if (joined)
	{
		static FilterPairs pairs;

		bytes = wordfilter_joined_bytes(automaton, &pairs);
		MUST(bytes > 0);
		building = malloc(bytes);
		wordfilter_join(building, automaton, &pairs);
		MUST(wordfilter_used_bytes(building) == bytes);
		free(automaton);
		automaton = building;
		MUST(wordfilter_identity_joined(wordfilter_identity(list.words, list.count)) !=
			 wordfilter_identity(list.words, list.count));
	}

	len = take_between(&input, 0, MAX_TEXT);
	for (size_t i = 0; i < len; i++)
		text[i] = take_character(&input);
	/* as often as not a word, so that something is met */
	if (list.count > 0 && len >= MAX_LEN && take_byte(&input) % 2)
	{
		const FilterWord *word = &list.words[take_byte(&input) % list.count];

		memcpy(text + take_byte(&input) % (len - word->len + 1), word->text, word->len);
	}
	/* or what a spreadsheet might take for something else, and nothing more */
	if (joined && take_byte(&input) % 2)
	{
		const char *word = sheet_words[take_byte(&input) % (sizeof(sheet_words) / sizeof(sheet_words[0]))];
		size_t		before = take_between(&input, 0, 4);

		len = before + strlen(word) + take_between(&input, 0, 4);
		for (size_t i = 0; i < len; i++)
			text[i] = "0123456789-e"[take_byte(&input) % 12];
		memcpy(text + before, word, strlen(word));
	}
	passed = take_between(&input, 0, len);
	for (size_t i = passed; i <= len; i++)
	{
		state = i == passed ? wordfilter_pass(automaton, text, passed) :
			wordfilter_next(automaton, state, (unsigned char) text[i - 1]);
		MUST((state == WORDFILTER_BLOCKED) == holds_word(&list, text, i, passed, false));
		MUST(i == passed || wordfilter_blocks(automaton, state) == holds_word(&list, text, i, passed, true));
		MUST(state == wordfilter_run(automaton, wordfilter_pass(automaton, text, passed), text + passed, i - passed));
	}
	for (int c = 0; c < 256; c++)
		MUST((wordfilter_fold((unsigned char) c) == wordfilter_fold(text[0])) ==
			 (fold((unsigned char) c) == fold((unsigned char) text[0])));

	test_counts(&list, automaton, &input);
	free(automaton);
	test_identity(&list, &input);
	return 0;
}
