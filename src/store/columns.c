/*
 * columns.c
 *		The columns of the extension's tables, as the library knows them.
 *
 * Somebody can alter a table.  A column that is added, dropped or of another
 * type is refused before a row is read or written, and all is well again when
 * that is undone.  PostgreSQL never forgets a column, though: one that was added
 * and dropped stays behind the others for good, and tuples are formed and taken
 * apart with it.  The arrays of callers have the columns that the library knows.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "store/columns.h"

#define MAX_COLUMNS		16

/* A table's columns, up to InvalidOid. */
typedef struct Table
{
	const char *name;
	Oid			types[MAX_COLUMNS];
} Table;

static const Table tables[] = {
	{"ring", {UUIDOID, UUIDOID, TEXTOID, OIDOID, NAMEOID, INT8OID, INT4OID, INT4OID, TEXTOID, TEXTOID, BOOLOID,
	INT8OID, INT8OID, BOOLOID, TEXTOID, BYTEAOID}},
	{"ring_grant", {UUIDOID, OIDOID, NAMEOID}},
	{"blocklist", {TEXTOID, BOOLOID, OIDOID, NAMEOID, TEXTARRAYOID, BOOLOID}},
	{"series_state", {UUIDOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID,
	TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}},
	{"skipped_positions", {UUIDOID, INT8OID, INT8OID, TEXTOID}},
};

static Oid
expected_type(const char *table, int number)
{
	for (int i = 0; i < (int) lengthof(tables); i++)
	{
		if (strcmp(tables[i].name, table) == 0)
			return tables[i].types[number];
	}
	return InvalidOid;
}

/* As one writes it after ALTER COLUMN ... TYPE. */
static const char *
type_with_collation(Oid type)
{
	return psprintf("%s%s", format_type_be(type), OidIsValid(get_typcollation(type)) ? " COLLATE \"C\"" : "");
}

/* How many columns there are, dropped ones behind the others not counted. */
int
columns_count(TupleDesc desc)
{
	int			count = desc->natts;

	while (count > 0 && TupleDescAttr(desc, count - 1)->attisdropped)
		count--;
	return count;
}

/*
 * Raise 55000 if a table has not so many columns, or others.
 */
void
columns_check(Relation rel, int columns)
{
	TupleDesc	desc = RelationGetDescr(rel);
	const char *name = RelationGetRelationName(rel);

	Assert(columns <= MAX_COLUMNS);
	if (columns_count(desc) != columns)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the tables of the extension \"coderring\" do not fit its library"),
				 errdetail("The table \"%s\" has %d columns instead of %d.", name, columns_count(desc), columns),
				 columns_count(desc) > columns ?
				 errhint("Drop the column that was added.") :
				 errhint("Restore a dump, or the database as it was before.")));
	for (int i = 0; i < columns; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		/* Whatever can have a collation has "C". */
		if (column->atttypid != expected_type(name, i) ||
			(OidIsValid(column->attcollation) && column->attcollation != C_COLLATION_OID))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the tables of the extension \"coderring\" do not fit its library"),
					 column->attisdropped ?
					 errdetail("Column %d of the table \"%s\" was dropped.", i + 1, name) :
					 errdetail("Column \"%s\" of the table \"%s\" has another type or collation.",
							   NameStr(column->attname), name),
					 column->attisdropped ?
					 errhint("Restore a dump, or the database as it was before.") :
					 errhint("ALTER TABLE coderring.%s ALTER COLUMN %s TYPE %s;", name, NameStr(column->attname),
							 type_with_collation(expected_type(name, i)))));
	}
}

/* The callers' arrays, and NULL for what was dropped. */
static void
extend(TupleDesc desc, const Datum *values, const bool *nulls, Datum **all_values, bool **all_nulls)
{
	int			count = columns_count(desc);

	*all_values = palloc0(desc->natts * sizeof(Datum));
	*all_nulls = palloc(desc->natts * sizeof(bool));
	memset(*all_nulls, true, desc->natts * sizeof(bool));
	memcpy(*all_values, values, count * sizeof(Datum));
	memcpy(*all_nulls, nulls, count * sizeof(bool));
}

/* A row of these values. */
HeapTuple
columns_form(TupleDesc desc, const Datum *values, const bool *nulls)
{
	Datum	   *all_values;
	bool	   *all_nulls;
	HeapTuple	tuple;

	extend(desc, values, nulls, &all_values, &all_nulls);
	tuple = heap_form_tuple(desc, all_values, all_nulls);
	pfree(all_values);
	pfree(all_nulls);
	return tuple;
}

/* A row with other values where `replace` says so. */
HeapTuple
columns_modify(HeapTuple tuple, TupleDesc desc, const Datum *values, const bool *nulls, const bool *replace)
{
	bool	   *all_replace = palloc0(desc->natts * sizeof(bool));
	Datum	   *all_values;
	bool	   *all_nulls;
	HeapTuple	result;

	memcpy(all_replace, replace, columns_count(desc) * sizeof(bool));
	extend(desc, values, nulls, &all_values, &all_nulls);
	result = heap_modify_tuple(tuple, desc, all_values, all_nulls, all_replace);
	pfree(all_values);
	pfree(all_nulls);
	pfree(all_replace);
	return result;
}

/* The values of a row. */
void
columns_deform(HeapTuple tuple, TupleDesc desc, Datum *values, bool *nulls)
{
	for (int i = columns_count(desc) - 1; i >= 0; i--)
		values[i] = heap_getattr(tuple, i + 1, desc, &nulls[i]);
}
