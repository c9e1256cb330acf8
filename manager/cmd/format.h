/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_FORMAT_H
#define CMAN_MANAGER_CMD_FORMAT_H

/*
 * Lists as people and scripts read them (`ps`, `images`): a table that fits the terminal, one JSON
 * object a line, or a template, from one description of the fields and the same rows.
 *
 *	static const struct format_field fields[] = {
 *		{ "ID", "IMAGE ID", FORMAT_COLUMN },
 *		{ "Repository", "NAME", FORMAT_COLUMN | FORMAT_CUT },
 *		{ NULL, NULL, 0 },
 *	};
 *	AUTO_FORMAT struct format *format = NULL;
 *
 *	format_new(fields, &request, &format, err);
 *	format_row(format, values);           // once per row
 *	format_print(format, stdout, err);
 *
 * Whatever the values hold, no byte that acts on a terminal is printed (buf_add_escaped).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "store/base/err.h"

enum format_flag {
	FORMAT_COLUMN = 1 << 0, /* a column of the default table */
	FORMAT_CUT = 1 << 1,	/* may be cut (with an ellipsis) to fit the terminal */
	FORMAT_LONG = 1 << 2,	/* cut at 30 columns where the output is no terminal, too */
	FORMAT_RAW = 1 << 3,	/* values are JSON already: a number, true, an array; not quoted */
	FORMAT_ALIAS = 1 << 4,	/* for templates only: left out of JSON */
};

struct format_field {
	const char *name;  /* in templates ({{.Name}}) and JSON; NULL ends the list */
	const char *title; /* heading of its column */
	unsigned flags;
};

#define FORMAT_MAX_FIELDS 32

struct format_request {
	/*
	 * --format: NULL or "table": the default table; "json"; "table TEMPLATE": a table of the
	 * template's parts between tabs; else a template (template.h) for one line per row. Its
	 * object has the fields: text, but for those that are FORMAT_RAW.
	 */
	const char *format;
	bool quiet; /* only the first field of each row, without a heading; `format` is ignored */
	bool no_trunc;	 /* nothing is cut */
	bool no_heading; /* of a table */
	int width;	 /* columns to fit into, as format_terminal_width() gives it; 0: no limit */
};

struct format;
#define AUTO_FORMAT __attribute__((cleanup(format_release)))
void format_release(struct format **format);

/* `fields` must outlive *out. ERR_USAGE for a bad template: names the field, and lists all. */
int format_new(const struct format_field *fields, const struct format_request *request,
	       struct format **out, struct err *err);

/* Whether values should not be shortened (12 digits of an ID): for JSON and with no_trunc. */
bool format_wants_full(const struct format *format);

/* Whether field number `i` is printed at all, so that nobody makes values in vain. */
bool format_uses(const struct format *format, size_t i);

/*
 * Add a row: values[i] belongs to fields[i]. NULL is null in JSON, "-" in a table and nothing in a
 * template. Copied.
 */
void format_row(struct format *format, const char *const *values);

/* Forget all rows. */
void format_reset(struct format *format);

/*
 * Print all rows. -ENOMEM; ERR_USAGE for what the template cannot do with a row's values: the rows
 * before it are printed. Errors of `out` stay in ferror(), where main looks.
 */
int format_print(struct format *format, FILE *out, struct err *err);

/*
 * Columns of the terminal behind `fd`: TIOCGWINSZ, else COLUMNS, else 80. 0 when it is not a
 * terminal and COLUMNS is not set.
 */
int format_terminal_width(int fd);

#endif
