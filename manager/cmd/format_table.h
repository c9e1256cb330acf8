/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_FORMAT_TABLE_H
#define CMAN_MANAGER_CMD_FORMAT_TABLE_H

/*
 * A table that fits the terminal. Where its rows are too long, first the last columns that would
 * not fit even with all others at their narrowest are left out, then the widest of the columns that
 * may be cut give up room until all fit.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table;

#define TABLE_UNCUT (-1) /* as width: nothing is cut, FORMAT_LONG columns neither */

/* `width` in columns of the terminal; 0: no terminal. NULL without memory. */
struct table *table_new(int width);
void table_free(struct table *table);

#define TABLE_MAX_COLUMNS 32

/*
 * All columns come before the first cell. `flags` as in format.h. Copies `title`. False when there
 * are TABLE_MAX_COLUMNS already.
 */
bool table_add_column(struct table *table, const char *title, size_t len, unsigned flags);

/*
 * Row by row, as many to a row as there are columns. Copies what is printable already, or makes it
 * so (buf_add_escaped).
 */
void table_add_cell(struct table *table, const char *text, size_t len);
void table_add_text(struct table *table, const char *text, size_t len);

/* Forget all cells. */
void table_reset(struct table *table);

/*
 * Write the lines to `out`, the headings first where they are wanted. False when memory ran out,
 * now or before. Errors of `out` stay in ferror().
 */
bool table_print(struct table *table, bool titles, FILE *out);

#endif
