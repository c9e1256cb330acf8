/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that move, as a terminal shows them: manager/cmd/progress_view.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "manager/cmd/progress_view.h"

#define SECOND INT64_C(1000000000)
#define MB INT64_C(1000000)

static struct layer_progress layer(size_t index, enum layer_state state, int64_t done,
				   int64_t total)
{
	struct layer_progress out = {
		.index = index,
		.count = 4,
		.state = state,
		.done = done,
		.total = total,
	};

	snprintf(out.id, sizeof(out.id), "%zu", index);
	return out;
}

static void take(struct progress_view *view, struct layer_progress what, int64_t now)
{
	(void)progress_view_take(view, &what, now);
}

static void assert_drawn(struct progress_view *view, int width, int height, int64_t now,
			 const char *expected)
{
	AUTO_BUF struct buf out = BUF_INIT;

	progress_view_draw(view, width, height, now, &out);
	assert_string_equal(out.data, expected);
}

static void test_lines(void **state)
{
	struct progress_view view = { 0 };

	(void)state;
	take(&view, layer(0, LAYER_EXISTS, 0, 50 * MB), 0);
	take(&view, layer(1, LAYER_DOWNLOADING, 0, 10 * MB), 0);
	take(&view, layer(2, LAYER_UNPACKING, 2 * MB, 2 * MB), 0);
	take(&view, layer(3, LAYER_WAITING, 0, 8 * MB), 0);
	take(&view, layer(1, LAYER_DOWNLOADING, MB, 10 * MB), 0);
	take(&view, layer(1, LAYER_DOWNLOADING, 6 * MB, 10 * MB), SECOND);
	assert_drawn(&view, 80, 24, SECOND,
		     "1  [=======>     ]   60%  6.00 MB of 10.0 MB  5.00 MB/s  1 s left\n"
		     "2  unpacking\n"
		     "1 of 4 layers, 1 waiting   40%  8.00 MB of 20.0 MB  5.00 MB/s  2 s left\n");
	/* Over themselves, and fewer. */
	take(&view, layer(1, LAYER_DONE, 10 * MB, 10 * MB), 2 * SECOND);
	take(&view, layer(2, LAYER_DONE, 2 * MB, 2 * MB), 2 * SECOND);
	assert_drawn(&view, 80, 24, 2 * SECOND,
		     "\r\033[3A\033[J"
		     "3 of 4 layers, 1 waiting   60%  12.0 MB of 20.0 MB\n");
}

static void test_one_archive_has_one_line(void **state)
{
	struct progress_view view = { 0 };
	struct layer_progress archive = { .count = 1, .state = LAYER_DOWNLOADING, .total = -1 };

	(void)state;
	take(&view, archive, 0);
	archive.done = MB;
	take(&view, archive, 0);
	archive.done = 4 * MB;
	take(&view, archive, SECOND);
	assert_drawn(&view, 80, 24, SECOND, "4.00 MB  3.00 MB/s\n");
}

static void test_what_was_there_is_no_rate(void **state)
{
	struct progress_view view = { 0 };

	(void)state;
	take(&view, layer(0, LAYER_DOWNLOADING, 0, 100 * MB), 0);
	take(&view, layer(0, LAYER_DOWNLOADING, 90 * MB, 100 * MB), SECOND);
	take(&view, layer(0, LAYER_DOWNLOADING, 91 * MB, 100 * MB), 2 * SECOND);
	assert_drawn(&view, 50, 24, 2 * SECOND,
		     "0   91%  91.0 MB of 100 MB  1.00 MB/s  9 s left\n"
		     "0 of 4 layers   91%  91.0 MB of 100 MB  1.00 MB/s\n");
}

static void test_a_low_terminal_shows_what_fits(void **state)
{
	struct progress_view view = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		take(&view, layer(i, LAYER_DOWNLOADING, 0, 0), 0);
	assert_drawn(&view, 40, 4, 0, "0  0 B\n1  0 B\n0 of 4 layers  0 B\n");
	assert_drawn(&view, 40, 2, 0, "\r\033[3A\033[J0 of 4 layers  0 B\n");
}

/* A terminal that becomes narrower breaks the lines that are there. */
static void test_resize(void **state)
{
	struct progress_view view = { 0 };
	AUTO_BUF struct buf out = BUF_INIT;

	(void)state;
	take(&view, layer(0, LAYER_DOWNLOADING, 0, 100 * MB), 0);
	assert_drawn(&view, 80, 24, 0,
		     "0  [>            ]    0%  0 B of 100 MB\n"
		     "0 of 4 layers    0%  0 B of 100 MB\n");
	assert_drawn(&view, 20, 24, 0,
		     "\r\033[4A\033[J0    0%  0 B of 100\n"
		     "0 of 4 layers    0%\n");
	progress_view_erase(&view, 20, &out);
	assert_string_equal(out.data, "\r\033[2A\033[J");
	progress_view_erase(&view, 20, &out);
	assert_int_equal(out.len, strlen("\r\033[2A\033[J"));
}

static void test_changes_of_state(void **state)
{
	struct progress_view view = { 0 };
	struct layer_progress first = layer(0, LAYER_WAITING, 0, 5);
	struct layer_progress far = layer(PROGRESS_MAX_LAYERS, LAYER_WAITING, 0, 5);

	(void)state;
	assert_true(progress_view_take(&view, &first, 0));
	assert_false(progress_view_take(&view, &first, 0));
	first.state = LAYER_DONE;
	assert_true(progress_view_take(&view, &first, 0));
	/* Another image's. */
	strcpy(first.id, "other");
	assert_true(progress_view_take(&view, &first, 0));
	assert_false(progress_view_take(&view, &far, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_one_archive_has_one_line),
		cmocka_unit_test(test_what_was_there_is_no_rate),
		cmocka_unit_test(test_a_low_terminal_shows_what_fits),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_changes_of_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
