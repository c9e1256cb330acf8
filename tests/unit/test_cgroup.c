/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/runtime/cgroup_devices.h"
#include "manager/runtime/cgroup_host.h"
#include "manager/runtime/cgroup_self.h"
#include "manager/runtime/cgroup_tree.h"
#include "store/base/cleanup.h"

/* ---- pure parts ------------------------------------------------------------------------------ */

static void paths_are_checked(void **state)
{
	static const char *const bad[] = {
		"",	 "/",	  "cman",    "cman/x", "//x",	 "/x/",
		"/x//y", "/../x", "/x/../y", "/.",     "/x/./y", "/x/.."
	};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(cgroup_tree_check(bad[i], &err), -EINVAL);
		assert_int_equal(err.kind, ERR_INVALID);
	}
	assert_int_equal(cgroup_tree_check("/cman/0123", &err), 0);
	assert_int_equal(cgroup_tree_check("/a/..b/c..", &err), 0);
}

/* The few instructions that the device programs are made of. */
static int run_devices(const struct bpf_insn *code, size_t len, char type, const char *access,
		       uint32_t major, uint32_t minor)
{
	uint32_t bits = 0, r[BPF_REG_10 + 1] = { 0 };
	uint32_t context[3];

	bits |= strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0;
	bits |= strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0;
	bits |= strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0;
	context[0] = bits << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	context[1] = major;
	context[2] = minor;
	for (size_t pc = 0; pc < len; pc++) {
		const struct bpf_insn *i = &code[pc];
		uint32_t *dst = &r[i->dst_reg], imm = (uint32_t)i->imm;

		switch (i->code) {
		case BPF_LDX | BPF_W | BPF_MEM:
			*dst = context[i->off / 4];
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			*dst = r[i->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			*dst = imm;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			*dst &= imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			*dst >>= imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			pc += *dst != imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += *dst == imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)r[0];
		default:
			fail_msg("instruction %zu has code %#x", pc, i->code);
		}
	}
	fail_msg("the program ends without a verdict");
	return -1;
}

static struct spec_device_rule default_rules[] = {
	{ false, 'a', -1, -1, "rwm" }, { true, 'c', -1, -1, "m" }, { true, 'b', -1, -1, "m" },
	{ true, 'c', 1, 3, "rwm" },    { true, 'c', 5, 0, "rw" },  { true, 'c', 136, -1, "rwm" },
	{ false, 'c', 136, 7, "w" },
};
#define NRULES (sizeof(default_rules) / sizeof(default_rules[0]))

static void device_rules_decide_last_first(void **state)
{
	static const struct {
		char type;
		const char *access;
		uint32_t major, minor;
		int allowed;
	} cases[] = {
		{ 'c', "rw", 1, 3, 1 },	   { 'c', "rwm", 1, 3, 1 },  { 'b', "rw", 1, 3, 0 },
		{ 'c', "m", 1, 1, 1 },	   { 'c', "r", 1, 1, 0 },    { 'c', "rm", 1, 1, 0 },
		{ 'b', "m", 8, 0, 1 },	   { 'b', "r", 8, 0, 0 },    { 'c', "rw", 5, 0, 1 },
		{ 'c', "rwm", 5, 0, 0 },   { 'c', "rw", 136, 0, 1 }, { 'c', "rw", 136, 999, 1 },
		{ 'c', "r", 136, 7, 1 },   { 'c', "w", 136, 7, 0 },  { 'c', "rw", 136, 7, 0 },
		{ 'c', "rw", 10, 200, 0 },
	};
	struct bpf_insn code[CGROUP_DEVICES_PROGRAM_LEN(NRULES)];
	size_t len = cgroup_devices_compile(default_rules, NRULES, code);

	(void)state;
	assert_in_range(len, 8, CGROUP_DEVICES_PROGRAM_LEN(NRULES));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (run_devices(code, len, cases[i].type, cases[i].access, cases[i].major,
				cases[i].minor) != cases[i].allowed)
			fail_msg("%c %u:%u %s is not %d", cases[i].type, cases[i].major,
				 cases[i].minor, cases[i].access, cases[i].allowed);
}

