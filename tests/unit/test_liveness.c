/* SPDX-License-Identifier: Apache-2.0 */
/* Who attends to a container is seen as long as it lives, and not a moment longer. */
#include "manager/monitor/liveness.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/lifecycle.h"
#include "store/base/cleanup.h"
#include "store/containers.h"
#include "tests/unit/scratch.h"

/* More than have room where the IDs of all lead to the same place. */
#define CROWD 100

struct holder {
	pid_t pid;
	int orders; /* once closed, it ends */
};

/* All are looked for in the same place. */
static void make_id(char id[CONTAINER_ID_LEN + 1], unsigned number)
{
	snprintf(id, CONTAINER_ID_LEN + 1, "%02x%062x", number, 0);
}

/* Does as it is told, one letter after the other, and answers each with a process's number. */
static _Noreturn void hold(int run_fd, const char *id, int orders)
{
	struct liveness own = LIVENESS_INIT;
	pid_t answer = getpid();
	char order;

	liveness_hold(&own, run_fd, id);
	do {
		(void)!write(orders, &answer, sizeof(answer));
		if (read(orders, &order, 1) != 1)
			_exit(0);
		if (order == 'g')
			liveness_give_up(&own);
		answer = order == 'f' ? fork() : getpid();
	} while (answer > 0);
	pause();
	_exit(0);
}

static pid_t answer(const struct holder *holder)
{
	pid_t pid = 0;

	assert_int_equal(read(holder->orders, &pid, sizeof(pid)), sizeof(pid));
	return pid;
}

static pid_t order(const struct holder *holder, char what)
{
	assert_int_equal(write(holder->orders, &what, 1), 1);
	return answer(holder);
}

static struct holder start(int run_fd, const char *id)
{
	struct holder holder;
	int orders[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, orders), 0);
	holder.pid = fork();
	assert_true(holder.pid >= 0);
	if (holder.pid == 0) {
		close(orders[0]);
		hold(run_fd, id, orders[1]);
	}
	close(orders[1]);
	holder.orders = orders[0];
	assert_int_equal(answer(&holder), holder.pid);
	return holder;
}

/* Its number is free for others only when it was waited for. */
static void end(struct holder *holder, int signal)
{
	siginfo_t info;

	if (signal)
		assert_int_equal(kill(holder->pid, signal), 0);
	close(holder->orders);
	assert_int_equal(waitid(P_PID, (id_t)holder->pid, &info, WEXITED | WNOWAIT), 0);
}

static void forget(const struct holder *holder)
{
	assert_int_equal(waitpid(holder->pid, NULL, 0), holder->pid);
}

static struct container_record record_of(const char *id, pid_t monitor)
{
	struct container_record record = CONTAINER_RECORD_INIT;
	struct err err = ERR_INIT;

	memcpy(record.id, id, sizeof(record.id));
	record.monitor_pid = monitor;
	assert_int_equal(lifecycle_boot_id(record.boot_id, &err), 0);
	return record;
}

static bool is_seen(int run_fd, const char *id, pid_t monitor)
{
	AUTO_LIVENESS_LIST struct liveness_list list = LIVENESS_LIST_INIT;
	const struct container_record record = record_of(id, monitor);

	liveness_list_open(run_fd, &list);
	return liveness_seen(&list, &record);
}

static void whoever_holds_is_seen_until_it_is_killed(void **state)
{
	const struct scratch *s = *state;
	AUTO_LIVENESS_LIST struct liveness_list list = LIVENESS_LIST_INIT;
	char id[CONTAINER_ID_LEN + 1];
	struct container_record record;
	struct holder holder;

	make_id(id, 1);
	assert_false(is_seen(s->fd, id, getpid()));
	holder = start(s->fd, id);
	record = record_of(id, holder.pid);
	/* What was opened before sees what happens after. */
	liveness_list_open(s->fd, &list);
	assert_true(liveness_seen(&list, &record));
	end(&holder, SIGKILL);
	assert_false(liveness_seen(&list, &record));
	assert_false(is_seen(s->fd, id, holder.pid));
	forget(&holder);
}

static void whoever_ends_by_itself_is_not_seen_any_more(void **state)
{
	const struct scratch *s = *state;
	char id[CONTAINER_ID_LEN + 1];
	struct holder holder;

	make_id(id, 1);
	holder = start(s->fd, id);
	assert_true(is_seen(s->fd, id, holder.pid));
	end(&holder, 0);
	assert_false(is_seen(s->fd, id, holder.pid));
	forget(&holder);
}

