/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that is started again after its end. While it waits for that, its row says
 * restarting; who wants otherwise (stop, kill, rm, start) changes the row first and then wakes us
 * by MONITOR_WAKE_SIGNAL. Whether the row still says restarting is asked again in the transaction
 * that makes it running, so that one of both wins.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "manager/monitor/monitor.h"
#include "manager/monitor/state.h"
#include "store/base/clock.h"

#define WAIT_MAX_NS (60 * NS_PER_S) /* more than any policy asks for: the clock was set back */

/* 1: it is for us to start it again, and when; 0: somebody has decided otherwise. */
static int is_ours(struct monitor *monitor, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	int rc = monitor_read_row(monitor, &now, err);

	if (rc <= 0)
		return rc;
	monitor->record.restart_ns = now.restart_ns;
	return now.state == CONTAINER_RESTARTING;
}

/*
 * Until it is time: 1; woken before: 0. The clients of the last run get meanwhile what they have
 * still to get of it, but none of them holds the restart up, as a pager does that nobody scrolls.
 * The signal is blocked but here.
 */
static int sleep_until(struct monitor *monitor, int64_t deadline_ns, const sigset_t *open,
		       struct err *err)
{
	for (;;) {
		struct pollfd fds[MONITOR_DELIVERY_POLLS];
		int64_t left = deadline_ns - clock_monotonic_ns();
		struct timespec wait;
		size_t n;
		int patience;

		(void)monitor_delivery_step(monitor, NULL);
		if (left <= 0)
			return 1;
		n = monitor_delivery_poll(monitor, fds);
		patience = monitor_patience(monitor);
		if (patience >= 0 && patience * NS_PER_MS < left)
			left = patience * NS_PER_MS;
		wait = (struct timespec){ left / NS_PER_S, left % NS_PER_S };
		if (ppoll(fds, n, &wait, open) < 0)
			return errno == EINTR ? 0 :
						err_sys(err, errno, "cannot wait for the restart");
		(void)monitor_delivery_step(monitor, fds);
	}
}

/* CLOCK_MONOTONIC. */
static int64_t deadline_of(const struct container_record *record)
{
	int64_t left = record->restart_ns - clock_now_ns();

	if (left < 0)
		left = 0;
	return clock_monotonic_ns() + (left > WAIT_MAX_NS ? WAIT_MAX_NS : left);
}

static int await_turn(struct monitor *monitor, struct err *err)
{
	sigset_t wake, before, open;
	int rc, slept = 0;

	sigemptyset(&wake);
	sigaddset(&wake, MONITOR_WAKE_SIGNAL);
	sigprocmask(SIG_BLOCK, &wake, &before);
	open = before;
	sigdelset(&open, MONITOR_WAKE_SIGNAL);
	do {
		rc = is_ours(monitor, err);
		if (rc > 0)
			slept = sleep_until(monitor, deadline_of(&monitor->record), &open, err);
	} while (rc > 0 && slept == 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc > 0 && slept < 0 ? slept : rc;
}

int monitor_restart(struct monitor *monitor, struct err *err)
{
	int rc = 0;

	while (rc == 0 && monitor->record.state == CONTAINER_RESTARTING) {
		rc = await_turn(monitor, err);
		if (rc <= 0)
			break;
		monitor->record.restart_count++;
		rc = monitor_begin_again(monitor, err);
		if (rc == 0 && monitor->record.state == CONTAINER_RUNNING)
			rc = monitor_serve(monitor, err);
	}
	return rc;
}
