/* SPDX-License-Identifier: Apache-2.0 */
/* exec_recall(): what is kept of a spec comes back, of that file only, and whole or not at all. */
#include "manager/exec_recall.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/strv.h"

static const struct stat old_file = {
	.st_dev = 7, .st_ino = 11, .st_size = 4363, .st_ctim = { 1000, 5 }, .st_mtim = { 1000, 4 }
};

struct place {
	char dir[32];
	int fd;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->dir, "/tmp/cman-recall-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	place->fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->fd >= 0);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	(void)unlinkat(place->fd, "exec.cache", 0);
	close(place->fd);
	assert_int_equal(rmdir(place->dir), 0);
	free(place);
	return 0;
}

static struct spec make_spec(void)
{
	struct spec spec = {
		.namespaces = SPEC_NS_MOUNT | SPEC_NS_PID,
		.cgroups_path = strdup("/cman/x"),
		.seccomp = strdup("{}"),
		.seccomp_default = true,
	};
	struct spec_process *process = &spec.process;

	assert_int_equal(strv_add(&process->env, "PATH=/bin"), 0);
	assert_int_equal(strv_add(&process->env, "EMPTY="), 0);
	assert_int_equal(strv_add(&process->user.groups, "wheel"), 0);
	process->user.lookup = strdup("bird:nest");
	process->cwd = strdup("/srv");
	process->user.uid = 4000000000U;
	process->user.gid = 5;
	process->user.umask = 027;
	process->user.additional_gids = malloc(2 * sizeof(gid_t));
	process->user.additional_gids[0] = 7;
	process->user.additional_gids[1] = 8;
	process->user.nadditional_gids = 2;
	process->rlimits = malloc(sizeof(*process->rlimits));
	process->rlimits[0] = (struct spec_rlimit){ RLIMIT_NOFILE, 64, UINT64_MAX };
	process->nrlimits = 1;
	process->capabilities = (struct spec_capabilities){ 1, 2, 4, 8, UINT64_C(1) << 40 };
	process->has_oom_score_adj = true;
	process->oom_score_adj = -500;
	process->no_new_privileges = true;
	return spec;
}

static void all_of_it_comes_back(void **state)
{
	const struct place *place = *state;
	AUTO_SPEC struct spec spec = make_spec();
	AUTO_SPEC struct spec found = SPEC_INIT;
	const struct spec_process *process = &found.process;

	exec_remember(place->fd, &old_file, &spec);
	assert_true(exec_recall(place->fd, &old_file, &found));
	assert_int_equal(found.namespaces, SPEC_NS_MOUNT | SPEC_NS_PID);
	assert_string_equal(found.cgroups_path, "/cman/x");
	assert_string_equal(found.seccomp, "{}");
	assert_true(found.seccomp_default);
	assert_int_equal(strv_len(process->env), 2);
	assert_string_equal(process->env[0], "PATH=/bin");
	assert_string_equal(process->env[1], "EMPTY=");
	assert_int_equal(strv_len(process->user.groups), 1);
	assert_string_equal(process->user.groups[0], "wheel");
	assert_string_equal(process->user.lookup, "bird:nest");
	assert_string_equal(process->cwd, "/srv");
	assert_true(process->user.uid == 4000000000U && process->user.gid == 5);
	assert_int_equal(process->user.umask, 027);
	assert_int_equal(process->user.nadditional_gids, 2);
	assert_int_equal(process->user.additional_gids[1], 8);
	assert_int_equal(process->nrlimits, 1);
	assert_int_equal(process->rlimits[0].resource, RLIMIT_NOFILE);
	assert_true(process->rlimits[0].soft == 64 && process->rlimits[0].hard == UINT64_MAX);
	assert_memory_equal(&process->capabilities, &spec.process.capabilities,
			    sizeof(process->capabilities));
	assert_true(process->has_oom_score_adj && process->no_new_privileges);
	assert_int_equal(process->oom_score_adj, -500);
}

static void nothing_of_a_spec_that_has_nothing(void **state)
{
	const struct place *place = *state;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	AUTO_SPEC struct spec found = SPEC_INIT;

	exec_remember(place->fd, &old_file, &spec);
	assert_true(exec_recall(place->fd, &old_file, &found));
	assert_null(found.process.env);
	assert_null(found.process.cwd);
	assert_null(found.process.user.lookup);
	assert_null(found.seccomp);
	assert_false(found.seccomp_default);
	assert_false(found.process.no_new_privileges);
}

static void of_another_file_it_is_not(void **state)
{
	const struct place *place = *state;
	AUTO_SPEC struct spec spec = make_spec();
	AUTO_SPEC struct spec found = SPEC_INIT;
	struct stat others[] = { old_file, old_file, old_file, old_file, old_file };

	others[0].st_dev++;
	others[1].st_ino++;
	others[2].st_size++;
	others[3].st_ctim.tv_nsec++;
	others[4].st_mtim.tv_sec--;
	exec_remember(place->fd, &old_file, &spec);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(exec_recall(place->fd, &others[i], &found));
	assert_true(exec_recall(place->fd, &old_file, &found));
}

/* It may be changed once more, and have the same times. */
static void of_a_file_that_is_new_nothing_is_kept(void **state)
{
	const struct place *place = *state;
	AUTO_SPEC struct spec spec = make_spec();
	AUTO_SPEC struct spec found = SPEC_INIT;
	struct stat young = old_file;

	clock_gettime(CLOCK_REALTIME, &young.st_ctim);
	exec_remember(place->fd, &young, &spec);
	assert_false(exec_recall(place->fd, &young, &found));
	young.st_ctim.tv_sec += 3600; /* the clock has been set back since */
	exec_remember(place->fd, &young, &spec);
	assert_false(exec_recall(place->fd, &young, &found));
	young.st_ctim.tv_sec -= 3602;
	exec_remember(place->fd, &young, &spec);
	assert_true(exec_recall(place->fd, &young, &found));
}

/* Whichever byte is another one, or the last that is there. */
static void damage_is_found(void **state)
{
	const struct place *place = *state;
	AUTO_SPEC struct spec spec = make_spec();
	AUTO_CLOSE int fd = -1;
	char bytes[4096];
	ssize_t len;

	exec_remember(place->fd, &old_file, &spec);
	fd = openat(place->fd, "exec.cache", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	len = read(fd, bytes, sizeof(bytes));
	assert_true(len > 0 && len < (ssize_t)sizeof(bytes));
	for (ssize_t at = 0; at < len; at++) {
		AUTO_SPEC struct spec found = SPEC_INIT;
		const char other = (char)(bytes[at] ^ 0x20);

		assert_int_equal(pwrite(fd, &other, 1, at), 1);
		assert_false(exec_recall(place->fd, &old_file, &found));
		assert_int_equal(pwrite(fd, &bytes[at], 1, at), 1);
	}
	for (ssize_t at = len - 1; at >= 0; at--) {
		AUTO_SPEC struct spec found = SPEC_INIT;

		assert_int_equal(ftruncate(fd, at), 0);
		assert_false(exec_recall(place->fd, &old_file, &found));
	}
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PLACE(all_of_it_comes_back),
		WITH_PLACE(nothing_of_a_spec_that_has_nothing),
		WITH_PLACE(of_another_file_it_is_not),
		WITH_PLACE(of_a_file_that_is_new_nothing_is_kept),
		WITH_PLACE(damage_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
