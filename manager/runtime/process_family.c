/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/process_family.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/proc_file.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define TEXT_MAX 4096

/* The number by which it goes in its own namespace is the last of "NSpid:\t4711\t1". */
static bool is_first(int proc_fd, pid_t pid)
{
	char text[TEXT_MAX];
	const char *line = proc_file_read(proc_fd, pid, "status", text, sizeof(text)) > 0 ?
				   strstr(text, "\nNSpid:") :
				   NULL;
	const char *end = line ? strchr(line + 1, '\n') : NULL;

	return end && end - line > 2 && end[-1] == '1' && end[-2] == '\t';
}

static bool namespace_of(int proc_fd, pid_t pid, ino_t *out)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof(path), "%d/ns/pid", (int)pid);
	if (fstatat(proc_fd, path, &st, 0) < 0)
		return false;
	*out = st.st_ino;
	return true;
}

static bool parent_of(int proc_fd, pid_t pid, pid_t *out)
{
	char text[TEXT_MAX];
	const char *close = proc_file_read(proc_fd, pid, "stat", text, sizeof(text)) > 0 ?
				    strrchr(text, ')') :
				    NULL;

	return close && sscanf(close + 1, " %*c %d", out) == 1;
}

struct pair {
	pid_t pid, parent;
};

struct pairs {
	struct pair *list;
	size_t n, cap;
};

static int add_pair(struct pairs *pairs, pid_t pid, pid_t parent)
{
	if (pairs->n == pairs->cap) {
		size_t cap = pairs->cap ? 2 * pairs->cap : 256;
		struct pair *list = reallocarray(pairs->list, cap, sizeof(*list));

		if (!list)
			return -ENOMEM;
		pairs->list = list;
		pairs->cap = cap;
	}
	pairs->list[pairs->n++] = (struct pair){ pid, parent };
	return 0;
}

/* Children, theirs, and so on, until a round finds no more. */
static int add_descendants(struct pairs *pairs, pid_t init, struct cgroup_members *out)
{
	size_t first = out->count;
	int r = cgroup_members_add(out, init);

	for (size_t i = first; r == 0 && i < out->count; i++)
		for (size_t j = 0; r == 0 && j < pairs->n; j++)
			if (pairs->list[j].parent == out->pids[i])
				r = cgroup_members_add(out, pairs->list[j].pid);
	return r;
}

static int find(int proc_fd, DIR *dir, pid_t init, struct cgroup_members *out)
{
	const bool first = is_first(proc_fd, init);
	struct pairs pairs = { 0 };
	const struct dirent *entry;
	ino_t wanted, found;
	int r = 0;

	if (!namespace_of(proc_fd, init, &wanted))
		return -ESRCH;
	while (r == 0 && (entry = fd_readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10), parent;

		if (pid <= 0)
			continue;
		if (first && namespace_of(proc_fd, pid, &found) && found == wanted)
			r = cgroup_members_add(out, pid);
		if (!first && parent_of(proc_fd, pid, &parent))
			r = add_pair(&pairs, pid, parent);
	}
	if (r == 0 && !first)
		r = add_descendants(&pairs, init, out);
	free(pairs.list);
	return r;
}

static int find_children_in(int proc_fd, DIR *dir, ino_t wanted, struct cgroup_members *out)
{
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && (entry = fd_readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10), parent;
		ino_t found;

		if (pid > 0 && parent_of(proc_fd, pid, &parent) && parent == getpid() &&
		    namespace_of(proc_fd, pid, &found) && found == wanted)
			r = cgroup_members_add(out, pid);
	}
	return r;
}

int process_family_children_in(int proc_fd, int ns_fd, struct cgroup_members *out, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(proc_fd, ".");
	struct stat st;
	int r;

	if (!dir)
		return err_sys(err, errno, "cannot read /proc");
	if (fstat(ns_fd, &st) < 0)
		return err_sys(err, errno, "cannot examine a PID namespace");
	r = find_children_in(proc_fd, dir, st.st_ino, out);
	return r < 0 ? err_sys(err, -r, "cannot list processes") : 0;
}

int process_family_find(int proc_fd, pid_t init, struct cgroup_members *out, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(proc_fd, ".");
	int r;

	if (!dir)
		return err_sys(err, errno, "cannot read /proc");
	r = find(proc_fd, dir, init, out);
	if (r == -ESRCH)
		return err_set(err, ERR_STATE, ESRCH, "process %d has ended", (int)init);
	return r < 0 ? err_sys(err, -r, "cannot list processes") : 0;
}

bool process_family_payload_waits(int proc_fd, pid_t init)
{
	struct pollfd end = { .fd = -1, .events = POLLIN };
	char name[48], text[TEXT_MAX];
	pid_t oldest;
	bool ended;

	snprintf(name, sizeof(name), "task/%d/children", (int)init);
	if (proc_file_read(proc_fd, init, name, text, sizeof(text)) <= 0)
		return false;
	oldest = (pid_t)strtol(text, NULL, 10);
	if (oldest > 0)
		end.fd = (int)syscall(SYS_pidfd_open, oldest, 0);
	ended = end.fd >= 0 && poll(&end, 1, 0) > 0;
	cleanup_close(&end.fd);
	return ended;
}
