/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/creds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/fd.h"

/* ---- lookup, in a root made for each test --------------------------------------------------- */

struct root {
	char path[64];
	int fd, etc;
};

static int make_root(void **state)
{
	struct root *root = calloc(1, sizeof(*root));

	snprintf(root->path, sizeof(root->path), "/tmp/test_creds.XXXXXX");
	if (!mkdtemp(root->path))
		return -1;
	root->fd = open(root->path, O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0 || mkdirat(root->fd, "etc", 0755) < 0)
		return -1;
	root->etc = openat(root->fd, "etc", O_DIRECTORY | O_CLOEXEC);
	*state = root;
	return root->etc < 0 ? -1 : 0;
}

static int remove_root(void **state)
{
	struct root *root = *state;
	struct err err = ERR_INIT;
	int tmp = open("/tmp", O_DIRECTORY | O_CLOEXEC);

	close(root->etc);
	close(root->fd);
	if (fd_remove_tree(tmp, strrchr(root->path, '/') + 1, &err) < 0)
		fail_msg("%s", err.text);
	close(tmp);
	free(root);
	return 0;
}

static void put(const struct root *root, const char *name, const char *content)
{
	int fd = openat(root->etc, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, content, strlen(content)), 0);
	close(fd);
}

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/sh\n"
				  "bird:x:1000:1001::/home/bird:/bin/sh\n"
				  "bird:x:1:1::/second:/bin/sh\n"
				  "nohome:x:7:8:::\n"
				  "1000:x:55:55::/number:/bin/sh\n";
static const char group_text[] = "root:x:0:root\n"
				 "audio:x:63:fish,bird\n"
				 "video:x:44:bird\n"
				 "again:x:63:bird\n"
				 "staff:x:50:\n";

static void put_both(const struct root *root)
{
	put(root, "passwd", passwd_text);
	put(root, "group", group_text);
}

static void looks_up_by_name_with_groups(void **state)
{
	struct root *root = *state;
	struct spec_user user = { .umask = 022 };
	struct err err = ERR_INIT;
	char *home = NULL;

	put_both(root);
	assert_int_equal(creds_lookup(root->fd, "bird", &user, &home, &err), 0);
	assert_int_equal(user.uid, 1000);
	assert_int_equal(user.gid, 1001);
	assert_string_equal(home, "/home/bird");
	assert_int_equal(user.nadditional_gids, 2);
	assert_int_equal(user.additional_gids[0], 44);
	assert_int_equal(user.additional_gids[1], 63);
	assert_int_equal(user.umask, 022);
	free(user.additional_gids);
	free(home);
}

/*
 * A number is a number, even where a user is called by it; its entry gives group, home and groups.
 */
static void looks_up_by_number(void **state)
{
	struct root *root = *state;
	struct spec_user user = { 0 };
	struct err err = ERR_INIT;
	char *home = NULL;

	put_both(root);
	assert_int_equal(creds_lookup(root->fd, "1000", &user, &home, &err), 0);
	assert_int_equal(user.uid, 1000);
	assert_int_equal(user.gid, 1001);
	assert_int_equal(user.nadditional_gids, 2);
	assert_string_equal(home, "/home/bird");
	free(user.additional_gids);
	free(home);
}

static void takes_numbers_without_entry(void **state)
{
	struct root *root = *state;
	struct spec_user user = { .uid = 9, .gid = 9 };
	struct err err = ERR_INIT;
	char *home = NULL;

	assert_int_equal(creds_lookup(root->fd, "4242", &user, &home, &err), 0);
	assert_int_equal(user.uid, 4242);
	assert_int_equal(user.gid, 0);
	assert_null(home);
	assert_int_equal(creds_lookup(root->fd, "4242:77", &user, &home, &err), 0);
	assert_int_equal(user.gid, 77);
	assert_int_equal(user.nadditional_gids, 0);
}

