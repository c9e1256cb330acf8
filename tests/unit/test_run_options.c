/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/run_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/cmd/commands.h"
#include "store/base/strv.h"

#define WORDS_MAX 32

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
	assert_int_equal(isolation_share(&options.container.isolation, SPEC_NS_NETWORK)->mode,
			 SHARE_DEFAULT);
	assert_int_equal(options.container.limits.given, 0);
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
	assert_int_equal(container->limits.resources.memory_limit, 32 << 20);
	assert_int_equal(container->limits.resources.cpu_quota, 150000);
	assert_int_equal(container->limits.resources.cpu_period, 100000);
	assert_string_equal(container->limits.resources.cpuset_cpus, "0-2,5");
	assert_int_equal(container->limits.resources.cpu_shares, 512);
	assert_int_equal(container->limits.resources.pids_limit, 7);
	assert_int_equal(container->stop_signal, 10);
	assert_int_equal(options.stop_timeout_s, -1);
}

static void limits(void **state)
{
	AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
	const struct limits *limits = &options.container.limits;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse("--memory-swap -1 --memory-reservation 16m --memory-swappiness 0 "
			       "-c 2 --cpuset-mems 0 --blkio-weight 10",
			       &options, &err),
			 0);
	assert_int_equal(limits->resources.memory_swap, -1);
	assert_int_equal(limits->resources.memory_reservation, 16 << 20);
	assert_true(limits->resources.has_swappiness);
	assert_int_equal(limits->resources.cpu_shares, 2);
	assert_string_equal(limits->resources.cpuset_mems, "0");
	assert_int_equal(limits->resources.block_weight, 10);
	run_options_release(&options);
	assert_int_equal(parse("--ulimit nofile=1024:4096 --ulimit core=0 --ulimit MEMLOCK=-1 "
			       "--oom-score-adj -5 --oom-kill-disable --cgroup-parent machine/x",
			       &options, &err),
			 0);
	assert_int_equal(limits->nrlimits, 3);
	assert_int_equal(limits->rlimits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(limits->rlimits[0].soft, 1024);
	assert_int_equal(limits->rlimits[0].hard, 4096);
	assert_int_equal(limits->rlimits[1].hard, 0);
	assert_int_equal(limits->rlimits[2].resource, RLIMIT_MEMLOCK);
	assert_true(limits->rlimits[2].soft == UINT64_MAX);
	assert_true(limits->has_oom_score_adj && limits->resources.oom_kill_disable);
	assert_int_equal(limits->oom_score_adj, -5);
	assert_string_equal(limits->cgroup_parent, "machine/x");
	run_options_release(&options);
	/* none, and said so */
	assert_int_equal(
		parse("-m 0 --cpus 0 --pids-limit -1 --memory-swappiness -1", &options, &err), 0);
	assert_int_equal(limits->resources.memory_limit, 0);
	assert_int_equal(limits->resources.pids_limit, 0);
	assert_false(limits->resources.has_swappiness);
	assert_int_equal(limits->given, 1u << LIMIT_MEMORY | 1u << LIMIT_CPUS | 1u << LIMIT_PIDS |
						1u << LIMIT_MEMORY_SWAPPINESS);
}

