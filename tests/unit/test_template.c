/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: what there is of Go's text/template, and what is said of the rest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manager/cmd/template.h"
#include "manager/cmd/template_eval.h"
#include "store/json.h"

static const char bird[] =
	"{ \"Name\": \"wren\", \"State\": { \"Running\": true, \"Pid\": 42, \"Weight\": 8.5,"
	"  \"Error\": null, \"Paused\": false },"
	"  \"Songs\": [\"tic\", \"tic tic\", \"trill\"], \"None\": [], \"Empty\": \"\", \"Zero\": 0,"
	"  \"Options\": null, \"Labels\": { \"sex\": \"f\", \"com.bird/nest\": \"hedge\", \"age\": \"2\" },"
	"  \"Mounts\": [ { \"Source\": \"/a\", \"RW\": true }, { \"Source\": \"/b\", \"RW\": false } ],"
	"  \"Evil\": \"a\\u001B[31m\\nb\\tc\", \"Word\": \"\\u00e4pfel und \\u00d6l\" }";

/* Parse and evaluate; 0 or -errno. *out is to be freed. */
static int evaluate(const char *text, char **out, struct err *err)
{
	AUTO_TEMPLATE struct template template = TEMPLATE_INIT;
	AUTO_JSON json_t *object = json_loads(bird, 0, NULL);
	AUTO_BUF struct buf line = BUF_INIT;
	int rc = template_parse(text, &template, err);

	assert_non_null(object);
	if (rc == 0)
		rc = template_add_line(&line, &template, object, err);
	if (rc == 0)
		*out = buf_steal(&line);
	return rc;
}