static void explicit_group_is_the_only_one(void **state)
{
	struct root *root = *state;
	struct spec_user user = { 0 };
	struct err err = ERR_INIT;
	char *home = NULL;

	put_both(root);
	assert_int_equal(creds_lookup(root->fd, "bird:staff", &user, &home, &err), 0);
	assert_int_equal(user.uid, 1000);
	assert_int_equal(user.gid, 50);
	assert_int_equal(user.nadditional_gids, 0);
	free(home);
}

static void nobody_named_means_root(void **state)
{
	static const char *const names[] = { NULL, "", "0", "root" };
	struct root *root = *state;

	put_both(root);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct spec_user user = { .uid = 9, .gid = 9 };
		struct err err = ERR_INIT;
		char *home = NULL;

		assert_int_equal(creds_lookup(root->fd, names[i], &user, &home, &err), 0);
		assert_int_equal(user.uid, 0);
		assert_int_equal(user.gid, 0);
		assert_string_equal(home, "/root");
		assert_int_equal(user.nadditional_gids, 1);
		free(user.additional_gids);
		free(home);
	}
}

static void empty_home_is_none(void **state)
{
	struct root *root = *state;
	struct spec_user user = { 0 };
	struct err err = ERR_INIT;
	char *home = NULL;

	put_both(root);
	assert_int_equal(creds_lookup(root->fd, "nohome", &user, &home, &err), 0);
	assert_int_equal(user.gid, 8);
	assert_null(home);
}

static void says_who_is_missing(void **state)
{
	static const struct {
		const char *lookup, *text;
	} cases[] = {
		{ "fish", "no user fish in the image's /etc/passwd" },
		{ "bird:birds", "no group birds in the image's /etc/group" },
		{ "4294967295", "no user 4294967295 in the image's /etc/passwd" },
		{ "-1", "no user -1 in the image's /etc/passwd" },
		{ "bird:", "user \"bird:\" has no group after the colon" },
	};
	struct root *root = *state;

	put_both(root);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spec_user user = { .uid = 9 };
		struct err err = ERR_INIT;
		char *home = NULL;

		assert_true(creds_lookup(root->fd, cases[i].lookup, &user, &home, &err) < 0);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(user.uid, 9);
		assert_null(home);
	}
}

/* What an image may put at /etc/passwd to lead out, hang or fill memory. */
static void hostile_databases_are_refused(void **state)
{
	struct root *root = *state;
	struct spec_user user = { 0 };
	struct err err = ERR_INIT;
	char *home = NULL;
	int fd;

	assert_int_equal(mkfifoat(root->etc, "passwd", 0644), 0);
	assert_true(creds_lookup(root->fd, "0", &user, &home, &err) < 0);
	assert_int_equal(unlinkat(root->etc, "passwd", 0), 0);

	assert_int_equal(symlinkat("/../../../../../../etc/passwd", root->etc, "passwd"), 0);
	assert_true(creds_lookup(root->fd, "root", &user, &home, &err) < 0);
	assert_int_equal(unlinkat(root->etc, "passwd", 0), 0);

	assert_int_equal(mkdirat(root->etc, "passwd", 0755), 0);
	assert_true(creds_lookup(root->fd, "0", &user, &home, &err) < 0);
	assert_int_equal(unlinkat(root->etc, "passwd", AT_REMOVEDIR), 0);

	fd = openat(root->etc, "passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
	close(fd);
	assert_int_equal(creds_lookup(root->fd, "0", &user, &home, &err), -EFBIG);
	assert_non_null(strstr(err.text, "/etc/passwd"));
}

static void symlinks_are_followed_inside(void **state)
{
	struct root *root = *state;
	struct spec_user user = { 0 };
	struct err err = ERR_INIT;
	char *home = NULL;

	put(root, "real", "bird:x:1000:1001::/home/bird:/bin/sh\n");
	assert_int_equal(symlinkat("/etc/real", root->etc, "passwd"), 0);
	assert_int_equal(creds_lookup(root->fd, "bird", &user, &home, &err), 0);
	assert_int_equal(user.uid, 1000);
	free(home);
}

/* ---- becoming, in a child ------------------------------------------------------------------- */

#define CAP(name) (UINT64_C(1) << CAP_##name)

/* The number behind `key` in /proc/self/status. */
static uint64_t status_of(const char *key, int base)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[512];
	uint64_t value = UINT64_MAX;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtoull(line + strlen(key), NULL, base);
	if (file)
		fclose(file);
	return value;
}

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                       \
		}                                                                       \
	} while (0)