/* Here, where a word may hold blanks. */
static void device_rules(void **state)
{
	static const struct {
		const char *rule;
		const char *text; /* NULL: it is one */
	} cases[] = {
		{ "c 10:229 rwm", NULL },
		{ "b *:* m", NULL },
		{ "a *:* rwm", NULL },
		{ "d 1:1 r", "--device-cgroup-rule: not a rule for devices: d 1:1 r" },
		{ "c 1 r", "--device-cgroup-rule: not a rule for devices: c 1 r" },
		{ "c 1:1", "--device-cgroup-rule: not a rule for devices: c 1:1" },
		{ "c 1:1 x", "--device-cgroup-rule: not a rule for devices: c 1:1 x" },
		{ "c 1:1 rwmr", "--device-cgroup-rule: not a rule for devices: c 1:1 rwmr" },
		{ "c 99999999:1 r",
		  "--device-cgroup-rule: not a rule for devices: c 99999999:1 r" },
		{ "", "--device-cgroup-rule: not a rule for devices: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
		char *argv[] = { (char *)"run", (char *)"--device-cgroup-rule",
				 (char *)cases[i].rule, NULL };
		struct err err = ERR_INIT;
		int rc = run_options_parse(&cmd_run, 3, argv, &options, &err);

		if (!cases[i].text && rc < 0)
			fail_msg("%s", err.text);
		if (cases[i].text) {
			assert_true(rc < 0);
			assert_string_equal(err.text, cases[i].text);
		}
	}
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
	const struct container_mount *mounts;
	char *cwd = getcwd(NULL, 0);

	(void)state;
	assert_int_equal(
		parse("-v /tmp:/a -v ./:/b:ro -v ..:/c:rw --tmpfs /d --tmpfs /e:size=1m,exec",
		      &options, &err),
		0);
	mounts = options.container.mounts.list;
	assert_int_equal(options.container.mounts.n, 5);
	assert_int_equal(mounts[0].kind, MOUNT_OF_HOST);
	assert_string_equal(mounts[0].source, "/tmp");
	assert_string_equal(mounts[0].destination, "/a");
	assert_string_equal(mounts[0].options, "rbind,rprivate");
	assert_string_equal(mounts[1].source, cwd);
	assert_string_equal(mounts[1].destination, "/b");
	assert_string_equal(mounts[1].options, "rbind,rprivate,ro");
	assert_string_equal(mounts[2].options, "rbind,rprivate,rw");
	assert_int_equal(mounts[3].kind, MOUNT_OF_MEMORY);
	assert_string_equal(mounts[3].options, "nosuid,nodev,noexec");
	assert_string_equal(mounts[4].destination, "/e");
	assert_string_equal(mounts[4].options, "nosuid,nodev,noexec,size=1m,exec");
	free(cwd);
}

static void named_volumes(void **state)
{
	AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
	const struct container_mount *mounts;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse("-v db:/a -v /b -v db:/c:ro,nocopy,noexec -v /tmp:/d:bind,rslave,ro"
			       " --volumes-from one --volumes-from two:ro",
			       &options, &err),
			 0);
	mounts = options.container.mounts.list;
	assert_int_equal(options.container.mounts.n, 4);
	assert_int_equal(mounts[0].kind, MOUNT_OF_VOLUME);
	assert_string_equal(mounts[0].source, "db");
	assert_false(mounts[0].nocopy);
	assert_int_equal(mounts[1].kind, MOUNT_OF_VOLUME);
	assert_null(mounts[1].source);
	assert_string_equal(mounts[1].destination, "/b");
	assert_true(mounts[2].nocopy);
	assert_string_equal(mounts[2].options, "rbind,rprivate,ro,noexec");
	assert_string_equal(mounts[3].options, "bind,rslave,ro");
	assert_int_equal(strv_len(options.container.volumes_from), 2);
	assert_string_equal(options.container.volumes_from[1], "two:ro");
}

static void mounts_in_words(void **state)
{
	AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
	const struct container_mount *mounts;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		parse("--mount type=bind,src=/tmp,dst=/a,readonly,bind-propagation=rshared"
		      " --mount src=db,target=/b,volume-nocopy,volume-label=a=b,volume-subpath=x/y"
		      " --mount type=tmpfs,destination=/c,tmpfs-size=64m,tmpfs-mode=0700"
		      " --mount \"volume-opt=o=bind\",volume-opt=device=/x,volume-opt=type=none,dst=/d"
		      " --mount type=bind,src=/tmp,dst=/e,ro=false,bind-recursive=writable"
		      " --mount type=bind,src=/tmp,dst=/f,ro,bind-nonrecursive,consistency=cached",
		      &options, &err),
		0);
	mounts = options.container.mounts.list;
	assert_int_equal(options.container.mounts.n, 6);
	assert_string_equal(mounts[0].options, "rbind,rshared,ro");
	assert_int_equal(mounts[1].kind, MOUNT_OF_VOLUME);
	assert_true(mounts[1].nocopy);
	assert_string_equal(mounts[1].subpath, "x/y");
	assert_string_equal(json_string_value(json_object_get(mounts[1].labels, "a")), "b");
	assert_string_equal(mounts[2].options, "nosuid,nodev,noexec,size=67108864,mode=700");
	assert_string_equal(json_string_value(json_object_get(mounts[3].driver_options, "o")),
			    "bind");
	assert_string_equal(mounts[4].options, "rbind,rprivate");
	assert_true(mounts[4].shallow);
	assert_string_equal(mounts[5].options, "bind,rprivate,ro");
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
	assert_int_equal(strv_unique_env(options.container.env), 0);
	assert_string_equal(strv_get_env(options.container.env, "A"), "given");
	assert_string_equal(strv_get_env(options.container.env, "B"), "\"q x\"");
	assert_string_equal(strv_get_env(options.container.env, "C"), "");
	assert_string_equal(strv_get_env(options.container.env, "D"), "x=y");
	assert_string_equal(strv_get_env(options.container.env, "HERE"), "from outside");
	assert_null(strv_get_env(options.container.env, "NOT_HERE"));
	assert_int_equal(strv_len(options.container.env), 5);
}

