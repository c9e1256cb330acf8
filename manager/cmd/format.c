/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/format.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "manager/cmd/field_hint.h"
#include "manager/cmd/format_table.h"
#include "manager/cmd/template.h"
#include "manager/cmd/template_eval.h"
#include "manager/cmd/text.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/json.h"

enum format_mode { MODE_TABLE, MODE_LINES, MODE_JSON, MODE_QUIET };

struct format {
	const struct format_field *fields;
	size_t nfields;
	enum format_mode mode;
	bool wants_full, no_heading;
	uint32_t used;		  /* bit i: field i is printed */
	struct template template; /* of MODE_LINES, and of a table that was asked for */
	bool has_template;
	struct err failed;   /* of a row that the template cannot be made of: the first one */
	struct table *table; /* MODE_TABLE */
	size_t ncolumns;     /* of a template's table */
	struct buf out;	     /* the other modes: what was made so far */
};

void format_release(struct format **format)
{
	if (!*format)
		return;
	template_release(&(*format)->template);
	table_free((*format)->table);
	buf_release(&(*format)->out);
	free(*format);
	*format = NULL;
}

static size_t find_field(const struct format *format, const char *name)
{
	size_t i = 0;

	while (i < format->nfields && strcmp(format->fields[i].name, name) != 0)
		i++;
	return i;
}

/* Values have nothing below them, but where they are JSON. */
static bool is_field(const struct format *format, char *const *path)
{
	size_t i = find_field(format, path[0]);

	return i < format->nfields && (!path[1] || format->fields[i].flags & FORMAT_RAW);
}

static int use_field(char *const *path, void *data, struct err *err)
{
	struct format *format = data;
	struct field_hint hint;

	if (!path || is_field(format, path)) {
		format->used |= path ? UINT32_C(1) << find_field(format, path[0]) : UINT32_MAX;
		return 0;
	}
	err_set(err, ERR_USAGE, EINVAL, "--format: there is no field .%s%s%s", path[0],
		path[1] ? "." : "", path[1] ? path[1] : "");
	field_hint_begin(&hint, path[0]);
	for (size_t i = 0; i < format->nfields; i++)
		field_hint_offer(&hint, format->fields[i].name);
	return field_hint_end(&hint, "fields", err);
}

static void add_json_value(struct buf *buf, const struct format_field *field, const char *value)
{
	if (!value)
		buf_addstr(buf, "null");
	else if (field->flags & FORMAT_RAW)
		text_add_safe_json(buf, value, strlen(value));
	else
		text_add_json(buf, value, strlen(value));
}

static void add_json_row(struct buf *buf, const struct format *format, const char *const *values)
{
	const char *separator = "{\"";

	for (size_t i = 0; i < format->nfields; i++) {
		if (format->fields[i].flags & FORMAT_ALIAS)
			continue;
		buf_addstr(buf, separator);
		buf_addstr(buf, format->fields[i].name);
		buf_addstr(buf, "\":");
		add_json_value(buf, &format->fields[i], values[i]);
		separator = ",\"";
	}
	buf_addch(buf, '}');
}

/* --- templates --- */

/* NULL: no memory. A value that is no UTF-8 has its bytes escaped, as JSON has none of them. */
static json_t *make_value(const struct format_field *field, const char *value)
{
	AUTO_BUF struct buf escaped = BUF_INIT;
	json_t *json;

	if (!value)
		return json_null();
	if (field->flags & FORMAT_RAW) {
		json = json_loads(value, JSON_DECODE_ANY, NULL);
		return json ? json : json_string(value);
	}
	json = json_string(value);
	if (json)
		return json;
	buf_add_escaped(&escaped, value, strlen(value));
	return buf_failed(&escaped) ? NULL : json_string(escaped.data);
}

/* Add what the template makes of the row, or of the headings (`values` NULL). */
static int add_line(struct buf *buf, const struct format *format, const char *const *values,
		    struct err *err)
{
	AUTO_JSON json_t *object = json_object();
	AUTO_JSON json_t *aliases = json_object();
	const struct template_data data = {
		.object = object,
		.aliases = aliases,
		.style = { .null_text = "", .headings = !values },
	};

