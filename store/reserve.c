/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/base/cleanup.h"

#define RESERVE_FILE "reserve"
#define RESERVE_BYTES (128 << 10) /* dozens of records in the write-ahead log */

void reserve_keep(int root_fd)
{
	AUTO_CLOSE int fd = -1;

	if (faccessat(root_fd, RESERVE_FILE, F_OK, 0) == 0)
		return;
	fd = openat(root_fd, RESERVE_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd >= 0 && fallocate(fd, 0, 0, RESERVE_BYTES) < 0)
		(void)unlinkat(root_fd, RESERVE_FILE, 0);
}

bool reserve_spend(int root_fd)
{
	return unlinkat(root_fd, RESERVE_FILE, 0) == 0;
}
