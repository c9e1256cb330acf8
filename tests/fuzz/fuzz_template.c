/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a --format template, for rows, and for an object with objects and lists in it, whose
 * values are that text, too: what is printed holds no control character that the template did not
 * bring along, and every line of a table is as narrow as was asked for.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/format.h"
#include "manager/cmd/template_eval.h"
#include "store/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct format_field fields[] = {
	{ "ID", "ID", FORMAT_COLUMN },
	{ "Name", "NAME", FORMAT_COLUMN | FORMAT_CUT },
	{ "Command", "COMMAND", FORMAT_COLUMN | FORMAT_CUT | FORMAT_LONG },
	{ NULL, NULL, 0 },
};

/* Print one row of `value` and give the text. */
static char *print(const struct format_request *request, const char *value)
{
	const char *const values[] = { "1", value, value };
	AUTO_FORMAT struct format *format = NULL;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t len;
	FILE *out;

	if (format_new(fields, request, &format, &err) < 0) {
		assert(err.kind == ERR_USAGE && err.text[0]);
		return NULL;
	}
	out = open_memstream(&text, &len);
	assert(out);
	format_row(format, values);
	format_row(format, values);
	assert(format_print(format, out, &err) == 0 || (err.kind == ERR_USAGE && err.text[0]));
	fclose(out);
	assert(strlen(text) == len);
	return text;
}

static void assert_printable(const char *text)
{
	for (; *text; text++)
		assert(((unsigned char)*text >= 0x20 && *text != 0x7f) || *text == '\n');
}

/* What the template makes of an object; to be freed. NULL: it cannot. */
static char *make(const char *text, json_t *object)
{
	AUTO_TEMPLATE struct template template = TEMPLATE_INIT;
	AUTO_BUF struct buf line = BUF_INIT;
	struct err err = ERR_INIT;

	if (template_parse(text, &template, &err) < 0 ||
	    template_add_line(&line, &template, object, &err) < 0) {
		assert(err.kind == ERR_USAGE && err.text[0]);
		return NULL;
	}
	assert(strlen(line.data) == line.len);
	return buf_steal(&line);
}

static void use_on_object(const char *input)
{
	static const char all[] =
		"{{.Text}}{{range $k, $v := .}}{{$k}}{{json $v}}{{upper $.Text}}{{end}}"
		"{{range .List}}{{.}}{{print .}}{{printf \"%7.3s\" .}}{{end}}"
		"{{join .List \"-\"}}{{range split .Text \"a\"}}{{.}}{{end}}";
	AUTO_JSON json_t *object =
		json_pack("{s:s?, s:[s?, s?], s:{s:i, s:b, s:n, s:f}}", "Text", input, "List",
			  input, "b", "Sub", "Int", 3, "Bool", 1, "Null", "Real", 1.5);
	char *text;

	/* Not of what is no UTF-8: JSON has none of it. */
	if (!object)
		object = json_pack("{s:s, s:[], s:{}}", "Text", "x", "List", "Sub");
	assert(object);
	free(make(input, object));
	text = make(all, object);
	assert(text);
	assert_printable(text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { NULL, "json", "{{.Name}}", "{{json .Command}}" };
	char *input = malloc(size + 1);
	char *text;

	assert(input);
	memcpy(input, data, size);
	input[size] = '\0';
	free(print(&(struct format_request){ .format = input, .width = 40 }, "bird"));
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		text = print(&(struct format_request){ .format = formats[i], .width = 40 }, input);
		assert(text);
		assert_printable(text);
		free(text);
	}
	use_on_object(input);
	free(input);
	return 0;
}
