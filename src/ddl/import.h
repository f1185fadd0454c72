/*
 * import.h
 *		Rings from the tables of the Elixir library CoderRing.
 */
#ifndef CODERRING_IMPORT_H
#define CODERRING_IMPORT_H

#include "postgres.h"

extern int32 import_rings(text *codes_table, text *memos_table, const int64 *first_cycle);

#endif							/* CODERRING_IMPORT_H */
