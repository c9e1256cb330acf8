/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's config.json and credential helpers: image/credentials*.c, image/base64.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/base64.h"
#include "image/credentials.h"
#include "image/credentials_file.h"
#include "store/base/buf.h"
#include "store/base/fd.h"

/* A directory with config.json and a credential helper "fake" that keeps what it gets in a file. */
struct fixture {
	char dir[64];
	char config[96];
};

static const char helper_script[] =
	"#!/bin/sh\n"
	"dir=${0%/*}\n"
	"case $1 in\n"
	"store) cat >\"$dir/kept\" ;;\n"
	"get) read -r server || :\n"
	"  if [ \"$server\" = token.x ]; then echo '{\"Username\":\"<token>\",\"Secret\":\"tok\"}'\n"
	"  elif grep -qF \"\\\"$server\\\"\" \"$dir/kept\" 2>/dev/null; then cat \"$dir/kept\"\n"
	"  elif [ \"$server\" = broken.x ]; then echo 'the keyring is locked'; exit 1\n"
	"  else echo 'credentials not found in native keychain'; exit 1; fi ;;\n"
	"erase) [ -e \"$dir/kept\" ] || { echo 'credentials not found in native keychain'; exit 1; }\n"
	"  rm \"$dir/kept\" ;;\n"
	"list) echo '{\"own.x\":\"bird\"}' ;;\n"
	"esac\n";

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[128], helper[128];

	strcpy(f->dir, "/tmp/cman-test-credentials.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->config, sizeof(f->config), "%s/config.json", f->dir);
	snprintf(helper, sizeof(helper), "%s/docker-credential-fake", f->dir);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", f->dir);
	write_file(helper, helper_script, 0755);
	setenv("PATH", path, 1);
	setenv("CMAN_AUTH_FILE", f->config, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	fd_remove_tree(AT_FDCWD, f->dir, &err);
	free(f);
	return 0;
}

static const char *kept_file(const struct fixture *f)
{
	static char text[4096];
	int fd = open(f->config, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static void test_base64(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "user:p\xc3\xa4ss\xff", "dXNlcjpww6Rzc/8=" },
	};
	static const char *const bad[] = {
		"Z", "Zm9vY", "Zm 9v", "Zm9v\n", "Zm-_", "=Zg", "Z\xff"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_BUF struct buf text = BUF_INIT, bytes = BUF_INIT;

		base64_encode(&text, cases[i][0], strlen(cases[i][0]));
		assert_string_equal(text.data ? text.data : "", cases[i][1]);
		assert_true(base64_decode(&bytes, cases[i][1]));
		assert_string_equal(bytes.data ? bytes.data : "", cases[i][0]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_BUF struct buf bytes = BUF_INIT;

		assert_false(base64_decode(&bytes, bad[i]));
	}
}

static void find_in(const char *text, const char *registry, const char *repository,
		    const char *user, const char *password)
{
	AUTO_CREDENTIALS struct credentials got = CREDENTIALS_INIT;
	struct err err = ERR_INIT;
	bool found = false;

	assert_int_equal(credentials_find_in("t", text, strlen(text), registry, repository, false,
					     &got, &found, &err),
			 0);
	assert_int_equal(found, user != NULL);
	if (!user) {
		assert_null(got.user);
		return;
	}
	assert_string_equal(got.user, user);
	assert_string_equal(got.password, password);
	assert_string_equal(got.from, "t");
}

#define A_B "{\"auth\": \"YTpi\"}"     /* a:b */
#define C_D "{\"auth\": \"YzpkOmU=\"}" /* c:d:e */

static void test_keys(void **state)
{
	(void)state;
	find_in("{\"auths\": {\"h.x\": " A_B "}}", "h.x", NULL, "a", "b");
	find_in("{\"auths\": {\"h.x\": " A_B "}}", "h.x", "any/thing", "a", "b");
	find_in("{\"auths\": {\"h.x\": " C_D "}}", "h.x", NULL, "c", "d:e");
	find_in("{\"auths\": {\"h.x\": " A_B "}}", "h.x:5000", NULL, NULL, NULL);
	find_in("{\"auths\": {\"h.x:5000\": " A_B "}}", "h.x", NULL, NULL, NULL);
	find_in("{\"auths\": {\"https://h.x/v1/\": " A_B "}}", "h.x", NULL, "a", "b");
	find_in("{\"auths\": {\"http://h.x:1\": " A_B "}}", "h.x:1", NULL, "a", "b");
	find_in("{\"auths\": {\"h.x/v2/\": " A_B "}}", "h.x", NULL, "a", "b");
	find_in("{\"auths\": {\"https://index.docker.io/v1/\": " A_B "}}", "docker.io", "x", "a",
		"b");
	find_in("{\"auths\": {\"docker.io\": " A_B "}}", "docker.io", "x", "a", "b");
	find_in("{\"auths\": {\"docker.io\": " A_B "}}", "evil.docker.io", NULL, NULL, NULL);
	/* Podman's repositories: the longest, in whole components */
	find_in("{\"auths\": {\"h.x\": " A_B ", \"h.x/team\": " C_D "}}", "h.x", "team/app", "c",
		"d:e");
	find_in("{\"auths\": {\"h.x\": " A_B ", \"h.x/team\": " C_D "}}", "h.x", "team2/app", "a",
		"b");
	find_in("{\"auths\": {\"h.x/team\": " C_D "}}", "h.x", NULL, NULL, NULL);
	find_in("{\"auths\": {\"h.x/team/app\": " C_D "}}", "h.x", "team/app", "c", "d:e");
	/* what Docker leaves beside a helper */
	find_in("{\"auths\": {\"h.x\": {}}}", "h.x", NULL, NULL, NULL);
	find_in("{\"auths\": {\"h.x\": {}, \"https://h.x\": " A_B "}}", "h.x", NULL, "a", "b");
	find_in("{}", "h.x", NULL, NULL, NULL);
	find_in("{\"auths\": {\"h.x\": {\"username\": \"u\", \"password\": \"p\"}}}", "h.x", NULL,
		"u", "p");
}

static void test_tokens(void **state)
{
	static const char text[] = "{\"auths\": {\"h.x\": {\"auth\": \"dXNlcjo=\","
				   " \"identitytoken\": \"idt\", \"registrytoken\": \"rt\"}}}";
	AUTO_CREDENTIALS struct credentials got = CREDENTIALS_INIT;
	struct err err = ERR_INIT;
	bool found = false;

	(void)state;
	assert_int_equal(credentials_find_in("t", text, strlen(text), "h.x", NULL, false, &got,
					     &found, &err),
			 0);
	assert_true(found);
	assert_string_equal(got.identity_token, "idt");
	assert_string_equal(got.registry_token, "rt");
}

static void test_malformed(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"auths\": []}", "t: \"auths\" is not an object" },
		{ "{\"auths\": {\"h.x\": 1}}", "t: auths.h.x: is not an object" },
		{ "{\"auths\": {\"h.x\": {\"auth\": 1}}}",
		  "t: auths.h.x: \"auth\" is not a string" },
		{ "{\"auths\": {\"h.x\": {\"auth\": \"***\"}}}",
		  "t: auths.h.x: auth: is not base64" },
		{ "{\"auths\": {\"h.x\": {\"auth\": \"YQ==\"}}}",
		  "t: auths.h.x: auth: is not of the form user:password" },
		{ "{\"auths\": {\"h.x\": {\"auth\": \"YQBhOmI=\"}}}",
		  "t: auths.h.x: auth: has a NUL byte in the user name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_CREDENTIALS struct credentials got = CREDENTIALS_INIT;
		struct err err = ERR_INIT;
		bool found = false;

		assert_int_equal(credentials_find_in("t", cases[i][0], strlen(cases[i][0]), "h.x",
						     NULL, false, &got, &found, &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i][1]);
	}
}

static void test_pair(void **state)
{
	AUTO_CREDENTIALS struct credentials got = CREDENTIALS_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(credentials_parse("u:p:q", &got, &err), 0);
	assert_string_equal(got.user, "u");
	assert_string_equal(got.password, "p:q");
	assert_int_equal(credentials_parse("secret", &got, &err), -EINVAL);
	assert_int_equal(credentials_parse(":p", &got, &err), -EINVAL);
	assert_int_equal(credentials_parse("u:", &got, &err), -EINVAL);
	assert_string_equal(err.text, "--creds: not of the form USER:PASS");
}

static void keep(const char *registry, const char *user, const char *password, bool in_file)
{
	AUTO_CREDENTIALS_KEPT struct credentials_kept kept = { 0 };
	const struct credentials credentials = { .user = (char *)user,
						 .password = (char *)password };
	struct err err = ERR_INIT;

	assert_int_equal(credentials_keep(registry, &credentials, &kept, &err), 0);
	assert_int_equal(kept.in_file, in_file);
}

static void find(const char *registry, const char *user, const char *password)
{
	AUTO_CREDENTIALS struct credentials got = CREDENTIALS_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(credentials_find(registry, NULL, &got, &err), 0);
	assert_true(user ? got.user && strcmp(got.user, user) == 0 : !got.user);
	assert_true(password ? got.password && strcmp(got.password, password) == 0 : !got.password);
}

static void test_keep_in_file(void **state)
{
	const struct fixture *f = *state;
	struct err err = ERR_INIT;
	size_t forgotten = 0;
	struct stat st;

	write_file(f->config,
		   "{\"HttpHeaders\": {\"x\": \"y\"}, \"auths\": {\"https://h.x/v1/\":"
		   " " A_B ", \"other.x\": " A_B "}}",
		   0644);
	keep("h.x", "new", "pass", true);
	find("h.x", "new", "pass");
	find("other.x", "a", "b");
	/* what is not ours stays, the old spelling goes, and nobody else may read it */
	assert_non_null(strstr(kept_file(f), "\"HttpHeaders\""));
	assert_null(strstr(kept_file(f), "https://h.x"));
	assert_int_equal(stat(f->config, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	keep("docker.io", "hub", "pass", true);
	assert_non_null(strstr(kept_file(f), "\"https://index.docker.io/v1/\""));
	assert_int_equal(credentials_forget("h.x", &forgotten, &err), 0);
	assert_int_equal(forgotten, 1);
	find("h.x", NULL, NULL);
	find("other.x", "a", "b");
	assert_int_equal(credentials_forget("h.x", &forgotten, &err), 0);
	assert_int_equal(forgotten, 0);
	assert_int_equal(credentials_forget(NULL, &forgotten, &err), 0);
	assert_int_equal(forgotten, 2);
	find("other.x", NULL, NULL);
}

static void test_no_file(void **state)
{
	const struct fixture *f = *state;
	struct err err = ERR_INIT;
	char deep[128];
	size_t forgotten = 7;

	find("h.x", NULL, NULL);
	assert_int_equal(credentials_forget("h.x", &forgotten, &err), 0);
	assert_int_equal(forgotten, 0);
	assert_int_equal(access(f->config, F_OK), -1);
	/* directories are made for the first */
	snprintf(deep, sizeof(deep), "%s/a/b/config.json", f->dir);
	setenv("CMAN_AUTH_FILE", deep, 1);
	keep("h.x", "u", "p", true);
	find("h.x", "u", "p");
}

static void test_link(void **state)
{
	const struct fixture *f = *state;
	char real[128];
	struct stat st;

	snprintf(real, sizeof(real), "%s/dotfiles.json", f->dir);
	write_file(real, "{}", 0600);
	assert_int_equal(symlink("dotfiles.json", f->config), 0);
	keep("h.x", "u", "p", true);
	assert_int_equal(lstat(f->config, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	find("h.x", "u", "p");
}

static void test_helper(void **state)
{
	const struct fixture *f = *state;
	AUTO_CREDENTIALS struct credentials got = CREDENTIALS_INIT;
	struct err err = ERR_INIT;
	size_t forgotten = 0;

	write_file(f->config,
		   "{\"credsStore\": \"none-such\", \"credHelpers\": {\"own.x\": \"fake\","
		   " \"token.x\": \"fake\", \"broken.x\": \"fake\", \"gone.x\": \"none-such\","
		   " \"path.x\": \"../fake\"}}",
		   0600);
	find("own.x", NULL, NULL);
	keep("own.x", "bird", "sec\"ret", false);
	find("own.x", "bird", "sec\"ret");
	assert_null(strstr(kept_file(f), "ret"));
	assert_int_equal(credentials_find("token.x", NULL, &got, &err), 0);
	assert_string_equal(got.identity_token, "tok");
	assert_string_equal(got.from, "docker-credential-fake");
	/* one for this registry has to work; one for all need not */
	assert_int_equal(credentials_find("broken.x", NULL, &got, &err), -EIO);
	assert_non_null(strstr(err.text, "docker-credential-fake: the keyring is locked"));
	assert_int_equal(credentials_find("gone.x", NULL, &got, &err), -ENOENT);
	assert_int_equal(credentials_find("path.x", NULL, &got, &err), -EINVAL);
	find("any.x", NULL, NULL);
	assert_int_equal(credentials_forget("own.x", &forgotten, &err), 0);
	assert_int_equal(forgotten, 1);
	find("own.x", NULL, NULL);
	assert_int_equal(credentials_forget("own.x", &forgotten, &err), 0);
	assert_int_equal(forgotten, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_pair),
		cmocka_unit_test_setup_teardown(test_keep_in_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_helper, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
