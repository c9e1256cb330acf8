/* SPDX-License-Identifier: Apache-2.0 */
/* Stages: this very program, started again under other names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/stage.h"

/* --- what the stages do --- */

static int stage_seven(void)
{
	return 7;
}

/* Descriptor numbers that are open, to descriptor 1. */
static int stage_list(void)
{
	for (int fd = 0; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			dprintf(1, "%d ", fd);
	dprintf(1, "env %s sid %d", environ[0] ? environ[0] : "none", getsid(0) == getpid());
	return 0;
}

/* Descriptor 3 is copied to 1: what was handed over is in its place. */
static int stage_swap(void)
{
	char text[32] = "";

	if (fd_read_all(0, text, 3) != 3 || fd_read_all(3, text + 3, 3) != 3)
		return 1;
	return fd_write_all(1, text, 6) < 0;
}

static int stage_signals(void)
{
	struct sigaction act;
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int sig = 1; sig < 32; sig++) {
		if (sigismember(&mask, sig))
			return sig;
		if (sigaction(sig, NULL, &act) < 0 || act.sa_handler == SIG_IGN)
			return 100 + sig;
	}
	return 0;
}

static int stage_nested(void)
{
	const struct stage_options options = { 0 };
	struct stage_child child;
	struct err err = ERR_INIT;
	int status = 0;

	if (stage_spawn("seven", &options, &child, &err) < 0 ||
	    waitpid(child.pid, &status, 0) != child.pid)
		return 1;
	return WEXITSTATUS(status);
}

static int stage_wait(void)
{
	char byte;

	return fd_write_all(1, "r", 1) < 0 || fd_read_all(0, &byte, 1) < 0;
}

static const struct stage stages[] = {
	{ "seven", stage_seven },
	{ "list", stage_list },
	{ "swap", stage_swap },
	{ "signals", stage_signals },
	{ "nested", stage_nested },
	{ "wait", stage_wait },
	{ NULL, NULL },
};

/* --- the tests --- */

