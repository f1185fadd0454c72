/*
 * import.c
 *		Rings from the tables of the Elixir library CoderRing.
 *
 * The library keeps two tables: every base code of every ring is a row of
 * one, and the other has a memo a ring, with the extra it was last asked for
 * and the number of the uniquizer it had reached with it.  That number is
 * this extension's number of the cycle, so a ring whose series all begin one
 * cycle later has none of the codes that the memo knows of.
 *
 * What is read was written by others, and perhaps by somebody who would like
 * to run something with the caller's privileges.  A query would let them:
 * operators and casts are found by a search_path, a view runs whatever its
 * owner likes, and even for a bare list of columns the planner calls functions
 * that stand with constant arguments in the expressions and predicates of a
 * table's indexes.  So there is no query.  The tables are found once, as the
 * caller's search_path and privileges have it, and then scanned from end to
 * end in the statement's snapshot.  Columns are of types of the server's own,
 * which is looked at before a row is read, and what they hold is only copied;
 * everything else is done here.
 *
 * A scan reads what is in the table itself.  Where a query would find rows
 * that are not, or somebody would have to be asked for them, the table is
 * refused instead, because a memo that is missed would let codes come again:
 * views, partitioned and foreign tables, tables with inheritance children
 * (which may be foreign tables again), and those whose row-level security
 * would apply to the caller.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "compat.h"
#include "core/codec.h"
#include "ddl/import.h"
#include "ddl/options.h"
#include "ddl/ringcmds.h"
#include "store/ring.h"

/* So much of a base code goes into a message. */
#define SHOWN_BYTES		40

/* A column that the library's migration makes. */
typedef struct Column
{
	const char *name;
	bool		is_text;		/* of characters, else an integer */
	AttrNumber	attnum;			/* its number in the table at hand */
} Column;

#define MAX_COLUMNS		4

/* One of the library's two tables. */
typedef struct Source
{
	const char *what;			/* for messages */
	int			ncolumns;
	Column		columns[MAX_COLUMNS];
	Relation	rel;			/* open and locked */
	char	   *name;			/* with its schema, quoted, for messages */
} Source;

/* A ring as the library has it; an entry of the hash table. */
typedef struct Found
{
	char		name[RING_NAME_MAX_LEN + 1];	/* the key, filled up with zeros */
	bool		has_memo;
	int			base_length;	/* 0 if there are no codes */
	int64		ncodes;			/* rows of base codes */
	char		value[CODEC_MAX_BASE_LENGTH + 1];	/* one of its base codes */
	int64		uniquizer_num;	/* -1 if there is no memo, or none in it */
	char	   *extra;			/* the last, "" for none */
} Found;

/* What the rows of a table are read into. */
typedef struct Import
{
	HTAB	   *found;
	Found	   *last;			/* whose row came last, or NULL */
	MemoryContext context;		/* outlives a row */
	bool		allowed[256];	/* characters of base codes */
} Import;

/* A value of characters, not ending in a zero byte. */
typedef struct Chars
{
	const char *start;
	int			len;
} Chars;

/*
 * 42809 for whatever does not have its rows in itself.
 */
static void
check_kind(char relkind, const char *relname)
{
	switch (relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_MATVIEW:
			break;
		case RELKIND_VIEW:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" is not a table", relname),
					 errdetail("A view could run functions with the privileges of the caller."),
					 errhint("Copy its rows to a table.")));
			break;
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_FOREIGN_TABLE:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" is not an ordinary table", relname),
					 relkind == RELKIND_FOREIGN_TABLE ?
					 errdetail("It is a foreign table, and only rows that are in the table itself are read.") :
					 errdetail("It is a partitioned table, and only rows that are in the table itself are read."),
					 errhint("Copy its rows to a table.")));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" is not a table", relname)));
	}
}

/*
 * Before a table is locked: may the caller read any of it, and is it one?
 */
static void
check_readable(const RangeVar *range, Oid relid, Oid old_relid, void *arg)
{
	char		relkind;

	if (!OidIsValid(relid) || relid == old_relid)
		return;
	relkind = get_rel_relkind(relid);
	if (relkind == '\0')
		return;					/* it has just been dropped; the name is looked up again */
	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(relkind), range->relname);
	check_kind(relkind, range->relname);
}

/*
 * Are all of the table's rows in itself, and none hidden from the caller?
 * 42809, 55000, 42501.
 */
