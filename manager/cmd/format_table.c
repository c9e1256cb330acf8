/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/format_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/format.h"
#include "manager/cmd/text.h"
#include "store/base/utf8.h"

#define GAP 2	      /* blanks between columns */
#define NARROWEST 8   /* what a column that may be cut keeps */
#define LONG_WIDTH 30 /* FORMAT_LONG where there is no terminal */
/* At first, of address space: a page of it is taken when it is written to. */
#define CELLS_MIN 8192
#define TEXT_MIN (128u << 10)
#define PIECE (16u << 10)
#define LINE_ROOM 1024
#define ELLIPSIS "\xe2\x80\xa6"

/* What it holds is in table.text, behind that of the cell before. */
struct cell {
	uint32_t len;
	uint32_t width;
};

struct column {
	struct cell title;
	unsigned flags;
	size_t width;
};

struct table {
	int fit;
	struct column columns[TABLE_MAX_COLUMNS];
	size_t ncolumns;
	size_t titles_len; /* of `text`, which begins with them */
	struct buf text;
	struct cell *cells;
	size_t ncells;
	size_t capacity;
	bool failed;
};

struct table *table_new(int width)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table)
		table->fit = width;
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	buf_release(&table->text);
	free(table->cells);
	free(table);
}

/* The cell that text[at] … the end of the text is. */
static struct cell cell_from(const struct table *table, size_t at)
{
	size_t len = table->text.len - at;
	const char *text = table->text.data ? table->text.data + at : "";

	return (struct cell){ (uint32_t)len, (uint32_t)text_width(text, len) };
}

static void add_cell(struct table *table, struct cell cell)
{
	if (table->ncells == table->capacity) {
		size_t capacity = table->capacity ? 2 * table->capacity : CELLS_MIN;
		struct cell *cells = reallocarray(table->cells, capacity, sizeof(*cells));

		if (!cells) {
			table->failed = true;
			return;
		}
		if (!table->cells)
			buf_reserve(&table->text, TEXT_MIN);
		table->cells = cells;
		table->capacity = capacity;
	}
	table->cells[table->ncells++] = cell;
}

bool table_add_column(struct table *table, const char *title, size_t len, unsigned flags)
{
	struct column *column = &table->columns[table->ncolumns];
	size_t at = table->text.len;

	if (table->ncolumns == TABLE_MAX_COLUMNS)
		return false;
	buf_add(&table->text, title, len);
	*column = (struct column){ .title = cell_from(table, at), .flags = flags };
	table->ncolumns++;
	table->titles_len = table->text.len;
	return true;
}

void table_add_cell(struct table *table, const char *text, size_t len)
{
	const size_t at = table->text.len;

	buf_add(&table->text, text, len);
	add_cell(table, cell_from(table, at));
}

void table_add_text(struct table *table, const char *text, size_t len)
{
	const size_t at = table->text.len;

	if (utf8_plain_length(text, len) == len) {
		buf_add(&table->text, text, len);
		add_cell(table, (struct cell){ (uint32_t)len, (uint32_t)len });
		return;
	}
	buf_add_escaped(&table->text, text, len);
	add_cell(table, cell_from(table, at));
}

void table_reset(struct table *table)
{
	table->ncells = 0;
	table->text.len = table->titles_len;
}

static void measure(struct table *table)
{
	for (size_t c = 0; c < table->ncolumns; c++) {
		struct column *column = &table->columns[c];

		column->width = column->title.width;
		for (size_t i = c; i < table->ncells; i += table->ncolumns)
			if (table->cells[i].width > column->width)
				column->width = table->cells[i].width;
		if (table->fit > 0 && column->flags & FORMAT_CUT &&
		    column->width > (size_t)table->fit)
			column->width = (size_t)table->fit;
		if (table->fit == 0 && column->flags & FORMAT_LONG && column->width > LONG_WIDTH)
			column->width = LONG_WIDTH;
	}
}

static size_t narrowest(const struct column *column)
{
	if (column->flags & FORMAT_CUT && column->width > NARROWEST)
		return NARROWEST;
	return column->width;
}

