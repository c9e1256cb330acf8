/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/spec.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "store/base/strv.h"
#include "store/json.h"

#define CAP(number) (UINT64_C(1) << (number))

static void parse(const char *json, struct spec *out)
{
	struct err err = ERR_INIT;

	if (spec_parse(json, strlen(json), out, &err) < 0)
		fail_msg("%s", err.text);
}

static void print(const struct spec *spec, char **out)
{
	struct err err = ERR_INIT;

	if (spec_print(spec, out, &err) < 0)
		fail_msg("%s", err.text);
}

static void fill_resources(struct spec_resources *resources)
{
	static const struct spec_block_limit limits[] = {
		{ SPEC_BLOCK_WEIGHT, 8, 0, 700 },
		{ SPEC_BLOCK_READ_BPS, 8, 16, 1 << 20 },
		{ SPEC_BLOCK_WRITE_IOPS, 259, 1, 100 },
		{ SPEC_BLOCK_WRITE_IOPS, 259, 2, 200 },
	};

	resources->memory_limit = INT64_C(1) << 40;
	resources->memory_reservation = 1 << 30;
	resources->memory_swap = -1;
	resources->has_swappiness = true; /* and 0 is one */
	resources->oom_kill_disable = true;
	resources->cpu_shares = 512;
	resources->cpu_quota = 50000;
	resources->cpu_period = 100000;
	resources->cpuset_cpus = strdup("0-1");
	resources->cpuset_mems = strdup("0");
	resources->pids_limit = 100;
	resources->block_weight = 300;
	resources->block_limits = malloc(sizeof(limits));
	memcpy(resources->block_limits, limits, sizeof(limits));
	resources->nblock_limits = sizeof(limits) / sizeof(limits[0]);
}

static void assert_resources_came_through(const struct spec_resources *resources)
{
	assert_int_equal(resources->memory_limit, INT64_C(1) << 40);
	assert_int_equal(resources->memory_reservation, 1 << 30);
	assert_int_equal(resources->memory_swap, -1);
	assert_true(resources->has_swappiness);
	assert_int_equal(resources->swappiness, 0);
	assert_true(resources->oom_kill_disable);
	assert_int_equal(resources->cpu_period, 100000);
	assert_string_equal(resources->cpuset_cpus, "0-1");
	assert_string_equal(resources->cpuset_mems, "0");
	assert_int_equal(resources->block_weight, 300);
	assert_int_equal(resources->nblock_limits, 4);
	assert_int_equal(resources->block_limits[0].kind, SPEC_BLOCK_WEIGHT);
	assert_int_equal(resources->block_limits[0].value, 700);
	assert_int_equal(resources->block_limits[1].minor, 16);
	assert_int_equal(resources->block_limits[3].kind, SPEC_BLOCK_WRITE_IOPS);
	assert_int_equal(resources->block_limits[3].minor, 2);
	assert_int_equal(resources->block_limits[3].value, 200);
}

