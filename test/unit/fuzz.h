/*
 * fuzz.h
 *		What the libFuzzer targets share: numbers and bytes from the fuzzer's input,
 *		and what is to hold.  See test/libfuzzer.sh.
 */
#ifndef CODERRING_FUZZ_H
#define CODERRING_FUZZ_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rest of the input. */
typedef struct Input
{
	const uint8_t *at;
	size_t		left;
} Input;

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, or else the fuzzer has found something. */
#define MUST(condition) \
	do \
	{ \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* The next byte; 0 after the end. */
static inline uint8_t
take_byte(Input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

/* A number of `bytes` bytes, the most significant first. */
static inline uint64_t
take_number(Input *input, int bytes)
{
	uint64_t	number = 0;

	while (bytes-- > 0)
		number = number << 8 | take_byte(input);
	return number;
}

/* A number from low to high. */
static inline uint64_t
take_between(Input *input, uint64_t low, uint64_t high)
{
	uint64_t	range = high - low + 1;
	int			bytes = high - low < 256 ? 1 : high - low < 65536 ? 2 : 8;

	return range == 0 ? take_number(input, 8) : low + take_number(input, bytes) % range;
}

#endif							/* CODERRING_FUZZ_H */