static void in_child(void (*body)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static const uint64_t some_caps = CAP(CHOWN) | CAP(KILL) | CAP(NET_BIND_SERVICE);

static void become_user(void)
{
	gid_t groups[2] = { 50, 60 }, got[8];
	struct spec_process process = {
		.user = { .uid = 1234,
			  .gid = 2345,
			  .umask = 027,
			  .additional_gids = groups,
			  .nadditional_gids = 2 },
		.capabilities = { .bounding = some_caps,
				  .effective = some_caps,
				  .permitted = some_caps },
		.no_new_privileges = true,
	};
	uid_t r, e, s;
	struct err err = ERR_INIT;

	CHECK(creds_apply(&process, &err) == 0);
	CHECK(getresuid(&r, &e, &s) == 0 && r == 1234 && e == 1234 && s == 1234);
	CHECK(getresgid(&r, &e, &s) == 0 && r == 2345 && e == 2345 && s == 2345);
	CHECK(getgroups(8, got) == 2 && got[0] == 50 && got[1] == 60);
	CHECK(umask(0) == 027);
	CHECK(status_of("CapEff:", 16) == 0);
	CHECK(status_of("CapPrm:", 16) == 0);
	CHECK(status_of("CapInh:", 16) == 0);
	CHECK(status_of("CapAmb:", 16) == 0);
	CHECK(status_of("CapBnd:", 16) == some_caps);
	CHECK(status_of("NoNewPrivs:", 10) == 1);
	CHECK(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0);
	/* No way back. */
	CHECK(setuid(0) < 0 && errno == EPERM);
}

static void a_user_gets_ids_and_no_capabilities(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	in_child(become_user);
}

static void become_root(void)
{
	struct spec_process process = {
		.user = { .umask = 022 },
		/* One more than there can be: what the caller lacks is left out. */
		.capabilities = { .bounding = some_caps,
				  .effective = some_caps | UINT64_C(1) << 63,
				  .permitted = some_caps | UINT64_C(1) << 63 },
	};
	struct err err = ERR_INIT;

	CHECK(creds_apply(&process, &err) == 0);
	CHECK(geteuid() == 0);
	CHECK(getgroups(0, NULL) == 0);
	CHECK(status_of("CapEff:", 16) == some_caps);
	CHECK(status_of("CapPrm:", 16) == some_caps);
	CHECK(status_of("CapBnd:", 16) == some_caps);
	CHECK(status_of("CapInh:", 16) == 0);
	CHECK(status_of("NoNewPrivs:", 10) == 0);
}

static void root_keeps_what_the_spec_gives(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	in_child(become_root);
}

static void become_ambient(void)
{
	struct spec_process process = {
		.user = { .uid = 1234, .gid = 1234 },
		.capabilities = { .bounding = some_caps,
				  .effective = some_caps,
				  .permitted = some_caps,
				  .inheritable = CAP(KILL),
				  .ambient = CAP(KILL) | CAP(CHOWN) },
	};
	struct err err = ERR_INIT;

	CHECK(creds_apply(&process, &err) == 0);
	CHECK(status_of("CapAmb:", 16) == CAP(KILL));
	CHECK(status_of("CapEff:", 16) == some_caps);
}

static void ambient_capabilities_outlive_the_change_of_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	in_child(become_ambient);
}

