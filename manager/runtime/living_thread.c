/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/living_thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "manager/runtime/identity.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

pid_t living_thread_find(int proc_fd, pid_t pid)
{
	AUTO_CLOSE int process = -1;
	AUTO_CLOSEDIR DIR *threads = NULL;
	const struct dirent *entry;
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	process = openat(proc_fd, number, O_PATH | O_DIRECTORY | O_CLOEXEC);
	threads = process < 0 ? NULL : fd_opendir(process, "task");
	while (threads && (entry = fd_readdir(threads))) {
		const pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

		if (thread > 0 && identity_thread_lives(proc_fd, pid, thread))
			return thread;
	}
	return 0;
}

int living_thread_open(int proc_fd, pid_t pid, const char *name, int flags)
{
	char path[64];
	pid_t thread;
	int fd;

	snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
	fd = openat(proc_fd, path, flags | O_CLOEXEC);
	if (fd >= 0 || (errno != ENOENT && errno != ESRCH))
		return fd < 0 ? -errno : fd;
	thread = living_thread_find(proc_fd, pid);
	if (thread == 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "%d/task/%d/%s", (int)pid, (int)thread, name);
	fd = openat(proc_fd, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
