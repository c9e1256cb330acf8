/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

ssize_t proc_file_read(int proc_fd, pid_t pid, const char *name, char *text, size_t size)
{
	AUTO_CLOSE int fd = -1;
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -errno : fd_read_all(fd, text, size - 1);
	text[len < 0 ? 0 : len] = '\0';
	return len;
}
