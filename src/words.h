/*
 * words.h
 *		Lists of words that codes must not contain: rows of coderring.blocklist.
 */
#ifndef CODERRING_WORDS_H
#define CODERRING_WORDS_H

#include "postgres.h"

#include "utils/array.h"

#include "blocklist.h"
#include "ring.h"

extern void words_read_filter(Ring *ring);
extern bool words_find_filter(Ring *ring);
extern const Blocklist *words_automaton(const Ring *ring, uint64 *filter);
extern uint64 words_filter_of(const Blocklist *list);
extern bool words_used_by(const Ring *ring, const char *list);
extern void words_lock_lists(const Ring *ring);
extern bool words_list_exists(const char *list);
extern bool words_list_used(const char *list);
extern bool words_list_suits(const char *list, ArrayType *words);
extern void words_define(const char *list, ArrayType *words);

#endif							/* CODERRING_WORDS_H */
