/*
 * columns.h
 *		The columns of the extension's tables, as the library knows them.
 */
#ifndef CODERRING_COLUMNS_H
#define CODERRING_COLUMNS_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "utils/relcache.h"

extern void columns_check(Relation rel, int columns);
extern int	columns_count(TupleDesc desc);
extern HeapTuple columns_form(TupleDesc desc, const Datum *values, const bool *nulls);
extern HeapTuple columns_modify(HeapTuple tuple, TupleDesc desc, const Datum *values, const bool *nulls,
								const bool *replace);
extern void columns_deform(HeapTuple tuple, TupleDesc desc, Datum *values, bool *nulls);

#endif							/* CODERRING_COLUMNS_H */
