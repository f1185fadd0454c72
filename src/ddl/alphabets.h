/*
 * alphabets.h
 *		Alphabets that have a name.
 */
#ifndef CODERRING_ALPHABETS_H
#define CODERRING_ALPHABETS_H

extern const char *alphabets_find(const char *name);
extern const char *alphabets_resolve(const char *alphabet);
extern const char *alphabets_names(void);

#endif							/* CODERRING_ALPHABETS_H */
