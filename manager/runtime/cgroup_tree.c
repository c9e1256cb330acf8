/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"

#define REMOVE_S 10
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int cgroup_tree_check(const char *path, struct err *err)
{
	const char *component = path;

	if (*path != '/' || !path[1] || strlen(path) >= PATH_MAX)
		return err_set(err, ERR_INVALID, 0, "cgroup path \"%s\" is not absolute", path);
	while (*component) {
		size_t len = strcspn(++component, "/");

		if (len == 0 || len > NAME_MAX || (len == 1 && component[0] == '.') ||
		    (len == 2 && component[0] == '.' && component[1] == '.'))
			return err_set(
				err, ERR_INVALID, 0,
				"cgroup path \"%s\" has an empty, \".\", \"..\" or overlong part",
				path);
		component += len;
	}
	return 0;
}

/* Only cgroup directories lie below the root: no symlink can lead elsewhere. */
int cgroup_tree_open(int root_fd, const char *path)
{
	int fd = openat(root_fd, path + 1, DIR_FLAGS);

	return fd >= 0 ? fd : -errno;
}

static int make_parents(int root_fd, const char *path)
{
	char prefix[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(prefix, path + 1, (size_t)(slash - path - 1));
		prefix[slash - path - 1] = '\0';
		if (mkdirat(root_fd, prefix, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

bool cgroup_tree_is_gone(int code)
{
	return code == -ENOENT || code == -ENODEV;
}

static int try_to_make(int root_fd, const char *path)
{
	int r = mkdirat(root_fd, path + 1, 0755) < 0 ? -errno : 0;

	if (r == -ENOENT) {
		r = make_parents(root_fd, path);
		if (r == 0)
			r = mkdirat(root_fd, path + 1, 0755) < 0 ? -errno : 0;
	}
	return r == 0 || r == -EEXIST ? cgroup_tree_open(root_fd, path) : r;
}

int cgroup_tree_make(int root_fd, const char *path, int *out, struct err *err)
{
	int r = -ENOENT;

	for (int tries = 0; cgroup_tree_is_gone(r) && tries < CGROUP_TREE_TRIES; tries++)
		r = try_to_make(root_fd, path);
	if (r < 0)
		return err_sys(err, -r, "cannot create cgroup %s", path);
	*out = r;
	return 0;
}

int cgroup_tree_write(int dir_fd, const char *name, const char *text)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int cgroup_tree_read(int dir_fd, const char *name, char *text, unsigned long size)
{
	ssize_t n = fd_read_text(dir_fd, name, text, size);

	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	return n < 0 ? (int)n : 0;
}

/* ---- removal -------------------------------------------------------------------------------- */

/* Whether `pid` is listed in cgroup.procs. */
static bool is_member(int dir_fd, long pid)
{
	AUTO_CLOSE int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	AUTO_FCLOSE FILE *procs = fd >= 0 ? fdopen(fd, "r") : NULL;
	long member;

	if (!procs)
		return false;
	fd = -1; /* the stream's now */
	while (fscanf(procs, "%ld", &member) == 1)
		if (member == pid)
			return true;
	return false;
}

/*
 * Without cgroup.kill (v1, and v2 before 5.14): SIGKILL through a descriptor. That the number is a
 * member still after the descriptor was opened shows that the process behind it is the member, if
 * it lives at all.
 */
static void kill_members(int dir_fd)
{
	AUTO_CLOSE int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	AUTO_FCLOSE FILE *procs = fd >= 0 ? fdopen(fd, "r") : NULL;
	long pid;

	if (!procs)
		return;
	fd = -1;
	while (fscanf(procs, "%ld", &pid) == 1) {
		AUTO_CLOSE int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;

		if (pidfd >= 0 && is_member(dir_fd, pid))
			(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	}
}

static bool is_populated(int events_fd)
{
	char text[256];
	ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

/*
 * Kill all below at once where the kernel can (5.14), and wait until the group says that it is
 * empty. The kernel holds notifications back for 10 ms: it is asked sooner.
 */
static void kill_tree(int dir_fd, int64_t deadline_ns)
{
	AUTO_CLOSE int events = -1;
	int wait = 1;

	if (cgroup_tree_write(dir_fd, "cgroup.kill", "1") < 0)
		return;
	events = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	while (events >= 0 && is_populated(events)) {
		struct pollfd pollfd = { .fd = events, .events = POLLPRI };

		if (clock_monotonic_ns() > deadline_ns ||
		    (poll(&pollfd, 1, wait) < 0 && errno != EINTR))
			return;
		if (wait < 64)
			wait *= 2;
	}
}

/* The name of a group directly below `dir_fd`; false if there is none. */
static bool first_child(int dir_fd, char name[NAME_MAX + 1])
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(dir_fd, ".");
	const struct dirent *entry;

	while (dir && (entry = fd_readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
		return true;
	}
	return false;
}

/* A group is busy until its last process is gone: then -EAGAIN, after what is in it was killed. */
static int remove_leaf(int parent_fd, const char *name)
{
	AUTO_CLOSE int fd = -1;

	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return -errno;
	fd = openat(parent_fd, name, DIR_FLAGS);
	if (fd >= 0)
		kill_members(fd);
	return -EAGAIN;
}

/*
 * One way down to a group that has none below it, which is then removed; *done when it was `name`
 * itself.
 */
static int remove_deepest(int dir_fd, const char *name, bool *done)
{
	AUTO_CLOSE int parent = openat(dir_fd, ".", DIR_FLAGS);
	char current[NAME_MAX + 1], child[NAME_MAX + 1];

	if (parent < 0)
		return -errno;
	snprintf(current, sizeof(current), "%s", name);
	*done = true;
	for (;;) {
		int fd = openat(parent, current, DIR_FLAGS);

		if (fd < 0)
			return errno == ENOENT ? 0 : -errno;
		if (!first_child(fd, child)) {
			close(fd);
			return remove_leaf(parent, current);
		}
		*done = false;
		close(parent);
		parent = fd;
		snprintf(current, sizeof(current), "%s", child);
	}
}

static int remove_all(int parent_fd, const char *name, int64_t deadline_ns)
{
	struct timespec pause = { .tv_nsec = 500000 };
	bool done = false;

	for (;;) {
		int r = remove_deepest(parent_fd, name, &done);

		if (r == 0 && done)
			return 0;
		if (r == 0)
			continue;
		if (r != -EAGAIN)
			return r;
		if (clock_monotonic_ns() > deadline_ns)
			return -EBUSY;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 20000000)
			pause.tv_nsec *= 2;
	}
}

int cgroup_tree_remove_empty(int root_fd, const char *path)
{
	if (unlinkat(root_fd, path + 1, AT_REMOVEDIR) == 0 || errno == EBUSY ||
	    errno == ENOTEMPTY || cgroup_tree_is_gone(-errno))
		return 0;
	return -errno;
}

int cgroup_tree_remove(int root_fd, const char *path, struct err *err)
{
	AUTO_CLOSE int dir = -1, parent = -1;
	int64_t deadline_ns;
	int r;

	/* As a rule the container's first process took all others with it. */
	if (unlinkat(root_fd, path + 1, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	/* A read-only file system says so first, even of what is not there. */
	if (errno == EROFS && faccessat(root_fd, path + 1, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return err_sys(err, errno, "cannot remove cgroup %s", path);

	deadline_ns = clock_monotonic_ns() + REMOVE_S * NS_PER_S;
	dir = cgroup_tree_open(root_fd, path);
	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		return err_sys(err, -dir, "cannot open cgroup %s", path);
	kill_tree(dir, deadline_ns);
	parent = openat(dir, "..", DIR_FLAGS);
	if (parent < 0)
		return err_sys(err, errno, "cannot open the cgroup above %s", path);
	r = remove_all(parent, strrchr(path, '/') + 1, deadline_ns);
	if (r == -EBUSY)
		return err_set(err, ERR_SYS, EBUSY,
			       "cgroup %s still has processes after SIGKILL and %d s", path,
			       REMOVE_S);
	return r < 0 ? err_sys(err, -r, "cannot remove cgroup %s", path) : 0;
}
