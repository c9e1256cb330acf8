/* SPDX-License-Identifier: Apache-2.0 */
#include "store/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "store/base/cleanup.h"
#include "store/store.h"

/* On layers/, as root_fd has a lock of its own: schema.c. Opened anew, so that each call is one. */
static int lock(struct store *store, int operation, int *out, struct err *err)
{
	AUTO_CLOSE int fd = openat(store->layers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s/layers", store->root);
	while (flock(fd, operation) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, ERR_STATE, EAGAIN, "another cman is making an image");
		if (errno != EINTR)
			return err_sys(err, errno, "cannot lock %s/layers", store->root);
	}
	*out = STEAL_FD(fd);
	return 0;
}

int store_hold(struct store *store, int *fd, struct err *err)
{
	return lock(store, LOCK_SH, fd, err);
}

int store_hold_alone(struct store *store, bool wait, int *fd, struct err *err)
{
	return lock(store, wait ? LOCK_EX : LOCK_EX | LOCK_NB, fd, err);
}
