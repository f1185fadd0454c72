/*
 * tables.h
 *		The extension's tables: found, opened, and whose they are.
 */
#ifndef CODERRING_TABLES_H
#define CODERRING_TABLES_H

#include "postgres.h"

#include "storage/lockdefs.h"
#include "utils/relcache.h"

extern Oid	tables_relation(const char *name);
extern void tables_look_up(void);
extern Oid	tables_series_state(void);
extern Relation tables_open(Oid relid, int columns, LOCKMODE mode);
extern uint32 tables_database_instance(void);

#endif							/* CODERRING_TABLES_H */
