/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/presence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

#define FILE_NAME "monitors"
#define ID_DIGITS 15 /* of 4 bits: an offset has 63 */

/* Once a store: closing another descriptor of the file would give the lock away. */
static int open_file(struct store *store)
{
	if (store->monitors_fd < 0)
		store->monitors_fd = openat(store->run_fd, FILE_NAME,
					    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return store->monitors_fd < 0 ? -errno : 0;
}

static struct flock byte_of(const char *id)
{
	char digits[ID_DIGITS + 1] = "";

	strncpy(digits, id, ID_DIGITS);
	return (struct flock){
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)strtoull(digits, NULL, 16),
		.l_len = 1,
	};
}

int presence_hold(struct store *store, const char *id, struct err *err)
{
	struct flock lock = byte_of(id);
	int rc = open_file(store);

	if (rc < 0)
		return err_sys(err, -rc, "cannot open %s/" FILE_NAME, store->run);
	if (fcntl(store->monitors_fd, F_SETLK, &lock) < 0)
		return err_sys(err, errno, "cannot lock %s/" FILE_NAME, store->run);
	return 0;
}

bool presence_seen(struct store *store, const char *id, pid_t monitor)
{
	struct flock lock = byte_of(id);

	return open_file(store) == 0 && fcntl(store->monitors_fd, F_GETLK, &lock) == 0 &&
	       lock.l_type == F_WRLCK && lock.l_pid == monitor;
}
