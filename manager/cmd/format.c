/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/format.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "manager/cmd/format_table.h"
#include "manager/cmd/template.h"
#include "manager/cmd/text.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

enum format_mode { MODE_TABLE, MODE_LINES, MODE_JSON, MODE_QUIET };

struct format {
	const struct format_field *fields;
	size_t nfields;
	enum format_mode mode;
	bool wants_full, no_heading;
	uint32_t used;		  /* bit i: field i is printed */
	struct template template; /* of MODE_LINES, and of a table that was asked for */
	struct table *table;	  /* MODE_TABLE */
	struct buf out;		  /* the other modes: what was made so far */
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

/* Every path of the template is a field; {{.}} stands for all of them. */
static int check_fields(struct format *format, struct err *err)
{
	for (size_t i = 0; i < format->template.nparts; i++) {
		struct template_part *part = &format->template.parts[i];
		AUTO_BUF struct buf known = BUF_INIT;

		if (part->kind == TEMPLATE_TEXT || find_field(format, part->text) < format->nfields)
			continue;
		if (part->text[0] == '\0') {
			part->kind = TEMPLATE_JSON;
			continue;
		}
		for (size_t j = 0; j < format->nfields; j++)
			buf_addf(&known, " .%s", format->fields[j].name);
		err_set(err, ERR_USAGE, EINVAL, "--format: there is no field .%s", part->text);
		return buf_failed(&known) ? err_code(err) : err_hint(err, "fields:%s", known.data);
	}
	return 0;
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

/* One part of the template for a row, or for the line of headings (`values` NULL). */
static void add_part(struct buf *buf, const struct format *format, const struct template_part *part,
		     const char *const *values)
{
	size_t i = find_field(format, part->text);

	if (part->kind == TEMPLATE_TEXT)
		buf_addstr(buf, part->text);
	else if (!values)
		buf_addstr(buf, i < format->nfields ? format->fields[i].title : "");
	else if (i == format->nfields)
		add_json_row(buf, format, values);
	else if (part->kind == TEMPLATE_JSON)
		add_json_value(buf, &format->fields[i], values[i]);
	else if (values[i])
		buf_add_escaped(buf, values[i], strlen(values[i]));
}

static void add_line(struct buf *buf, const struct format *format, const char *const *values)
{
	for (size_t i = 0; i < format->template.nparts; i++)
		add_part(buf, format, &format->template.parts[i], values);
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

/* The columns of a template are what stands between its tabs. */
static bool add_template_columns(struct format *format)
{
	AUTO_BUF struct buf title = BUF_INIT;
	bool added = true;
	unsigned flags = 0;

	for (size_t i = 0; i < format->template.nparts; i++) {
		const struct template_part *part = &format->template.parts[i];
		const char *tab;

		if (part->kind != TEMPLATE_TEXT) {
			size_t field = find_field(format, part->text);

			add_part(&title, format, part, NULL);
			flags |= field < format->nfields ? format->fields[field].flags : 0;
			continue;
		}
		for (const char *text = part->text;; text = tab + 1) {
			tab = strchr(text, '\t');
			buf_add(&title, text, tab ? (size_t)(tab - text) : strlen(text));
			if (!tab)
				break;
			added &= table_add_column(format->table, title.data, title.len, flags);
			buf_reset(&title);
			flags = 0;
		}
	}
	return added & table_add_column(format->table, title.data, title.len, flags);
}

static void add_cell(struct table *table, const char *text, size_t len)
{
	buf_add(table_begin_cell(table), text, len);
	table_end_cell(table);
}

static void add_table_row(struct format *format, const char *const *values)
{
	AUTO_BUF struct buf buf = BUF_INIT;

	if (format->template.nparts == 0) {
		for (size_t i = 0; i < format->nfields; i++) {
			const char *value = values[i] ? values[i] : "-";

			if (!(format->fields[i].flags & FORMAT_COLUMN))
				continue;
			buf_add_escaped(table_begin_cell(format->table), value, strlen(value));
			table_end_cell(format->table);
		}
		return;
	}
	/* Tabs of values are escaped: those in the line come from the template. */
	add_line(&buf, format, values);
	for (const char *text = buf.data, *tab; text; text = tab ? tab + 1 : NULL) {
		tab = strchr(text, '\t');
		add_cell(format->table, text, tab ? (size_t)(tab - text) : strlen(text));
	}
}

void format_row(struct format *format, const char *const *values)
{
	switch (format->mode) {
	case MODE_TABLE:
		add_table_row(format, values);
		return;
	case MODE_LINES:
		add_line(&format->out, format, values);
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
	if (format->mode == MODE_TABLE && !table_print(format->table, &format->out))
		return err_sys(err, ENOMEM, "cannot print the list");
	const char *text = format->out.data;
	size_t len = format->out.len;

	if (buf_failed(&format->out))
		return err_sys(err, ENOMEM, "cannot print the list");
	if (len > 0 && format->mode == MODE_TABLE && format->no_heading) {
		text = (const char *)memchr(text, '\n', len) + 1;
		len -= (size_t)(text - format->out.data);
	}
	if (len > 0)
		fwrite(text, 1, len, out);
	return 0;
}

bool format_uses(const struct format *format, size_t i)
{
	return format->used & UINT32_C(1) << i;
}

bool format_wants_full(const struct format *format)
{
	return format->wants_full;
}

static uint32_t used_fields(const struct format *format)
{
	uint32_t used = 0;

	if (format->mode == MODE_JSON)
		return UINT32_MAX;
	if (format->mode == MODE_QUIET)
		return 1;
	for (size_t i = 0; format->template.nparts == 0 && i < format->nfields; i++)
		if (format->fields[i].flags & FORMAT_COLUMN)
			used |= UINT32_C(1) << i;
	for (size_t i = 0; i < format->template.nparts; i++) {
		const struct template_part *part = &format->template.parts[i];
		size_t field = find_field(format, part->text);

		if (part->kind != TEMPLATE_TEXT && field == format->nfields)
			return UINT32_MAX; /* {{json .}} */
		if (part->kind != TEMPLATE_TEXT)
			used |= UINT32_C(1) << field;
	}
	return used;
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
	if (template_parse(text, &format->template, err) < 0)
		return err_code(err);
	return check_fields(format, err);
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
	format->used = used_fields(format);
	if (format->mode == MODE_TABLE) {
		format->table = table_new(request->no_trunc ? TABLE_UNCUT : request->width);
		if (!format->table)
			return err_sys(err, ENOMEM, "cannot make the list");
		if (!(format->template.nparts > 0 ? add_template_columns(format) :
						    add_default_columns(format)))
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