static int run(const char *name, const struct stage_options *options)
{
	struct stage_child child;
	struct err err = ERR_INIT;
	int status = 0;

	if (stage_spawn(name, options, &child, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(fcntl(child.pidfd, F_GETFD) & FD_CLOEXEC);
	close(child.pidfd);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_registry(void **state)
{
	static const struct stage twice[] = { { "a", NULL }, { "b", NULL }, { "a", NULL }, { 0 } };
	int status = 0;
	pid_t pid;

	(void)state;
	assert_ptr_equal(stage_find(stages, "seven"), &stages[0]);
	assert_null(stage_find(stages, "eight"));
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		stage_find(twice, "b");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void test_exit_status(void **state)
{
	const struct stage_options options = { 0 };

	(void)state;
	assert_int_equal(run("seven", &options), 7);
}

static void test_nothing_else_is_inherited(void **state)
{
	AUTO_CLOSE int leaked = open("/dev/null", O_RDONLY); /* not close-on-exec */
	struct stage_options options = { .nfds = 6, .new_session = 1 };
	int out[2], fds[6] = { -1, -1, -1, -1, -1, -1 };
	char text[128] = "";

	(void)state;
	assert_true(leaked >= 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fds[1] = out[1];
	fds[5] = out[1];
	options.fds = fds;
	assert_int_equal(run("list", &options), 0);
	close(out[1]);
	assert_true(fd_read_all(out[0], text, sizeof(text) - 1) > 0);
	close(out[0]);
	assert_string_equal(text, "0 1 2 5 env none sid 1");
}

static void test_mount_is_kept(void **state)
{
	struct stage_options options = { .nfds = 3, .new_session = 1, .keep_mount = 1 };
	int out[2];
	char text[128] = "";

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	options.fds = (int[]){ -1, out[1], -1 };
	assert_int_equal(run("list", &options), 0);
	close(out[1]);
	assert_true(fd_read_all(out[0], text, sizeof(text) - 1) > 0);
	close(out[0]);
	assert_string_equal(text, "0 1 2 3 env none sid 1");
}

/* Each descriptor has the number that another one is to get. */
static void test_descriptors_trade_places(void **state)
{
	int a[2], b[2], out[2], kept[4];
	struct stage_options options = { .nfds = 4 };
	char text[16] = "";

	(void)state;
	for (int i = 0; i < 4; i++)
		kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 100); /* -1 where it is not open */
	assert_int_equal(pipe2(a, O_CLOEXEC), 0);
	assert_int_equal(pipe2(b, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(write(a[1], "aaa", 3), 3);
	assert_int_equal(write(b[1], "bbb", 3), 3);
	assert_int_equal(dup2(a[0], 3), 3);
	assert_int_equal(dup2(b[0], 0), 0);
	options.fds = (int[]){ 3, out[1], -1, 0 };
	assert_int_equal(run("swap", &options), 0);
	assert_int_equal(fd_read_all(out[0], text, 6), 6);
	assert_string_equal(text, "aaabbb");
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
		close(out[i]);
	}
	for (int i = 0; i < 4; i++) {
		if (kept[i] >= 0)
			dup2(kept[i], i);
		else
			close(i);
		if (kept[i] >= 0)
			close(kept[i]);
	}
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static void test_signals_are_default_and_unblocked(void **state)
{
	const struct stage_options options = { 0 };
	struct sigaction act = { .sa_handler = on_signal }, found;
	sigset_t block, before, after;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	assert_int_equal(sigaction(SIGUSR1, &act, NULL), 0);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &before);
	/* Pending for the parent: the child must not take it, nor run the handler. */
	raise(SIGUSR1);
	assert_int_equal(run("signals", &options), 0);
	sigprocmask(SIG_SETMASK, NULL, &after);
	assert_true(sigismember(&after, SIGTERM) && sigismember(&after, SIGUSR1));
	assert_int_equal(handled, 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(handled, 1);
	/* The parent's own dispositions are as before. */
	assert_int_equal(sigaction(SIGPIPE, NULL, &found), 0);
	assert_ptr_equal(found.sa_handler, SIG_IGN);
	assert_int_equal(sigaction(SIGUSR1, NULL, &found), 0);
	assert_ptr_equal(found.sa_handler, on_signal);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

static void test_a_stage_starts_a_stage(void **state)
{
	const struct stage_options options = { 0 };

	(void)state;
	assert_int_equal(run("nested", &options), 7);
}

static void test_the_binary_cannot_be_written(void **state)
{
	struct stage_options options = { .nfds = 2, .parent_death_signal = SIGKILL };
	struct stage_child child;
	struct err err = ERR_INIT;
	struct statvfs fs;
	int in[2], out[2];
	char path[64], byte;
	AUTO_CLOSE int exe = -1;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	options.fds = (int[]){ in[0], out[1] };
	assert_int_equal(stage_spawn("wait", &options, &child, &err), 0);
	assert_int_equal(read(out[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)child.pid);
	assert_int_equal(open(path, O_WRONLY | O_CLOEXEC), -1);
	exe = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(exe >= 0);
	/* Also once it does not run any more: either by the mount, or by the seals. */
	assert_int_equal(fstatvfs(exe, &fs), 0);
	assert_true((fs.f_flag & ST_RDONLY) || (fcntl(exe, F_GET_SEALS) & F_SEAL_WRITE));
	close(in[1]);
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
	close(child.pidfd);
	close(in[0]);
	close(out[0]);
	close(out[1]);
}

/* Who may not clone mounts gets a sealed copy. */
static void test_an_ordinary_user_starts_a_stage(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		struct stage_options options = { .nfds = 2 };
		struct stage_child child;
		struct err err = ERR_INIT;
		int in[2], out[2];
		char path[64], byte;
		AUTO_CLOSE int exe = -1;

		if (setgid(65534) < 0 || setuid(65534) < 0 || pipe2(in, O_CLOEXEC) < 0 ||
		    pipe2(out, O_CLOEXEC) < 0)
			_exit(1);
		options.fds = (int[]){ in[0], out[1] };
		if (stage_spawn("wait", &options, &child, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			_exit(2);
		}
		if (read(out[0], &byte, 1) != 1)
			_exit(3);
		snprintf(path, sizeof(path), "/proc/%d/exe", (int)child.pid);
		exe = open(path, O_RDONLY | O_CLOEXEC);
		if (exe < 0 || !(fcntl(exe, F_GET_SEALS) & F_SEAL_WRITE))
			_exit(4);
		close(in[1]);
		_exit(waitpid(child.pid, &status, 0) == child.pid ? WEXITSTATUS(status) : 5);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The child runs in our memory meanwhile: it changes neither errno nor anything else of ours. */
static void test_who_does_not_wait_is_not_disturbed(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 100; i++) {
		int fds[12];
		const struct stage_options options = { .nfds = 12, .fds = fds, .no_wait = 1 };
		struct stage_child child;
		int status = -1, pair[2];
		volatile char mine[4096];
		struct pollfd end;

		for (int fd = 0; fd < 11; fd++)
			fds[fd] = -1;
		assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
		fds[11] = pair[1];
		assert_int_equal(stage_spawn("seven", &options, &child, &err), 0);
		assert_non_null(child.memory);
		close(pair[1]);
		fds[11] = -1;
		end = (struct pollfd){ .fd = pair[0] };
		errno = EXDEV;
		do {
			for (size_t at = 0; at < sizeof(mine); at++)
				mine[at] = (char)at;
		} while (poll(&end, 1, 0) == 0);
		assert_int_equal(errno, EXDEV);
		for (size_t at = 0; at < sizeof(mine); at++)
			assert_int_equal(mine[at], (char)at);
		stage_heard(&child);
		assert_null(child.memory);
		assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
		assert_int_equal(WEXITSTATUS(status), 7);
		close(child.pidfd);
		close(pair[0]);
	}
}

/* It is killed before, while or after it is executed; nothing of it is left. */
static void test_one_that_is_given_up_at_once(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 100; i++) {
		const struct stage_options options = { .no_wait = 1 };
		struct stage_child child;

		assert_int_equal(stage_spawn("wait", &options, &child, &err), 0);
		(void)stage_end(&child);
		assert_int_equal(child.pid, 0);
		assert_null(child.memory);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_failures_are_told(void **state)
{
	struct stage_options options = { .parent_death_signal = 999 };
	struct stage_child child = { .pid = -5, .pidfd = -5 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(stage_spawn("seven", &options, &child, &err), -EINVAL);
	assert_string_equal(err.text, "cannot start stage seven: cannot set the parent-death "
				      "signal: Invalid argument");
	options = (struct stage_options){ .nfds = 1, .fds = (int[]){ 900 } };
	assert_int_equal(stage_spawn("seven", &options, &child, &err), -EBADF);
	assert_string_equal(err.text, "cannot start stage seven: cannot hand over descriptors: "
				      "Bad file descriptor");
	options = (struct stage_options){ .nfds = 16, .keep_mount = 1 };
	assert_int_equal(stage_spawn("seven", &options, &child, &err), -EINVAL);
	options = (struct stage_options){ .nfds = 2, .keep_mount = 1 };
	assert_int_equal(stage_spawn("seven", &options, &child, &err), -EINVAL);
	options = (struct stage_options){ .nfds = 17 };
	assert_int_equal(stage_spawn("seven", &options, &child, &err), -EINVAL);
	assert_int_equal(child.pid, -5);
	/* Nothing is left to be reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int count_descriptors(void)
{
	AUTO_CLOSEDIR DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	return n;
}

static void test_no_descriptor_is_left(void **state)
{
	const struct stage_options options = { .nfds = 3, .fds = (int[]){ 0, 1, 2 } };
	int before = count_descriptors();

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(run("seven", &options), 7);
	assert_int_equal(count_descriptors(), before);
}

int main(int argc, char **argv)
{
	const struct stage *stage = stage_find(stages, argc > 0 ? argv[0] : "");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry),
		cmocka_unit_test(test_exit_status),
		cmocka_unit_test(test_nothing_else_is_inherited),
		cmocka_unit_test(test_mount_is_kept),
		cmocka_unit_test(test_descriptors_trade_places),
		cmocka_unit_test(test_signals_are_default_and_unblocked),
		cmocka_unit_test(test_a_stage_starts_a_stage),
		cmocka_unit_test(test_the_binary_cannot_be_written),
		cmocka_unit_test(test_an_ordinary_user_starts_a_stage),
		cmocka_unit_test(test_who_does_not_wait_is_not_disturbed),
		cmocka_unit_test(test_one_that_is_given_up_at_once),
		cmocka_unit_test(test_failures_are_told),
		cmocka_unit_test(test_no_descriptor_is_left),
	};

	if (stage)
		return stage->main();
	return cmocka_run_group_tests_name("stage", tests, NULL, NULL);
}
