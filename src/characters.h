/*
 * characters.h
 *		Text of the database's encoding, one character after the other.
 */
#ifndef CODERRING_CHARACTERS_H
#define CODERRING_CHARACTERS_H

#include "postgres.h"

#include "check.h"
#include "codec.h"

extern uint32 characters_count(const char *text, uint32 len);
extern uint32 characters_length(const char *text, uint32 len);
extern uint32 characters_code_point(const char *text, uint32 len);
extern uint32 characters_check(const Codec *codec, const CheckTable *check, uint32 state, uint32 distance,
							   const char *text, uint32 len);

#endif							/* CODERRING_CHARACTERS_H */
