/*
 * pending.c
 *		What an open transaction has changed, and what follows from its end.
 *
 * At commit the version of definitions is raised: every session compares it at
 * every call, and reads definitions again.  (On a standby a relcache invalidation,
 * which is in the WAL of the commit, does that.)  The entries of an incarnation that
 * is gone for good are given up, at commit those of dropped and reset rings, at
 * rollback those of rings that were created or reset.
 *
 * What has happened to rings is noted by nesting level, as PostgreSQL notes the
 * files that it is to delete, so that savepoints work, and found by a hash, as
 * there may be any number.  The callbacks that work it off allocate nothing: they
 * cannot fail.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "shmem/control.h"
#include "shmem/entry.h"
#include "shmem/shared.h"
#include "store/blocklist.h"
#include "store/definitions.h"
#include "store/pending.h"
#include "store/ring.h"
#include "store/tables.h"

typedef struct NoteKey
{
	PendingKind kind;
	pg_uuid_t	uuid;
} NoteKey;

struct PendingNote
{
	struct PendingNote *older;
	struct PendingNote *older_alike;	/* of the same key */
	int			nest_level;
	NoteKey		key;
	List	   *entries;		/* of SharedSeries: to give up, of CREATED at abort, of REPLACED at commit */
};

typedef struct NoteEntry
{
	NoteKey		key;
	PendingNote *newest;
} NoteEntry;

/* In TopTransactionContext.  From one note to the next the level never rises. */
static PendingNote *newest_note = NULL;
static HTAB *notes_by_key = NULL;

static void
bury_entries(const PendingNote *note)
{
	ListCell   *cell;

	foreach(cell, note->entries)
		entry_bury(lfirst(cell), &note->key.uuid);
}

static void
on_transaction_end(XactEvent event, void *arg)
{
	PendingKind over = PENDING_CREATED;

	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (newest_note != NULL)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has created or changed rings"),
						 errhint("Change rings in a transaction that ends with COMMIT.")));
			return;
		case XACT_EVENT_COMMIT:
			if (newest_note != NULL)
				control_raise_definitions_version();
			over = PENDING_REPLACED;
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	for (const PendingNote *note = newest_note; note != NULL; note = note->older)
	{
		if (note->key.kind == over)
			bury_entries(note);
	}
	if (newest_note != NULL)
		definitions_forget();
	newest_note = NULL;			/* its memory goes with the transaction */
	notes_by_key = NULL;
}

static void
on_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	int			nest_level = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (PendingNote *note = newest_note; note != NULL && note->nest_level >= nest_level; note = note->older)
			note->nest_level = nest_level - 1;
	}
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		for (; newest_note != NULL && newest_note->nest_level >= nest_level; newest_note = newest_note->older)
		{
			NoteEntry  *named = hash_search(notes_by_key, &newest_note->key, HASH_FIND, NULL);

			named->newest = newest_note->older_alike;
			if (newest_note->key.kind == PENDING_CREATED)
				bury_entries(newest_note);
			definitions_forget();
		}
	}
}

void
pending_init(void)
{
	RegisterXactCallback(on_transaction_end, NULL);
	RegisterSubXactCallback(on_subtransaction_end, NULL);
}

static NoteKey
note_key(PendingKind kind, const pg_uuid_t *uuid)
{
	NoteKey		key;

	memset(&key, 0, sizeof(key));
	key.kind = kind;
	if (uuid != NULL)
		key.uuid = *uuid;
	return key;
}

/* The newest note of a kind about a ring, an incarnation or (NULL) neither; NULL if there is none. */
static PendingNote *
find_note(PendingKind kind, const pg_uuid_t *uuid)
{
	NoteKey		key;
	NoteEntry  *named;

	if (newest_note == NULL)
		return NULL;
	key = note_key(kind, uuid);
	named = hash_search(notes_by_key, &key, HASH_FIND, NULL);
	return named != NULL ? named->newest : NULL;
}

/*
 * PendingNote what has happened in this transaction.  An error leaves everything as it
 * was.
 */
