/*
 * spreadsheet.h
 *		Texts that spreadsheets and readers of CSV take for something else.
 *
 * Plain C without PostgreSQL.
 */
#ifndef CODERRING_SPREADSHEET_H
#define CODERRING_SPREADSHEET_H

#include <stdbool.h>
#include <stdint.h>

#define SPREADSHEET_NOTHING	0u	/* state from which no text is such a one any more */
#define SPREADSHEET_BEGIN	1u	/* state before the first character */

/* States are smaller than this. */
#define SPREADSHEET_STATES	2048u

extern unsigned char spreadsheet_class(unsigned char c);
extern uint32_t spreadsheet_next(uint32_t state, unsigned char class);
extern bool spreadsheet_ends(uint32_t state);

#endif							/* CODERRING_SPREADSHEET_H */
