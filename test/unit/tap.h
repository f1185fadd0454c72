/*
 * tap.h
 *		The unit tests' own harness: TAP on standard output, for prove.
 *
 * A test program includes this once, calls ok() for each test and ends with
 * `return done_testing();`, which prints the plan and gives the exit status.
 */
#ifndef CODERRING_TAP_H
#define CODERRING_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int	tap_run;
static int	tap_failed;

/* One test: passed or not, with a name to be read in the output; returns passed. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static inline bool
ok(bool passed, const char *name, ...)
{
	va_list		args;

	tap_run++;
	if (!passed)
		tap_failed++;
	printf("%sok %d - ", passed ? "" : "not ", tap_run);
	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	return passed;
}

/* The plan; returns the exit status of the program. */
static inline int
done_testing(void)
{
	printf("1..%d\n", tap_run);
	if (tap_failed > 0)
		printf("# %d of %d tests failed\n", tap_failed, tap_run);
	return tap_failed > 0 ? 1 : 0;
}

/* A fixed sequence of numbers for the tests (SplitMix64, Steele et al., 2014). */
static inline uint64_t
next_random(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

#endif							/* CODERRING_TAP_H */
