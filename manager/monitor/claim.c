/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "manager/lifecycle.h"
#include "manager/monitor/state.h"
#include "store/base/cleanup.h"

/* Made once, and never replaced, as the spec may be. */
#define CLAIM_FILE "claim"
#define CLAIM_DRAFT CLAIM_FILE ".new"

int claim_take(int dir_fd, int *out)
{
	AUTO_CLOSE int fd =
		openat(dir_fd, CLAIM_FILE, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	*out = STEAL_FD(fd);
	return 0;
}

/* Under its name it is locked, for those who take one that is not for given up. */
static int claim_make(int dir_fd, int *out)
{
	AUTO_CLOSE int fd = openat(dir_fd, CLAIM_DRAFT,
				   O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
	    renameat(dir_fd, CLAIM_DRAFT, dir_fd, CLAIM_FILE) < 0)
		return -errno;
	*out = STEAL_FD(fd);
	return 0;
}

bool claim_is_known(int dir_fd)
{
	return faccessat(dir_fd, CLAIM_FILE, F_OK, 0) == 0;
}

int monitor_claim(struct monitor *monitor, struct err *err)
{
	/* One that nobody knows of yet has no name. */
	const bool unknown = monitor->row == ROW_DUE;
	const char *name = unknown ? monitor->record.id : monitor->record.name;
	int rc;

	/* Of one that is made for this start, it comes with the row. */
	if (!monitor->plan && faccessat(monitor->dir_fd, LIFECYCLE_SPEC_FILE, F_OK, 0) < 0)
		return container_fail_incomplete(&monitor->store, monitor->record.id, err);
	rc = unknown ? claim_make(monitor->dir_fd, &monitor->claim_fd) :
		       claim_take(monitor->dir_fd, &monitor->claim_fd);
	if (rc == -EBUSY)
		return err_set(err, ERR_STATE, EBUSY, "%s is attended to by another process", name);
	return rc < 0 ? err_sys(err, -rc, "%s: cannot lock its " CLAIM_FILE, name) : 0;
}

void monitor_unclaim(struct monitor *monitor)
{
	if (monitor->claim_fd < 0)
		return;
	liveness_give_up(&monitor->liveness);
	/* A child that has not executed its program yet shares the lock: closing is not enough. */
	(void)flock(monitor->claim_fd, LOCK_UN);
	cleanup_close(&monitor->claim_fd);
}
