/* SPDX-License-Identifier: Apache-2.0 */
/* What the stages of a pull say is not believed: image/unpack_stage.c, image/fetch_stage.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "image/fetch_stage.h"
#include "image/unpack_stage.h"

static struct unpack_report good_report(void)
{
	struct unpack_report report;

	memset(&report, 0, sizeof(report));
	report.result.entries = 1;
	return report;
}

static int check_report(struct unpack_report report)
{
	struct err err = ERR_INIT;

	return unpack_report_check(&report, &err);
}

static void test_reports(void **state)
{
	struct unpack_report report = good_report();
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(check_report(report), 0);
	report.result.entries = 0; /* an empty layer */
	assert_int_equal(check_report(report), 0);
	report.result.entries = -1;
	assert_int_equal(check_report(report), -EPROTO);
	report = good_report();
	report.result.deletions = -1;
	assert_int_equal(check_report(report), -EPROTO);
	report = good_report();
	report.marks_bytes = -1;
	assert_int_equal(check_report(report), -EPROTO);
	report = good_report();
	report.result.size = -1;
	assert_int_equal(check_report(report), -EPROTO);
	/* a failure without a reason, and one with a negative errno */
	report = good_report();
	report.failed = 1;
	assert_int_equal(check_report(report), -EPROTO);
	report.err.kind = ERR_SYS;
	report.err.num = -1;
	assert_int_equal(check_report(report), -EPROTO);
	/* texts without an end */
	report.err.num = EIO;
	memset(report.err.text, 'x', sizeof(report.err.text));
	memset(report.err.hint, 'y', sizeof(report.err.hint));
	assert_int_equal(unpack_report_check(&report, &err), 0);
	assert_int_equal(strlen(report.err.text), sizeof(report.err.text) - 1);
	assert_int_equal(strlen(report.err.hint), sizeof(report.err.hint) - 1);
}

static int check_event(struct fetch_event event)
{
	struct err err = ERR_INIT;

	return fetch_event_check(&event, &err);
}

static void test_events(void **state)
{
	struct fetch_event event, good;
	struct err err = ERR_INIT;

	(void)state;
	memset(&good, 0, sizeof(good));
	good.kind = FETCH_EVENT_HEAD;
	good.status = 206;
	good.offset = 5;
	good.total = 10;
	assert_int_equal(check_event(good), 0);
	event = good;
	event.total = -1;
	assert_int_equal(check_event(event), 0);
	event.total = -2;
	assert_int_equal(check_event(event), -EPROTO);
	event = good;
	event.total = 4;
	assert_int_equal(check_event(event), -EPROTO);
	event = good;
	event.offset = -1;
	assert_int_equal(check_event(event), -EPROTO);
	/* What is counted on from there must not overflow. */
	event.offset = INT64_MAX - 1;
	event.total = -1;
	assert_int_equal(check_event(event), -EPROTO);
	event = good;
	event.kind = FETCH_EVENT_END + 1;
	assert_int_equal(check_event(event), -EPROTO);
	event.kind = 0;
	assert_int_equal(check_event(event), -EPROTO);
	event = good;
	event.sent = -1;
	assert_int_equal(check_event(event), -EPROTO);
	event = good;
	event.range_end = -2;
	assert_int_equal(check_event(event), -EPROTO);
	event = good;
	event.status = 1000;
	assert_int_equal(check_event(event), -EPROTO);
	event = good;
	event.retry_after_s = -1;
	assert_int_equal(check_event(event), -EPROTO);
	event = good;
	event.kind = FETCH_EVENT_END;
	event.failed = 1;
	assert_int_equal(check_event(event), -EPROTO);
	event = good;
	memset(event.validator, 'x', sizeof(event.validator));
	memset(event.location, 'x', sizeof(event.location));
	memset(event.link, 'x', sizeof(event.link));
	memset(event.message, 'x', sizeof(event.message));
	assert_int_equal(fetch_event_check(&event, &err), 0);
	assert_int_equal(strlen(event.validator), sizeof(event.validator) - 1);
	assert_int_equal(strlen(event.location), sizeof(event.location) - 1);
	assert_int_equal(strlen(event.link), sizeof(event.link) - 1);
	assert_int_equal(strlen(event.message), sizeof(event.message) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
