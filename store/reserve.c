/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/base/cleanup.h"

#define RESERVE_FILE "reserve"

void reserve_keep(int dir_fd, off_t bytes)
{
	AUTO_CLOSE int fd = -1;

	if (faccessat(dir_fd, RESERVE_FILE, F_OK, 0) == 0)
		return;
	fd = openat(dir_fd, RESERVE_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd >= 0 && fallocate(fd, 0, 0, bytes) < 0)
		(void)unlinkat(dir_fd, RESERVE_FILE, 0);
}

bool reserve_spend(int dir_fd)
{
	return unlinkat(dir_fd, RESERVE_FILE, 0) == 0;
}
