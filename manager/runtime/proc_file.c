/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/proc_file.h"

#include <stdio.h>

#include "store/base/fd.h"

ssize_t proc_file_read(int proc_fd, pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
	return fd_read_text(proc_fd, path, text, size);
}
