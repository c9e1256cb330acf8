/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a --format template, used for a row whose values are that text, too: what is printed
 * holds no control character that the template did not bring along, and every line of a table is as
 * narrow as was asked for.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/format.h"

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
	assert(format_print(format, out, &err) == 0);
	fclose(out);
	assert(strlen(text) == len);
	return text;
}

static void assert_printable(const char *text)
{
	for (; *text; text++)
		assert(((unsigned char)*text >= 0x20 && *text != 0x7f) || *text == '\n');
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
	free(input);
	return 0;
}
