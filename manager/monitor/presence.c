/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/presence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/log.h"
#include "store/store.h"

#define ID_DIGITS 15 /* of 4 bits: an offset has 63 */

/*
 * The kernel keeps the locks of a file in a list, and goes through it for each that is taken, asked
 * for or given back: so there are several files. Each is opened once a store: closing another
 * descriptor of it would give the lock away.
 */
static int open_file(struct store *store, off_t byte)
{
	const unsigned which = (unsigned)byte % STORE_MONITORS_FILES;
	int *fd = &store->monitors_fds[which];
	char name[sizeof("monitors-") + 10];

	if (*fd < 0) {
		snprintf(name, sizeof(name), "monitors-%u", which);
		*fd = openat(store->run_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	return *fd < 0 ? -errno : *fd;
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

void presence_hold(struct store *store, const char *id)
{
	struct flock lock = byte_of(id);
	int fd = open_file(store, lock.l_start);

	if (fd < 0)
		log_debug("cannot open the monitors' locks in %s: %s", store->run, strerror(-fd));
	else if (fcntl(fd, F_SETLK, &lock) < 0)
		log_debug("cannot lock a monitor's place in %s: %s", store->run, strerror(errno));
}

void presence_give_up(struct store *store, const char *id)
{
	struct flock lock = byte_of(id);
	int fd = open_file(store, lock.l_start);

	lock.l_type = F_UNLCK;
	if (fd >= 0)
		(void)fcntl(fd, F_SETLK, &lock);
}

bool presence_seen(struct store *store, const char *id, pid_t monitor)
{
	struct flock lock = byte_of(id);
	int fd = open_file(store, lock.l_start);

	return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK &&
	       lock.l_pid == monitor;
}