/* Fill what the defaults leave open, so that every member makes the journey. */
static void fill(struct spec *spec)
{
	static const char *const layers[] = { "/layers/a:b", "/layers/c,\"d" };

	spec->process.terminal = true;
	spec->process.rows = 33;
	spec->process.cols = 99;
	spec->process.open_stdin = true;
	spec->process.user.uid = 1000;
	spec->process.user.gid = 4294967294u;
	spec->process.user.umask = 077;
	spec->process.user.lookup = strdup("bird:wings");
	spec->process.user.additional_gids = malloc(2 * sizeof(gid_t));
	spec->process.user.additional_gids[0] = 7;
	spec->process.user.additional_gids[1] = 77;
	spec->process.user.nadditional_gids = 2;
	strv_add(&spec->process.args, "sh");
	strv_add(&spec->process.args, "-c");
	strv_add(&spec->process.args, "echo \"\xc3\xa9\"\n");
	strv_add(&spec->process.env, "PATH=/bin");
	spec->process.capabilities.ambient = CAP(CAP_SYS_TIME);
	spec->process.capabilities.inheritable = CAP(CAP_SYS_TIME) | CAP(CAP_CHECKPOINT_RESTORE);
	spec->process.rlimits = calloc(2, sizeof(*spec->process.rlimits));
	spec->process.rlimits[0] = (struct spec_rlimit){ RLIMIT_NOFILE, 1024, 4096 };
	spec->process.rlimits[1] = (struct spec_rlimit){ RLIMIT_CORE, 0, UINT64_MAX };
	spec->process.nrlimits = 2;
	spec->hostname = strdup("nest");
	for (size_t i = 0; i < 2; i++)
		strv_add(&spec->overlay.lower, layers[i]);
	spec->overlay.upper = strdup("/c/upper");
	spec->overlay.work = strdup("/c/work");
	spec->overlay.is_volatile = true;
	spec->root_readonly = true;
	spec->cgroups_path = strdup("/cman/x");
	spec->seccomp_default = false;
	spec->stop_signal = SIGQUIT;
	spec->process.has_oom_score_adj = true;
	spec->process.oom_score_adj = -999;
	fill_resources(&spec->resources);
	strv_add(&spec->process.user.groups, "audio");
	spec->domainname = strdup("example.org");
	spec->devices[spec->ndevices - 1].source = strdup("/dev/tty");
	spec->joins[spec_namespace_index(SPEC_NS_NETWORK)].path = strdup("/run/netns/blue");
	spec->joins[spec_namespace_index(SPEC_NS_PID)].container = strdup("0123456789ab");
	strv_add(&spec->sysctl, "net.ipv4.ip_forward=1");
	spec->seccomp = strdup("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	spec->secrets = calloc(1, sizeof(*spec->secrets));
	spec->secrets[0] =
		(struct spec_secret){ strdup("/etc/key"), strdup("/run/secrets/key"), 1, 2, 0400 };
	spec->nsecrets = 1;
	strv_add(&spec->annotations, "org.example.note=a=b");
	spec->preserve_fds = 2;
	spec->log_none = true;
	spec->log_max_bytes = INT64_C(5) << 30;
	spec->host_devices = spec->private_ipc = true;
}

static void assert_process_came_through(const struct spec_process *process)
{
	assert_true(process->terminal);
	assert_int_equal(process->rows, 33);
	assert_int_equal(process->cols, 99);
	assert_true(process->open_stdin);
	assert_int_equal(process->user.uid, 1000);
	assert_int_equal(process->user.gid, 4294967294u);
	assert_int_equal(process->user.umask, 077);
	assert_string_equal(process->user.lookup, "bird:wings");
	assert_int_equal(process->user.nadditional_gids, 2);
	assert_int_equal(process->user.additional_gids[1], 77);
	assert_int_equal(strv_len(process->args), 3);
	assert_string_equal(process->args[2], "echo \"\xc3\xa9\"\n");
	assert_string_equal(process->env[0], "PATH=/bin");
	assert_int_equal(process->capabilities.ambient, CAP(CAP_SYS_TIME));
	assert_int_equal(process->capabilities.inheritable,
			 CAP(CAP_SYS_TIME) | CAP(CAP_CHECKPOINT_RESTORE));
	assert_int_equal(process->nrlimits, 2);
	assert_int_equal(process->rlimits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(process->rlimits[0].soft, 1024);
	assert_int_equal(process->rlimits[0].hard, 4096);
	assert_int_equal(process->rlimits[1].soft, 0);
	assert_true(process->rlimits[1].hard == UINT64_MAX);
	assert_true(process->no_new_privileges);
}

static void what_is_printed_is_parsed_to_the_same(void **state)
{
	AUTO_SPEC struct spec spec = SPEC_INIT, again = SPEC_INIT;
	struct err err = ERR_INIT;
	char *first = NULL, *second = NULL;

	(void)state;
	assert_int_equal(spec_set_defaults(&spec, &err), 0);
	fill(&spec);
	print(&spec, &first);
	parse(first, &again);

	assert_process_came_through(&again.process);
	assert_null(again.root_path);
	assert_true(again.root_readonly);
	assert_int_equal(strv_len(again.overlay.lower), 2);
	assert_string_equal(again.overlay.lower[1], "/layers/c,\"d");
	assert_string_equal(again.overlay.upper, "/c/upper");
	assert_true(again.overlay.is_volatile);
	assert_false(again.seccomp_default);
	assert_true(again.init);
	assert_int_equal(again.stop_signal, SIGQUIT);
	assert_int_equal(again.namespaces, spec.namespaces);
	assert_resources_came_through(&again.resources);
	assert_true(again.process.has_oom_score_adj);
	assert_int_equal(again.process.oom_score_adj, -999);
	assert_int_equal(again.resources.ndevices, spec.resources.ndevices);
	assert_int_equal(again.resources.devices[1].major, -1);
	assert_int_equal(again.resources.devices[3].minor, 3);
	assert_memory_equal(again.resources.devices[1].access, "m", 2);

	assert_string_equal(again.process.user.groups[0], "audio");
	assert_string_equal(again.joins[spec_namespace_index(SPEC_NS_NETWORK)].path,
			    "/run/netns/blue");
	assert_string_equal(again.joins[spec_namespace_index(SPEC_NS_PID)].container,
			    "0123456789ab");
	assert_null(again.devices[0].source);
	assert_string_equal(again.devices[again.ndevices - 1].source, "/dev/tty");
	assert_string_equal(again.sysctl[0], "net.ipv4.ip_forward=1");
	assert_string_equal(again.seccomp, spec.seccomp);
	assert_int_equal(again.nsecrets, 1);
	assert_int_equal(again.secrets[0].mode, 0400);
	assert_int_equal(strv_len(again.annotations), 1);
	assert_string_equal(again.annotations[0], "org.example.note=a=b");
	assert_int_equal(again.preserve_fds, 2);
	assert_true(again.log_none);
	assert_true(again.log_max_bytes == INT64_C(5) << 30);
	assert_true(again.host_devices && again.private_ipc);

	/* and whatever was not looked at above, is the same too */
	print(&again, &second);
	assert_string_equal(first, second);
	free(first);
	free(second);
}

static void what_is_printed_is_compact_json(void **state)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	AUTO_JSON json_t *json = NULL;
	struct err err = ERR_INIT;
	char *text = NULL, *again = NULL;

	(void)state;
	assert_int_equal(spec_set_defaults(&spec, &err), 0);
	fill(&spec);
	strv_add(&spec.health.test, "CMD-SHELL");
	strv_add(&spec.health.test, "test \"x\"\n");
	print(&spec, &text);
	assert_int_equal(json_parse("printed", text, strlen(text), &json, &err), 0);
	assert_int_equal(json_print(json, false, &again, &err), 0);
	assert_string_equal(text, again);
	free(text);
	free(again);
}

/* An array comes where the first of its kind is, and sections that say nothing do not. */
static void limits_of_a_kind_are_in_one_array(void **state)
{
	static struct spec_block_limit limits[] = {
		{ SPEC_BLOCK_WRITE_IOPS, 259, 1, 100 },
		{ SPEC_BLOCK_WEIGHT, 8, 0, 700 },
		{ SPEC_BLOCK_WRITE_IOPS, 259, 2, 200 },
	};
	const struct spec spec = {
		.resources = { .block_limits = limits, .nblock_limits = 3 },
		.seccomp_default = true,
	};
	char *text = NULL;

	(void)state;
	print(&spec, &text);
	assert_string_equal(
		text,
		"{\"ociVersion\":\"1.2.0\",\"process\":{\"terminal\":false,"
		"\"user\":{\"uid\":0,\"gid\":0,\"umask\":0},\"capabilities\":{\"bounding\":[],"
		"\"effective\":[],\"inheritable\":[],\"permitted\":[],\"ambient\":[]},"
		"\"noNewPrivileges\":false},\"root\":{\"path\":\"rootfs\",\"readonly\":false},"
		"\"mounts\":[],\"linux\":{\"namespaces\":[],\"devices\":[],"
		"\"resources\":{\"devices\":[],\"blockIO\":{\"throttleWriteIOPSDevice\":"
		"[{\"major\":259,\"minor\":1,\"rate\":100},{\"major\":259,\"minor\":2,"
		"\"rate\":200}],\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":700}]}}},"
		"\"annotations\":{}}");
	free(text);
}