static void
check_complete(const Source *source)
{
	Oid			relid = RelationGetRelid(source->rel);
	List	   *children;

	/* As it was locked, somebody may just have made a view of the table. */
	check_kind(source->rel->rd_rel->relkind, RelationGetRelationName(source->rel));
	if (!RelationIsPopulated(source->rel))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("materialized view \"%s\" has not been populated", RelationGetRelationName(source->rel)),
				 errhint("Use the REFRESH MATERIALIZED VIEW command.")));

	/*
	 * A query would read the children's rows as well.  They are not to be
	 * left out, as said above; nor are they read, because children have other
	 * columns in other places and may be foreign tables, all for something
	 * that the library never makes.  One that is attached from now on comes
	 * too late, as it would for a query that has been planned.
	 */
	children = find_inheritance_children(relid, NoLock);
	if (children != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table %s has inheritance children", source->name),
				 errdetail("Rows that are in its children would not be read, and codes that exist could come again."),
				 errhint("Copy all of its rows to a table.")));
	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security could hide rows of table %s", source->name),
				 errdetail("Without all of its rows, codes that exist could come again."),
				 errhint("Call coderring_import() as a role that it does not apply to, for instance one with BYPASSRLS.")));
}

/*
 * Find a table by its name as a user writes it, lock it against changes until
 * the end of the transaction, and open it.  Raises 42602 if it is no name,
 * 42P01, 42501, 42809, 55000, and 42703 if it is not the library's.
 */
static void
find_table(Source *source, text *given)
{
	List	   *names = textToQualifiedNameList(given);
	Oid			relid;

	relid = RangeVarGetRelidExtended(makeRangeVarFromNameList(names), AccessShareLock,
									 RVR_MISSING_OK, check_readable, NULL);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" does not exist", NameListToString(names)),
				 errhint("Name the library's table of %s, with its schema if that is not in search_path: "
						 "coderring_import('schema.codes', 'schema.code_memos').", source->what)));
	source->rel = table_open(relid, NoLock);
	source->name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(source->rel)),
											  RelationGetRelationName(source->rel));
	check_complete(source);
	for (int i = 0; i < source->ncolumns; i++)
	{
		Column	   *column = &source->columns[i];

		column->attnum = get_attnum(relid, column->name);
		if (column->attnum == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("table %s has no column \"%s\"", source->name, column->name),
					 errhint("Name the table of %s that CoderRing.Migration has made.", source->what)));
	}
}

static bool
is_text_type(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

static bool
is_integer_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/*
 * May the caller read all of the columns, and are they of the types that the
 * library uses?  42501, 42804.
 */
static void
check_columns(const Source *source)
{
	Oid			relid = RelationGetRelid(source->rel);

	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		for (int i = 0; i < source->ncolumns; i++)
			if (pg_attribute_aclcheck(relid, source->columns[i].attnum, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
				aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(source->rel->rd_rel->relkind),
							   RelationGetRelationName(source->rel));
	for (int i = 0; i < source->ncolumns; i++)
	{
		const Column *column = &source->columns[i];
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(source->rel), column->attnum - 1);
		Oid			type = attribute->atttypid;

		if (column->is_text ? !is_text_type(type) : !is_integer_type(type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of table %s has a type that the library does not give it",
							column->name, source->name),
					 errdetail("It is of type %s; the library's is %s.", format_type_be(type),
							   column->is_text ? "character varying" : "integer"),
					 errhint("Name the table of %s that CoderRing.Migration has made.", source->what)));
		/* From 18 on there are columns that are not in the table's rows. */
		if (attribute->attgenerated != '\0' && attribute->attgenerated != ATTRIBUTE_GENERATED_STORED)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("column \"%s\" of table %s is a virtual generated column", column->name, source->name),
					 errhint("Copy the rows to a table.")));
	}
}

/* What a row has in a column of characters; false for NULL. */
static bool
read_chars(const Column *column, TupleTableSlot *row, Chars *chars)
{
	bool		isnull;
	Datum		datum = slot_getattr(row, column->attnum, &isnull);
	text	   *value;

	if (isnull)
		return false;
	value = DatumGetTextPP(datum);
	chars->start = VARDATA_ANY(value);
	chars->len = VARSIZE_ANY_EXHDR(value);
	if (TupleDescAttr(row->tts_tupleDescriptor, column->attnum - 1)->atttypid == BPCHAROID)
		while (chars->len > 0 && chars->start[chars->len - 1] == ' ')
			chars->len--;
	return true;
}

static bool
read_integer(const Column *column, TupleTableSlot *row, int64 *value)
{
	bool		isnull;
	Datum		datum = slot_getattr(row, column->attnum, &isnull);

	if (isnull)
		return false;
	switch (TupleDescAttr(row->tts_tupleDescriptor, column->attnum - 1)->atttypid)
	{
		case INT2OID:
			*value = DatumGetInt16(datum);
			break;
		case INT4OID:
			*value = DatumGetInt32(datum);
			break;
		default:
			*value = DatumGetInt64(datum);
			break;
	}
	return true;
}

/*
 * The entry of the ring that a row belongs to, which is in the first column; 22023
 * if no ring can have that name.
 */