PendingNote *
pending_note(PendingKind kind, const pg_uuid_t *uuid)
{
	int			nest_level = GetCurrentTransactionNestLevel();
	PendingNote *note = MemoryContextAllocZero(TopTransactionContext, sizeof(PendingNote));
	NoteEntry  *named;
	bool		found;

	if (notes_by_key == NULL)
	{
		HASHCTL		info = {0};

		info.keysize = sizeof(NoteKey);
		info.entrysize = sizeof(NoteEntry);
		info.hcxt = TopTransactionContext;
		notes_by_key = hash_create("coderring notes", 16, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	/* The version of definitions does not reach the sessions of a standby; this does.  Once a level is enough. */
	if (newest_note == NULL || newest_note->nest_level != nest_level)
		CacheInvalidateRelcacheByRelid(tables_relation("ring"));

	note->nest_level = nest_level;
	note->key = note_key(kind, uuid);
	named = hash_search(notes_by_key, &note->key, HASH_ENTER, &found);
	note->older_alike = found ? named->newest : NULL;
	named->newest = note;
	note->older = newest_note;
	newest_note = note;
	definitions_forget();
	return note;
}

/*
 * A definition was changed in this transaction, perhaps one of very many.
 */
void
pending_definitions_changed(void)
{
	if (newest_note == NULL || newest_note->nest_level != GetCurrentTransactionNestLevel())
		(void) pending_note(PENDING_CHANGED, NULL);
	definitions_forget();
}

/* The newest note of a kind, if it was made at the present nesting level. */
static const PendingNote *
find_note_here(PendingKind kind, const pg_uuid_t *uuid)
{
	const PendingNote *note = find_note(kind, uuid);

	return note != NULL && note->nest_level == GetCurrentTransactionNestLevel() ? note : NULL;
}

/* What a list is noted by */
static pg_uuid_t
list_uuid(const char *list)
{
	uint64		hashes[2];
	pg_uuid_t	uuid;

	StaticAssertStmt(sizeof(hashes) == sizeof(uuid), "two hashes make a uuid");
	for (int i = 0; i < 2; i++)
		hashes[i] = hash_bytes_extended((const unsigned char *) list, strlen(list), i + 1);
	memcpy(&uuid, hashes, sizeof(uuid));
	return uuid;
}

/*
 * The words of a list or of a ring, whichever is not NULL, were changed in this
 * transaction.  (The extension's functions say so before they write the row, the
 * row's trigger says so again.)
 */
void
pending_words_changed(const char *list, const pg_uuid_t *ring)
{
	if (ring != NULL && find_note_here(PENDING_WORDS, ring) == NULL)
		(void) pending_note(PENDING_WORDS, ring);
	if (list != NULL)
	{
		pg_uuid_t	uuid = list_uuid(list);

		if (find_note_here(PENDING_LIST, &uuid) == NULL)
			(void) pending_note(PENDING_LIST, &uuid);
	}
}

/*
 * Does it hang on the running transaction, or on a part of it, with which
 * words the codes of a ring are filtered?  Not if the ring does so as well.
 */
bool
pending_words_open(const Ring *ring)
{
	const PendingNote *created = find_note(PENDING_CREATED, &ring->incarnation);
	const PendingNote *words = find_note(PENDING_WORDS, &ring->id);
	int			created_at = created != NULL ? created->nest_level : 0;
	ListCell   *cell;

	if (words != NULL && words->nest_level > created_at)
		return true;
	if (newest_note == NULL || ring->blocklist[0] == '\0')
		return false;
	foreach(cell, blocklist_names(ring->blocklist))
	{
		pg_uuid_t	uuid = list_uuid(lfirst(cell));
		const PendingNote *list = find_note(PENDING_LIST, &uuid);

		if (list != NULL && list->nest_level > created_at)
			return true;
	}
	return false;
}

/*
 * Has the running transaction deleted the series of an incarnation?
 */
bool
pending_deleted(const pg_uuid_t *incarnation)
{
	return find_note(PENDING_DELETED, incarnation) != NULL;
}

/*
 * Does the fate of this incarnation, or of its entries, hang on the running
 * transaction?
 */
bool
pending_open(const pg_uuid_t *incarnation)
{
	return find_note(PENDING_CREATED, incarnation) != NULL || find_note(PENDING_REPLACED, incarnation) != NULL;
}

/* Remember an entry that is to be given up with what was noted. */
void
pending_add_entry(PendingNote *note, SharedSeries *entry)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	note->entries = lappend(note->entries, entry);
	MemoryContextSwitchTo(old);
}

/*
 * Remember an entry if it is to be given up should this transaction fail.
 */
void
pending_note_entry(SharedSeries *entry)
{
	PendingNote *created = find_note(PENDING_CREATED, &entry->id.incarnation);

	if (created != NULL)
		pending_add_entry(created, entry);
}

/*
 * Refuse to filter with words that a rollback would take back: what they block
 * would be passed over for good.
 */
void
pending_check_words(const Ring *ring)
{
	if (pending_words_open(ring))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot take codes of ring \"%s\" in a transaction that has changed its blocklist", ring->name),
				 errdetail("What the new words block would be skipped, even if the transaction rolled back."),
				 errhint("Commit the transaction first.")));
}
