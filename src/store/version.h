/*
 * version.h
 *		Which versions of the extension's script the library serves.
 */
#ifndef CODERRING_VERSION_H
#define CODERRING_VERSION_H

#include "postgres.h"

extern void version_check(void);

#endif							/* CODERRING_VERSION_H */