static void assert_makes(const char *text, const char *expected)
{
	struct err err = ERR_INIT;
	char *out = NULL;
	size_t len;

	if (evaluate(text, &out, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	len = strlen(out);
	assert_true(len > 0 && out[len - 1] == '\n');
	out[len - 1] = '\0';
	assert_string_equal(out, expected);
	free(out);
}

static void assert_fails(const char *text, const char *message)
{
	struct err err = ERR_INIT;
	char *out = NULL;

	if (evaluate(text, &out, &err) == 0)
		fail_msg("%s: made %s", text, out);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.text, message);
}

static void test_fields(void **state)
{
	(void)state;
	assert_makes("", "");
	assert_makes("plain } text { and }}", "plain } text { and }}");
	assert_makes("a\\tb\\nc\\\\n\\x", "a\tb\nc\\n\\x");
	assert_makes("{{.Name}} {{ .State.Pid }} {{$.Name}} {{(.State).Pid}}", "wren 42 wren 42");
	assert_makes("{{.State.Weight}} {{.State.Running}} {{.State.Error}}", "8.5 true null");
	assert_makes("{{.Songs}} {{.State.Paused}}", "[\"tic\",\"tic tic\",\"trill\"] false");
	assert_makes("{{json .Songs}} {{json .Name}} {{json .State.Error}}",
		     "[\"tic\",\"tic tic\",\"trill\"] \"wren\" null");
	/* What labels there are differs from one to the next. */
	assert_makes("{{.Labels.sex}}{{.Labels.nosuch}}.{{.Labels.nosuch.deeper}}", "f.");
	assert_makes("{{.Options.nosuch}}{{index .Options \"nosuch\"}}.", ".");
	assert_makes("{{.Label \"com.bird/nest\"}}{{.Label \"nosuch\"}}", "hedge");
	/* Nothing out of the object acts on a terminal; what the template has is meant so. */
	assert_makes("{{.Evil}}", "a\\x1b[31m\\nb\\tc");
	assert_makes("{{println .Evil \"\\n\"}}", "a\\x1b[31m\\nb\\tc \n\n");
	assert_makes("{{json .Evil}}", "\"a\\u001B[31m\\nb\\tc\"");
	assert_makes("{{upper .Evil}}{{range split .Evil \"b\"}}<{{.}}>{{end}}",
		     "A\\x1b[31M\\nB\\tC<a\\x1b[31m\\n><\\tc>");
}

static void test_conditions(void **state)
{
	(void)state;
	assert_makes("{{if .State.Running}}yes{{else}}no{{end}}", "yes");
	assert_makes("{{if .State.Paused}}a{{else if .State.Error}}b{{else if .Name}}c{{else}}d"
		     "{{end}}",
		     "c");
	assert_makes(
		"{{if .None}}1{{end}}{{if .Empty}}2{{end}}{{if .Zero}}3{{end}}"
		"{{if .State.Error}}4{{end}}{{if .Labels.nosuch}}5{{end}}{{if .State}}6{{end}}",
		"6");
	assert_makes("{{if and .Name .State.Running}}1{{end}}{{if or .Zero .Empty}}2{{end}}"
		     "{{if not .Zero}}3{{end}}",
		     "13");
	/* and, or give values, and look no further than they must. */
	assert_makes("{{or .Empty .Name .Nosuch}} {{and .Zero .Nosuch}} {{or .Zero .Empty}}.",
		     "wren 0 .");
	assert_makes("{{if eq .Name \"owl\" \"wren\"}}1{{end}}{{if ne .State.Pid 42}}2{{end}}"
		     "{{if eq .State.Pid 42.0}}3{{end}}{{if lt .State.Weight 9}}4{{end}}"
		     "{{if ge .Name \"x\"}}5{{end}}{{if eq .State.Error nil}}6{{end}}"
		     "{{if eq .State.Running true}}7{{end}}{{if eq .Labels.nosuch \"\"}}8{{end}}",
		     "13467");
	assert_makes("{{with .State}}{{.Pid}} {{$.Name}}{{end}}{{with .Zero}}x{{else}}none{{end}}",
		     "42 wrennone");
	assert_makes("{{with .Zero}}a{{else with .Name}}{{.}}{{end}}", "wren");
}

static void test_loops(void **state)
{
	(void)state;
	assert_makes("{{range .Mounts}}{{.Source}} {{end}}", "/a /b ");
	assert_makes("{{range $i, $m := .Mounts}}{{$i}}{{$m.Source}}{{if .RW}}+{{end}} {{end}}",
		     "0/a+ 1/b ");
	assert_makes("{{range $s := .Songs}}[{{$s}}]{{end}}", "[tic][tic tic][trill]");
	/* In the order of their names. */
	assert_makes("{{range $k, $v := .Labels}}{{$k}}={{$v}},{{end}}",
		     "age=2,com.bird/nest=hedge,sex=f,");
	assert_makes(
		"{{range .None}}x{{else}}none{{end}}{{range .State.Error}}x{{else}}null{{end}}",
		"nonenull");
	assert_makes("{{range .Songs}}{{if eq . \"tic tic\"}}{{continue}}{{end}}{{.}} {{end}}",
		     "tic trill ");
	assert_makes(
		"{{range .Songs}}{{.}}{{break}}{{end}}{{range .Mounts}}{{range $.Songs}}{{break}}"
		"{{end}}!{{end}}",
		"tic!!");
}

static void test_variables(void **state)
{
	(void)state;
	assert_makes("{{$n := .Name}}{{$n}}{{$n = \"owl\"}}{{$n}}", "wrenowl");
	assert_makes("{{$n := 1}}{{if true}}{{$n := 2}}{{$n}}{{end}}{{$n}}", "21");
	assert_makes("{{$n := 1}}{{$n := $n}}{{$n}}", "1");
	assert_makes("{{$last := \"\"}}{{range .Songs}}{{$last = .}}{{end}}{{$last}}", "trill");
	assert_makes("{{if $p := .State.Pid}}{{$p}}{{end}}", "42");
	assert_makes("{{with $s := .State}}{{$s.Pid}}{{end}}", "42");
}

static void test_text(void **state)
{
	(void)state;
	assert_makes("a  {{- .Name -}}  \n b {{- \"x\" }} c", "awrenbx c");
	assert_makes("a {{/* nothing {{ to see */}} b {{- /* and none */ -}} c", "a  bc");
	assert_makes("{{-1}} {{ -1 }}{{- -2}}", "-1 -1-2");
	assert_makes("{{\"a\\\"b\\t\\x41\"}}{{`c\\n\"`}}", "a\"b\tAc\\n\"");
	assert_makes("{{.Name | upper}} {{.Name | printf \"%s!\"}} {{\"AB\" | lower | title}}",
		     "WREN wren! Ab");
	assert_makes("{{title \"a bird sings\"}} {{upper .Word}}",
		     "A Bird Sings \xc3\xa4PFEL UND \xc3\x96L");
	assert_makes(
		"{{join .Songs \", \"}}|{{join .None \",\"}}|{{join (split \"a:b\" \":\") \"\\n\"}}",
		"tic, tic tic, trill||a\nb");
	assert_makes(
		"{{index .Songs 1}} {{index .Labels \"com.bird/nest\"}}{{index .Labels \"no\"}} "
		"{{index .Mounts 0 \"Source\"}} {{(index .Mounts 1).Source}}",
		"tic tic hedge /a /b");
	assert_makes("{{len .Songs}} {{len .Name}} {{len .Labels}} {{len .State.Error}}",
		     "3 4 3 0");
	assert_makes("{{slice .Name 1 3}} {{slice .Songs 2}} {{slice .Word 1}}",
		     "re [\"trill\"] pfel und \xc3\x96l");
	assert_makes("{{truncate .Word 3}}|{{pad .Name 1 2}}|{{pad .Empty 1 2}}|",
		     "\xc3\xa4pf| wren  ||");
	assert_makes("{{upper .State.Error}}{{truncate .Labels.nosuch 3}}.", ".");
	assert_makes("{{print .Name 1 true}} {{println}}", "wren1true \n");
}

static void test_printf(void **state)
{
	(void)state;
	assert_makes("{{printf \"%s|%6s|%-6s|%.2s|%v\" .Name .Name .Name .Name .Songs}}",
		     "wren|  wren|wren  |wr|[\"tic\",\"tic tic\",\"trill\"]");
	assert_makes("{{printf \"%d|%5d|%-5d|%05d|%+d|%x|%X|%o\" 42 42 42 -42 42 255 255 8}}",
		     "42|   42|42   |-0042|+42|ff|FF|10");
	assert_makes("{{printf \"%.2f|%6.1f|%g|%t|%q|%%\" .State.Weight -1 0.5 true .Name}}",
		     "8.50|  -1.0|0.5|true|\"wren\"|%");
	assert_makes("{{printf \"%-7s|%.3s|\" .Word .Word}}{{printf \"%s\" .Evil}}",
		     "\xc3\xa4pfel und \xc3\x96l|\xc3\xa4pf|a\\x1b[31m\\nb\\tc");
	assert_fails("{{printf \"%d\" .Name}}",
		     "--format: printf: %d is for a whole number, and this is "
		     "text (character 3: printf \"%d\" .Name}})");
	assert_fails(
		"{{printf \"%s %s\" 1}}",
		"--format: printf: there is nothing for %s (character 3: printf \"%s %s\" 1}})");
	assert_fails(
		"{{printf \"x\" 1}}",
		"--format: printf: there is no % for number 1 (character 3: printf \"x\" 1}})");
	assert_fails("{{printf \"%y\" 1}}",
		     "--format: printf: not understood: %y (character 3: printf \"%y\" 1}})");
	assert_fails("{{printf \"%9999s\" 1}}",
		     "--format: printf: wider than 1000: %9999s (character "
		     "3: printf \"%9999s\" 1}})");
	assert_fails("{{printf 1}}", "--format: printf: what comes first is no text, but a number "
				     "(character 3: printf 1}})");
}

static void test_what_is_not_there(void **state)
{
	(void)state;
	assert_fails("{{.Nome}}", "--format: there is no field .Nome");
	assert_fails("{{.State.Nome}}", "--format: there is no field .State.Nome");
	assert_fails("{{.Name.First}}",
		     "--format: there is no field .Name.First: it would be one of text");
	assert_fails("{{.State.Error.Text}}",
		     "--format: there is no field .State.Error.Text: it would be one of null");
	assert_fails("{{range .Mounts}}{{.Soruce}}{{end}}", "--format: there is no field .Soruce");
	assert_fails("{{index .Songs 3}}", "--format: index: there is no number 3, but 3 from 0 on "
					   "(character 3: index .Songs 3}})");
	assert_fails("{{index .Songs \"a\"}}",
		     "--format: index: this is not a whole number, but text (character 3: index "
		     ".Songs \"a\"}})");
	assert_fails("{{range .Name}}{{end}}",
		     "--format: range: this is no list, but text (character 9: .Name}}{{end}})");
	assert_fails("{{upper .State.Pid}}", "--format: upper: this is not text, but a number "
					     "(character 3: upper .State.Pid}})");
	assert_fails("{{eq .Name 1}}",
		     "--format: eq: text and a number are not compared (character "
		     "3: eq .Name 1}})");
	assert_fails("{{lt .State.Running true}}", "--format: lt: true and true are not compared "
						   "(character 3: lt .State.Running true}})");
	assert_fails("{{join .Name \",\"}}",
		     "--format: join: this is not a list, but text (character "
		     "3: join .Name \",\"}})");
	assert_fails("{{slice .Name 3 1}}",
		     "--format: slice: 3 is behind 1 (character 3: slice .Name 3 1}})");
	assert_fails("{{slice .Name 9}}",
		     "--format: slice: 9 is not from 0 to 4 (character 3: slice .Name 9}})");
}

static void test_not_understood(void **state)
{
	(void)state;
	assert_fails("ab{{.X", "--format: }} is missing (at its end)");
	assert_fails("{{.X}", "--format: not understood (character 5: })");
	assert_fails("x{{}}", "--format: there is nothing in it (character 4: }})");
	assert_fails("{{..X}}", "--format: a name is missing behind this dot (character 3: ..X}})");
	assert_fails("{{.X.}}", "--format: a name is missing behind this dot (character 5: .}})");
	assert_fails("{{json}}", "--format: json takes 1 (character 3: json}})");
	assert_fails("{{json . .}}", "--format: json takes 1 (character 3: json . .}})");
	assert_fails("{{eq .}}", "--format: eq takes at least 2 (character 3: eq .}})");
	assert_fails("{{.ID .Name}}",
		     "--format: only a function takes something (character 7: .Name}})");
	assert_fails("{{.ID | .Name}}",
		     "--format: this takes nothing, but a function does (character 9: .Name}})");
	assert_fails("{{foo .ID}}", "--format: there is no function foo (character 3: foo .ID}})");
	assert_fails("{{upper json .ID}}", "--format: json, with what it takes, needs parentheses "
					   "(character 9: json .ID}})");
	assert_fails("{{if .X}}a",
		     "--format: {{end}} is missing for this (character 1: {{if .X}}a)");
	assert_fails("{{end}}",
		     "--format: there is nothing that this belongs to (character 3: end}})");
	assert_fails("{{else}}",
		     "--format: there is nothing that this belongs to (character 3: else}})");
	assert_fails("{{if .X}}{{else}}{{else}}{{end}}",
		     "--format: a second else (character 24: }}{{end}})");
	assert_fails("{{break}}",
		     "--format: this is for range, and there is none round it (character 1: "
		     "{{break}})");
	assert_fails("{{range .X}}{{else}}{{continue}}{{end}}",
		     "--format: this is for range, and there is none round it (character 21: "
		     "{{continue}}{{end}})");
	assert_fails("{{if}}{{end}}", "--format: there is nothing in it (character 5: }}{{end}})");
	assert_fails("{{$x}}", "--format: there is no variable $x (character 3: $x}})");
	assert_fails("{{if true}}{{$x := 1}}{{end}}{{$x}}",
		     "--format: there is no variable $x (character 32: $x}})");
	assert_fails("{{$ := 1}}",
		     "--format: $ is the object, and stays it (character 3: $ := 1}})");
	assert_fails("{{$a, $b := .X}}", "--format: not understood (character 5: , $b := .X}})");
	assert_fails("{{(.X}}", "--format: this parenthesis is not closed (character 3: (.X}})");
	assert_fails("{{.X)}}", "--format: not understood (character 5: )}})");
	assert_fails("{{\"abc}}", "--format: this text does not end (character 3: \"abc}})");
	assert_fails("{{\"\\z\"}}", "--format: not understood in a text (character 4: \\z\"}})");
	assert_fails("{{\"\\xff\"}}",
		     "--format: this text is not UTF-8 (character 3: \"\\xff\"}})");
	assert_fails("{{1x}}", "--format: not a number (character 3: 1x}})");
	assert_fails("{{template \"a\"}}",
		     "--format: template: a template is one here (character 3: template \"a\"}})");
	assert_fails("{{'a'}}", "--format: not understood (character 3: 'a'}})");
}

/* `begin` and `end` so often, round `middle`; to be freed. */
static char *nest(const char *begin, const char *middle, const char *end, int n)
{
	AUTO_BUF struct buf text = BUF_INIT;

	for (int i = 0; i < n; i++)
		buf_addstr(&text, begin);
	buf_addstr(&text, middle);
	for (int i = 0; i < n; i++)
		buf_addstr(&text, end);
	return buf_steal(&text);
}

static void test_bounds(void **state)
{
	char *text = nest("{{if true}}", "x", "{{end}}", 64);

	(void)state;
	assert_makes(text, "x");
	free(text);
	text = nest("{{if true}}", "x", "{{end}}", 65);
	assert_fails(text,
		     "--format: nested deeper than 64 (character 707: if true}}x{{end}}{{end}})");
	free(text);
	text = nest("(", "1", ")", 100);
	{
		char whole[256];

		snprintf(whole, sizeof(whole), "{{%s}}", text);
		assert_fails(whole, "--format: nested deeper than 64 (character 67: "
				    "(((((((((((((((((((((((()");
	}
	free(text);
	text = nest("{{range $.Songs}}", "x", "{{end}}", 20);
	assert_fails(
		text,
		"--format: this goes on for too long (character 341: x{{end}}{{end}}{{end}}{{)");
	free(text);
	/* Twice as long with each turn. */
	text = nest("{{range $.Songs}}", "{{$x = print $x $x}}", "{{end}}", 4);
	{
		AUTO_BUF struct buf whole = BUF_INIT;

		buf_addf(&whole, "{{$x := .Name}}%s", text);
		assert_fails(
			whole.data,
			"--format: this makes a text of more than 16 MiB (character 91: print $x $x}}{{end}}{{en)");
	}
	free(text);
	text = nest("", "", "x", 65537);
	assert_fails(text, "--format: longer than 65536 bytes");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_not_understood),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
