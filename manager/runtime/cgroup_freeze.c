/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "manager/runtime/cgroup_tree.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"

#define DEADLINE_NS (10 * NS_PER_S)

int cgroup_is_frozen(int dir, bool *out, struct err *err)
{
	char text[16];
	int r = cgroup_tree_read(dir, "cgroup.freeze", text, sizeof(text));

	if (r == -ENOENT)
		return err_set(err, ERR_UNSUPPORTED, ENOSYS,
			       "this kernel's cgroups have no freezer");
	if (r < 0)
		return err_sys(err, -r, "cannot read cgroup.freeze");
	*out = strcmp(text, "1") == 0;
	return 0;
}

/* 1, 0, or -errno: "frozen 1" in cgroup.events. */
static int has_stopped(int events)
{
	char text[128];
	ssize_t n = pread(events, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return strstr(text, "frozen 1") != NULL;
}

int cgroup_freeze(int dir, int stop_fd, struct err *err)
{
	AUTO_CLOSE int events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int64_t deadline = clock_monotonic_ns() + DEADLINE_NS;
	int r = events < 0 ? -errno : cgroup_tree_write(dir, "cgroup.freeze", "1");

	while (r == 0 && (r = has_stopped(events)) == 0) {
		/* POLLPRI: the file has changed since it was read. */
		struct pollfd fds[] = { { events, POLLPRI, 0 }, { stop_fd, POLLIN, 0 } };
		int left = clock_poll_timeout(deadline);

		if (left == 0)
			return err_set(err, ERR_SYS, ETIMEDOUT,
				       "it does not come to a halt within 10 s");
		if (poll(fds, 2, left) < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for the freezer");
		if (fds[1].revents)
			return err_set(err, ERR_SYS, ECANCELED, "nobody waits for it any more");
	}
	return r < 0 ? err_sys(err, -r, "cannot freeze its cgroup") : 0;
}

int cgroup_thaw(int dir, struct err *err)
{
	int r = cgroup_tree_write(dir, "cgroup.freeze", "0");

	return r < 0 && r != -ENODEV && r != -ENOENT ? err_sys(err, -r, "cannot thaw its cgroup") :
						       0;
}
