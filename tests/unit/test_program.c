/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/program.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/scratch.h"

static void put(const struct scratch *scratch, const char *path, mode_t mode)
{
	int fd = openat(scratch->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	close(fd);
}

/* Two directories of programs: "first" has a directory and a file that cannot be executed. */
static int setup(void **state)
{
	struct scratch *scratch;

	if (scratch_setup(state) < 0)
		return -1;
	scratch = *state;
	mkdirat(scratch->fd, "first", 0755);
	mkdirat(scratch->fd, "second", 0755);
	mkdirat(scratch->fd, "first/folder", 0755);
	put(scratch, "first/text", 0644);
	put(scratch, "first/tool", 0755);
	put(scratch, "second/tool", 0755);
	put(scratch, "second/text2", 0644);
	put(scratch, "second/folder", 0755);
	put(scratch, "here", 0755);
	return fchdir(scratch->fd);
}

static int teardown(void **state)
{
	return chdir("/") < 0 ? -1 : scratch_teardown(state);
}

static void assert_found(const char *name, const char *path, const char *expected)
{
	struct err err = ERR_INIT;
	char *found = NULL;

	if (program_resolve(name, path, &found, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(found, expected);
	free(found);
}

static void assert_refused(const char *name, const char *path, enum err_kind kind, const char *text)
{
	struct err err = ERR_INIT;
	char *found = NULL;

	assert_true(program_resolve(name, path, &found, &err) < 0);
	assert_null(found);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err.text, text);
}

static void the_first_that_can_be_executed_is_taken(void **state)
{
	(void)state;
	assert_found("tool", "first:second", "first/tool");
	assert_found("tool", "none:second", "second/tool");
	assert_found("tool", "here:second", "second/tool"); /* a file is no directory */
	assert_found("folder", "first:second", "second/folder");
}

static void an_empty_entry_is_the_working_directory(void **state)
{
	(void)state;
	assert_found("here", "first:", "./here");
	assert_found("here", ":first", "./here");
	assert_found("here", "", "./here");
	assert_found("here", "first::second", "./here");
}

static void a_slash_means_no_search(void **state)
{
	(void)state;
	assert_found("./here", "first", "./here");
	assert_found("second/tool", "first", "second/tool");
	assert_refused("./tool", "first", ERR_NO_PROGRAM,
		       "cannot execute \"./tool\": No such file or directory");
	assert_refused("here/x", "first", ERR_NO_PROGRAM,
		       "cannot execute \"here/x\": Not a directory");
	assert_refused("first/folder", "first", ERR_NO_EXEC,
		       "cannot execute \"first/folder\": Is a directory");
	assert_refused("first/text", "first", ERR_NO_EXEC,
		       "cannot execute \"first/text\": Permission denied");
}

static void what_is_missing_and_what_is_denied_differ(void **state)
{
	(void)state;
	assert_refused("bird", "first:second", ERR_NO_PROGRAM,
		       "there is no program \"bird\" in the container's PATH");
	assert_refused("text", "first:second", ERR_NO_EXEC,
		       "cannot execute \"text\": Permission denied");
	assert_refused("folder", "first", ERR_NO_PROGRAM,
		       "there is no program \"folder\" in the container's PATH");
	assert_refused("", "first", ERR_NO_PROGRAM, "the program's name is empty");
}

static void without_a_path_there_is_a_default(void **state)
{
	struct err err = ERR_INIT;
	char *found = NULL;

	(void)state;
	assert_int_equal(program_resolve("sh", NULL, &found, &err), 0);
	assert_int_equal(found[0], '/');
	free(found);
}

static void a_failed_execve_tells_what_it_means(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(program_exec_failed("/x", ENOENT, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NO_PROGRAM);
	assert_string_equal(err.text,
			    "cannot execute \"/x\": its interpreter or dynamic loader is missing");
	assert_int_equal(program_exec_failed("/x", ENOEXEC, &err), -ENOEXEC);
	assert_int_equal(err.kind, ERR_NO_EXEC);
	assert_non_null(strstr(err.hint, "#!/bin/sh"));
	assert_int_equal(program_exec_failed("/x", EACCES, &err), -EACCES);
	assert_int_equal(err.kind, ERR_NO_EXEC);
	assert_string_equal(err.hint, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_that_can_be_executed_is_taken),
		TEST(an_empty_entry_is_the_working_directory),
		TEST(a_slash_means_no_search),
		TEST(what_is_missing_and_what_is_denied_differ),
		cmocka_unit_test(without_a_path_there_is_a_default),
		cmocka_unit_test(a_failed_execve_tells_what_it_means),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
