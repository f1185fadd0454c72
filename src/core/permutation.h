/*
 * permutation.h
 *		The secret order of a cycle: offset <-> base code number.
 *
 * Plain C with OpenSSL's libcrypto and without PostgreSQL, so that the
 * published FF1 samples and a fuzzer can run on it.
 */
#ifndef CODERRING_PERMUTATION_H
#define CODERRING_PERMUTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A ring's key, in bytes: AES-256. */
#define PERMUTATION_KEY_LEN		32

/* Up to this many codes a cycle is an exact shuffle, above it a Feistel network. */
#define PERMUTATION_MAX_SHUFFLE	4096

/* From here up the network is FF1 to the letter (SP 800-38G Rev. 1, section 5.1: radix^minlen >= 1000000). */
#define PERMUTATION_FF1_DOMAIN	UINT64_C(1000000)

/* Longest tweak, in bytes: 8 of the cycle and 63 of the extra fit well. */
#define PERMUTATION_MAX_TWEAK	128

typedef struct Permutation Permutation;

extern Permutation *permutation_create(void);
extern void permutation_destroy(Permutation *perm);

extern bool permutation_set(Permutation *perm,
							const uint8_t *key, size_t key_len,
							uint32_t radix, uint32_t length,
							const uint8_t *tweak, size_t tweak_len);

extern bool permutation_forward(Permutation *perm, uint64_t first, size_t count, uint64_t *numbers);
extern bool permutation_inverse(Permutation *perm, uint64_t number, uint64_t *offset);

/* FF1 with the standard's ten rounds whatever the domain, for the published samples. */
extern bool permutation_set_ff1(Permutation *perm,
								const uint8_t *key, size_t key_len,
								uint32_t radix, uint32_t length,
								const uint8_t *tweak, size_t tweak_len);

/* One pair of halves through the network, also where radix^length is above 2^64, for the same. */
extern bool permutation_ff1_halves(Permutation *perm, bool encrypt, uint64_t *a, uint64_t *b);

#endif							/* CODERRING_PERMUTATION_H */