static void defaults_confine(void **state)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(spec_set_defaults(&spec, &err), 0);
	assert_int_equal(__builtin_popcountll(spec.process.capabilities.bounding), 14);
	assert_false(spec.process.capabilities.bounding & CAP(CAP_SYS_ADMIN));
	assert_int_equal(spec.process.capabilities.inheritable, 0);
	assert_int_equal(spec.process.capabilities.ambient, 0);
	assert_true(spec.process.no_new_privileges);
	assert_true(spec.seccomp_default);
	assert_int_equal(spec.process.user.umask, 022);
	assert_false(spec.resources.devices[0].allow);
	assert_int_equal(spec.resources.devices[0].type, 'a');
	assert_int_equal(spec.namespaces, SPEC_NS_MOUNT | SPEC_NS_PID | SPEC_NS_UTS | SPEC_NS_IPC |
						  SPEC_NS_NETWORK | SPEC_NS_CGROUP);
}

static void the_example_of_the_specification_is_understood(void **state)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;

	(void)state;
	parse("{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":true,\"user\":{\"uid\":1,"
	      "\"gid\":1,\"additionalGids\":[5,6]},\"args\":[\"sh\"],\"env\":[\"A=b\"],"
	      "\"cwd\":\"/\",\"capabilities\":{\"bounding\":[\"CAP_KILL\"]},"
	      "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":512}]},"
	      "\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"h\","
	      "\"mounts\":[{\"destination\":\"/data\",\"source\":\"/v\",\"options\":[\"rbind\"]}],"
	      "\"hooks\":{},\"linux\":{\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\","
	      "\"major\":10,\"minor\":229,\"fileMode\":438}],"
	      "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}],"
	      "\"resources\":{\"memory\":{\"limit\":-1},\"pids\":{\"limit\":32771},"
	      "\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"rw\"}]}}}",
	      &spec);
	assert_string_equal(spec.root_path, "rootfs");
	assert_int_equal(spec.process.user.umask, 022);
	assert_int_equal(spec.namespaces, SPEC_NS_PID | SPEC_NS_MOUNT);
	assert_int_equal(spec.nmounts, 1);
	assert_string_equal(spec.mounts[0].type, "bind");
	assert_int_equal(spec.devices[0].minor, 229);
	assert_int_equal(spec.devices[0].file_mode, 0666);
	assert_int_equal(spec.resources.memory_limit, 0);
	assert_int_equal(spec.resources.pids_limit, 32771);
	assert_int_equal(spec.resources.devices[0].minor, -1);
	assert_true(spec.seccomp_default);
	assert_false(spec.init);
}

