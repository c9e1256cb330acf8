/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a monitor does once its container runs and nobody waits for it.
 *
 * It leaves the control group that it was started in: with the end of that, which is a service's or
 * a session's, it would be killed, and nobody would look after the container. As nobody can remove
 * a group that they are in, it moves on to the root before it ends.
 *
 * A monitor asks the database when its container starts and when it ends, which may be months
 * later. Open in a thousand monitors it makes every command slow: each of its locks is looked for
 * in the kernel's list of a thousand others. So it is closed once nobody has asked it for a while.
 *
 * One keeps it open, whoever comes first: else each command would be the first to open it, make
 * its shared memory, for which a full disk has no room, and read all of the write-ahead log.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "manager/lifecycle.h"
#include "manager/monitor/state.h"
#include "manager/runtime/cgroup_self.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"

#define MONITORS_GROUP "/cman-monitors"
#define KEEPER_FILE "keeper" /* in the run-time directory; its lock is the keeper's */
#define REST_AFTER_NS NS_PER_S
#define PATIENCE_NS (30 * NS_PER_S) /* as with a database that is locked: DB_BUSY_LIMIT_MS */

void monitor_rest_later(struct monitor *monitor)
{
	monitor->rest_ns = monitor->keeper_fd < 0 ? clock_monotonic_ns() + REST_AFTER_NS : 0;
}

int monitor_rest_timeout(const struct monitor *monitor)
{
	return monitor->rest_ns ? clock_poll_timeout(monitor->rest_ns) : -1;
}

/* Until the end of this process. A monitor that cannot ask leaves it to others. */
static bool become_keeper(struct monitor *monitor)
{
	AUTO_CLOSE int fd = openat(monitor->store.run_fd, KEEPER_FILE,
				   O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	monitor->keeper_fd = STEAL_FD(fd);
	return true;
}

static void leave_group(struct monitor *monitor)
{
	struct err err = ERR_INIT;

	if (!monitor->has_left && cgroup_move_self(MONITORS_GROUP, &err) < 0)
		log_debug("%s: its monitor stays in the control group it was started in: %s",
			  monitor->record.name, err.text);
	monitor->has_left = true;
}

void monitor_rest_step(struct monitor *monitor)
{
	if (monitor->rest_ns == 0 || clock_monotonic_ns() < monitor->rest_ns)
		return;
	monitor->rest_ns = 0;
	leave_group(monitor);
	if (!become_keeper(monitor))
		store_close_db(&monitor->store);
}

void monitor_rest_end(const struct monitor *monitor)
{
	struct err err = ERR_INIT;

	if (monitor->has_left &&
	    cgroup_leave_self(MONITORS_GROUP, LIFECYCLE_CGROUP_PARENT, &err) < 0)
		log_debug("%s: its monitor leaves cgroups behind: %s", monitor->record.name,
			  err.text);
}

int monitor_wake(struct monitor *monitor, struct err *err)
{
	monitor_rest_later(monitor);
	return store_reopen_db(&monitor->store, err);
}

/* Others may leave room again, on the disk and in the kernel's tables. */
static bool may_pass(int rc)
{
	return rc == -ENOSPC || rc == -EDQUOT || rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM ||
	       rc == -ENOLCK || rc == -EIO;
}

int monitor_do_for_end(struct monitor *monitor, int (*act)(struct monitor *, struct err *),
		       struct err *err)
{
	const int64_t deadline = clock_monotonic_ns() + PATIENCE_NS;
	const struct timespec pause = { .tv_nsec = 100 * NS_PER_MS };
	int rc;

	for (;;) {
		rc = act(monitor, err);
		if (rc == 0 || !may_pass(rc) || clock_monotonic_ns() >= deadline)
			return rc;
		*err = (struct err)ERR_INIT;
		(void)nanosleep(&pause, NULL);
	}
}