static void device_programs_end_where_a_rule_always_fits(void **state)
{
	struct spec_device_rule all = { true, 'a', -1, -1, "rwm" };
	struct bpf_insn code[CGROUP_DEVICES_PROGRAM_LEN(1)];
	size_t len = cgroup_devices_compile(&all, 1, code);

	(void)state;
	assert_int_equal(len, 6 + 2);
	assert_int_equal(run_devices(code, len, 'b', "rwm", 8, 0), 1);
	len = cgroup_devices_compile(NULL, 0, code);
	assert_int_equal(run_devices(code, len, 'c', "r", 1, 3), 0);
}

/* ---- where they are -------------------------------------------------------------------------- */

static unsigned count_found(const struct cgroup_host *host)
{
	return (host->v2_root >= 0) + (host->v1_dir >= 0);
}

/* In a process of its own: from `spare` on there are no descriptors left. */
static _Noreturn void look_with_few_descriptors(unsigned spare, unsigned there)
{
	struct cgroup_host host = CGROUP_HOST_INIT;
	struct rlimit limit;
	struct err err = ERR_INIT;
	int next = dup(STDERR_FILENO);

	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)next + spare;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (cgroup_host_find(&host, &err) == 0)
		_exit(count_found(&host) == there ? 0 : 2);
	_exit(err.num == EMFILE && strstr(err.text, "cannot look for ") == err.text &&
			      count_found(&host) == 0 ?
		      1 :
		      2);
}

/* With none left it fails, and with enough it finds what is there; never in between. */
static void what_cannot_be_looked_at_is_not_taken_for_absent(void **state)
{
	struct cgroup_host host = CGROUP_HOST_INIT;
	struct err err = ERR_INIT;
	unsigned there;

	(void)state;
	assert_int_equal(cgroup_host_find(&host, &err), 0);
	there = count_found(&host);
	cgroup_host_release(&host);
	for (unsigned spare = 0;; spare++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0)
			look_with_few_descriptors(spare, there);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (spare > 0 && WEXITSTATUS(status) == 0)
			return;
		assert_int_equal(WEXITSTATUS(status), 1);
		assert_true(spare < 8);
	}
}

/* ---- the kernel's groups, as root on a host that lets us ------------------------------------- */

static char path[64];

/* A group of this test's own, and whether this host gives one. */
static int find_place(void **state)
{
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	struct err err = ERR_INIT;
	int dir;

	(void)state;
	if (cgroup_host_find(&host, &err) < 0)
		return -1;
	snprintf(path, sizeof(path), "/cman/unit-%d", (int)getpid());
	if (geteuid() != 0 || host.v2_root < 0 ||
	    cgroup_tree_make(host.v2_root, path, &dir, &err) < 0) {
		path[0] = '\0';
		return 0;
	}
	close(dir);
	return cgroup_destroy(path, &err);
}

static pid_t spawn_into(int cgroup_fd, int (*body)(void))
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = (uint64_t)cgroup_fd };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(body());
	assert_true(pid > 0);
	return pid;
}

static bool is_there(void)
{
	struct cgroup found = CGROUP_INIT;
	struct err err = ERR_INIT;
	bool there;

	assert_int_equal(cgroup_open(path, &found, &err), 0);
	assert_int_equal(cgroup_open_v1(&found, path, &err), 0);
	there = found.v2_fd >= 0 || found.v1_fds[0] >= 0;
	cgroup_release(&found);
	return there;
}

static int sleep_for_ever(void)
{
	signal(SIGTERM, SIG_IGN);
	while (pause() < 0)
		;
	return 0;
}

