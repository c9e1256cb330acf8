/* SPDX-License-Identifier: Apache-2.0 */
/* --filter, and how a record's status and command are shown. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manager/cmd/filter.h"
#include "manager/cmd/status.h"

static struct container_record bird(void)
{
	return (struct container_record){
		.id = "beef0123456789abcdef",
		.name = (char *)"bird",
		.image = (char *)"ubuntu-base:latest",
		.image_id = (char *)"cafe0123456789",
		.state = CONTAINER_RUNNING,
	};
}

static void add_all(struct filters *filters, const char *const *texts)
{
	struct err err = ERR_INIT;

	for (; *texts; texts++)
		assert_int_equal(filters_add(filters, *texts, &err), 0);
}

#define matches(record, ...) matches_list(record, (const char *const[]){ __VA_ARGS__, NULL })

static bool matches_list(const struct container_record *record, const char *const *texts)
{
	AUTO_FILTERS struct filters filters = FILTERS_INIT;

	add_all(&filters, texts);
	return filters_match(&filters, record);
}

static void test_each_key(void **state)
{
	struct container_record record = bird();
	const struct filters none = FILTERS_INIT;

	(void)state;
	assert_true(filters_match(&none, &record));
	assert_true(matches(&record, "id=beef"));
	assert_false(matches(&record, "id=eef0"));
	assert_true(matches(&record, "name=ir"));
	assert_true(matches(&record, "name=^bird$"));
	assert_false(matches(&record, "name=^ird"));
	assert_true(matches(&record, "status=running"));
	assert_false(matches(&record, "status=exited"));
	assert_true(matches(&record, "image=ubuntu-base"));
	assert_true(matches(&record, "ancestor=ubuntu-base:latest"));
	assert_false(matches(&record, "image=ubuntu-base:24.04"));
	assert_true(matches(&record, "image=cafe01"));
	assert_true(matches(&record, "image=sha256:cafe01"));
	assert_false(matches(&record, "image=cafe99"));
	assert_false(matches(&record, "exited=0"));
	record.state = CONTAINER_EXITED;
	assert_true(matches(&record, "exited=0"));
	record.exit_code = -1;
	assert_false(matches(&record, "exited=0"));
	record.image = record.image_id = NULL;
	assert_false(matches(&record, "image=cafe01"));
}

static void test_and_or(void **state)
{
	struct container_record record = bird();

	(void)state;
	assert_true(matches(&record, "status=exited", "status=running"));
	assert_false(matches(&record, "status=exited", "status=created"));
	assert_true(matches(&record, "status=running", "name=bird"));
	assert_false(matches(&record, "status=running", "name=cat"));
	assert_true(matches(&record, "name=cat", "status=running", "name=bird"));
	/* Two words for one key. */
	assert_true(matches(&record, "image=busybox", "ancestor=ubuntu-base"));
}

static void test_asks_for_state(void **state)
{
	AUTO_FILTERS struct filters filters = FILTERS_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(filters_add(&filters, "name=a", &err), 0);
	assert_false(filters_ask_for_state(&filters));
	assert_int_equal(filters_add(&filters, "exited=3", &err), 0);
	assert_true(filters_ask_for_state(&filters));
}

static void assert_refused(const char *text, const char *message, const char *hint)
{
	AUTO_FILTERS struct filters filters = FILTERS_INIT;
	struct err err = ERR_INIT;

	assert_true(filters_add(&filters, text, &err) < 0);
	assert_string_equal(err.text, message);
	assert_string_equal(err.hint, hint);
	assert_int_equal(filters.n, 0);
}

static void test_refused(void **state)
{
	static const char keys[] =
		"keys: id, name, status, exited, image, ancestor, label, health, "
		"before, since, volume, network";

	(void)state;
	assert_refused("color=red", "--filter: unknown key: color", keys);
	assert_refused("", "--filter: unknown key: ", keys);
	assert_refused("=x", "--filter: unknown key: ", keys);
	assert_refused("nmae=x", "--filter: unknown key: nmae", "did you mean name?");
	assert_refused("name", "--filter: not of the form KEY=VALUE: name", "");
	assert_refused("name=", "--filter: not of the form KEY=VALUE: name=", "");
	assert_refused("status=dead", "--filter: not a status: dead",
		       "one of created, running, paused, restarting, exited, removing");
	assert_refused("exited=x", "--filter: not a number: x", "");
	assert_refused("exited=256", "--filter: not a number from 0 to 255: 256", "");
	assert_refused("id=xyz", "--filter: not digits of an ID: xyz", "");
}