	for (size_t i = 0; i < format->nfields; i++) {
		const struct format_field *field = &format->fields[i];
		json_t *into = field->flags & FORMAT_ALIAS ? aliases : object;

		if (!(format->used & UINT32_C(1) << i))
			continue;
		if (json_object_set_new_nocheck(into, field->name,
						values ? make_value(field, values[i]) :
							 json_string(field->title)) < 0)
			return err_sys(err, ENOMEM, "cannot make the list");
	}
	return template_eval(&format->template, &data, buf, err);
}

static bool add_default_columns(struct format *format)
{
	bool added = true;

	for (const struct format_field *field = format->fields; field->name; field++)
		if (field->flags & FORMAT_COLUMN)
			added &= table_add_column(format->table, field->title, strlen(field->title),
						  field->flags);
	return added;
}

/* Which fields are in which column: what stands between the template's tabs. */
struct column_flags {
	const struct format *format;
	unsigned flags[TABLE_MAX_COLUMNS];
	size_t column;
};

static int count_tabs(const char *text, void *data, struct err *err)
{
	struct column_flags *flags = data;

	(void)err;
	for (; (text = strchr(text, '\t')); text++)
		flags->column += flags->column + 1 < TABLE_MAX_COLUMNS;
	return 0;
}

static int add_flags(char *const *path, void *data, struct err *err)
{
	struct column_flags *flags = data;

	(void)err;
	if (path)
		flags->flags[flags->column] |=
			flags->format->fields[find_field(flags->format, path[0])].flags;
	return 0;
}

/* A tab of the template, as those in values are escaped; NULL for the last of them. */
static const char *end_of_cell(const char *text, size_t *len)
{
	const char *tab = strchr(text, '\t');

	*len = tab ? (size_t)(tab - text) : strlen(text);
	return tab ? tab + 1 : NULL;
}

static int add_template_columns(struct format *format, struct err *err)
{
	struct column_flags flags = { .format = format };
	const struct template_visitor visitor = { count_tabs, add_flags, &flags };
	AUTO_BUF struct buf titles = BUF_INIT;
	size_t len, i = 0;

	buf_addstr(&titles, "");
	if (template_visit(&format->template, &visitor, err) < 0 ||
	    add_line(&titles, format, NULL, err) < 0)
		return err_code(err);
	for (const char *text = titles.data, *next; text; text = next, i++) {
		next = end_of_cell(text, &len);
		if (!table_add_column(format->table, text, len,
				      i <= flags.column ? flags.flags[i] : 0))
			return err_set(err, ERR_USAGE, EINVAL, "--format: more than %d columns",
				       TABLE_MAX_COLUMNS);
	}
	format->ncolumns = i;
	return 0;
}

/* As many as there are columns, which the headings have made. */
static void add_template_cells(struct format *format, const char *text)
{
	const char *next = text;
	size_t len = 0;

	for (size_t i = 0; i < format->ncolumns; i++) {
		const char *cell = next ? next : "";

		next = next ? end_of_cell(next, &len) : NULL;
		/* What is too much belongs to the last. */
		if (i + 1 == format->ncolumns && next)
			len = strlen(cell);
		table_add_cell(format->table, cell, *cell ? len : 0);
	}
}

static void add_table_row(struct format *format, const char *const *values)
{
	AUTO_BUF struct buf buf = BUF_INIT;

	if (!format->has_template) {
		for (size_t i = 0; i < format->nfields; i++) {
			const char *value = values[i] ? values[i] : "-";

			if (!(format->fields[i].flags & FORMAT_COLUMN))
				continue;
			table_add_text(format->table, value, strlen(value));
		}
		return;
	}
	if (add_line(&buf, format, values, &format->failed) < 0)
		return;
	add_template_cells(format, buf.data ? buf.data : "");
}

/* A row that the template fails on is told of in the end, once. */
static void add_template_line(struct format *format, const char *const *values)
{
	const size_t before = format->out.len;

	if (add_line(&format->out, format, values, &format->failed) == 0)
		return;
	format->out.len = before;
	if (format->out.data)
		format->out.data[before] = '\0';
}

void format_row(struct format *format, const char *const *values)
{
	if (format->failed.kind != ERR_NONE)
		return;
	switch (format->mode) {
	case MODE_TABLE:
		add_table_row(format, values);
		return;
	case MODE_LINES:
		add_template_line(format, values);
		if (format->failed.kind != ERR_NONE)
			return;
		break;
	case MODE_JSON:
		add_json_row(&format->out, format, values);
		break;
	case MODE_QUIET:
		buf_add_escaped(&format->out, values[0], strlen(values[0]));
		break;
	}
	buf_addch(&format->out, '\n');
}

