/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/await.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/runtime/identity.h"
#include "store/base/cleanup.h"

#define SLOW_S 3
#define PATIENCE_MS 1500 /* less than that, and more than an execve takes on a busy machine */

struct newcomer {
	struct engine_process process;
	int proc_fd;
	int told[2]; /* its end stays open in us, as one that was taken from it would */
};

/* vfork(2) has its caller sleep, as a disk would, until the child is gone. */
static void sleep_deeply(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		const struct timespec time = { .tv_sec = SLOW_S };

		syscall(SYS_nanosleep, &time, NULL);
		_exit(0);
	}
}

static struct newcomer start(bool slow)
{
	struct newcomer it = { .process = ENGINE_PROCESS_INIT };
	struct err err = ERR_INIT;

	assert_int_equal(pipe2(it.told, O_CLOEXEC), 0);
	assert_int_equal(identity_open_proc(&it.proc_fd, &err), 0);
	it.process.pid = fork();
	assert_true(it.process.pid >= 0);
	if (it.process.pid == 0) {
		if (slow)
			sleep_deeply();
		else
			raise(SIGSTOP);
		execl("/bin/sleep", "sleep", "600", NULL);
		_exit(127);
	}
	it.process.pidfd = (int)syscall(SYS_pidfd_open, it.process.pid, 0);
	it.process.program = strdup("/bin/sleep");
	assert_true(it.process.pidfd >= 0);
	return it;
}

static void end(struct newcomer *it)
{
	kill(it->process.pid, SIGKILL);
	assert_int_equal(waitpid(it->process.pid, NULL, 0), it->process.pid);
	engine_process_release(&it->process);
	close(it->proc_fd);
	close(it->told[0]);
	close(it->told[1]);
}

static void await_state(const struct newcomer *it, bool wanted)
{
	struct identity_found found = { .sleeps = !wanted };
	struct err err = ERR_INIT;

	while (found.sleeps != wanted) {
		assert_int_equal(identity_find(it->proc_fd, it->process.pid, &found, &err), 0);
		assert_false(found.has_executed);
	}
}

static void who_waits_for_a_disk_is_waited_for(void **state)
{
	struct newcomer it = start(true);
	struct err err = ERR_INIT;

	(void)state;
	await_state(&it, true);
	assert_int_equal(await_exec_within(&it.process, it.proc_fd, it.told[0], PATIENCE_MS, &err),
			 0);
	end(&it);
}

static void who_is_held_is_given_up(void **state)
{
	struct newcomer it = start(false);
	struct err err = ERR_INIT;
	int status;

	(void)state;
	assert_int_equal(waitpid(it.process.pid, &status, WUNTRACED), it.process.pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(await_exec_within(&it.process, it.proc_fd, it.told[0], 300, &err),
			 -ETIMEDOUT);
	assert_int_equal(err.kind, ERR_STATE);
	assert_string_equal(err.text, "\"/bin/sleep\" is not executed: it is paused, or a process "
				      "that sees it holds it by ptrace(2)");
	end(&it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_for_a_disk_is_waited_for),
		cmocka_unit_test(who_is_held_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
