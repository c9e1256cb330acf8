/* SPDX-License-Identifier: Apache-2.0 */
#include "store/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/store.h"

/* How long one waits for who only takes things away before one says so. */
#define SILENT_MS 500
#define STEP_MS 5

/* layers/, as root_fd has a lock of its own: schema.c. Opened anew, so that each call is one. */
static int open_lock(struct store *store, int *out, struct err *err)
{
	int fd = openat(store->layers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s/layers", store->root);
	*out = fd;
	return 0;
}

/* 0, or 1 where somebody else has it and `operation` does not wait. */
static int lock(struct store *store, int fd, int operation, struct err *err)
{
	while (flock(fd, operation) < 0) {
		if (errno == EWOULDBLOCK)
			return 1;
		if (errno != EINTR)
			return err_sys(err, errno, "cannot lock %s/layers", store->root);
	}
	return 0;
}

int store_hold(struct store *store, int *fd, struct err *err)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	AUTO_CLOSE int mine = -1;
	int r = open_lock(store, &mine, err);

	if (r < 0)
		return r;
	r = lock(store, mine, LOCK_SH | LOCK_NB, err);
	for (int ms = 0; r > 0 && ms < SILENT_MS; ms += STEP_MS) {
		nanosleep(&step, NULL);
		r = lock(store, mine, LOCK_SH | LOCK_NB, err);
	}
	if (r > 0) {
		log_warn("waiting for another cman: fsck --repair has the images for itself");
		r = lock(store, mine, LOCK_SH, err);
	}
	if (r < 0)
		return r;
	*fd = STEAL_FD(mine);
	return 0;
}

int store_hold_alone(struct store *store, int *fd, struct err *err)
{
	AUTO_CLOSE int mine = -1;
	int r = open_lock(store, &mine, err);

	if (r == 0)
		r = lock(store, mine, LOCK_EX | LOCK_NB, err);
	if (r > 0)
		return err_set(err, ERR_STATE, EAGAIN,
			       "another cman is getting, making or sending an image");
	if (r < 0)
		return r;
	*fd = STEAL_FD(mine);
	return 0;
}
