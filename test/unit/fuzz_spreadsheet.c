/*
 * fuzz_spreadsheet.c
 *		libFuzzer on spreadsheet.c: what it takes for something else, against a
 *		regular expression.
 */
#include "fuzz.h"
#include "sheet.h"
#include "core/spreadsheet.h"

#define MAX_TEXT	40

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char few[] = "0123456789 +-./#Ee2";
	Input		input = {data, size};
	char		text[MAX_TEXT];
	size_t		len = 0;
	uint32_t	state = SPREADSHEET_BEGIN;

	/* digits and signs, words or what they begin with, and now and then any byte */
	for (size_t parts = take_between(&input, 0, 5); parts > 0; parts--)
	{
		uint8_t		kind = take_byte(&input);

		if (kind % 4 == 0)
		{
			const char *word = sheet_words[take_byte(&input) % (sizeof(sheet_words) / sizeof(sheet_words[0]))];
			size_t		part = take_between(&input, 1, strlen(word));

			for (size_t i = 0; i < part && len < MAX_TEXT; i++)
				text[len++] = (char) (kind % 8 == 0 || word[i] < 'A' ? word[i] : word[i] - 'A' + 'a');
		}
		else
			for (size_t n = take_between(&input, 0, 5); n > 0 && len < MAX_TEXT; n--)
				text[len++] = kind < 250 ? few[take_byte(&input) % (sizeof(few) - 1)] : (char) take_byte(&input);
	}
	for (size_t i = 0; i <= len; i++)
	{
		MUST(state < SPREADSHEET_STATES);
		MUST(spreadsheet_ends(state) == sheet_takes(text, i));
		if (i < len)
			state = spreadsheet_next(state, spreadsheet_class((unsigned char) text[i]));
	}
	return 0;
}