static void a_child_of_its_own_does_not_stand_for_it(void **state)
{
	const struct scratch *s = *state;
	char id[CONTAINER_ID_LEN + 1];
	struct holder holder;
	pid_t child;

	make_id(id, 1);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	holder = start(s->fd, id);
	child = order(&holder, 'f');
	end(&holder, SIGKILL);
	assert_false(is_seen(s->fd, id, holder.pid));
	assert_false(is_seen(s->fd, id, child));
	forget(&holder);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void a_place_that_was_given_up_is_another_s(void **state)
{
	const struct scratch *s = *state;
	char id[CONTAINER_ID_LEN + 1];
	struct holder first, second;

	make_id(id, 1);
	first = start(s->fd, id);
	assert_int_equal(order(&first, 'g'), first.pid);
	assert_false(is_seen(s->fd, id, first.pid));
	second = start(s->fd, id);
	assert_true(is_seen(s->fd, id, second.pid));
	/* Its end has nothing to do with the place any more. */
	end(&first, SIGKILL);
	assert_true(is_seen(s->fd, id, second.pid));
	end(&second, SIGKILL);
	forget(&first);
	forget(&second);
}

static void only_the_monitor_of_the_record_is_seen(void **state)
{
	const struct scratch *s = *state;
	AUTO_LIVENESS_LIST struct liveness_list list = LIVENESS_LIST_INIT;
	char id[CONTAINER_ID_LEN + 1], other[CONTAINER_ID_LEN + 1];
	struct container_record record;
	struct holder holder;

	make_id(id, 1);
	make_id(other, 2);
	holder = start(s->fd, id);
	assert_true(is_seen(s->fd, id, holder.pid));
	assert_false(is_seen(s->fd, id, getpid()));
	assert_false(is_seen(s->fd, id, 0));
	assert_false(is_seen(s->fd, other, holder.pid));
	/* As it was before the machine was restarted. */
	record = record_of(id, holder.pid);
	record.boot_id[0] = record.boot_id[0] == '0' ? '1' : '0';
	liveness_list_open(s->fd, &list);
	assert_false(liveness_seen(&list, &record));
	end(&holder, SIGKILL);
	forget(&holder);
}

static void a_crowd_has_as_many_places_as_there_are(void **state)
{
	const struct scratch *s = *state;
	struct holder crowd[CROWD];
	char id[CONTAINER_ID_LEN + 1];
	unsigned seen = 0, last = 0;

	for (unsigned i = 0; i < CROWD; i++) {
		make_id(id, i);
		crowd[i] = start(s->fd, id);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		make_id(id, i);
		if (is_seen(s->fd, id, crowd[i].pid))
			seen++;
		else
			last = i;
	}
	assert_in_range(seen, 64, CROWD - 1);
	/* Who had none gets the place of one that died. */
	end(&crowd[0], SIGKILL);
	forget(&crowd[0]);
	end(&crowd[last], SIGKILL);
	forget(&crowd[last]);
	make_id(id, last);
	crowd[last] = start(s->fd, id);
	assert_true(is_seen(s->fd, id, crowd[last].pid));
	for (unsigned i = 1; i < CROWD; i++) {
		end(&crowd[i], SIGKILL);
		forget(&crowd[i]);
	}
}

static void a_table_that_is_too_short_has_nobody_in_it(void **state)
{
	const struct scratch *s = *state;
	AUTO_CLOSE int fd = openat(s->fd, "monitors", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char id[CONTAINER_ID_LEN + 1];
	struct holder holder;

	make_id(id, 1);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_false(is_seen(s->fd, id, getpid()));
	holder = start(s->fd, id);
	assert_true(is_seen(s->fd, id, holder.pid));
	end(&holder, SIGKILL);
	forget(&holder);
}

/* As if the kernel had not been able to write to the disk when the process died. */
static void what_a_disk_has_kept_is_not_believed(void **state)
{
	const struct scratch *s = *state;
	AUTO_FREE char *kept = NULL;
	AUTO_CLOSE int fd = -1;
	char id[CONTAINER_ID_LEN + 1];
	struct holder holder;
	struct statfs fs;
	struct stat st;

	assert_int_equal(fstatfs(s->fd, &fs), 0);
	if (fs.f_type == TMPFS_MAGIC)
		skip(); /* there is no disk that could */
	make_id(id, 1);
	holder = start(s->fd, id);
	fd = openat(s->fd, "monitors", O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	kept = malloc((size_t)st.st_size);
	assert_non_null(kept);
	assert_int_equal(pread(fd, kept, (size_t)st.st_size, 0), st.st_size);
	end(&holder, SIGKILL);
	assert_int_equal(pwrite(fd, kept, (size_t)st.st_size, 0), st.st_size);
	/* The process is there, as long as nobody has waited for it: that it is believed is the
	 * proof that the table says so. */
	assert_true(is_seen(s->fd, id, holder.pid));
	forget(&holder);
	assert_false(is_seen(s->fd, id, holder.pid));
}

/* Takes a place and gives it up, and stops before each system call and after it. */
static pid_t start_in_steps(int run_fd, const char *id)
{
	struct liveness own = LIVENESS_INIT;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
		_exit(1);
	liveness_hold(&own, run_fd, id);
	liveness_give_up(&own);
	_exit(0);
}

/* Kills it at its stop number `stop`; false if it ends before. */
static bool kill_at(pid_t pid, unsigned stop)
{
	int status;

	for (unsigned i = 0;; i++) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
		if (i == stop)
			break;
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return true;
}

/* There is but one free place, which the first to lose it would lose for all. */
static void whoever_is_killed_on_the_way_leaves_the_place_free(void **state)
{
	const struct scratch *s = *state;
	struct holder crowd[CROWD];
	char id[CONTAINER_ID_LEN + 1];
	unsigned stop = 0;

	for (unsigned i = 0; i < CROWD; i++) {
		make_id(id, i);
		crowd[i] = start(s->fd, id);
	}
	end(&crowd[0], SIGKILL);
	forget(&crowd[0]);
	make_id(id, 0);
	while (kill_at(start_in_steps(s->fd, id), stop))
		stop++;
	assert_in_range(stop, 16, 1000);
	crowd[0] = start(s->fd, id);
	assert_true(is_seen(s->fd, id, crowd[0].pid));
	for (unsigned i = 0; i < CROWD; i++) {
		end(&crowd[i], SIGKILL);
		forget(&crowd[i]);
	}
}

/* The table of a machine that went down with all places taken. */
static void places_that_a_disk_has_kept_are_taken_over(void **state)
{
	const struct scratch *s = *state;
	struct holder crowd[CROWD], next;
	AUTO_FREE char *kept = NULL;
	AUTO_CLOSE int fd = -1;
	char id[CONTAINER_ID_LEN + 1];
	struct statfs fs;
	struct stat st;

	assert_int_equal(fstatfs(s->fd, &fs), 0);
	if (fs.f_type == TMPFS_MAGIC)
		skip(); /* it keeps nothing */
	for (unsigned i = 0; i < CROWD; i++) {
		make_id(id, i);
		crowd[i] = start(s->fd, id);
	}
	fd = openat(s->fd, "monitors", O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	kept = malloc((size_t)st.st_size);
	assert_non_null(kept);
	assert_int_equal(pread(fd, kept, (size_t)st.st_size, 0), st.st_size);
	for (unsigned i = 0; i < CROWD; i++)
		end(&crowd[i], SIGKILL);
	assert_int_equal(pwrite(fd, kept, (size_t)st.st_size, 0), st.st_size);
	/* As long as nobody has waited for them, all may live. */
	make_id(id, 0);
	next = start(s->fd, id);
	assert_false(is_seen(s->fd, id, next.pid));
	end(&next, SIGKILL);
	forget(&next);
	forget(&crowd[1]);
	next = start(s->fd, id);
	assert_true(is_seen(s->fd, id, next.pid));
	make_id(id, 2);
	assert_true(is_seen(s->fd, id, crowd[2].pid));
	end(&next, SIGKILL);
	forget(&next);
	for (unsigned i = 0; i < CROWD; i++)
		if (i != 1)
			forget(&crowd[i]);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(whoever_holds_is_seen_until_it_is_killed),
		SCRATCH_TEST(whoever_ends_by_itself_is_not_seen_any_more),
		SCRATCH_TEST(a_child_of_its_own_does_not_stand_for_it),
		SCRATCH_TEST(a_place_that_was_given_up_is_another_s),
		SCRATCH_TEST(only_the_monitor_of_the_record_is_seen),
		SCRATCH_TEST(a_crowd_has_as_many_places_as_there_are),
		SCRATCH_TEST(a_table_that_is_too_short_has_nobody_in_it),
		SCRATCH_TEST(what_a_disk_has_kept_is_not_believed),
		SCRATCH_TEST(whoever_is_killed_on_the_way_leaves_the_place_free),
		SCRATCH_TEST(places_that_a_disk_has_kept_are_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
