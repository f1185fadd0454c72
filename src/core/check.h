/*
 * check.h
 *		The check character of a code, for 2 to 64 characters; for ten, Verhoeff's
 *		check digit.  Plain C without PostgreSQL.
 */
#ifndef CODERRING_CHECK_H
#define CODERRING_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#define CHECK_MAX_RADIX		64
#define CHECK_MAX_PERIOD	64

typedef struct CheckTable
{
	uint32_t	radix;			/* 0 until built */
	uint32_t	period;			/* of phi */
	uint8_t		weigh[CHECK_MAX_PERIOD][CHECK_MAX_RADIX];	/* [distance % period][value]:
															 * phi^distance(value) */
	uint8_t		combine[CHECK_MAX_RADIX][CHECK_MAX_RADIX];	/* product in the group */
	uint8_t		inverse[CHECK_MAX_RADIX];
} CheckTable;

/* The state before the first character: the identity. */
#define CHECK_START		0

extern const CheckTable *check_table(uint32_t radix);
extern bool check_catches_swaps(uint32_t radix);
extern uint32_t check_outside(uint32_t radix, uint32_t code_point);

/*
 * The state after one more character of `value`, 0 to radix - 1, that stands
 * `distance` places before the check character.
 *
 * Characters are added in reading order, the first one to CHECK_START; the
 * last one before the check character has distance 1.  Adding the check
 * character itself, with distance 0, leads to state 0 if the code is right and
 * to another one if it is not.
 */
static inline uint32_t
check_add(const CheckTable *table, uint32_t state, uint32_t distance, uint32_t value)
{
	return table->combine[state][table->weigh[distance % table->period][value]];
}

/* The value of the check character, 0 to radix - 1, in the state after all others. */
static inline uint32_t
check_value(const CheckTable *table, uint32_t state)
{
	return table->inverse[state];
}

#endif							/* CODERRING_CHECK_H */
