/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/spec_build.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/strv.h"

#define NETWORK __builtin_ctz(SPEC_NS_NETWORK)

static const char id[CONTAINER_ID_LEN + 1] =
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

static void build(const struct image_config *config, const struct container_options *options,
		  struct spec *out)
{
	struct err err = ERR_INIT;

	if (spec_build(config, options, id, out, &err) < 0)
		fail_msg("%s", err.text);
}

static const struct spec_mount *find_mount(const struct spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->nmounts; i++) {
		if (strcmp(spec->mounts[i].destination, destination) == 0)
			return &spec->mounts[i];
	}
	return NULL;
}

static bool has_option(const struct spec_mount *mount, const char *option)
{
	for (char **at = mount->options; at && *at; at++) {
		if (strcmp(*at, option) == 0)
			return true;
	}
	return false;
}

static void the_image_says_what_nobody_else_does(void **state)
{
	const struct image_config config = {
		.env = WORDS("PATH=/opt", "A=image", "B=image"),
		.entrypoint = WORDS("/entry"),
		.cmd = WORDS("default", "arg"),
		.working_dir = (char *)"/srv",
		.user = (char *)"bird",
		.stop_signal = (char *)"SIGQUIT",
	};
	const struct container_options options = { .init = true };
	AUTO_SPEC struct spec spec = SPEC_INIT;

	(void)state;
	build(&config, &options, &spec);
	assert_int_equal(strv_len(spec.process.args), 3);
	assert_string_equal(spec.process.args[0], "/entry");
	assert_string_equal(spec.process.args[1], "default");
	assert_string_equal(spec.process.cwd, "/srv");
	assert_string_equal(spec.process.user.lookup, "bird");
	assert_int_equal(spec.stop_signal, SIGQUIT);
	assert_string_equal(strv_get_env(spec.process.env, "PATH"), "/opt");
	assert_string_equal(strv_get_env(spec.process.env, "A"), "image");
	assert_string_equal(strv_get_env(spec.process.env, "HOSTNAME"), "0123456789ab");
	assert_string_equal(strv_get_env(spec.process.env, "TERM"), "dumb");
	assert_string_equal(spec.hostname, "0123456789ab");
	assert_true(spec.init);
	assert_true(spec.namespaces & SPEC_NS_NETWORK);
	assert_false(spec.process.open_stdin);
	assert_int_equal(spec.resources.memory_limit, 0);
}

static void what_is_asked_for_wins(void **state)
{
	const struct image_config config = {
		.env = WORDS("A=image", "B=image"),
		.entrypoint = WORDS("/entry"),
		.cmd = WORDS("default"),
		.working_dir = (char *)"/srv",
		.user = (char *)"bird",
		.stop_signal = (char *)"QUIT",
	};
	const struct container_options options = {
		.command = WORDS("given", "x y"),
		.env = WORDS("A=given", "TERM=vt100"),
		.workdir = "/tmp",
		.user = "0:0",
		.hostname = "nest",
		.tty = true,
		.open_stdin = true,
		.rows = 24,
		.cols = 80,
		.read_only = true,
		.isolation.shares[NETWORK].mode = SHARE_HOST,
		.is_volatile = true,
		.limits = { .resources = { .memory_limit = 1 << 20, .pids_limit = 5 },
			    .given = 1u << LIMIT_MEMORY | 1u << LIMIT_PIDS,
			    .cgroup_parent = "/machine/" },
		.stop_signal = SIGUSR1,
	};
	AUTO_SPEC struct spec spec = SPEC_INIT;

	(void)state;
	build(&config, &options, &spec);
	assert_int_equal(strv_len(spec.process.args), 3);
	assert_string_equal(spec.process.args[0], "/entry");
	assert_string_equal(spec.process.args[2], "x y");
	assert_string_equal(strv_get_env(spec.process.env, "A"), "given");
	assert_string_equal(strv_get_env(spec.process.env, "B"), "image");
	assert_string_equal(strv_get_env(spec.process.env, "TERM"), "vt100");
	assert_string_equal(strv_get_env(spec.process.env, "HOSTNAME"), "nest");
	assert_string_equal(spec.process.cwd, "/tmp");
	assert_string_equal(spec.process.user.lookup, "0:0");
	assert_true(spec.process.terminal && spec.process.open_stdin && spec.root_readonly);
	assert_int_equal(spec.process.rows, 24);
	assert_int_equal(spec.process.cols, 80);
	assert_false(spec.namespaces & SPEC_NS_NETWORK);
	assert_true(spec.namespaces & SPEC_NS_PID);
	assert_true(spec.overlay.is_volatile);
	assert_false(spec.init);
	assert_int_equal(spec.stop_signal, SIGUSR1);
	assert_int_equal(spec.resources.memory_limit, 1 << 20);
	assert_int_equal(spec.resources.pids_limit, 5);
	assert_int_equal(strncmp(spec.cgroups_path, "/machine/", 9), 0);
	assert_string_equal(spec.cgroups_path + 9, id);
}