/* How many columns fit when each is at its narrowest; at least one. */
static size_t count_fitting(const struct table *table, size_t room)
{
	size_t used = narrowest(&table->columns[0]);
	size_t n = 1;

	while (n < table->ncolumns) {
		used += GAP + narrowest(&table->columns[n]);
		if (used > room)
			break;
		n++;
	}
	return n;
}

/* Take room from the widest of the first n columns that may be cut, until they fit. */
static void shrink(struct table *table, size_t n, size_t room)
{
	for (;;) {
		struct column *widest = NULL;
		size_t total = GAP * (n - 1);

		for (size_t c = 0; c < n; c++) {
			struct column *column = &table->columns[c];

			total += column->width;
			if (column->flags & FORMAT_CUT &&
			    (!widest || column->width > widest->width))
				widest = column;
		}
		if (total <= room || !widest || widest->width <= NARROWEST)
			return;
		widest->width--;
	}
}

static void add_blanks(struct buf *out, size_t n)
{
	static const char blanks[] = "                                ";

	while (n > 0) {
		size_t some = n < sizeof(blanks) - 1 ? n : sizeof(blanks) - 1;

		buf_add(out, blanks, some);
		n -= some;
	}
}

static void print_cell(struct buf *out, const struct cell *cell, const char *text, size_t width,
		       bool last)
{
	size_t used = cell->width;

	if (used <= width) {
		buf_add(out, text, cell->len);
	} else {
		size_t len = text_fit(text, cell->len, width > 0 ? width - 1 : 0);

		buf_add(out, text, len);
		buf_addstr(out, ELLIPSIS);
		used = text_width(text, len) + 1;
	}
	if (last)
		return;
	add_blanks(out, width + GAP - used);
}

/*
 * Nothing behind the last cell that holds something: no blanks at the end of a line. `text` is that
 * of the row; that of the next one is returned.
 */
static const char *print_row(const struct table *table, struct buf *out, const struct cell *cells,
			     const char *text, size_t shown)
{
	while (shown > 1 && cells[shown - 1].len == 0)
		shown--;
	for (size_t c = 0; c < table->ncolumns; c++) {
		if (c < shown)
			print_cell(out, &cells[c], text, table->columns[c].width, c + 1 == shown);
		text += cells[c].len;
	}
	buf_addch(out, '\n');
	return text;
}

static const char *print_titles(const struct table *table, struct buf *out, size_t shown)
{
	const char *text = table->text.data;

	for (size_t c = 0; c < table->ncolumns; c++) {
		const struct column *column = &table->columns[c];

		if (c < shown)
			print_cell(out, &column->title, text, column->width, c + 1 == shown);
		text += column->title.len;
	}
	buf_addch(out, '\n');
	return text;
}

/* Handed on in pieces, as long lists would take as much memory again. */
static bool print_lines(const struct table *table, size_t shown, bool titles, FILE *out)
{
	AUTO_BUF struct buf lines = BUF_INIT;
	const char *text;

	buf_reserve(&lines, PIECE + LINE_ROOM);
	text = print_titles(table, &lines, shown);
	if (!titles)
		buf_reset(&lines);
	for (size_t i = 0; i + table->ncolumns <= table->ncells; i += table->ncolumns) {
		text = print_row(table, &lines, &table->cells[i], text, shown);
		if (lines.len < PIECE || buf_failed(&lines))
			continue;
		fwrite(lines.data, 1, lines.len, out);
		buf_reset(&lines);
	}
	if (buf_failed(&lines))
		return false;
	if (lines.len > 0)
		fwrite(lines.data, 1, lines.len, out);
	return true;
}

bool table_print(struct table *table, bool titles, FILE *out)
{
	size_t shown = table->ncolumns;

	if (table->failed || buf_failed(&table->text) || table->ncolumns == 0)
		return false;
	measure(table);
	if (table->fit > 0) {
		shown = count_fitting(table, (size_t)table->fit);
		shrink(table, shown, (size_t)table->fit);
		if (table->columns[0].width > (size_t)table->fit)
			table->columns[0].width = (size_t)table->fit;
	}
	return print_lines(table, shown, titles, out);
}
