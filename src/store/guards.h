/*
 * guards.h
 *		Is what keeps a table of the extension true still in force?
 */
#ifndef CODERRING_GUARDS_H
#define CODERRING_GUARDS_H

#include "postgres.h"

#include "utils/relcache.h"

#include "compat.h"

extern bool guards_of_definitions(bool raise);
extern void guards_check(Relation rel);
extern void guards_report_change(Relation rel) pg_attribute_noreturn();

#endif							/* CODERRING_GUARDS_H */
