/*
 * bench_permutation.c
 *		Nanoseconds a code of permutation_forward and _inverse.  Not a test.
 */
#define _POSIX_C_SOURCE 199309L

#include <stdio.h>
#include <time.h>

#include "core/permutation.h"

static const uint8_t key[PERMUTATION_KEY_LEN] = "coderring bench";
static uint64_t numbers[4096];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

int
main(void)
{
	static const uint32_t domains[][2] = {{32, 2}, {32, 3}, {32, 4}, {10, 6}, {33, 4}, {64, 10}, {43, 11}};
	static const size_t blocks[] = {1, 32, 256, 4096};
	Permutation *perm = permutation_create();
	double		start;
	uint64_t	sum = 0;

	if (perm == NULL)
		return 1;
	for (size_t d = 0; d < sizeof(domains) / sizeof(domains[0]); d++)
	{
		uint64_t	domain = 1;

		if (!permutation_set(perm, key, sizeof(key), domains[d][0], domains[d][1], NULL, 0))
			return 1;
		for (uint32_t i = 0; i < domains[d][1]; i++)
			domain *= domains[d][0];
		printf("%2u^%-2u", (unsigned) domains[d][0], (unsigned) domains[d][1]);
		for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++)
		{
			double		best = 1e99;

			if (blocks[b] > domain)
				continue;
			for (int run = 0; run < 5; run++)
			{
				size_t		calls = blocks[b] < 32 ? 20000 : 262144 / blocks[b];
				uint64_t	first = 0;

				start = now();
				for (size_t i = 0; i < calls; i++, first += blocks[b])
				{
					if (first > domain - blocks[b])
						first = 0;
					if (!permutation_forward(perm, first, blocks[b], numbers))
						return 1;
					sum += numbers[0];
				}
				start = (now() - start) / (double) (calls * blocks[b]);
				best = start < best ? start : best;
			}
			printf("  block %4zu: %6.1f ns", blocks[b], best);
		}
		start = now();
		for (uint64_t i = 0; i < 20000; i++)
		{
			if (!permutation_inverse(perm, i % domain, numbers))
				return 1;
			sum += numbers[0];
		}
		printf("  inverse: %6.1f ns\n", (now() - start) / 20000);
	}
	for (uint32_t length = 1; length <= 4; length++)
	{
		start = now();
		for (int i = 0; i < 2000; i++)
			if (!permutation_set(perm, key, sizeof(key), 32, length,
								 (const uint8_t *) &i, sizeof(i)))
				return 1;
		printf("set 32^%u, new tweak: %.0f ns\n", (unsigned) length, (now() - start) / 2000);
	}
	permutation_destroy(perm);
	return sum == 0;			/* so that nothing is optimized away */
}