static void fail_as_user(void)
{
	struct spec_process process = { .user = { .uid = 5, .gid = 5 } };
	struct err err = ERR_INIT;

	CHECK(syscall(SYS_setgroups, 0, NULL) == 0);
	CHECK(syscall(SYS_setresuid, 1234, 1234, 1234) == 0);
	CHECK(creds_apply(&process, &err) == -EPERM);
	CHECK(strcmp(err.text, "cannot become group 5: Operation not permitted") == 0);
	CHECK(strcmp(err.hint, "this needs CAP_SETGID") == 0);
}

static void without_privilege_it_says_what_is_missing(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	in_child(fail_as_user);
}

/* Raising is not permitted to the child; lowering is. */
static void raise_rlimit(void)
{
	struct rlimit low = { 64, 128 }, got;
	struct spec_rlimit limits[] = { { RLIMIT_CORE, 0, 0 }, { RLIMIT_NOFILE, 100, UINT64_MAX } };
	struct spec_process process = { .rlimits = limits, .nrlimits = 2 };
	struct err err = ERR_INIT;

	CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	CHECK(syscall(SYS_setresuid, 1234, 1234, 1234) == 0);
	CHECK(creds_apply_rlimits(&process, &err) == -EPERM);
	CHECK(strcmp(err.text, "cannot set limit nofile to 100:unlimited: "
			       "Operation not permitted") == 0);
	CHECK(strcmp(err.hint, "it is 64:128 here, and raising the second takes "
			       "CAP_SYS_RESOURCE") == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &got) == 0 && got.rlim_cur == 64 && got.rlim_max == 128);
	CHECK(getrlimit(RLIMIT_CORE, &got) == 0 && got.rlim_cur == 0 && got.rlim_max == 0);
}

static void limits_that_may_not_be_raised_are_named(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	in_child(raise_rlimit);
}

static void names_a_limit_that_cannot_be(void **state)
{
	struct spec_rlimit limit = { RLIMIT_NOFILE, 20, 10 };
	struct spec_process process = { .rlimits = &limit, .nrlimits = 1 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(creds_apply_rlimits(&process, &err), -EINVAL);
	assert_string_equal(err.text, "cannot set limit nofile to 20:10: Invalid argument");
}

static void capabilities_have_names(void **state)
{
	(void)state;
	assert_int_equal(capability_from_name("CAP_SYS_ADMIN"), CAP_SYS_ADMIN);
	assert_int_equal(capability_from_name("sys_admin"), CAP_SYS_ADMIN);
	assert_int_equal(capability_from_name("Cap_Checkpoint_Restore"), CAP_CHECKPOINT_RESTORE);
	assert_int_equal(capability_from_name("CAP_"), -EINVAL);
	assert_int_equal(capability_from_name("CAP_FLY"), -EINVAL);
	assert_string_equal(capability_name(CAP_MKNOD), "CAP_MKNOD");
	assert_string_equal(capability_name(CAP_LAST_CAP), "CAP_CHECKPOINT_RESTORE");
	assert_null(capability_name(-1));
	assert_null(capability_name(63));
	for (int cap = 0; capability_name(cap); cap++)
		assert_int_equal(capability_from_name(capability_name(cap)), cap);
}

#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOT(looks_up_by_name_with_groups),
		IN_ROOT(looks_up_by_number),
		IN_ROOT(takes_numbers_without_entry),
		IN_ROOT(explicit_group_is_the_only_one),
		IN_ROOT(nobody_named_means_root),
		IN_ROOT(empty_home_is_none),
		IN_ROOT(says_who_is_missing),
		IN_ROOT(hostile_databases_are_refused),
		IN_ROOT(symlinks_are_followed_inside),
		cmocka_unit_test(a_user_gets_ids_and_no_capabilities),
		cmocka_unit_test(root_keeps_what_the_spec_gives),
		cmocka_unit_test(ambient_capabilities_outlive_the_change_of_user),
		cmocka_unit_test(without_privilege_it_says_what_is_missing),
		cmocka_unit_test(limits_that_may_not_be_raised_are_named),
		cmocka_unit_test(names_a_limit_that_cannot_be),
		cmocka_unit_test(capabilities_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
