/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/runtime/living_thread.h"
#include "manager/runtime/proc_file.h"
#include "store/base/cleanup.h"

/* Before the start time, and what follows until the status of the end, which is the last. */
#define REST " 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 "
#define TAIL " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 "

static int parse(const char *text, char *state, uint64_t *start)
{
	struct identity_stat found;
	int result = identity_parse_stat(text, strlen(text), &found);

	if (result == 0) {
		*state = found.state;
		*start = found.start_time;
	}
	return result;
}

static void any_name_is_passed_over(void **state)
{
	uint64_t start = 0;
	char letter = 0;

	(void)state;
	assert_int_equal(parse("7 (sh) S" REST "12345" TAIL "0\n", &letter, &start), 0);
	assert_int_equal(letter, 'S');
	assert_int_equal(start, 12345);
	assert_int_equal(parse("7 (a) S 1 (b) (c) Z" REST "18446744073709551615" TAIL "0\n",
			       &letter, &start),
			 0);
	assert_int_equal(letter, 'Z');
	assert_true(start == UINT64_MAX);
}

static void what_is_cut_or_too_large_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"7",
		"7 (sh)",
		"7 (sh) ",
		"7 (sh) S",
		"7 (sh) S" REST,
		"7 (sh) S" REST "x",
		"7 (sh) S" REST "18446744073709551616" TAIL "0\n",
		"7 (sh) S" REST "12345",
		"7 (sh) S" REST "12345" TAIL,
	};
	uint64_t start = 77;
	char letter;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse(wrong[i], &letter, &start), -EINVAL);
	assert_int_equal(start, 77);
}

static void a_process_that_ended_has_no_identity(void **state)
{
	AUTO_CLOSE int proc = -1;
	struct err err = ERR_INIT;
	uint64_t ours = 0, start = 77;
	char text[64];
	siginfo_t info;
	pid_t child;
	int status = 0;

	(void)state;
	assert_int_equal(identity_open_proc(&proc, &err), 0);
	assert_int_equal(identity_start_time(proc, getpid(), &ours, &err), 0);
	assert_true(ours > 0);
	child = fork();
	if (child == 0)
		_exit(7);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(identity_start_time(proc, child, &start, &err), -ESRCH);
	assert_int_equal(err.kind, ERR_STATE);
	snprintf(text, sizeof(text), "process %d has ended", (int)child);
	assert_string_equal(err.text, text);
	assert_int_equal(identity_end_status(proc, child, &status, &err), 0);
	assert_int_equal(status, 7 << 8);
	assert_int_equal(identity_end_status(proc, getpid(), &status, &err), -EBUSY);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(identity_end_status(proc, child, &status, &err), -ESRCH);
	assert_int_equal(identity_start_time(proc, child, &start, &err), -ESRCH);
	snprintf(text, sizeof(text), "process %d is gone", (int)child);
	assert_string_equal(err.text, text);
	assert_int_equal(start, 77);
}

/* In a child: tell whether it has executed a program, before and after it does. */
static void a_fork_is_told_from_a_program(void **state)
{
	AUTO_CLOSE int proc = -1;
	struct err err = ERR_INIT;
	struct identity_found found = { .has_executed = true };
	int gate[2], done[2];
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(identity_open_proc(&proc, &err), 0);
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(pipe(done), 0);
	child = fork();
	if (child == 0) {
		close(gate[1]);
		dup2(gate[0], STDIN_FILENO);
		dup2(done[1], STDOUT_FILENO);
		if (read(STDIN_FILENO, &byte, 1) == 1)
			execlp("cat", "cat", NULL);
		_exit(1);
	}
	close(gate[0]);
	assert_int_equal(identity_find(proc, child, &found, &err), 0);
	assert_false(found.has_executed);
	assert_int_equal(write(gate[1], "ab", 2), 2);
	assert_int_equal(read(done[0], &byte, 1), 1); /* it is cat that answers */
	assert_int_equal(identity_find(proc, child, &found, &err), 0);
	assert_true(found.has_executed);
	close(gate[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(identity_find(proc, child, &found, &err), -ESRCH);
	close(done[0]);
	close(done[1]);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* The first thread of the child ends at once, and not as a C library would let it. */
static pid_t fork_first_thread_ends(void)
{
	pid_t pid = fork();
	pthread_t other;

	if (pid != 0)
		return pid;
	if (pthread_create(&other, NULL, wait_for_ever, NULL) == 0)
		syscall(SYS_exit, 0);
	_exit(1);
}

static char state_of(int proc, pid_t pid)
{
	struct identity_stat found = { .state = '?' };
	char text[1024];
	ssize_t len = proc_file_read(proc, pid, "stat", text, sizeof(text));

	assert_true(len > 0);
	assert_int_equal(identity_parse_stat(text, (size_t)len, &found), 0);
	return found.state;
}

static void a_process_outlives_its_first_thread(void **state)
{
	AUTO_CLOSE int proc = -1;
	AUTO_CLOSE int pidfd = -1;
	AUTO_CLOSE int exe = -1;
	struct err err = ERR_INIT;
	uint64_t start = 0;
	pid_t child, found = 0;
	siginfo_t info;
	int status = 0;

	(void)state;
	assert_int_equal(identity_open_proc(&proc, &err), 0);
	child = fork_first_thread_ends();
	assert_true(child > 0);
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	while (state_of(proc, child) != 'Z')
		usleep(1000);
	assert_int_equal(identity_start_time(proc, child, &start, &err), 0);
	assert_int_equal(identity_end_status(proc, child, &status, &err), -EBUSY);
	assert_false(identity_is_exiting(proc, child, start));
	assert_true(living_thread_find(proc, child) > 0);
	assert_true(living_thread_find(proc, child) != child);
	exe = living_thread_open(proc, child, "exe", O_PATH);
	assert_true(exe >= 0);
	assert_int_equal(identity_of_pidfd(proc, pidfd, &found, &err), 0);
	assert_int_equal(found, child);
	kill(child, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(identity_start_time(proc, child, &start, &err), -ESRCH);
	assert_true(identity_is_exiting(proc, child, start));
	assert_int_equal(living_thread_find(proc, child), 0);
	assert_int_equal(living_thread_open(proc, child, "exe", O_PATH), -ESRCH);
	assert_int_equal(identity_end_status(proc, child, &status, &err), 0);
	assert_int_equal(status, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(identity_of_pidfd(proc, pidfd, &found, &err), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_name_is_passed_over),
		cmocka_unit_test(what_is_cut_or_too_large_is_refused),
		cmocka_unit_test(a_process_that_ended_has_no_identity),
		cmocka_unit_test(a_process_outlives_its_first_thread),
		cmocka_unit_test(a_fork_is_told_from_a_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
