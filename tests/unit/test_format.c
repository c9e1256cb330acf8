/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: tables, JSON, templates; and the text, times and sizes in them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manager/cmd/format.h"
#include "manager/cmd/human.h"
#include "manager/cmd/text.h"
#include "store/base/utf8.h"

static const struct format_field fields[] = {
	{ "ID", "BIRD ID", FORMAT_COLUMN },
	{ "Name", "NAME", FORMAT_COLUMN | FORMAT_CUT },
	{ "Weight", "WEIGHT", FORMAT_COLUMN | FORMAT_RAW },
	{ "Song", "SONG", FORMAT_COLUMN | FORMAT_CUT | FORMAT_LONG },
	{ "Names", "NAME", FORMAT_ALIAS },
	{ "Nest", "NEST", 0 },
	{ NULL, NULL, 0 },
};

static const char *const wren[] = { "1", "wren", "9", "tic tic", "wren", "hedge" };
static const char *const owl[] = { "2",	  "tawny owl of the old mill",
				   NULL,  "hoo hu huhuhuhoo hoo hu huhuhuhoo",
				   "owl", NULL };

/* Print two birds (or the rows given) in `format`; to be freed. */
static char *print_rows(const struct format_request *request, const char *const *const *rows)
{
	AUTO_FORMAT struct format *format = NULL;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(format_new(fields, request, &format, &err), 0);
	for (; *rows; rows++)
		format_row(format, *rows);
	assert_int_equal(format_print(format, out, &err), 0);
	fclose(out);
	return text;
}

static const char *const *const birds[] = { wren, owl, NULL };

static void assert_printed(const struct format_request *request, const char *const *const *rows,
			   const char *expected)
{
	char *text = print_rows(request, rows);

	assert_string_equal(text, expected);
	free(text);
}

static void test_table(void **state)
{
	struct format_request request = { .no_trunc = true };

	(void)state;
	assert_printed(
		&request, birds,
		"BIRD ID  NAME                       WEIGHT  SONG\n"
		"1        wren                       9       tic tic\n"
		"2        tawny owl of the old mill  -       hoo hu huhuhuhoo hoo hu huhuhuhoo\n");
	/* No terminal: only what is long is cut. */
	request = (struct format_request){ .format = "table" };
	assert_printed(
		&request, birds,
		"BIRD ID  NAME                       WEIGHT  SONG\n"
		"1        wren                       9       tic tic\n"
		"2        tawny owl of the old mill  -       hoo hu huhuhuhoo hoo hu huhuh\xe2\x80\xa6\n");
	/* Without rows the headings remain. */
	assert_printed(&request, birds + 2, "BIRD ID  NAME  WEIGHT  SONG\n");
}

/* The longest line of what is printed at this width. */
static size_t widest_line(int width)
{
	struct format_request request = { .width = width };
	char *text = print_rows(&request, birds);
	size_t widest = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		size_t len = text_width(line, strlen(line));

		if (len > widest)
			widest = len;
	}
	free(text);
	return widest;
}

static void test_table_fits(void **state)
{
	struct format_request request = { .width = 60 };

	(void)state;
	assert_printed(
		&request, birds,
		"BIRD ID  NAME                  WEIGHT  SONG\n"
		"1        wren                  9       tic tic\n"
		"2        tawny owl of the ol\xe2\x80\xa6  -       hoo hu huhuhuhoo hoo\xe2\x80\xa6\n");
	for (int width = 1; width < 120; width++)
		assert_true(widest_line(width) <= (size_t)width);
	assert_int_equal(widest_line(60), 60);
	assert_int_equal(widest_line(1000), 77);
	/* Where the narrowest columns do not fit, the last are left out. */
	request.width = 30;
	assert_printed(&request, birds,
		       "BIRD ID  NAME           WEIGHT\n"
		       "1        wren           9\n"
		       "2        tawny owl of\xe2\x80\xa6  -\n");
}

static void test_json(void **state)
{
	struct format_request request = { .format = "json" };

	(void)state;
	assert_printed(
		&request, birds,
		"{\"ID\":\"1\",\"Name\":\"wren\",\"Weight\":9,\"Song\":\"tic tic\",\"Nest\":\"hedge\"}\n"
		"{\"ID\":\"2\",\"Name\":\"tawny owl of the old mill\",\"Weight\":null,"
		"\"Song\":\"hoo hu huhuhuhoo hoo hu huhuhuhoo\",\"Nest\":null}\n");
	assert_printed(&request, birds + 2, "");
}

