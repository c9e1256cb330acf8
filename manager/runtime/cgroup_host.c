/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/base/cleanup.h"

#define USUAL_PLACE "/sys/fs/cgroup"

/* `path` below `dir_fd` and what type of file system is there; -ENOENT: no directory. */
static int open_directory(int dir_fd, const char *path, long *type)
{
	AUTO_CLOSE int fd = openat(dir_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs st;

	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (fstatfs(fd, &st) < 0)
		return -errno;
	*type = (long)st.f_type;
	return STEAL_FD(fd);
}

/* `path` below `dir_fd` if a file system of type `magic` is there; else -ENOENT. */
static int open_if(int dir_fd, const char *path, long magic)
{
	long type = 0;
	AUTO_CLOSE int fd = open_directory(dir_fd, path, &type);

	return fd < 0 ? fd : type == magic ? STEAL_FD(fd) : -ENOENT;
}

static bool has_option(char *options, const char *wanted)
{
	char *rest = options, *option;

	while ((option = strsep(&rest, ",")))
		if (strcmp(option, wanted) == 0)
			return true;
	return false;
}

/*
 * One line of mountinfo (proc_pid_mountinfo(5)) is cut in place: the mount point if it is a mount
 * of `type`, with `option` among the superblock's unless that is NULL; else NULL. Mount points with
 * escaped characters do not occur for cgroups and are not undone.
 */
static const char *match_line(char *line, const char *type, const char *option)
{
	char *tail = strstr(line, " - "), *rest = line, *mount_point = NULL;

	if (!tail)
		return NULL;
	*tail = '\0';
	tail += strlen(" - ");
	for (int field = 0; field < 5; field++)
		mount_point = strsep(&rest, " ");
	if (!mount_point || strcmp(strsep(&tail, " "), type) != 0)
		return NULL;
	if (option) {
		char *source = strsep(&tail, " ");

		if (!source || !tail)
			return NULL;
		tail[strcspn(tail, "\n")] = '\0';
		if (!has_option(tail, option))
			return NULL;
	}
	return mount_point;
}

static int find_mount(const char *type, long magic, const char *option)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/self/mountinfo", "re");
	AUTO_FREE char *line = NULL;
	size_t cap = 0;

	if (!file)
		return -errno;
	/* -1 at its end and when it cannot be read, which sets errno */
	while (errno = 0, getline(&line, &cap, file) > 0) {
		const char *mount_point = match_line(line, type, option);
		int fd = mount_point ? open_if(AT_FDCWD, mount_point, magic) : -ENOENT;

		if (fd != -ENOENT)
			return fd;
	}
	return errno ? -errno : -ENOENT;
}

int cgroup_host_find(struct cgroup_host *out, struct err *err)
{
	struct cgroup_host host = CGROUP_HOST_INIT;
	long type = 0;
	AUTO_CLOSE int fd = open_directory(AT_FDCWD, USUAL_PLACE, &type);
	int v2 = -ENOENT;

	if (fd < 0 && fd != -ENOENT)
		return err_sys(err, -fd, "cannot look for cgroups at " USUAL_PLACE);
	switch (type) {
	case CGROUP2_SUPER_MAGIC:
		v2 = STEAL_FD(fd);
		break;
	case TMPFS_MAGIC:
		v2 = open_if(fd, "unified", CGROUP2_SUPER_MAGIC);
		break;
	default:
		host.unusual = true;
		v2 = find_mount("cgroup2", CGROUP2_SUPER_MAGIC, NULL);
	}
	if (v2 < 0 && v2 != -ENOENT)
		return err_sys(err, -v2, "cannot look for the cgroup2 hierarchy");
	host.v2_root = v2 < 0 ? -1 : v2;
	if (type == TMPFS_MAGIC)
		host.v1_dir = STEAL_FD(fd);
	*out = host;
	return 0;
}

void cgroup_host_release(struct cgroup_host *host)
{
	cleanup_close(&host->v2_root);
	cleanup_close(&host->v1_dir);
}

int cgroup_host_v1(const struct cgroup_host *host, const char *controller)
{
	if (host->v1_dir >= 0)
		return open_if(host->v1_dir, controller, CGROUP_SUPER_MAGIC);
	return host->unusual ? find_mount("cgroup", CGROUP_SUPER_MAGIC, controller) : -ENOENT;
}

int cgroup_host_v1_with(const struct cgroup_host *host, const char *controller, const char *path)
{
	char whole[PATH_MAX];

	if (host->v1_dir >= 0) {
		snprintf(whole, sizeof(whole), "%s%s", controller, path);
		if (faccessat(host->v1_dir, whole, F_OK, 0) < 0 && errno == ENOENT)
			return -ENOENT;
	}
	return cgroup_host_v1(host, controller);
}
