/*
 * pending.h
 *		What a transaction that is open has changed, and what follows from its end.
 */
#ifndef CODERRING_PENDING_H
#define CODERRING_PENDING_H

#include "postgres.h"

#include "shmem/shared.h"
#include "store/ring.h"

typedef enum PendingKind
{
	PENDING_CHANGED,			/* some definition, the uuid is 0 */
	PENDING_CREATED,			/* this incarnation, which is not committed */
	PENDING_REPLACED,			/* this incarnation: dropped or reset */
	PENDING_DELETED,			/* the series of this incarnation */
	PENDING_WORDS,				/* of this ring, others than before */
	PENDING_LIST				/* of words, replaced; the uuid is made of its name */
} PendingKind;

typedef struct PendingNote PendingNote;

extern void pending_init(void);
extern void pending_definitions_changed(void);
extern void pending_words_changed(const char *list, const pg_uuid_t *ring);
extern bool pending_words_open(const Ring *ring);
extern bool pending_deleted(const pg_uuid_t *incarnation);
extern bool pending_open(const pg_uuid_t *incarnation);
extern void pending_note_entry(SharedSeries *entry);
extern void pending_check_words(const Ring *ring);
extern PendingNote *pending_note(PendingKind kind, const pg_uuid_t *uuid);
extern void pending_add_entry(PendingNote *note, SharedSeries *entry);

#endif							/* CODERRING_PENDING_H */