static Found *
find_entry(Import *import, const Source *source, TupleTableSlot *row)
{
	Chars		name;
	char		key[RING_NAME_MAX_LEN + 1] = {0};
	bool		exists;

	if (!read_chars(&source->columns[0], row, &name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("table %s has a row without the name of a ring", source->name)));
	if (name.len == 0 || name.len > RING_NAME_MAX_LEN)
		options_check_name(pnstrdup(name.start, name.len));
	memcpy(key, name.start, name.len);
	if (import->last != NULL && memcmp(import->last->name, key, sizeof(key)) == 0)
		return import->last;
	import->last = hash_search(import->found, key, HASH_ENTER, &exists);
	if (!exists)
	{
		import->last->has_memo = false;
		import->last->base_length = 0;
		import->last->ncodes = 0;
		import->last->uniquizer_num = -1;
		import->last->extra = "";
	}
	return import->last;
}

/* A base code for a message, whatever it is. */
static const char *
show(const Chars *value)
{
	return pnstrdup(value->start, pg_mbcliplen(value->start, value->len, SHOWN_BYTES));
}

/* 22023 for a ring of the library that cannot be one of ours. */
#define report_bad_ring(found, ...) \
	ereport(ERROR, \
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), \
			 errmsg("ring \"%s\" of the library cannot be imported", (found)->name), \
			 errdetail(__VA_ARGS__)))

/* A row of the table of codes: name, value, position. */
static void
read_code(Import *import, const Source *source, TupleTableSlot *row)
{
	Found	   *found = find_entry(import, source, row);
	Chars		value;

	if (!read_chars(&source->columns[1], row, &value))
		report_bad_ring(found, "One of its base codes is null.");
	for (int i = 0; i < value.len; i++)
		if (!import->allowed[(unsigned char) value.start[i]])
			report_bad_ring(found, "Its base code \"%s\" has a character that is not in the alphabet \"%s\".",
							show(&value), CODEC_DEFAULT_ALPHABET);
	if (value.len < 1 || value.len > CODEC_MAX_BASE_LENGTH)
		report_bad_ring(found, "Its base code \"%s\" has %d characters; 1 to %d are possible.",
						show(&value), value.len, CODEC_MAX_BASE_LENGTH);
	if (found->base_length == 0)
	{
		found->base_length = value.len;
		memcpy(found->value, value.start, value.len);
		found->value[value.len] = '\0';
	}
	else if (found->base_length != value.len)
		report_bad_ring(found, "Its base codes \"%s\" and \"%s\" are not of one length.",
						found->value, show(&value));
	found->ncodes++;
}

/* A row of the table of memos: name, uniquizer_num, extra, last_max_pos. */
static void
read_memo(Import *import, const Source *source, TupleTableSlot *row)
{
	Found	   *found = find_entry(import, source, row);
	Chars		extra;

	if (found->has_memo)
		report_bad_ring(found, "It has two memos.");
	found->has_memo = true;
	if (read_integer(&source->columns[1], row, &found->uniquizer_num) &&
		(found->uniquizer_num < 0 || found->uniquizer_num == PG_INT64_MAX))
		report_bad_ring(found, "The uniquizer_num %lld of its memo is not possible.",
						(long long) found->uniquizer_num);
	if (read_chars(&source->columns[2], row, &extra))
		found->extra = MemoryContextStrdup(import->context, pnstrdup(extra.start, extra.len));
}

/*
 * Read a table, and close it; the lock stays.  The snapshot is the statement's,
 * so what the transaction did before is seen.
 */
static void
read_table(Import *import, Source *source,
		   void (*read_row) (Import *import, const Source *source, TupleTableSlot *row))
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "row to import", ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *row;
	TableScanDesc scan;

	check_columns(source);
	row = table_slot_create(source->rel, NULL);
	scan = table_beginscan(source->rel, GetActiveSnapshot(), 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, row))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		CHECK_FOR_INTERRUPTS();
		read_row(import, source, row);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(row);
	table_close(source->rel, NoLock);
	source->rel = NULL;
	MemoryContextDelete(row_context);
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((const Found *) lfirst(a))->name, ((const Found *) lfirst(b))->name);
}

static void
add_context(void *arg)
{
	errcontext("import of ring \"%s\"", (const char *) arg);
}

/*
 * How many base codes the library inserts for a ring that it does not filter.
 */
static int64
all_base_codes(int base_length)
{
	int64		count = 1;

	while (base_length-- > 0)
		count *= strlen(CODEC_DEFAULT_ALPHABET);
	return count;
}

/*
 * Create one ring.  False if that is not possible yet: a memo without codes
 * is of a ring that the library has never filled.
 *
 * What is to be done after the import stands in the primary message, and at a
 * level that is not hidden by default: a migration of Ecto logs no more than
 * that.
 */
