/*
 * import.h
 *		Rings from the tables of the Elixir library CoderRing.
 *
 * The file has no function for the others: its entry point is the SQL function
 * coderring_import().
 */
#ifndef CODERRING_IMPORT_H
#define CODERRING_IMPORT_H

#include "postgres.h"

#include "fmgr.h"

extern Datum coderring_import(PG_FUNCTION_ARGS);

#endif							/* CODERRING_IMPORT_H */
