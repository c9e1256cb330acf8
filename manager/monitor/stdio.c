/* SPDX-License-Identifier: Apache-2.0 */
/* What a container reads from and prints to: the pipes, the terminal, and the log behind them. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "manager/monitor/state.h"
#include "store/base/cleanup.h"

/* *ours is non-blocking, *theirs is what a program expects. */
static int open_output(int *ours, int *theirs, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	*ours = fds[0];
	*theirs = fds[1];
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot set up a pipe");
	return 0;
}

/* Somebody started it to see what it does. */
static bool in_foreground(const struct monitor *monitor)
{
	const struct client *starter = monitor->starter;

	return starter && (starter->out[0].fd >= 0 || starter->out[1].fd >= 0);
}

int monitor_open_stdio(struct monitor *monitor, struct engine_stdio *ends, struct err *err)
{
	int fds[2];
	int rc = open_output(&monitor->out.source, &ends->out, err);

	if (rc == 0)
		rc = open_output(&monitor->err.source, &ends->err, err);
	if (rc < 0)
		return rc;
	if (!monitor->spec.process.open_stdin) {
		/* In the background also what wants to ask a terminal shall run. */
		ends->in = in_foreground(monitor) ? -1 : ENGINE_STDIN_TERMINAL;
		return 0;
	}
	/* The client's own: when it is at its end, so is the container's stdin. */
	if (monitor->starter && monitor->starter->in >= 0) {
		ends->in = STEAL_FD(monitor->starter->in);
		return 0;
	}
	/* Those who attach write to it, and nobody closes it: run -d -i. */
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	ends->in = fds[0];
	monitor->stdin_kept = fds[1];
	if (fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot set up a pipe");
	return 0;
}

void monitor_attach_console(struct monitor *monitor)
{
	int master = monitor->process.console_fd;

	if (master < 0)
		return;
	monitor->out.source = fcntl(master, F_DUPFD_CLOEXEC, 0);
	/* Without it a program that leaves the terminal for good has ended the output. */
	monitor->console_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int monitor_open_journal(struct monitor *monitor, struct err *err)
{
	if (!monitor->spec.log_none)
		return journal_init(&monitor->journal, monitor->dir_fd, monitor->spec.log_max_bytes,
				    err);
	journal_init_none(&monitor->journal);
	return 0;
}

void monitor_close_preserved(struct monitor *monitor)
{
	while (monitor->npreserved > 0)
		cleanup_close(&monitor->preserved[--monitor->npreserved]);
}