static bool
create_ring(Found *found, bool have_first_cycle, int64 first_cycle)
{
	RingOptions options = {0};
	int64		next_cycle = found->uniquizer_num >= 0 ? found->uniquizer_num + 1 : 1;
	ErrorContextCallback callback;

	if (found->base_length == 0)
	{
		ereport(WARNING,
				(errmsg("ring \"%s\" of the library has no base codes, skipping; create it with coderring_create(%s, base_length)",
						found->name, quote_literal_cstr(found->name)),
				 errdetail("It was never filled, so its base_length is not known.")));
		return false;
	}
	callback.callback = add_context;
	callback.arg = found->name;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	options.base_length = found->base_length;
	options.alphabet = NULL;
	options.first_cycle = have_first_cycle ? first_cycle : next_cycle;
	ringcmds_create(found->name, &options, false);

	error_context_stack = callback.previous;

	if (found->ncodes < all_base_codes(found->base_length))
		ereport(WARNING,
				(errmsg("ring \"%s\" of the library has %lld of %lld base codes; if it was filtered, call coderring_set_blocklist(%s, 'english')",
						found->name, (long long) found->ncodes, (long long) all_base_codes(found->base_length),
						quote_literal_cstr(found->name)),
				 errdetail("The imported ring has no blocklist, and hands out what the library left out."),
				 errhint("The library's other list is 'international'. Call it before you take codes.")));
	if (have_first_cycle && first_cycle <= found->uniquizer_num)
		ereport(WARNING,
				(errmsg("first_cycle %lld is not past what the memo of ring \"%s\" names; before codes are taken, call coderring_advance(%s, %s, %lld)",
						(long long) first_cycle, found->name,
						quote_literal_cstr(found->name), quote_literal_cstr(found->extra), (long long) next_cycle),
				 errdetail("With the extra \"%s\" the library had reached uniquizer_num %lld; such codes would come again.",
						   found->extra, (long long) found->uniquizer_num)));
	if (!have_first_cycle && found->extra[0] != '\0')
		ereport(WARNING,
				(errmsg("ring \"%s\" begins in cycle %lld, past its memo, which knows only the extra \"%s\"; "
						"if another one came further, call coderring_advance(%s, extra, its uniquizer_num + 1)",
						found->name, (long long) next_cycle, found->extra, quote_literal_cstr(found->name)),
				 errdetail("With that extra the library had reached uniquizer_num %lld. It forgot those of the others.",
						   (long long) (next_cycle - 1)),
				 errhint("Or roll back, and give coderring_import() a first_cycle past all of them.")));
	return true;
}

/*
 * Create the rings of the library that are in tables of these names, in the order
 * of the rings' names, and return how many.  They begin in *first_cycle, or
 * behind what the tables say (NULL).  All or none: the errors of
 * ringcmds_create(), and those above.
 */
int32
import_rings(text *codes_table, text *memos_table, const int64 *first_cycle)
{
	Source		codes = {
		.what = "codes",
		.ncolumns = 3,
		.columns = {{"name", true, 0}, {"value", true, 0}, {"position", false, 0}}
	};
	Source		memos = {
		.what = "memos",
		.ncolumns = 4,
		.columns = {{"name", true, 0}, {"uniquizer_num", false, 0}, {"extra", true, 0}, {"last_max_pos", false, 0}}
	};
	int32		created = 0;
	Import		import = {0};
	HASHCTL		hash = {0};
	HASH_SEQ_STATUS status;
	Found	   *found;
	List	   *rings = NIL;
	ListCell   *cell;

	if (first_cycle != NULL && *first_cycle < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("first_cycle %lld is not possible", (long long) *first_cycle),
				 errdetail("Cycles are counted from 0.")));

	find_table(&codes, codes_table);
	find_table(&memos, memos_table);

	import.context = CurrentMemoryContext;
	for (const char *c = CODEC_DEFAULT_ALPHABET; *c != '\0'; c++)
		import.allowed[(unsigned char) *c] = true;
	hash.keysize = sizeof(found->name);
	hash.entrysize = sizeof(Found);
	hash.hcxt = CurrentMemoryContext;
	import.found = hash_create("rings to import", 64, &hash, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	read_table(&import, &memos, read_memo);
	read_table(&import, &codes, read_code);

	hash_seq_init(&status, import.found);
	while ((found = hash_seq_search(&status)) != NULL)
		rings = lappend(rings, found);
	list_sort(rings, compare_names);
	foreach(cell, rings)
	{
		CHECK_FOR_INTERRUPTS();
		if (create_ring(lfirst(cell), first_cycle != NULL, first_cycle != NULL ? *first_cycle : 0))
			created++;
	}
	hash_destroy(import.found);
	return created;
}
