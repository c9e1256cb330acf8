/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "manager/runtime/mount_id.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/path.h"

#define STEPS_MAX 512 /* components made and dangling symlinks followed, together */

/* The length of the shortest prefix of `path`, whole components, that does not exist; 0: none. */
static size_t missing_prefix(int root_fd, const char *path)
{
	char prefix[PATH_MAX];
	size_t end = 0;

	while (path[end]) {
		int fd;

		end += strspn(path + end, "/");
		end += strcspn(path + end, "/");
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		fd = fd_open_in_root(root_fd, prefix, O_PATH, 0);
		if (fd == -ENOENT)
			return end;
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

/*
 * A dangling symlink `name` in `parent` ends the first `end` bytes of `path`: replace them by where
 * it points to, so that the next look finds what is missing there.
 */
static int follow_link(int parent, const char *name, char path[PATH_MAX], size_t end)
{
	char link[PATH_MAX], followed[PATH_MAX];
	ssize_t len = readlinkat(parent, name, link, sizeof(link));
	size_t keep;
	int written;

	if (len < 0)
		return -errno;
	if ((size_t)len == sizeof(link))
		return -ENAMETOOLONG;
	keep = len > 0 && link[0] == '/' ? 0 : end - strlen(name);
	written = snprintf(followed, sizeof(followed), "%.*s%.*s%s", (int)keep, path, (int)len,
			   link, path + end);
	if (written < 0 || (size_t)written >= sizeof(followed))
		return -ENAMETOOLONG;
	memcpy(path, followed, (size_t)written + 1);
	return 0;
}

static int make_object(int parent, const char *name, bool directory)
{
	int fd;

	if (directory)
		return mkdirat(parent, name, 0755) < 0 ? -errno : 0;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void keep_times(int dir, const struct stat *before)
{
	const struct timespec times[2] = { before->st_atim, before->st_mtim };

	(void)utimensat(dir, ".", times, 0);
}

/*
 * As a rule only the last component is missing, and no symlink stands in its place: make it, and
 * open what was made. Returns the descriptor, or -EAGAIN where it is not as simple as that.
 */
static int make_last(int root_fd, const char *path, enum target_kind kind)
{
	const char *name = strrchr(path, '/') + 1;
	AUTO_CLOSE int parent = -1;
	char directory[PATH_MAX];
	struct stat before, made;
	int fd;

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EAGAIN;
	snprintf(directory, sizeof(directory), "%.*s", (int)(name - path), path);
	parent = fd_open_in_root(root_fd, directory, O_PATH | O_DIRECTORY, 0);
	if (parent < 0 || fstat(parent, &before) < 0 ||
	    make_object(parent, name, kind == TARGET_DIRECTORY) < 0)
		return -EAGAIN;
	keep_times(parent, &before);
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Where others write, too, it may be another one by now. */
	if (fstat(fd, &made) == 0 &&
	    (kind == TARGET_DIRECTORY ? S_ISDIR(made.st_mode) : S_ISREG(made.st_mode)))
		return fd;
	close(fd);
	return -EAGAIN;
}

/* One step towards an existing `path`: make its first missing component, or follow it. */
static int make_step(int root_fd, char path[PATH_MAX], enum target_kind kind)
{
	size_t end = missing_prefix(root_fd, path);
	AUTO_CLOSE int parent = -1;
	char directory[PATH_MAX];
	char name[NAME_MAX + 1];
	struct stat before;
	size_t start = end;
	int made;

	if (end == 0)
		return 0;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (end - start > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, path + start, end - start);
	name[end - start] = '\0';
	snprintf(directory, sizeof(directory), "/%.*s", (int)start, path);
	parent = fd_open_in_root(root_fd, directory, O_PATH | O_DIRECTORY, 0);
	if (parent < 0)
		return parent;
	if (fstat(parent, &before) < 0)
		return -errno;
	made = make_object(parent, name, kind == TARGET_DIRECTORY || path[end] != '\0');
	if (made == -EEXIST)
		return follow_link(parent, name, path, end);
	/* That a place is there to mount on is no change of the directory (cman diff). */
	if (made == 0)
		keep_times(parent, &before);
	return made;
}

int target_ensure(int root_fd, const char *path, enum target_kind kind, int *out, struct err *err)
{
	char at[PATH_MAX];
	struct stat status;
	AUTO_CLOSE int fd = -1;
	int steps = 0;

	if (path[0] != '/' || strlen(path) >= sizeof(at) - 1)
		return err_set(err, ERR_INVALID, EINVAL, "not an absolute path: %.200s", path);
	strcpy(at, path);
	fd = fd_open_in_root(root_fd, at, O_PATH, 0);
	if (fd == -ENOENT)
		fd = make_last(root_fd, path, kind);
	while (fd == -EAGAIN || fd == -ENOENT) {
		int made = steps++ < STEPS_MAX ? make_step(root_fd, at, kind) : -ELOOP;

		if (made < 0)
			return err_sys(err, -made, "cannot make %s in the container", path);
		fd = fd_open_in_root(root_fd, at, O_PATH, 0);
	}
	if (fd < 0)
		return err_sys(err, -fd, "cannot open %s in the container", path);
	if (fstat(fd, &status) < 0)
		return err_sys(err, errno, "cannot examine %s in the container", path);
	if (S_ISDIR(status.st_mode) != (kind == TARGET_DIRECTORY))
		return err_set(err, ERR_INVALID, S_ISDIR(status.st_mode) ? EISDIR : ENOTDIR,
			       "%s in the container is %s directory", path,
			       S_ISDIR(status.st_mode) ? "a" : "not a");
	*out = STEAL_FD(fd);
	return 0;
}

/*
 * Whether the open `target` is on the mount at `path` inside; with `top`, its very top. Another
 * mount of the same file system is another place, as the host's /sys is. 1, 0 or -errno.
 */
static int is_at(int root_fd, const char *path, int target, bool top)
{
	AUTO_CLOSE int fd = fd_open_in_root(root_fd, path, O_PATH, 0);
	uint64_t mount = 0, its_mount = 0;
	struct stat status, its;
	int r;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
	r = mount_id(fd, &mount);
	if (r == 0)
		r = mount_id(target, &its_mount);
	if (r < 0 || mount != its_mount || !top)
		return r < 0 ? r : mount == its_mount;
	if (fstat(fd, &status) < 0 || fstat(target, &its) < 0)
		return -errno;
	return status.st_ino == its.st_ino;
}

int target_check(int root_fd, const char *path, int target, struct err *err)
{
	static const struct {
		unsigned long type;
		const char *path;
		bool top;
	} places[] = {
		{ PROC_SUPER_MAGIC, "/proc", false },
		{ SYSFS_MAGIC, "/sys", false },
		{ DEVPTS_SUPER_MAGIC, "/dev/pts", false },
		{ TMPFS_MAGIC, "/dev", true },
	};
	char normal[PATH_MAX];
	struct statfs fs;

	if (fstatfs(target, &fs) < 0)
		return err_sys(err, errno, "cannot examine %s in the container", path);
	snprintf(normal, sizeof(normal), "%s", path);
	path_normalise(normal);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int r;

		if ((unsigned long)fs.f_type != places[i].type ||
		    path_is_within(normal, places[i].path))
			continue;
		r = is_at(root_fd, places[i].path, target, places[i].top);
		if (r < 0)
			return err_sys(err, -r, "cannot examine %s in the container",
				       places[i].path);
		if (r > 0)
			return err_set(err, ERR_INVALID, ELOOP,
				       "%s leads to %s, where every container has its own", path,
				       places[i].path);
	}
	return 0;
}
