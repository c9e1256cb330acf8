/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/reap.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"

/* A child that exits with `status`, or ends itself by `signal`, or waits for ever. */
static int start(int status, int signal, bool waits)
{
	const struct rlimit no_core = { 0, 0 };
	pid_t pid = fork();
	int pidfd;

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		if (signal) {
			struct sigaction action = { .sa_handler = SIG_DFL };

			sigaction(signal, &action, NULL);
			kill(getpid(), signal);
		}
		if (waits)
			pause();
		_exit(status);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(pidfd >= 0);
	return pidfd;
}

static int wait_for(int pidfd)
{
	struct err err = ERR_INIT;
	int status = -1;

	if (reap_wait(pidfd, &status, &err) < 0)
		fail_msg("%s", err.text);
	return status;
}

static void a_status_is_what_waitpid_would_give(void **state)
{
	AUTO_CLOSE int seven = start(7, 0, false);
	AUTO_CLOSE int most = start(255, 0, false);
	AUTO_CLOSE int killed = start(0, SIGTERM, true);
	int status;

	(void)state;
	status = wait_for(seven);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(WEXITSTATUS(wait_for(most)), 255);
	status = wait_for(killed);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void nothing_is_reaped_twice(void **state)
{
	AUTO_CLOSE int child = start(1, 0, false);
	struct err err = ERR_INIT;
	int status = -7;

	(void)state;
	wait_for(child);
	assert_int_equal(reap_wait(child, &status, &err), -ECHILD);
	assert_int_equal(err.kind, ERR_STATE);
	assert_int_equal(status, -7);
}

static void what_is_killed_is_gone(void **state)
{
	AUTO_CLOSE int child = start(0, 0, true);

	(void)state;
	reap_killed(child);
	assert_int_equal(syscall(SYS_pidfd_send_signal, child, 0, NULL, 0), -1);
	assert_int_equal(errno, ESRCH);
	reap_killed(-1);
}

static void silence_is_explained(void **state)
{
	AUTO_CLOSE int ended = start(3, 0, false);
	AUTO_CLOSE int killed = start(0, SIGKILL, true);
	struct err err = ERR_INIT;

	(void)state;
	assert_true(reap_explain(ended, "ctinit", &err) < 0);
	assert_string_equal(err.text, "ctinit ended too early, with status 3");
	assert_string_equal(err.hint, "");
	assert_true(reap_explain(killed, "ctinit", &err) < 0);
	assert_string_equal(err.text,
			    "ctinit was killed by signal 9 (Killed) before it could start");
	assert_string_equal(err.hint, "is its memory limit too small?");
}

/* --- a tracer in the container that never asks what becomes of what it has seized --- */

/* A child that exits with 7 when it gets a byte at *gate, and who traces it. */
static pid_t start_traced(int *gate, pid_t *tracer)
{
	int to_child[2], to_us[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(to_child), 0);
	assert_int_equal(pipe(to_us), 0);
	child = fork();
	if (child == 0)
		_exit(read(to_child[0], &byte, 1) == 1 ? 7 : 8);
	*tracer = fork();
	if (*tracer == 0) {
		if (ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0)
			(void)!write(to_us[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(to_us[0], &byte, 1), 1);
	close(to_child[0]);
	close(to_us[0]);
	close(to_us[1]);
	*gate = to_child[1];
	return child;
}

static void end_traced(pid_t child, pid_t tracer)
{
	kill(tracer, SIGKILL);
	assert_int_equal(waitpid(tracer, NULL, 0), tracer);
	/* It was left behind. */
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void the_end_of_who_is_traced_is_known(void **state)
{
	AUTO_CLOSE int gate = -1;
	pid_t tracer, child = start_traced(&gate, &tracer);
	AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, child, 0);

	(void)state;
	assert_int_equal(write(gate, "", 1), 1);
	assert_int_equal(wait_for(pidfd), 7 << 8);
	end_traced(child, tracer);
}

static void who_is_traced_is_killed(void **state)
{
	AUTO_CLOSE int gate = -1;
	pid_t tracer, child = start_traced(&gate, &tracer);
	AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, child, 0);

	(void)state;
	reap_killed(pidfd);
	assert_int_equal(wait_for(pidfd), SIGKILL);
	end_traced(child, tracer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_is_what_waitpid_would_give),
		cmocka_unit_test(nothing_is_reaped_twice),
		cmocka_unit_test(what_is_killed_is_gone),
		cmocka_unit_test(silence_is_explained),
		cmocka_unit_test(the_end_of_who_is_traced_is_known),
		cmocka_unit_test(who_is_traced_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