#define ROOT "\"root\":{\"path\":\"r\"}"

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *json, *text;
		enum err_kind kind;
	} cases[] = {
		{ "[]", "config.json is not a JSON object", ERR_INVALID },
		{ "{}", "root has no path", ERR_INVALID },
		{ "{" ROOT ",\"mounts\":[7]}", "mounts has an entry that is not an object",
		  ERR_INVALID },
		{ "{" ROOT ",\"mounts\":[{\"destination\":\"data\"}]}",
		  "mounts: entry 1: destination is missing or not absolute", ERR_INVALID },
		{ "{" ROOT ",\"process\":{\"user\":{\"uid\":-1}}}", "process: uid is out of range",
		  ERR_INVALID },
		{ "{" ROOT ",\"process\":{\"user\":{\"uid\":4294967295}}}",
		  "process: uid is out of range", ERR_INVALID },
		{ "{" ROOT ",\"process\":{\"user\":{\"additionalGids\":[\"x\"]}}}",
		  "process: additionalGids has an entry that is no group ID", ERR_INVALID },
		{ "{" ROOT ",\"process\":{\"capabilities\":{\"bounding\":[\"CAP_FLY\"]}}}",
		  "process: bounding: unknown capability CAP_FLY", ERR_INVALID },
		{ "{" ROOT ",\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_AIR\"}]}}",
		  "process: rlimits: unknown type \"RLIMIT_AIR\"", ERR_INVALID },
		{ "{" ROOT ",\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"x\"}]}}",
		  "linux: namespaces: pid: path is not absolute", ERR_INVALID },
		{ "{" ROOT ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]}}",
		  "linux: namespaces: type \"pid\" is there twice", ERR_INVALID },
		{ "{" ROOT ",\"linux\":{\"sysctl\":{\"net.a\":1}}}",
		  "linux: sysctl: net.a is not a string", ERR_INVALID },
		{ "{" ROOT
		  ",\"annotations\":{\"io.cman.secrets\":\"[{\\\"source\\\":\\\"/s\\\"}]\"}}",
		  "annotations: io.cman.secrets: entry 1: target is not absolute, or has no source",
		  ERR_INVALID },
		{ "{" ROOT ",\"annotations\":{\"io.cman.preserve-fds\":\"1025\"}}",
		  "annotations: io.cman.preserve-fds is no number of descriptors", ERR_INVALID },
		{ "{" ROOT ",\"linux\":{\"namespaces\":[{\"type\":\"dream\"}]}}",
		  "linux: namespaces: unknown type \"dream\"", ERR_UNSUPPORTED },
		{ "{" ROOT ",\"linux\":{\"resources\":{\"devices\":[{\"access\":\"rx\"}]}}}",
		  "linux: resources: devices: entry 1: access is not made of r, w and m",
		  ERR_INVALID },
		{ "{" ROOT ",\"linux\":{\"resources\":{\"memory\":{\"swappiness\":101}}}}",
		  "linux: resources: memory: swappiness is out of range", ERR_INVALID },
		{ "{" ROOT ",\"linux\":{\"resources\":{\"blockIO\":{\"weight\":1001}}}}",
		  "linux: resources: blockIO: weight is out of range", ERR_INVALID },
		{ "{" ROOT ",\"linux\":{\"resources\":{\"blockIO\":{\"throttleReadBpsDevice\":"
		  "[{\"major\":8,\"minor\":0,\"rate\":-5}]}}}}",
		  "linux: resources: blockIO: throttleReadBpsDevice: entry 1: rate is out of range",
		  ERR_INVALID },
		{ "{" ROOT ",\"process\":{\"oomScoreAdj\":1001}}",
		  "process: oomScoreAdj is out of range", ERR_INVALID },
		{ "{" ROOT ",\"linux\":{\"devices\":[{\"path\":\"/dev/x\",\"type\":\"q\"}]}}",
		  "linux: devices: entry 1: type: unknown type \"q\"", ERR_INVALID },
		{ "{\"annotations\":{\"io.cman.overlay.lower\":\"[\\\"/l\\\"]\"}}",
		  "annotations: io.cman.overlay.lower without an upper and a work directory",
		  ERR_INVALID },
		{ "{\"annotations\":{\"io.cman.overlay.lower\":\"[]\"}}",
		  "annotations: io.cman.overlay.lower names no layer", ERR_INVALID },
		{ "{" ROOT ",\"annotations\":{\"io.cman.init\":\"yes\"}}",
		  "annotations: io.cman.init is neither \"true\" nor \"false\"", ERR_INVALID },
		{ "{" ROOT ",\"annotations\":{\"io.cman.stop-signal\":\"15x\"}}",
		  "annotations: io.cman.stop-signal is no signal", ERR_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_SPEC struct spec spec = SPEC_INIT;
		struct err err = ERR_INIT;

		assert_true(spec_parse(cases[i].json, strlen(cases[i].json), &spec, &err) < 0);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(err.kind, cases[i].kind);
		assert_null(spec.root_path); /* untouched */
	}
}

static void text_that_json_cannot_hold_is_refused(void **state)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	struct err err = ERR_INIT;
	char *text = NULL;

	(void)state;
	assert_int_equal(spec_set_defaults(&spec, &err), 0);
	strv_add(&spec.process.args, "\xff");
	assert_true(spec_print(&spec, &text, &err) < 0);
	assert_null(text);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.text, "cannot write the configuration as JSON: "
				      "a text in it is not UTF-8, or there is no memory");
}

/* Also where it is within a text of JSON, as lists in annotations are. */
static void text_within_an_annotation_is_looked_at_too(void **state)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	struct err err = ERR_INIT;
	char *text = NULL;

	(void)state;
	strv_add(&spec.overlay.lower, "/layers/\xff");
	assert_true(spec_print(&spec, &text, &err) < 0);
	assert_null(text);
	assert_int_equal(err.kind, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_parsed_to_the_same),
		cmocka_unit_test(what_is_printed_is_compact_json),
		cmocka_unit_test(limits_of_a_kind_are_in_one_array),
		cmocka_unit_test(defaults_confine),
		cmocka_unit_test(the_example_of_the_specification_is_understood),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(text_that_json_cannot_hold_is_refused),
		cmocka_unit_test(text_within_an_annotation_is_looked_at_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
