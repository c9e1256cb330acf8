/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/run_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/cmd/commands.h"
#include "store/base/strv.h"

#define WORDS_MAX 16

/* Parse a command line of words separated by single blanks. */
static int parse(const char *line, struct run_options *out, struct err *err)
{
	static char text[1024];
	static char *argv[WORDS_MAX + 1];
	char *rest = NULL;
	int argc = 0;

	snprintf(text, sizeof(text), "run %s", line);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	return run_options_parse(&cmd_run, argc, argv, out, err);
}

static void defaults(void **state)
{
	AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse("", &options, &err), 0);
	assert_false(options.detach || options.interactive || options.tty || options.auto_remove);
	assert_null(options.name);
	assert_null(options.words[0]);
	assert_int_equal(options.stop_timeout_s, 10);
	assert_true(options.container.init);
	assert_false(options.container.host_network);
	assert_int_equal(options.container.memory, 0);
	assert_int_equal(options.keys.len, 2);
}

static void all_at_once(void **state)
{
	AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
	const struct container_options *container = &options.container;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse("-di --name=bird --rm -w /srv -u bird:flock -h nest --read-only",
			       &options, &err),
			 0);
	assert_true(options.detach && options.interactive && options.auto_remove);
	assert_true(container->open_stdin && container->read_only && container->is_volatile);
	assert_string_equal(options.name, "bird");
	assert_string_equal(container->workdir, "/srv");
	assert_string_equal(container->user, "bird:flock");
	assert_string_equal(container->hostname, "nest");
	run_options_release(&options);
	assert_int_equal(
		parse("-m 32m --cpus 1.5 --cpuset-cpus 0-2,5 --cpu-shares 512 --pids-limit 7 "
		      "--stop-signal USR1 --stop-timeout -1",
		      &options, &err),
		0);
	assert_int_equal(container->memory, 32 << 20);
	assert_true(container->cpus > 1.49 && container->cpus < 1.51);
	assert_string_equal(container->cpuset_cpus, "0-2,5");
	assert_int_equal(container->cpu_shares, 512);
	assert_int_equal(container->pids_limit, 7);
	assert_int_equal(container->stop_signal, 10);
	assert_int_equal(options.stop_timeout_s, -1);
}

static void options_end_at_the_first_word(void **state)
{
	AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse("-i busybox ls -d --rm", &options, &err), 0);
	assert_false(options.detach || options.auto_remove);
	assert_int_equal(strv_len(options.words), 4);
	assert_string_equal(options.words[0], "busybox");
	assert_string_equal(options.words[3], "--rm");
}

static void volumes(void **state)
{
	AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
	struct err err = ERR_INIT;
	char *cwd = getcwd(NULL, 0);
	char want[4096];

	(void)state;
	assert_int_equal(
		parse("-v /tmp:/a -v ./:/b:ro -v ..:/c:rw --tmpfs /d --tmpfs /e:size=1m,exec",
		      &options, &err),
		0);
	assert_int_equal(options.container.nvolumes, 3);
	assert_string_equal(options.container.volumes[0].source, "/tmp");
	assert_string_equal(options.container.volumes[0].destination, "/a");
	assert_false(options.container.volumes[0].read_only);
	snprintf(want, sizeof(want), "%s/./", cwd);
	assert_string_equal(options.container.volumes[1].source, want);
	assert_string_equal(options.container.volumes[1].destination, "/b");
	assert_true(options.container.volumes[1].read_only);
	assert_false(options.container.volumes[2].read_only);
	assert_int_equal(options.container.ntmpfs, 2);
	assert_null(options.container.tmpfs[0].options);
	assert_string_equal(options.container.tmpfs[1].destination, "/e");
	assert_string_equal(options.container.tmpfs[1].options, "size=1m,exec");
	free(cwd);
}

static void environment(void **state)
{
	AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
	struct err err = ERR_INIT;
	char path[] = "/tmp/cman-env-XXXXXX";
	int fd = mkstemp(path);
	static const char text[] =
		"\xef\xbb\xbf# comment\n\n  A=file\nB=\"q x\"\r\nHERE\nNOT_HERE\nC=";
	char line[128];

	(void)state;
	setenv("HERE", "from outside", 1);
	unsetenv("NOT_HERE");
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	/* What is given by -e wins, wherever it stands. */
	snprintf(line, sizeof(line), "-e A=given -e D=x=y -e HERE -e NOT_HERE --env-file %s", path);
	assert_int_equal(parse(line, &options, &err), 0);
	unlink(path);
	assert_string_equal(strv_get_env(options.container.env, "A"), "given");
	assert_string_equal(strv_get_env(options.container.env, "B"), "\"q x\"");
	assert_string_equal(strv_get_env(options.container.env, "C"), "");
	assert_string_equal(strv_get_env(options.container.env, "D"), "x=y");
	assert_string_equal(strv_get_env(options.container.env, "HERE"), "from outside");
	assert_null(strv_get_env(options.container.env, "NOT_HERE"));
	assert_int_equal(strv_len(options.container.env), 5);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *line;
		const char *text;
	} cases[] = {
		{ "--name a/b", "--name: not a name: a/b" },
		{ "--name -x", "--name: not a name: -x" },
		{ "-w relative", "--workdir: not an absolute path: relative" },
		{ "-h a_b/c", "--hostname: not a host name: a_b/c" },
		{ "--network moon", "--network: not none or host: moon" },
		{ "-v nocolon", "--volume: not SRC:DST[:ro]: nocolon" },
		{ "-v /tmp:", "--volume: not SRC:DST[:ro]: /tmp:" },
		{ "-v :/x", "--volume: not SRC:DST[:ro]: :/x" },
		{ "-v /tmp:/x:zz", "--volume: not SRC:DST[:ro]: /tmp:/x:zz" },
		{ "-v /tmp:x", "--volume: the path inside is not absolute: /tmp:x" },
		{ "-v /tmp://", "--volume: it cannot be mounted over /: /tmp://" },
		{ "-v data:/x", "--volume: volumes with a name are not supported yet: data:/x" },
		{ "-v /no/such:/x", "--volume: /no/such: No such file or directory" },
		{ "--tmpfs x", "--tmpfs: the path inside is not absolute: x" },
		{ "--cpus many", "--cpus: not a number of processors: many" },
		{ "--cpus 0", "--cpus: not a number of processors: 0" },
		{ "--cpus 1.2.3", "--cpus: not a number of processors: 1.2.3" },
		{ "--cpus inf", "--cpus: not a number of processors: inf" },
		{ "--cpuset-cpus 3-1",
		  "--cpuset-cpus: not a list of processors such as 0-2,5: 3-1" },
		{ "--cpuset-cpus 1,", "--cpuset-cpus: not a list of processors such as 0-2,5: 1," },
		{ "--cpuset-cpus ,1", "--cpuset-cpus: not a list of processors such as 0-2,5: ,1" },
		{ "-m 4k", "--memory: less than the smallest limit, 1m: 4k" },
		{ "-e =x", "--env: not KEY=VALUE or KEY: =x" },
		{ "--env-file /no/such/file", NULL },
		{ "--detach-keys ctrl-", "--detach-keys: not a key: ctrl-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
		struct err err = ERR_INIT;

		if (parse(cases[i].line, &options, &err) == 0)
			fail_msg("%s was taken", cases[i].line);
		if (cases[i].text)
			assert_string_equal(err.text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(options_end_at_the_first_word),
		cmocka_unit_test(volumes),
		cmocka_unit_test(environment),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
