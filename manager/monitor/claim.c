/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may attend to a container: the process that holds the lock on a file of its directory, for as
 * long as it lives. Nobody ever waits for the lock: who does not get it finds out from the row what
 * the other one made of the container. It is let go just before the end is recorded, so that
 * whoever finds the record exited can have the lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "manager/lifecycle.h"
#include "manager/monitor/presence.h"
#include "manager/monitor/state.h"
#include "store/base/cleanup.h"

/* Made once, and never replaced, as the spec may be. */
#define CLAIM_FILE "claim"

int monitor_claim(struct monitor *monitor, struct err *err)
{
	const char *name = monitor->record.name;

	if (faccessat(monitor->dir_fd, LIFECYCLE_SPEC_FILE, F_OK, 0) < 0) {
		err_set(err, ERR_STATE, ENOENT, "%s was not created completely", name);
		return err_hint(err, "unless that is still going on, remove it: cman rm %s", name);
	}
	monitor->claim_fd = openat(monitor->dir_fd, CLAIM_FILE,
				   O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (monitor->claim_fd < 0)
		return err_sys(err, errno, "%s: cannot open its " CLAIM_FILE, name);
	if (flock(monitor->claim_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	monitor_unclaim(monitor);
	return err_set(err, ERR_STATE, EBUSY, "%s is attended to by another process", name);
}

void monitor_unclaim(struct monitor *monitor)
{
	if (monitor->claim_fd < 0)
		return;
	presence_give_up(&monitor->store, monitor->record.id);
	/* A child that has not executed its program yet shares the lock: closing is not enough. */
	(void)flock(monitor->claim_fd, LOCK_UN);
	cleanup_close(&monitor->claim_fd);
	monitor->claim_fd = -1;
}