static void what_is_left_is_killed_and_removed(void **state)
{
	struct spec_resources resources = { 0 };
	struct cgroup cgroup = CGROUP_INIT;
	struct err err = ERR_INIT;
	int status, sub;
	pid_t pid[2];

	(void)state;
	if (!*path)
		skip();
	assert_int_equal(cgroup_create(path, &resources, &cgroup, &err), 0);
	assert_true(is_there());
	/* As a container would that has its own cgroup tree below. */
	assert_int_equal(mkdirat(cgroup.v2_fd, "sub", 0755), 0);
	assert_int_equal(mkdirat(cgroup.v2_fd, "sub/sub", 0755), 0);
	sub = openat(cgroup.v2_fd, "sub/sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid[0] = spawn_into(cgroup.v2_fd, sleep_for_ever);
	pid[1] = spawn_into(sub, sleep_for_ever);
	close(sub);
	cgroup_release(&cgroup);

	assert_int_equal(cgroup_destroy(path, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	assert_false(is_there());
	assert_int_equal(cgroup_destroy(path, &err), 0);
}

/* Status 0: /dev/null may be opened, the kernel's log may not, a node may be made. */
static int try_devices(void)
{
	char node[64];

	if (open("/dev/null", O_RDWR) < 0)
		return 1;
	if (open("/dev/kmsg", O_RDONLY) >= 0 || errno != EPERM)
		return 2;
	snprintf(node, sizeof(node), "/tmp/test_cgroup.%d", (int)getpid());
	if (mknod(node, S_IFCHR | 0600, makedev(1, 11)) < 0)
		return 3;
	unlink(node);
	return 0;
}

/* Twice: the second time the program is the one that was parked. */
static void devices_are_confined(void **state)
{
	struct spec_resources resources = { .devices = default_rules, .ndevices = NRULES };

	(void)state;
	if (!*path)
		skip();
	for (int i = 0; i < 2; i++) {
		struct cgroup cgroup = CGROUP_INIT;
		struct err err = ERR_INIT;
		int status = -1;
		pid_t pid;

		if (cgroup_create(path, &resources, &cgroup, &err) < 0)
			fail_msg("%s", err.text);
		pid = spawn_into(cgroup.v2_fd, try_devices);
		/*
		 * Where there is no BPF the v1 controller has to be joined: try_devices cannot wait
		 * for it.
		 */
		if (cgroup.v1_fds[0] >= 0) {
			waitpid(pid, &status, 0);
			cgroup_release(&cgroup);
			assert_int_equal(cgroup_destroy(path, &err), 0);
			skip();
		}
		cgroup_release(&cgroup);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(cgroup_destroy(path, &err), 0);
	}
}

static int count_forks(void)
{
	int made = 0;

	/* The process itself is one of the five; the others wait for the end of the group. */
	while (made < 20) {
		pid_t pid = fork();

		if (pid < 0)
			return made;
		if (pid == 0)
			sleep_for_ever();
		made++;
	}
	return made;
}

static void limits_hold(void **state)
{
	struct spec_resources resources = { .memory_limit = 64 << 20,
					    .cpu_quota = 50000,
					    .cpu_period = 100000,
					    .cpu_shares = 512,
					    .pids_limit = 5,
					    .cpuset_cpus = (char *)"0" };
	struct cgroup cgroup = CGROUP_INIT;
	struct err err = ERR_INIT;
	int gate[2], status;
	pid_t pid;
	char byte;

	(void)state;
	if (!*path)
		skip();
	if (cgroup_create(path, &resources, &cgroup, &err) < 0) {
		assert_int_equal(err.kind, ERR_UNSUPPORTED); /* "… this host has no … controller" */
		skip();
	}
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		_exit(read(gate[0], &byte, 1) == 1 ? count_forks() : 99);
	assert_int_equal(cgroup_attach(&cgroup, pid, &err), 0);
	if (cgroup.v1_fds[0] < 0) {
		char text[16];

		snprintf(text, sizeof(text), "%d", pid);
		assert_int_equal(cgroup_tree_write(cgroup.v2_fd, "cgroup.procs", text), 0);
	}
	assert_int_equal(write(gate[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 4);
	assert_false(cgroup_oom_killed(path));
	cgroup_release(&cgroup);
	assert_int_equal(cgroup_destroy(path, &err), 0);
	assert_false(is_there());
}

static long read_number(int dir, const char *file)
{
	char text[64] = "";

	assert_int_equal(cgroup_tree_read(dir, file, text, sizeof(text)), 0);
	return strtol(text, NULL, 10);
}

/* Where a limit went to: the v1 group, or the one of cgroup2. */
static int open_limited(const char *controller, int v2_fd)
{
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	struct err err = ERR_INIT;
	AUTO_CLOSE int root = -1;
	int dir;

	assert_int_equal(cgroup_host_find(&host, &err), 0);
	root = cgroup_host_v1(&host, controller);
	dir = root >= 0 ? cgroup_tree_open(root, path) : -1;
	return dir >= 0 ? dir : dup(v2_fd);
}

/* A container without limits gets one, a higher one, and none again, while two processes run. */
static void limits_change_while_it_runs(void **state)
{
	struct spec_resources none = { 0 }, some = { .pids_limit = 50, .memory_limit = 64 << 20 };
	struct spec_resources more = { .pids_limit = 60, .memory_limit = 256 << 20 };
	struct spec_resources bad = { .pids_limit = 70, .cpuset_cpus = (char *)"wings" };
	struct cgroup cgroup = CGROUP_INIT;
	struct err err = ERR_INIT;
	AUTO_CLOSE int pids = -1, memory = -1;
	bool uncounted = false;
	pid_t pid[2];

	(void)state;
	if (!*path)
		skip();
	assert_int_equal(cgroup_create(path, &none, &cgroup, &err), 0);
	for (int i = 0; i < 2; i++)
		pid[i] = spawn_into(cgroup.v2_fd, sleep_for_ever);
	if (cgroup_update(path, &none, &some, &uncounted, &err) < 0) {
		assert_int_equal(err.kind, ERR_UNSUPPORTED);
		goto end;
	}
	pids = open_limited("pids", cgroup.v2_fd);
	memory = open_limited("memory", cgroup.v2_fd);
	assert_int_equal(read_number(pids, "pids.max"), 50);
	assert_int_equal(read_number(pids, "pids.current"), 2);
	if (faccessat(memory, "memory.limit_in_bytes", F_OK, 0) == 0) {
		assert_int_equal(read_number(memory, "memory.limit_in_bytes"), 64 << 20);
		assert_true(uncounted);
		assert_int_equal(cgroup_update(path, &some, &more, &uncounted, &err), 0);
		assert_int_equal(read_number(memory, "memory.limit_in_bytes"), 256 << 20);
		assert_false(uncounted);
		assert_int_equal(cgroup_update(path, &more, &some, &uncounted, &err), 0);
		assert_int_equal(read_number(memory, "memory.limit_in_bytes"), 64 << 20);
	}
	/* what went well before the failure is undone */
	assert_true(cgroup_update(path, &some, &bad, &uncounted, &err) < 0);
	assert_string_equal(err.text,
			    "set of CPUs: cannot write \"wings\" to cpuset.cpus: Invalid argument");
	assert_int_equal(read_number(pids, "pids.max"), 50);
	assert_int_equal(cgroup_update(path, &some, &none, &uncounted, &err), 0);
	assert_int_equal(read_number(pids, "pids.max"), 0); /* "max" */
end:
	cgroup_release(&cgroup);
	assert_int_equal(cgroup_destroy(path, &err), 0);
	for (int i = 0; i < 2; i++)
		waitpid(pid[i], NULL, 0);
	assert_false(is_there());
}

static void a_bad_limit_is_named_and_leaves_nothing(void **state)
{
	struct spec_resources resources = { .cpuset_cpus = (char *)"wings" };
	struct cgroup cgroup = CGROUP_INIT;
	struct err err = ERR_INIT;

	(void)state;
	if (!*path)
		skip();
	assert_true(cgroup_create(path, &resources, &cgroup, &err) < 0);
	if (err.kind == ERR_UNSUPPORTED)
		skip();
	assert_string_equal(err.text,
			    "set of CPUs: cannot write \"wings\" to cpuset.cpus: Invalid argument");
	assert_non_null(strstr(err.hint, "this machine offers CPUs 0"));
	assert_int_equal(cgroup.v2_fd, -1);
	assert_false(is_there());
}

#define COMERS 8
#define VISITS 50

/* Each may be alone in a group that another is about to enter. Who is in the root stays there. */
static _Noreturn void come_and_go(int home, const char *group, const char *parent)
{
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < VISITS; i++)
		if (cgroup_tree_write(home, "cgroup.procs", "0") < 0 ||
		    cgroup_move_self(group, &err) < 0 ||
		    cgroup_leave_self(group, parent, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			_exit(1);
		}
	_exit(0);
}

static void the_last_one_to_leave_removes_the_group(void **state)
{
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	struct err err = ERR_INIT;
	char parent[80], group[96];
	AUTO_CLOSE int home = -1;
	pid_t pid[COMERS];
	int status;

	(void)state;
	if (!*path)
		skip();
	snprintf(parent, sizeof(parent), "%s-visitors", path);
	snprintf(group, sizeof(group), "%s/all", parent);
	assert_int_equal(cgroup_host_find(&host, &err), 0);
	assert_int_equal(cgroup_tree_make(host.v2_root, path, &home, &err), 0);
	for (unsigned i = 0; i < COMERS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0)
			come_and_go(home, group, parent);
	}
	for (unsigned i = 0; i < COMERS; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(cgroup_tree_open(host.v2_root, parent), -ENOENT);
	assert_int_equal(cgroup_destroy(path, &err), 0);
}

enum { SKIPPED = 77 };

/* Who was started in the root never moves, and takes away what is empty as the others do. */
static _Noreturn void leave_from_root(int root_fd, const char *group, const char *parent)
{
	struct err err = ERR_INIT;
	int dir = -1;

	if (cgroup_tree_write(root_fd, "cgroup.procs", "0") < 0)
		_exit(SKIPPED);
	_exit(cgroup_tree_make(root_fd, parent, &dir, &err) < 0 ||
	      cgroup_move_self(group, &err) < 0 || cgroup_leave_self(group, parent, &err) < 0);
}

static void who_stays_in_the_root_removes_what_is_empty(void **state)
{
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	struct err err = ERR_INIT;
	char parent[80], group[96];
	int status;
	pid_t pid;

	(void)state;
	if (!*path)
		skip();
	snprintf(parent, sizeof(parent), "%s-root", path);
	snprintf(group, sizeof(group), "%s-others", path);
	assert_int_equal(cgroup_host_find(&host, &err), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		leave_from_root(host.v2_root, group, parent);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(status, 0);
	assert_int_equal(cgroup_tree_open(host.v2_root, parent), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_checked),
		cmocka_unit_test(device_rules_decide_last_first),
		cmocka_unit_test(device_programs_end_where_a_rule_always_fits),
		cmocka_unit_test(what_cannot_be_looked_at_is_not_taken_for_absent),
		cmocka_unit_test(what_is_left_is_killed_and_removed),
		cmocka_unit_test(devices_are_confined),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(limits_change_while_it_runs),
		cmocka_unit_test(a_bad_limit_is_named_and_leaves_nothing),
		cmocka_unit_test(the_last_one_to_leave_removes_the_group),
		cmocka_unit_test(who_stays_in_the_root_removes_what_is_empty),
	};

	return cmocka_run_group_tests(tests, find_place, NULL);
}
