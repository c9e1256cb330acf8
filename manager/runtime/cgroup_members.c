/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_members.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "manager/runtime/cgroup_tree.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"

#define DEPTH_MAX 32
#define MOVE_NS (10 * NS_PER_S)
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

void cgroup_members_release(struct cgroup_members *members)
{
	free(members->pids);
	*members = (struct cgroup_members)CGROUP_MEMBERS_INIT;
}

int cgroup_members_add(struct cgroup_members *members, pid_t pid)
{
	if (members->count == members->cap) {
		size_t cap = members->cap ? 2 * members->cap : 64;
		pid_t *pids = reallocarray(members->pids, cap, sizeof(*pids));

		if (!pids)
			return -ENOMEM;
		members->pids = pids;
		members->cap = cap;
	}
	members->pids[members->count++] = pid;
	return 0;
}

/* Of the group alone. A number of 0 is a process that our PID namespace does not see. */
static int read_procs(int dir_fd, struct cgroup_members *members)
{
	AUTO_CLOSE int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	AUTO_FCLOSE FILE *procs = fd >= 0 ? fdopen(fd, "r") : NULL;
	int pid, r = 0;

	/* gone, or one of threads, whose processes are listed above it */
	if (!procs)
		return errno == ENOENT || errno == ENODEV || errno == EOPNOTSUPP ? 0 : -errno;
	fd = -1; /* the stream's now */
	while (r == 0 && fscanf(procs, "%d", &pid) == 1)
		if (pid > 0)
			r = cgroup_members_add(members, pid);
	return r;
}

static int read_tree(int dir_fd, int depth, struct cgroup_members *members)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(dir_fd, ".");
	const struct dirent *entry;
	int r = read_procs(dir_fd, members);

	while (r == 0 && dir && depth < DEPTH_MAX && (entry = fd_readdir(dir))) {
		AUTO_CLOSE int child = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		child = openat(dir_fd, entry->d_name, DIR_FLAGS);
		if (child >= 0)
			r = read_tree(child, depth + 1, members);
	}
	return r;
}

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int cgroup_members_read(int dir_fd, struct cgroup_members *out, struct err *err)
{
	AUTO_CGROUP_MEMBERS struct cgroup_members found = CGROUP_MEMBERS_INIT;
	int r = read_tree(dir_fd, 0, &found);

	if (r < 0)
		return err_sys(err, -r, "cannot read cgroup.procs");
	if (found.count)
		qsort(found.pids, found.count, sizeof(*found.pids), compare_pids);
	*out = found;
	found = (struct cgroup_members)CGROUP_MEMBERS_INIT;
	return 0;
}

static bool has(const struct cgroup_members *members, pid_t pid)
{
	return members->count &&
	       bsearch(&pid, members->pids, members->count, sizeof(pid), compare_pids);
}

/* Returns how many were outside: some of them may only be on their way out. */
static int move_once(int from_dir, int to_dir, struct err *err)
{
	AUTO_CGROUP_MEMBERS struct cgroup_members all = CGROUP_MEMBERS_INIT;
	AUTO_CGROUP_MEMBERS struct cgroup_members inside = CGROUP_MEMBERS_INIT;
	int outside = 0;
	int r = cgroup_members_read(from_dir, &all, err);

	if (r == 0)
		r = cgroup_members_read(to_dir, &inside, err);
	for (size_t i = 0; r == 0 && i < all.count; i++) {
		char text[16];

		if (has(&inside, all.pids[i]))
			continue;
		snprintf(text, sizeof(text), "%d", (int)all.pids[i]);
		r = cgroup_tree_write(to_dir, "cgroup.procs", text);
		if (r == 0)
			outside++;
		else if (r != -ESRCH)
			err_sys(err, -r, "cannot move process %s into the cgroup", text);
		r = r == -ESRCH ? 0 : r;
	}
	return r < 0 ? r : outside;
}

int cgroup_members_move(int from_dir, int to_dir, struct err *err)
{
	const int64_t deadline = clock_monotonic_ns() + MOVE_NS;
	int r;

	while ((r = move_once(from_dir, to_dir, err)) > 0)
		if (clock_monotonic_ns() > deadline)
			return err_set(err, ERR_SYS, EAGAIN,
				       "its processes multiply faster than they can be moved "
				       "into a cgroup");
	return r;
}