static void test_bad_regex(void **state)
{
	AUTO_FILTERS struct filters filters = FILTERS_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(filters_add(&filters, "name=a(", &err), -EINVAL);
	assert_non_null(strstr(err.text, "--filter: not a regular expression: a(: "));
}

#define SECOND INT64_C(1000000000)

static void assert_status(const struct container_record *record, const char *expected)
{
	char text[STATUS_MAX];

	assert_string_equal(status_text(record, 1000 * SECOND, text), expected);
}

static void test_status(void **state)
{
	struct container_record record = bird();

	(void)state;
	record.started_ns = 820 * SECOND;
	assert_status(&record, "Up 3 minutes");
	record.health = HEALTH_STARTING;
	assert_status(&record, "Up 3 minutes (health: starting)");
	record.health = HEALTH_UNHEALTHY;
	assert_status(&record, "Up 3 minutes (unhealthy)");
	record.health = HEALTH_NONE;
	record.state = CONTAINER_EXITED;
	record.exit_code = 127;
	record.finished_ns = 995 * SECOND;
	assert_status(&record, "Exited (127) 5 seconds ago");
	record.state = CONTAINER_RESTARTING;
	assert_status(&record, "Restarting (127) 5 seconds ago");
	record.state = CONTAINER_EXITED;
	record.exit_code = -1;
	assert_status(&record, "Exited (?) 5 seconds ago");
	record.finished_ns = 0;
	assert_status(&record, "Exited (?)");
	/* The clock was set back since. */
	record.finished_ns = 2000 * SECOND;
	assert_status(&record, "Exited (?) less than a second ago");
	record.state = CONTAINER_CREATED;
	assert_status(&record, "Created");
	record.state = CONTAINER_PAUSED;
	assert_status(&record, "Up 3 minutes (Paused)");
	record.state = CONTAINER_REMOVING;
	assert_status(&record, "Removing");
}

static void assert_command(const char *json, const char *expected)
{
	AUTO_BUF struct buf buf = BUF_INIT;

	buf_addstr(&buf, "");
	status_add_command(&buf, json);
	assert_string_equal(buf.data, expected);
}

static void test_command(void **state)
{
	(void)state;
	assert_command("[\"top\"]", "top");
	assert_command("[\"ls\",\"-l\",\"/a b\"]", "ls -l '/a b'");
	assert_command("[\"sh\",\"-c\",\"echo 'x'; $y\"]", "sh -c 'echo '\\''x'\\''; $y'");
	assert_command("[\"\",\"a\"]", "'' a");
	assert_command("[]", "");
	assert_command("not json", "not json");
	assert_command("{}", "{}");
	assert_command("[1,\"a\"]", " a");
	/* With escapes, with blanks, and cut off: another way in the code. */
	assert_command("[\"a\", \"b\"]", "a b");
	assert_command("[\"a\",\"b\\u0041\\n\"]", "a 'bA\n'");
	assert_command("[\"a\",\"b", "[\"a\",\"b");
	assert_command("[\"a\"]x", "[\"a\"]x");
	assert_command(NULL, "");
}

static void test_labels_and_health(void **state)
{
	struct container_record record = bird();
	const struct {
		const char *text;
		bool holds;
	} cases[] = {
		{ "label=tier", true },	      { "label=tier=front", true },
		{ "label=tier=back", false }, { "label=tie", false },
		{ "label=empty", true },      { "label=empty=", true },
		{ "health=healthy", true },   { "health=none", false },
	};

	(void)state;
	record.labels = (char *)"{\"tier\":\"front\",\"empty\":\"\"}";
	record.health = HEALTH_HEALTHY;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FILTERS struct filters filters = FILTERS_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(filters_add(&filters, cases[i].text, &err), 0);
		assert_int_equal(filters_match(&filters, &record), cases[i].holds);
	}
	record.labels = NULL;
	AUTO_FILTERS struct filters filters = FILTERS_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(filters_add(&filters, "label=tier", &err), 0);
	assert_false(filters_match(&filters, &record));
	assert_int_equal(filters_add(&filters, "health=fine", &err), -EINVAL);
	assert_string_equal(err.text, "--filter: not a state of health: fine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels_and_health),
		cmocka_unit_test(test_each_key),
		cmocka_unit_test(test_and_or),
		cmocka_unit_test(test_asks_for_state),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_regex),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