void format_reset(struct format *format)
{
	buf_reset(&format->out);
	if (format->table)
		table_reset(format->table);
}

int format_print(struct format *format, FILE *out, struct err *err)
{
	const struct err failed = format->failed;

	if (buf_failed(&format->out) ||
	    (format->mode == MODE_TABLE && !table_print(format->table, !format->no_heading, out)))
		return err_sys(err, ENOMEM, "cannot print the list");
	if (format->out.len > 0)
		fwrite(format->out.data, 1, format->out.len, out);
	if (failed.kind != ERR_NONE)
		*err = failed;
	return failed.kind != ERR_NONE ? err_code(err) : 0;
}

bool format_uses(const struct format *format, size_t i)
{
	return format->used & UINT32_C(1) << i;
}

bool format_wants_full(const struct format *format)
{
	return format->wants_full;
}

/* But for a template, whose fields are found when it is read. */
static uint32_t used_fields(const struct format *format)
{
	uint32_t used = 0;

	if (format->mode == MODE_JSON)
		return UINT32_MAX;
	if (format->mode == MODE_QUIET)
		return 1;
	for (size_t i = 0; i < format->nfields; i++)
		if (format->fields[i].flags & FORMAT_COLUMN)
			used |= UINT32_C(1) << i;
	return used;
}

static int read_template(struct format *format, const char *text, struct err *err)
{
	const struct template_visitor visitor = { NULL, use_field, format };

	format->has_template = true;
	if (template_parse(text, &format->template, err) < 0)
		return err_code(err);
	return template_visit(&format->template, &visitor, err);
}

static int choose_mode(struct format *format, const struct format_request *request, struct err *err)
{
	static const char table[] = "table";
	const char *text = request->format ? request->format : table;

	format->wants_full = request->no_trunc;
	format->no_heading = request->no_heading;
	if (request->quiet) {
		format->mode = MODE_QUIET;
		return 0;
	}
	if (strcmp(text, "json") == 0) {
		format->mode = MODE_JSON;
		format->wants_full = true;
		return 0;
	}
	format->mode = MODE_LINES;
	if (strncmp(text, table, 5) == 0 && (text[5] == '\0' || text[5] == ' ')) {
		format->mode = MODE_TABLE;
		text += 5 + strspn(text + 5, " ");
	} else if (!strchr(text, '{')) {
		/* A mistyped "jsno" would be printed once per row. */
		err_set(err, ERR_USAGE, EINVAL, "--format: not understood: %s", text);
		return err_hint(err, "json, table, or a template such as '{{.%s}}'",
				format->fields[0].name);
	}
	return *text ? read_template(format, text, err) : 0;
}

int format_new(const struct format_field *fields, const struct format_request *request,
	       struct format **out, struct err *err)
{
	AUTO_FORMAT struct format *format = calloc(1, sizeof(*format));

	if (!format)
		return err_sys(err, ENOMEM, "cannot make the list");
	format->fields = fields;
	while (fields[format->nfields].name)
		format->nfields++;
	if (choose_mode(format, request, err) < 0)
		return err_code(err);
	if (!format->has_template)
		format->used = used_fields(format);
	if (format->mode == MODE_TABLE) {
		format->table = table_new(request->no_trunc ? TABLE_UNCUT : request->width);
		if (!format->table)
			return err_sys(err, ENOMEM, "cannot make the list");
		if (format->has_template && add_template_columns(format, err) < 0)
			return err_code(err);
		if (!format->has_template && !add_default_columns(format))
			return err_set(err, ERR_USAGE, EINVAL, "--format: more than %d columns",
				       TABLE_MAX_COLUMNS);
	}
	*out = STEAL_PTR(format);
	return 0;
}

int format_terminal_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	long width = columns ? strtol(columns, NULL, 10) : 0;
	struct winsize size = { 0 };

	if (width < 0 || width > 10000)
		width = 0;
	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return (int)width;
	if (size.ws_col > 0)
		return size.ws_col;
	return width > 0 ? (int)width : 80;
}
