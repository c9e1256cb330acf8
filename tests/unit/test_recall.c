/* SPDX-License-Identifier: Apache-2.0 */
/* recall_name(): the same file for the same question, and room for many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "manager/cmd/recall.h"

#define FILES 1024
#define QUESTIONS 1000

static void a_question_has_one_file(void **state)
{
	char name[RECALL_NAME_SIZE], again[RECALL_NAME_SIZE];

	(void)state;
	recall_name("container", FILES, "bird", 4, name);
	recall_name("container", FILES, "bird and more", 4, again);
	assert_string_equal(name, again);
	assert_int_equal(strlen(name), strlen("container-000"));
	recall_name("a longer kind", 4096, "bird", 4, name);
	assert_int_equal(strlen(name), RECALL_NAME_SIZE - 1);
}

/* Each that shares a file with another is forgotten between two rounds of a script. */
static void names_in_a_row_are_spread(void **state)
{
	bool is_taken[FILES] = { false };
	size_t ntaken = 0;

	(void)state;
	for (unsigned i = 0; i < QUESTIONS; i++) {
		char question[16], name[RECALL_NAME_SIZE];
		unsigned at;

		snprintf(question, sizeof(question), "worker%u", i);
		recall_name("container", FILES, question, strlen(question), name);
		assert_int_equal(sscanf(name, "container-%x", &at), 1);
		assert_true(at < FILES);
		ntaken += !is_taken[at];
		is_taken[at] = true;
	}
	/* By chance it would be 638. */
	assert_true(ntaken > 550);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_has_one_file),
		cmocka_unit_test(names_in_a_row_are_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