static void test_templates(void **state)
{
	struct format_request request = {
		.format = "{{.ID}}\\t{{ .Names }}: {{json .Song}}{{.Nest}}"
	};

	(void)state;
	assert_printed(&request, birds,
		       "1\twren: \"tic tic\"hedge\n"
		       "2\towl: \"hoo hu huhuhuhoo hoo hu huhuhuhoo\"\n");
	request.format = "{{json .}}";
	assert_printed(&request, birds + 1,
		       "{\"ID\":\"2\",\"Name\":\"tawny owl of the old mill\",\"Weight\":null,"
		       "\"Song\":\"hoo hu huhuhuhoo hoo hu huhuhuhoo\",\"Nest\":null}\n");
	request.format = "table {{.Nest}}\t<{{.ID}}>";
	assert_printed(&request, birds,
		       "NEST   <BIRD ID>\n"
		       "hedge  <1>\n"
		       "       <2>\n");
	request.format = "table {{.Song}}\\t{{json .}}";
	request.width = 40;
	free(print_rows(&request, birds));
}

static void assert_bad_format(const char *format, const char *message, const char *hint)
{
	struct format_request request = { .format = format };
	AUTO_FORMAT struct format *out = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(format_new(fields, &request, &out, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.text, message);
	assert_string_equal(err.hint, hint);
	assert_null(out);
}

static void test_bad_templates(void **state)
{
	static const char known[] = "fields: .ID .Name .Weight .Song .Names .Nest";

	(void)state;
	assert_bad_format("{{.Nothing}}", "--format: there is no field .Nothing", known);
	assert_bad_format("{{.ID.Deep}}", "--format: there is no field .ID.Deep", known);
	assert_bad_format("a{{json .id}}", "--format: there is no field .id", "did you mean .ID?");
	assert_bad_format("{{.Wieght}}", "--format: there is no field .Wieght",
			  "did you mean .Weight?");
	assert_bad_format("table {{.X}}", "--format: there is no field .X", known);
	assert_bad_format("{{if .ID}}{{with $.X}}{{end}}{{end}}", "--format: there is no field .X",
			  known);
	assert_bad_format("jsno", "--format: not understood: jsno",
			  "json, table, or a template such as '{{.ID}}'");
	assert_bad_format("{{.ID", "--format: }} is missing (at its end)", "");
}

/* What is more than fields is done by the same rows. */
static void test_conditions(void **state)
{
	struct format_request request = {
		.format = "{{.Name | upper}}{{if .Nest}} in a {{.Nest}}{{else}} -{{end}}"
	};

	(void)state;
	assert_printed(&request, birds, "WREN in a hedge\nTAWNY OWL OF THE OLD MILL -\n");
	request.format = "{{if gt .Weight 8}}{{printf \"%03d\" .Weight}}{{end}}{{.Names}}";
	assert_printed(&request, birds, "009wren\nowl\n");
	request.format = "{{with .Nest}}{{.}} {{$.ID}}{{end}}";
	assert_printed(&request, birds, "hedge 1\n\n");
	/* What is not there is an empty text. */
	request.format = "{{if eq .Nest \"\"}}none{{else}}{{.Nest}}{{end}}{{upper .Nest}}";
	assert_printed(&request, birds, "hedgeHEDGE\nnone\n");
	/* Headings are what the columns are called, whatever is done to the values. */
	request.format = "table {{printf \"%.3s\" .Name}}\\t{{if eq .ID \"1\"}}{{.Nest}}"
			 "{{else}}{{lower .Nest}}{{end}}\\t{{range (split .Song \" \")}}{{.}},"
			 "{{break}}{{end}}";
	assert_printed(&request, birds,
		       "NAME  NEST   SONG,\n"
		       "wre   hedge  tic,\n"
		       "taw          hoo,\n");
}

/* What cannot be done with a row's values is told when all is printed. */
static void test_failing_rows(void **state)
{
	struct format_request request = {
		.format = "{{if eq .Weight 9}}{{.ID}}{{else}}{{len .ID | upper}}{{end}}"
	};
	AUTO_FORMAT struct format *format = NULL;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	assert_int_equal(format_new(fields, &request, &format, &err), 0);
	format_row(format, wren);
	format_row(format, owl);
	format_row(format, wren);
	assert_int_equal(format_print(format, out, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(
		err.text,
		"--format: upper: this is not text, but a number (character 47: upper}}{{end}})");
	fclose(out);
	assert_string_equal(text, "1\n");
	free(text);
}

static void test_quiet(void **state)
{
	struct format_request request = { .quiet = true, .format = "{{.Nothing}}" };

	(void)state;
	assert_printed(&request, birds, "1\n2\n");
}

static void test_uses_and_full(void **state)
{
	struct format_request request = { .format = "{{.Names}} {{json .Song}}" };
	AUTO_FORMAT struct format *format = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(format_new(fields, &request, &format, &err), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(format_uses(format, i), i == 3 || i == 4);
	assert_false(format_wants_full(format));
	format_release(&format);
	request.format = "json";
	assert_int_equal(format_new(fields, &request, &format, &err), 0);
	assert_true(format_uses(format, 5));
	assert_true(format_wants_full(format));
	format_release(&format);
	request.format = NULL;
	assert_int_equal(format_new(fields, &request, &format, &err), 0);
	assert_true(format_uses(format, 3));
	assert_false(format_uses(format, 5));
}

/* Nothing that a value holds reaches the terminal as more than text. */
static void test_escapes(void **state)
{
	static const char *const formats[] = { NULL, "json", "{{.Name}} {{json .Song}}",
					       "table {{.Name}}\t{{json .}}" };
	static const char *const evil[] = { "3",  "a\x1b[31m\tb\nc\x07\x7f",
					    "1",  "\xc2\x9b[31m\xe2\x80\xae\xff\"\\",
					    "\r", "\x01" };
	static const char *const *const rows[] = { evil, NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct format_request request = { .format = formats[i] };
		char *text = print_rows(&request, rows);
		size_t lines = 0;

		for (const char *p = text; *p; p++) {
			assert_true((unsigned char)*p >= 0x20 || *p == '\n');
			assert_true(*p != 0x7f);
			lines += *p == '\n';
		}
		assert_null(strstr(text, "\xc2\x9b"));
		assert_null(strstr(text, "\xe2\x80\xae"));
		assert_null(strchr(text, '\xff'));
		assert_int_equal(lines,
				 !formats[i] || strncmp(formats[i], "table", 5) == 0 ? 2 : 1);
		free(text);
	}
}

static void test_reset(void **state)
{
	struct format_request request = { .no_trunc = true };
	AUTO_FORMAT struct format *format = NULL;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(format_new(fields, &request, &format, &err), 0);
	format_row(format, owl);
	format_reset(format);
	format_row(format, wren);
	assert_int_equal(format_print(format, out, &err), 0);
	fclose(out);
	assert_string_equal(text, "BIRD ID  NAME  WEIGHT  SONG\n"
				  "1        wren  9       tic tic\n");
	free(text);
}

static void test_many_rows(void **state)
{
	struct format_request request = { .width = 80 };
	AUTO_FORMAT struct format *format = NULL;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size;
	size_t lines = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(format_new(fields, &request, &format, &err), 0);
	for (int i = 0; i < 1000; i++)
		format_row(format, i % 2 ? wren : owl);
	assert_int_equal(format_print(format, out, &err), 0);
	fclose(out);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 1001);
	free(text);
}

static void test_widths(void **state)
{
	(void)state;
	assert_int_equal(text_width("bird", 4), 4);
	assert_int_equal(text_width("v\xc3\xb6gel", 6), 5);
	assert_int_equal(text_width("\xe9\xb3\xa5", 3), 2);	/* a wide character */
	assert_int_equal(text_width("o\xcc\x88", 3), 1);	/* a combining mark */
	assert_int_equal(text_width("\xf0\x9f\x90\xa6", 4), 2); /* a bird */
	assert_int_equal(text_width("\xff\xfe", 2), 2);
	assert_int_equal(text_fit("\xe9\xb3\xa5\xe9\xb3\xa5", 6, 3), 3);
	assert_int_equal(text_fit("ab", 2, 0), 0);
	assert_int_equal(text_fit("ab", 2, 9), 2);
}

static void test_decode(void **state)
{
	uint32_t point = 0;

	(void)state;
	assert_int_equal(utf8_decode("\xe2\x82\xac", 3, &point), 3);
	assert_int_equal(point, 0x20ac);
	assert_int_equal(utf8_decode("\xf4\x8f\xbf\xbf", 4, &point), 4);
	assert_int_equal(point, 0x10ffff);
	assert_int_equal(utf8_decode("", 0, &point), 0);
	assert_int_equal(utf8_decode("\xe2\x82", 2, &point), 0);	 /* cut */
	assert_int_equal(utf8_decode("\xc0\xaf", 2, &point), 0);	 /* overlong */
	assert_int_equal(utf8_decode("\xe0\x80\xaf", 3, &point), 0);	 /* overlong */
	assert_int_equal(utf8_decode("\xed\xa0\x80", 3, &point), 0);	 /* surrogate */
	assert_int_equal(utf8_decode("\xf4\x90\x80\x80", 4, &point), 0); /* beyond the last */
	assert_int_equal(utf8_decode("\x80", 1, &point), 0);
}

static void test_json_text(void **state)
{
	static const char text[] = "a\0\"\\\n\t\x1b\x7f\xc2\x85\xc3\xa4\xff";
	AUTO_BUF struct buf buf = BUF_INIT;

	(void)state;
	text_add_json(&buf, text, sizeof(text) - 1);
	assert_string_equal(buf.data,
			    "\"a\\u0000\\\"\\\\\\n\\t\\u001B\\u007F\\u0085\xc3\xa4\xef\xbf\xbd\"");
	buf_reset(&buf);
	text_add_safe_json(&buf, "{\"a\":\"\xc2\x9b\x7f\xc3\xa4\"}\n", 14);
	assert_string_equal(buf.data, "{\"a\":\"\\u009B\\u007F\xc3\xa4\"}\n");
}

static void assert_age(int64_t ns, const char *expected)
{
	char text[HUMAN_MAX];

	human_duration(ns, text);
	assert_string_equal(text, expected);
}

static void assert_bytes(int64_t bytes, const char *expected)
{
	char text[HUMAN_MAX];

	human_size(bytes, text);
	assert_string_equal(text, expected);
}

static void assert_binary(int64_t bytes, const char *expected)
{
	char text[HUMAN_MAX];

	human_binary(bytes, text);
	assert_string_equal(text, expected);
}

static void assert_time(int64_t ns, const char *expected)
{
	char text[HUMAN_MAX];

	human_time(ns, text);
	assert_string_equal(text, expected);
}

#define SECOND INT64_C(1000000000)

static void test_human(void **state)
{
	(void)state;
	assert_age(-5, "less than a second");
	assert_age(SECOND - 1, "less than a second");
	assert_age(SECOND, "1 second");
	assert_age(59 * SECOND, "59 seconds");
	assert_age(119 * SECOND, "119 seconds");
	assert_age(120 * SECOND, "2 minutes");
	assert_age(3600 * SECOND, "60 minutes");
	assert_age(7200 * SECOND, "2 hours");
	assert_age(49 * 3600 * SECOND, "2 days");
	assert_age(INT64_MAX, "292 years");
	assert_bytes(0, "0 B");
	assert_bytes(-1, "0 B");
	assert_bytes(999, "999 B");
	assert_bytes(1000, "1.00 kB");
	assert_bytes(12345, "12.3 kB");
	assert_bytes(183000000, "183 MB");
	assert_bytes(999499, "999 kB");
	assert_bytes(999500, "1.00 MB");
	assert_bytes(9994, "9.99 kB");
	assert_bytes(1004, "1.00 kB");
	assert_bytes(1006, "1.01 kB");
	assert_bytes(9999, "10.0 kB");
	assert_bytes(10040, "10.0 kB");
	assert_bytes(99960, "100 kB");
	assert_bytes(INT64_MAX, "9.22 EB");
	assert_binary(1023, "1023 B");
	assert_binary(1024, "1.00 KiB");
	assert_binary(512 << 20, "512 MiB");
	assert_binary((1024 << 10) - 1, "1.00 MiB");
	assert_binary(INT64_MAX, "8.00 EiB");
	assert_time(0, "1970-01-01T00:00:00.000000000Z");
	assert_time(INT64_C(951782400) * SECOND + 5, "2000-02-29T00:00:00.000000005Z");
	assert_time(-1, "1969-12-31T23:59:59.999999999Z");
	assert_time(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	      cmocka_unit_test(test_table_fits),
		cmocka_unit_test(test_json),	      cmocka_unit_test(test_templates),
		cmocka_unit_test(test_bad_templates), cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_conditions),    cmocka_unit_test(test_failing_rows),
		cmocka_unit_test(test_uses_and_full), cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_reset),	      cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_widths),	      cmocka_unit_test(test_decode),
		cmocka_unit_test(test_json_text),     cmocka_unit_test(test_human),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
