/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that an image was made by: image/history.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/history.h"
#include "tests/unit/document_fixture.h"

static struct image_layer layers[3] = { { .size = 1 }, { .size = 2 }, { .size = 3 } };

static int read_history(const char *config, struct history *out, struct err *err)
{
	AUTO_IMAGE_DOCUMENT struct image_document document = fixture_document(config);
	const struct image_record image = {
		.layers = layers,
		.nlayers = 3,
	};

	return history_of(&image, &document, out, err);
}

static void test_steps_and_layers(void **state)
{
	AUTO_HISTORY struct history history = HISTORY_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(read_history("{\"history\":[{\"created\":\"2026-01-01T00:00:00Z\","
				      "\"created_by\":\"a\",\"author\":\"b\",\"comment\":\"c\"},"
				      "{\"created_by\":\"ENV\",\"empty_layer\":true},{},{}]}",
				      &history, &err),
			 0);
	assert_int_equal(history.nsteps, 4);
	assert_string_equal(history.steps[0].created, "2026-01-01T00:00:00Z");
	assert_string_equal(history.steps[0].created_by, "a");
	assert_string_equal(history.steps[0].author, "b");
	assert_string_equal(history.steps[0].comment, "c");
	assert_ptr_equal(history.steps[0].layer, &layers[0]);
	assert_null(history.steps[1].layer);
	assert_ptr_equal(history.steps[2].layer, &layers[1]);
	assert_null(history.steps[2].created_by);
	assert_ptr_equal(history.steps[3].layer, &layers[2]);
}

/* Every layer is shown, whatever the history says; and every step. */
static void test_too_few_and_too_many(void **state)
{
	static const struct {
		const char *config;
		size_t steps;
	} cases[] = {
		{ "{}", 3 },
		{ "{\"history\":[{\"empty_layer\":true}]}", 4 },
		{ "{\"history\":[{},{},{},{},{}]}", 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_HISTORY struct history history = HISTORY_INIT;
		struct err err = ERR_INIT;
		size_t shown = 0;

		assert_int_equal(read_history(cases[i].config, &history, &err), 0);
		assert_int_equal(history.nsteps, cases[i].steps);
		for (size_t j = 0; j < history.nsteps; j++)
			shown += history.steps[j].layer != NULL;
		assert_int_equal(shown, 3);
	}
}

static void test_refused(void **state)
{
	struct history history = { .nsteps = 77 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(read_history("{\"history\":{}}", &history, &err), -EINVAL);
	assert_string_equal(err.text, "image configuration: \"history\" is not an array");
	assert_int_equal(read_history("{\"history\":[{},1]}", &history, &err), -EINVAL);
	assert_string_equal(err.text, "image configuration: \"history\": element 1: \"created\": "
				      "what should hold it is no object");
	assert_int_equal(history.nsteps, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps_and_layers),
		cmocka_unit_test(test_too_few_and_too_many),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
