/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_UNIT_SCRATCH_H
#define CMAN_TESTS_UNIT_SCRATCH_H

/* A directory of a test's own: setup and teardown for cmocka_unit_test_setup_teardown(). */

struct scratch {
	char path[64];
	int fd;
};

int scratch_setup(void **state);    /* *state becomes a struct scratch */
int scratch_teardown(void **state); /* removes it and all below */

#endif