static void the_hosts_name_goes_with_its_network(void **state)
{
	const struct image_config config = { .cmd = WORDS("sh") };
	const struct container_options options = {
		.isolation.shares[NETWORK].mode = SHARE_HOST,
	};
	AUTO_SPEC struct spec spec = SPEC_INIT;
	char name[HOST_NAME_MAX + 1] = "";

	(void)state;
	build(&config, &options, &spec);
	assert_int_equal(gethostname(name, sizeof(name)), 0);
	assert_string_equal(spec.hostname, name);
}

static void volumes_are_mounts(void **state)
{
	const struct image_config config = { .cmd = WORDS("sh") };
	struct container_mount mounts[] = {
		{
			.source = (char *)"/src",
			.destination = (char *)"/rw",
			.options = (char *)"rbind,rprivate,rw",
		},
		{
			.kind = MOUNT_OF_VOLUME,
			.source = (char *)"db",
			.path = (char *)"/volumes/db/_data",
			.subpath = (char *)"a,b",
			.destination = (char *)"/ro",
			.options = (char *)"rbind,rprivate,ro",
		},
		{
			.kind = MOUNT_OF_MEMORY,
			.destination = (char *)"/u",
			.options = (char *)"nosuid,size=1m,exec",
		},
	};
	const struct container_options options = {
		.mounts = { mounts, 3 },
	};
	AUTO_SPEC struct spec spec = SPEC_INIT;
	const struct spec_mount *mount;

	(void)state;
	build(&config, &options, &spec);
	mount = find_mount(&spec, "/rw");
	assert_non_null(mount);
	assert_string_equal(mount->source, "/src");
	assert_string_equal(mount->type, "bind");
	assert_true(has_option(mount, "rbind") && has_option(mount, "rprivate"));
	assert_false(has_option(mount, "ro"));
	mount = find_mount(&spec, "/ro");
	assert_true(mount && has_option(mount, "ro"));
	assert_string_equal(mount->source, "/volumes/db/_data");
	assert_true(has_option(mount, "x-cman.type=volume") &&
		    has_option(mount, "x-cman.name=db") && has_option(mount, "x-cman.subpath=a,b"));
	mount = find_mount(&spec, "/u");
	assert_true(mount && has_option(mount, "size=1m") && has_option(mount, "exec"));
}

static void what_cannot_be_built(void **state)
{
	const struct image_config empty = { 0 };
	const struct image_config bad_signal = {
		.cmd = WORDS("sh"),
		.stop_signal = (char *)"SIGBIRD",
	};
	const struct image_config shell = { .cmd = WORDS("sh") };
	const struct container_options none = { 0 };
	const struct container_options blank = { .command = WORDS((char *)"") };
	const struct container_options latin1 = { .command = WORDS((char *)"echo",
								   (char *)"caf\xe9") };
	struct err err = ERR_INIT;
	struct spec spec = SPEC_INIT;

	(void)state;
	assert_true(spec_build(&empty, &none, id, &spec, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.text, "no command: none was given and the image has none");
	assert_true(spec_build(&bad_signal, &none, id, &spec, &err) < 0);
	assert_string_equal(err.text, "the image's StopSignal is no signal: SIGBIRD");
	assert_true(spec_build(&shell, &blank, id, &spec, &err) < 0);
	assert_true(spec_build(&shell, &latin1, id, &spec, &err) < 0);
	assert_string_equal(err.text, "a word of the command is not UTF-8: caf\xe9");
	assert_null(spec.process.args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_image_says_what_nobody_else_does),
		cmocka_unit_test(what_is_asked_for_wins),
		cmocka_unit_test(the_hosts_name_goes_with_its_network),
		cmocka_unit_test(volumes_are_mounts),
		cmocka_unit_test(what_cannot_be_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