static const struct {
	const char *line;
	const char *text;
} wrong[] = {
	{ "--name a/b", "--name: not a name: a/b" },
	{ "--name -x", "--name: not a name: -x" },
	{ "-w relative", "--workdir: not an absolute path: relative" },
	{ "-h a_b/c", "--hostname: not a host name: a_b/c" },
	{ "--network moon", "--network: not none, host, container:NAME or ns:PATH: moon" },
	{ "-v nocolon", "--volume: the path inside is not absolute: nocolon" },
	{ "-v /tmp:", "--volume: not [SRC:]DST[:OPTIONS]: /tmp:" },
	{ "-v :/x", "--volume: not [SRC:]DST[:OPTIONS]: :/x" },
	{ "-v /tmp:/x:ro:rw", "--volume: not [SRC:]DST[:OPTIONS]: /tmp:/x:ro:rw" },
	{ "-v /tmp:/x:zz", "--volume: unknown option: zz" },
	{ "-v /tmp:/x:z", "--volume: z: files are not labelled for SELinux" },
	{ "-v /tmp:/x:U", "--volume: U: the owner of files is not changed" },
	{ "-v /tmp:/x:O",
	  "--volume: O: a directory of the host cannot be the lower layer of an overlay" },
	{ "-v /tmp:/x:ro,rw", "--volume: both ro and rw" },
	{ "-v /tmp:/x:nocopy", "--volume: nocopy is for volumes: /tmp:/x:nocopy" },
	{ "-v db:/x:rshared", "--volume: rshared is for directories of the host: db:/x:rshared" },
	{ "-v a/b:/x", "--volume: not the name of a volume, nor a path: a/b" },
	{ "-v /x -v /x/", "--volume: two things cannot be mounted on /x: /x/" },
	{ "--mount type=moon,dst=/x", "--mount: type: not bind, volume or tmpfs: moon" },
	{ "--mount type=bind,dst=/x", "--mount: no source=PATH: type=bind,dst=/x" },
	{ "--mount src=db", "--mount: no target=PATH: src=db" },
	{ "--mount dst=/x,tmpfs-size=1m",
	  "--mount: tmpfs-size is not for type=volume: dst=/x,tmpfs-size=1m" },
	{ "--mount dst=/x,sorce=y", "--mount: unknown key: sorce" },
	{ "--mount dst=/x,ro=perhaps", "--mount: ro: neither true nor false: perhaps" },
	{ "--mount dst=/x,volume-driver=nfs", "--mount: volume-driver: there is only local: nfs" },
	{ "--mount dst=/x,volume-opt=type=nfs",
	  "--mount: volume-opt: type=nfs: volumes of file systems are not supported" },
	{ "--mount type=tmpfs,dst=/x,tmpfs-mode=9", "--mount: tmpfs-mode: not an octal mode: 9" },
	{ "--mount \"dst=/x", "--mount: a quote that does not end: \"dst=/x" },
	{ "--mount type=bind,src=/tmp,dst=/x,bind-propagation=rslav",
	  "--mount: bind-propagation: not a propagation: rslav" },
	{ "--mount src=db,dst=/x,volume-subpath=/y",
	  "--mount: volume-subpath: not a path relative to the volume: /y" },
	{ "--mount dst=/x,relabel=shared",
	  "--mount: relabel: files are not labelled for SELinux: shared" },
	{ "--volumes-from one:zz", "--volumes-from: not CONTAINER[:ro|:rw]: one:zz" },
	{ "-v /tmp:x", "--volume: the path inside is not absolute: /tmp:x" },
	{ "-v /tmp://", "--volume: it cannot be mounted over /: /tmp://" },
	{ "-v /no/such:/x", "--volume: /no/such: No such file or directory" },
	{ "--tmpfs x", "--tmpfs: the path inside is not absolute: x" },
	{ "--cpus many", "--cpus: not a number of processors: many" },
	{ "--cpus 0.001", "--cpus: not a number of processors: 0.001" },
	{ "--cpus 1.2.3", "--cpus: not a number of processors: 1.2.3" },
	{ "--cpus inf", "--cpus: not a number of processors: inf" },
	{ "--cpuset-cpus 3-1", "--cpuset-cpus: not a list of processors such as 0-2,5: 3-1" },
	{ "--cpuset-cpus 1,", "--cpuset-cpus: not a list of processors such as 0-2,5: 1," },
	{ "--cpuset-cpus ,1", "--cpuset-cpus: not a list of processors such as 0-2,5: ,1" },
	{ "-m 4k", "--memory: less than the smallest limit, 1m: 4k" },
	{ "--memory-swap -2", "--memory-swap: not a size: -2" },
	{ "--memory-swappiness 101", "--memory-swappiness: not a number from -1 to 100: 101" },
	{ "--cpu-period 999", "--cpu-period: less than the smallest, 1000: 999" },
	{ "--cpu-period 1000001", "--cpu-period: not a number from -1 to 1000000: 1000001" },
	{ "--cpu-quota 5", "--cpu-quota: less than the smallest, 1000: 5" },
	{ "--cpuset-mems x", "--cpuset-mems: not a list of memory nodes such as 0-2,5: x" },
	{ "--blkio-weight 9", "--blkio-weight: less than the smallest, 10: 9" },
	{ "--blkio-weight-device /dev/null:100",
	  "--blkio-weight-device: not a block device: /dev/null" },
	{ "--device-read-bps vda:1m",
	  "--device-read-bps: not DEVICE:NUMBER with the path of a device: vda:1m" },
	{ "--device-write-iops /dev/no-such:5",
	  "--device-write-iops: /dev/no-such: No such file or directory" },
	{ "--device-write-bps /dev/null:fast", "--device-write-bps: not a size: fast" },
	{ "--ulimit nofile", "--ulimit: not NAME=SOFT[:HARD]: nofile" },
	{ "--ulimit nofile=x", "--ulimit: not NAME=SOFT[:HARD]: nofile=x" },
	{ "--ulimit nofile=1:", "--ulimit: not NAME=SOFT[:HARD]: nofile=1:" },
	{ "--ulimit air=1", "--ulimit: not the name of a limit: air=1" },
	{ "--ulimit nofile=2:1",
	  "--ulimit: the first, soft limit is above the second, hard one: nofile=2:1" },
	{ "--oom-score-adj 1001", "--oom-score-adj: not a number from -1000 to 1000: 1001" },
	{ "--cgroup-parent /", "--cgroup-parent: not the path of a cgroup: /" },
	{ "--cgroup-parent /a/../b", "--cgroup-parent: not the path of a cgroup: /a/../b" },
	{ "--cgroup-parent x.slice", "--cgroup-parent: not the path of a cgroup: x.slice" },
	{ "-e =x", "--env: not KEY=VALUE or KEY: =x" },
	{ "--env-file /no/such/file", NULL },
	{ "--detach-keys ctrl-", "--detach-keys: not a key: ctrl-" },
};

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		AUTO_RUN_OPTIONS struct run_options options = RUN_OPTIONS_INIT;
		struct err err = ERR_INIT;

		if (parse(wrong[i].line, &options, &err) == 0)
			fail_msg("%s was taken", wrong[i].line);
		if (wrong[i].text)
			assert_string_equal(err.text, wrong[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(limits),
		cmocka_unit_test(device_rules),
		cmocka_unit_test(options_end_at_the_first_word),
		cmocka_unit_test(volumes),
		cmocka_unit_test(named_volumes),
		cmocka_unit_test(mounts_in_words),
		cmocka_unit_test(environment),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
