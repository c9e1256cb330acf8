/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/await.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "manager/runtime/handshake.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/reap.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"

#define LOOK_AGAIN_MS 100

/* Neither expected message came: what did? */
static int fail(const struct message *message, struct err *err)
{
	if (message->type != MESSAGE_FAILED)
		return err_set(err, ERR_INVALID, EBADMSG, "unexpected message %u from the child",
			       (unsigned)message->type);
	log_debug("the child failed in phase \"%s\": %s", message->phase, message->err.text);
	*err = message->err;
	return err_code(err);
}

int await_ready(struct engine_process *process, bool terminal, const char *who, struct err *err)
{
	int *console = terminal ? &process->console_fd : &process->eof_console_fd;
	struct message message;
	int attached;
	int got = handshake_receive(process->sync_fd, &message, &attached, err);

	if (got > 0 && message.type == MESSAGE_CONSOLE && attached >= 0) {
		*console = attached;
		got = handshake_receive(process->sync_fd, &message, &attached, err);
	}
	if (got < 0)
		return got;
	if (got == 0)
		return reap_explain(process->pidfd, who, err);
	cleanup_close(&attached);
	if (message.type != MESSAGE_READY)
		return fail(&message, err);
	process->program = strdup(message.program);
	return process->program ? 0 : err_sys(err, ENOMEM, "cannot keep the program's path");
}

int await_exec(const struct engine_process *process, struct err *err)
{
	struct message message;
	int got = handshake_receive(process->sync_fd, &message, NULL, err);

	return got <= 0 ? got : fail(&message, err);
}

int await_exec_seen(const struct engine_process *process, int proc_fd, int told_fd, struct err *err)
{
	return await_exec_within(process, proc_fd, told_fd, ENGINE_SETUP_MS, err);
}

int await_exec_within(const struct engine_process *process, int proc_fd, int told_fd,
		      int64_t patience_ms, struct err *err)
{
	int64_t deadline = clock_monotonic_ns() + patience_ms * NS_PER_MS;
	struct err gone = ERR_INIT;
	struct identity_found found;

	for (;;) {
		struct pollfd fds[2] = {
			{ .fd = told_fd, .events = POLLIN },
			{ .fd = process->pidfd, .events = POLLIN },
		};
		int n = poll(fds, 2, LOOK_AGAIN_MS);

		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for the process");
		if (n > 0)
			return 1;
		if (identity_find(proc_fd, process->pid, &found, &gone) < 0 || found.has_executed)
			return 0;
		/* A disk may take its time. */
		if (found.sleeps)
			deadline = clock_monotonic_ns() + patience_ms * NS_PER_MS;
		if (clock_monotonic_ns() > deadline)
			return err_set(err, ERR_STATE, ETIMEDOUT,
				       "\"%s\" is not executed: it is paused, or a process that "
				       "sees it holds it by ptrace(2)",
				       process->program);
	}
}
