/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/child_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/program.h"
#include "store/base/strv.h"

#define KEPT_LAST 5 /* what the last phases need */
/* Descriptors from here on are out of the way of the kept ones. `ulimit -n` may be as low as 64. */
#define SPARE_BASE (CHILD_KEPT_BASE + CHILD_HELD_MAX + KEPT_LAST)

static int move_up(int *fd, int base, struct err *err)
{
	int moved;

	if (*fd < 0)
		return 0;
	moved = fcntl(*fd, F_DUPFD_CLOEXEC, base);
	if (moved < 0)
		return err_sys(err, errno, "cannot move a descriptor");
	*fd = moved;
	return 0;
}

static int move_down(int *fd, int place, struct err *err)
{
	if (*fd < 0)
		return 0;
	if (dup3(*fd, place, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot place a descriptor");
	*fd = place;
	return 0;
}

int child_sort_descriptors(void *context, struct err *err)
{
	struct child *child = context;
	const struct engine_request *request = child->plan->request;
	const int own[CHILD_KEPT_OWN] = { child->plan->report_fds[1], child->plan->report_fds[0],
					  child->payload.console };
	int *const last[KEPT_LAST] = { &child->payload.sync_fd, &child->payload.root_fd,
				       &child->init_fd, &child->gate_fd, &child->launch_fd };
	int kept[SPEC_PRESERVE_MAX + CHILD_HELD_MAX + KEPT_LAST] = { 0 };
	const size_t first = request->npreserved;
	size_t nkept = first;
	int result = 0;

	if (first > SPEC_PRESERVE_MAX || request->nhold_fds > ENGINE_HOLD_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "too many descriptors to keep");
	for (size_t i = 0; i < first; i++)
		kept[i] = request->preserved[i];
	if (child->spec->init) {
		memcpy(kept + nkept, own, sizeof(own));
		nkept += CHILD_KEPT_OWN;
		for (size_t i = 0; i < request->nhold_fds; i++)
			kept[nkept++] = request->hold_fds[i];
		child->nheld = nkept - first;
	}
	for (size_t i = 0; i < child->nheld; i++)
		child->held[i] = kept[first + i] >= 0;
	child->payload.preserved = (unsigned)first;
	child->gate_fd = child->plan->gate_fd;
	child->launch_fd = child->builder ? child->plan->report_fds[1] : -1;
	for (size_t i = 0; i < KEPT_LAST; i++)
		kept[nkept++] = *last[i];
	for (size_t i = 0; i < nkept && result == 0; i++)
		result = move_up(&kept[i], SPARE_BASE + (int)first, err);
	if (result == 0 &&
	    syscall(SYS_close_range, CHILD_KEPT_BASE, (unsigned)(SPARE_BASE + first - 1), 0) < 0)
		result = err_sys(err, errno, "cannot close descriptors");
	for (size_t i = 0; i < nkept && result == 0; i++)
		result = move_down(&kept[i], CHILD_KEPT_BASE + (int)i, err);
	/* Also after a failure, which is told through one of them. */
	for (size_t i = 0; i < KEPT_LAST; i++)
		*last[i] = kept[nkept - KEPT_LAST + i];
	if (result < 0)
		return result;
	if (syscall(SYS_close_range, (unsigned)(CHILD_KEPT_BASE + nkept), ~0U, 0) < 0)
		return err_sys(err, errno, "cannot close descriptors");
	return 0;
}

/* ctinit's command line: its options, then the payload's words. */
static int init_arguments(const struct child *child, char ***out, struct err *err)
{
	const struct payload *payload = &child->payload;
	char **argv = NULL;
	char number[16];
	bool failed = strv_add(&argv, "ctinit") < 0;

	for (size_t i = 0; i < child->nheld; i++) {
		if (!child->held[i])
			continue;
		snprintf(number, sizeof(number), "%zu", CHILD_KEPT_BASE + payload->preserved + i);
		failed |= strv_add(&argv, i == 0 ? "--report-fd" : "--hold-fd") < 0;
		failed |= strv_add(&argv, number) < 0;
	}
	if (!payload->process.terminal)
		failed |= strv_add(&argv, "--no-tty") < 0;
	/* it is process 1 of its own PID namespace only */
	if (!(spec_new_namespaces(child->spec) & SPEC_NS_PID))
		failed |= strv_add(&argv, "--subreaper") < 0;
	failed |= strv_add(&argv, "--") < 0;
	/* ctinit looks in PATH as was done here; without one, let it not guess */
	failed |= strv_add(&argv, strv_get_env(payload->env, "PATH") ? payload->process.args[0] :
								       payload->program) < 0;
	failed |= strv_extend(&argv, payload->process.args + 1) < 0;
	if (failed) {
		strv_free(argv);
		return err_sys(err, ENOMEM, "cannot make the command line of ctinit");
	}
	*out = argv;
	return 0;
}

static int keep(int fd, struct err *err)
{
	return fcntl(fd, F_SETFD, 0) < 0 ?
		       err_sys(err, errno, "cannot hand a descriptor to ctinit") :
		       0;
}

/* What is `preserved` stays open in the program that is executed next. */
static int keep_preserved(const struct payload *payload, struct err *err)
{
	for (unsigned i = 0; i < payload->preserved; i++)
		if (fcntl(CHILD_KEPT_BASE + (int)i, F_SETFD, 0) < 0)
			return err_sys(err, errno, "cannot hand on descriptor %u",
				       CHILD_KEPT_BASE + i);
	return 0;
}

/* Nothing else above 2 is left on the way into the program. */
static int execute_payload(const struct payload *payload, struct err *err)
{
	char *const empty[] = { NULL };
	sigset_t none;

	if (syscall(SYS_close_range, CHILD_KEPT_BASE + payload->preserved, ~0U,
		    CLOSE_RANGE_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot mark descriptors as close-on-exec");
	if (keep_preserved(payload, err) < 0)
		return err_code(err);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(payload->program, payload->process.args, payload->env ? payload->env : empty);
	return program_exec_failed(payload->program, errno, err);
}

static int keep_held(const struct child *child, struct err *err)
{
	const int first = CHILD_KEPT_BASE + (int)child->payload.preserved;
	int result = 0;

	for (size_t i = 0; i < child->nheld && result == 0; i++)
		if (child->held[i])
			result = keep(first + (int)i, err);
	return result < 0 ? result : keep_preserved(&child->payload, err);
}

/* ctinit expects all signals to be blocked, so that none is lost before it listens. */
static int execute_init(const struct child *child, char **argv, struct err *err)
{
	if (keep_held(child, err) < 0)
		return err_code(err);
	syscall(SYS_execveat, child->init_fd, "", argv, child->payload.env, AT_EMPTY_PATH);
	return err_sys(err, errno, "cannot execute ctinit");
}

/* What ctinit is to launch: itself once more, or the payload. */
static int launch_arguments(const struct child *child, char **program, char ***out, struct err *err)
{
	const struct {
		const char *option;
		int fd;
	} fds[] = {
		{ "--report-fd", child->launch_fd },
		{ "--gate-fd", child->gate_fd },
		{ "--program-fd", child->spec->init ? child->init_fd : -1 },
	};
	char **argv = NULL;
	char number[16];
	bool failed = strv_add(&argv, "ctinit") < 0 || strv_add(&argv, "--launch") < 0;
	int result = 0;

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]) && result == 0; i++) {
		if (fds[i].fd < 0)
			continue;
		snprintf(number, sizeof(number), "%d", fds[i].fd);
		failed |= strv_add(&argv, fds[i].option) < 0;
		failed |= strv_add(&argv, number) < 0;
		result = keep(fds[i].fd, err);
	}
	if (!child->payload.process.terminal)
		failed |= strv_add(&argv, "--no-tty") < 0;
	failed |= strv_add(&argv, "--") < 0 || strv_extend(&argv, program) < 0;
	if (failed && result == 0)
		result = err_sys(err, ENOMEM, "cannot make the command line of ctinit");
	if (result < 0) {
		strv_free(argv);
		return result;
	}
	*out = argv;
	return 0;
}

static int execute_builder(const struct child *child, char **program, struct err *err)
{
	char **argv = NULL;
	int result = launch_arguments(child, program, &argv, err);

	return result < 0 ? result : execute_init(child, argv, err);
}

int child_execute(void *context, struct err *err)
{
	struct child *child = context;
	char **argv = NULL;
	int result;

	if (!child->spec->init && !child->builder)
		return execute_payload(&child->payload, err);
	if (!child->spec->init)
		return execute_builder(child, child->payload.process.args, err);
	result = init_arguments(child, &argv, err);
	if (result < 0)
		return result;
	return child->builder ? execute_builder(child, argv, err) : execute_init(child, argv, err);
}
