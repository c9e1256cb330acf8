/* SPDX-License-Identifier: Apache-2.0 */
/* What a group of processes uses, as root on a host that lets us make one. */
#include "manager/runtime/usage.h"

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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/runtime/cgroup.h"
#include "manager/runtime/process_family.h"
#include "manager/runtime/usage_processes.h"
#include "store/base/cleanup.h"

#define MEGABYTES 32
#define BUSY_NS 50000000

static char path[64];

static int find_place(void **state)
{
	struct spec_resources none = { 0 };
	struct cgroup cgroup = CGROUP_INIT;
	struct err err = ERR_INIT;

	(void)state;
	snprintf(path, sizeof(path), "/cman/unit-usage-%d", (int)getpid());
	if (geteuid() != 0 || cgroup_create(path, &none, &cgroup, &err) < 0 || cgroup.v2_fd < 0)
		path[0] = '\0';
	cgroup_release(&cgroup);
	return 0;
}

static int remove_place(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	return *path ? cgroup_destroy(path, &err) : 0;
}

/* Uses 50 ms of processor time and 32 MB, says so, and waits. */
static _Noreturn void use(int ready)
{
	struct timespec spent = { 0 };
	char *memory = mmap(NULL, MEGABYTES << 20, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		_exit(1);
	memset(memory, 1, MEGABYTES << 20);
	while (spent.tv_sec == 0 && spent.tv_nsec < BUSY_NS)
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	if (write(ready, "x", 1) != 1)
		_exit(1);
	while (pause() < 0)
		;
	_exit(0);
}

static pid_t spawn(int cgroup_fd, uint64_t namespaces)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP | namespaces,
				   .exit_signal = SIGCHLD,
				   .cgroup = (uint64_t)cgroup_fd };
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		use(ready[1]);
	close(ready[1]);
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void without_controllers_it_is_summed_up(void **state)
{
	struct cgroup cgroup = CGROUP_INIT;
	struct usage usage;
	struct err err = ERR_INIT;
	pid_t pid[2];

	(void)state;
	if (!*path)
		skip();
	assert_int_equal(cgroup_open(path, &cgroup, &err), 0);
	for (int i = 0; i < 2; i++)
		pid[i] = spawn(cgroup.v2_fd, i == 0 ? CLONE_NEWNET : 0);
	cgroup_release(&cgroup);
	if (usage_read(path, pid[0], true, &usage, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(usage.cpu_ns >= 2 * BUSY_NS);
	assert_true(usage.memory >= 2ull * MEGABYTES << 20);
	assert_true(usage.memory < 8ull * MEGABYTES << 20);
	assert_int_equal(usage.pids, 2);
	assert_int_equal(usage.pids_limit, 0);
	assert_true(usage.has_network);

	assert_int_equal(usage_read(path, pid[0], false, &usage, &err), 0);
	assert_false(usage.has_network);
	/* what is ours is not its own */
	assert_int_equal(usage_read(path, pid[1], true, &usage, &err), 0);
	assert_false(usage.has_network);
	for (int i = 0; i < 2; i++) {
		kill(pid[i], SIGKILL);
		assert_int_equal(waitpid(pid[i], NULL, 0), pid[i]);
	}
	assert_int_equal(usage_read(path, pid[0], false, &usage, &err), -ESRCH);
	assert_int_equal(err.kind, ERR_STATE);
}

static void with_a_limit_the_controller_counts(void **state)
{
	struct spec_resources none = { 0 };
	struct spec_resources some = { .memory_limit = 512 << 20, .pids_limit = 9 };
	struct cgroup cgroup = CGROUP_INIT;
	struct usage usage;
	struct err err = ERR_INIT;
	bool uncounted = false;
	pid_t pid;

	(void)state;
	if (!*path)
		skip();
	assert_int_equal(cgroup_open(path, &cgroup, &err), 0);
	pid = spawn(cgroup.v2_fd, 0);
	cgroup_release(&cgroup);
	if (cgroup_update(path, &none, &some, &uncounted, &err) < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_int_equal(err.kind, ERR_UNSUPPORTED);
		skip();
	}
	assert_int_equal(usage_read(path, pid, true, &usage, &err), 0);
	/* v1 does not know of what it had before: what it surely has is shown nevertheless */
	assert_int_equal(usage.memory_source, uncounted ? USAGE_MEMORY_PSS : USAGE_MEMORY_GROUP);
	assert_true(usage.memory > 0);
	assert_int_equal(usage.memory_limit, 512 << 20);
	assert_int_equal(usage.pids, 1);
	assert_int_equal(usage.pids_limit, 9);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/*
 * A process that waits for its end, and has a child that does so, too; its number is told to `fd`.
 */
static _Noreturn void be_a_parent(int fd)
{
	pid_t child;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (write(fd, &child, sizeof(child)) != (ssize_t)sizeof(child))
		_exit(1);
	for (;;)
		pause();
}

/* As fork(2), with clone(2)'s flags. */
static pid_t start_parent(unsigned long flags, int fd)
{
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		be_a_parent(fd);
	assert_true(pid > 0);
	return pid;
}

/* Those of a container without any group: who descends from it, and not who else is there. */
static void processes_are_found_by_their_parents(void **state)
{
	AUTO_CGROUP_MEMBERS struct cgroup_members found = CGROUP_MEMBERS_INIT;
	AUTO_CLOSE int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct usage_processes sum;
	struct err err = ERR_INIT;
	pid_t pid, child;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = start_parent(0, fds[1]);
	assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(process_family_find(proc, pid, &found, &err), 0);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.pids[0], pid);
	assert_int_equal(found.pids[1], child);
	usage_processes_sum(proc, &found, &sum);
	assert_true(sum.memory > 0);
	assert_int_equal(sum.threads, 2);
	kill(child, SIGKILL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(process_family_find(proc, pid, &found, &err), -ESRCH);
	assert_int_equal(err.kind, ERR_STATE);
	close(fds[0]);
	close(fds[1]);
}

/* Where it has a PID namespace, whoever is in there, whosever child it is. */
static void processes_are_found_by_their_namespace(void **state)
{
	AUTO_CGROUP_MEMBERS struct cgroup_members found = CGROUP_MEMBERS_INIT;
	AUTO_CLOSE int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;
	pid_t pid, child;
	int fds[2];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = start_parent(CLONE_NEWPID, fds[1]);
	assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(child, 2); /* as it is called in there */
	assert_int_equal(process_family_find(proc, pid, &found, &err), 0);
	assert_int_equal(found.count, 2);
	assert_true(found.pids[0] == pid || found.pids[1] == pid);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_controllers_it_is_summed_up),
		cmocka_unit_test(with_a_limit_the_controller_counts),
		cmocka_unit_test(processes_are_found_by_their_parents),
		cmocka_unit_test(processes_are_found_by_their_namespace),
	};

	return cmocka_run_group_tests(tests, find_place, remove_place);
}
