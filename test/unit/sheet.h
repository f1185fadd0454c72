/*
 * sheet.h
 *		What spreadsheet.c knows, by a regular expression.
 */
#ifndef SHEET_H
#define SHEET_H

#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHEET_MONTH \
	"(jan(u(a(ry?)?)?)?|feb(r(u(a(ry?)?)?)?)?|mar(ch?)?|apr(il?)?|may|june?|july?|aug(u(st?)?)?|" \
	"sep(t(e(m(b(er?)?)?)?)?)?|oct(o(b(er?)?)?)?|nov(e(m(b(er?)?)?)?)?|dec(e(m(b(er?)?)?)?)?)"

/* as in sql/, in one */
#define SHEET_PATTERN \
	"^([-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)e[-+]?[0-9]+|" \
	SHEET_MONTH "[-/. ]*[0-9]{1,4}|" \
	"[0-9]{1,4}[-/. ]*" SHEET_MONTH "([-/. ]*[0-9]{1,4})?|" \
	"(0?[0-9]|1[0-2]) ?[ap]m|" \
	"null|none|#?n/?a|[-+]?(nan|inf|infinity)|true|false)$"

static const char *const sheet_words[] = {
	"JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER",
	"DECEMBER", "AM", "PM", "NULL", "NONE", "NA", "N/A", "NAN", "INF", "INFINITY", "TRUE", "FALSE"
};

/* Is a text one of those? */
static inline bool
sheet_takes(const char *text, size_t len)
{
	static regex_t pattern;
	static bool set = false;
	char		copy[128];

	if (!set && regcomp(&pattern, SHEET_PATTERN, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
		abort();
	set = true;
	if (len >= sizeof(copy))
		abort();
	if (memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return regexec(&pattern, copy, 0, NULL, 0) == 0;
}

#endif							/* SHEET_H */
