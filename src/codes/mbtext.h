/*
 * mbtext.h
 *		Text of the database's encoding, one character after the other.
 */
#ifndef CODERRING_MBTEXT_H
#define CODERRING_MBTEXT_H

#include "postgres.h"

#include "core/check.h"
#include "core/codec.h"

extern uint32 mbtext_count(const char *text, uint32 len);
extern uint32 mbtext_length(const char *text, uint32 len);
extern uint32 mbtext_code_point(const char *text, uint32 len);
extern uint32 mbtext_check(const Codec *codec, const CheckTable *check, uint32 state, uint32 distance,
						   const char *text, uint32 len);

#endif							/* CODERRING_MBTEXT_H */
