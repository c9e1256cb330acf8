/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/processes.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/runtime/cgroup.h"
#include "manager/runtime/cgroup_members.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/living_thread.h"
#include "manager/runtime/proc_file.h"
#include "manager/runtime/process_family.h"
#include "store/base/cleanup.h"

#define STATUS_MAX (8 << 10)
#define STAT_MAX 2048
#define ARGS_MAX (64 << 10)

void processes_release(struct processes *processes)
{
	for (size_t i = 0; i < processes->count; i++)
		buf_release(&processes->list[i].args);
	free(processes->list);
	*processes = (struct processes)PROCESSES_INIT;
}

/* --- which --- */

static int find_pids(const char *cgroups_path, int proc, pid_t init, struct cgroup_members *pids,
		     struct err *err)
{
	struct cgroup cgroup = CGROUP_INIT;
	int r = cgroups_path ? cgroup_open(cgroups_path, &cgroup, err) : 0;

	if (r < 0)
		return r;
	if (cgroup.v2_fd >= 0)
		r = cgroup_members_read(cgroup.v2_fd, pids, err);
	cgroup_release(&cgroup);
	if (r < 0 || pids->count > 0)
		return r;
	return process_family_find(proc, init, pids, err);
}

/* --- one of them --- */

static bool read_stat(int proc, pid_t pid, struct process *out)
{
	char text[STAT_MAX];
	const char *open, *close;
	unsigned long long utime, stime, start, vsz;
	long ppid, pgid, tty, nice;

	if (proc_file_read(proc, pid, "stat", text, sizeof(text)) <= 0)
		return false;
	open = strchr(text, '(');
	close = strrchr(text, ')'); /* the name may hold anything, parentheses too */
	if (!open || !close || close < open)
		return false;
	/* Fields 3 to 23: state ppid pgrp session tty … utime stime … nice … start vsize. */
	if (sscanf(close + 1,
		   " %c %ld %ld %*d %ld %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %ld %*d %*d"
		   " %llu %llu",
		   &out->state, &ppid, &pgid, &tty, &utime, &stime, &nice, &start, &vsz) != 9)
		return false;
	snprintf(out->comm, sizeof(out->comm), "%.*s", (int)(close - open - 1), open + 1);
	out->host_ppid = (pid_t)ppid;
	out->pgid = pgid;
	out->tty = (int)tty;
	out->nice = nice;
	out->cpu_ticks = utime + stime;
	out->start_ticks = start;
	out->vsz = vsz;
	return out->state != 'X';
}

/* The value of a line "NAME:\t…" of status, cut at its end; "" where there is none. */
static void status_line(const char *text, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	out[0] = '\0';
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, "\t ");
		snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
		return;
	}
}

static uint64_t status_hex(const char *text, const char *name)
{
	char value[32];

	status_line(text, name, value, sizeof(value));
	return strtoull(value, NULL, 16);
}

/* Number `level` of the PIDs that it has from the outermost namespace inwards. */
static pid_t pid_at(const char *text, int level)
{
	char value[256];
	char *at = value;
	long pid = 0;

	status_line(text, "NSpid", value, sizeof(value));
	for (int i = 0; i <= level && *at; i++)
		pid = strtol(at, &at, 10);
	return (pid_t)pid;
}

static bool read_status(int proc, pid_t pid, int level, struct process *out)
{
	char text[STATUS_MAX], value[128];
	unsigned real = 0, effective = 0;

	if (proc_file_read(proc, pid, "status", text, sizeof(text)) <= 0)
		return false;
	out->pid = pid_at(text, level);
	status_line(text, "Uid", value, sizeof(value));
	if (sscanf(value, "%u %u", &real, &effective) != 2)
		return false;
	out->ruid = real;
	out->uid = effective;
	status_line(text, "Gid", value, sizeof(value));
	if (sscanf(value, "%u %u", &real, &effective) != 2)
		return false;
	out->rgid = real;
	out->gid = effective;
	/* The number in stat lags behind by what each processor has not added yet. */
	status_line(text, "VmRSS", value, sizeof(value));
	out->rss = strtoull(value, NULL, 10) * 1024;
	status_line(text, "Groups", out->groups, sizeof(out->groups));
	out->cap_inh = status_hex(text, "CapInh");
	out->cap_prm = status_hex(text, "CapPrm");
	out->cap_eff = status_hex(text, "CapEff");
	out->cap_bnd = status_hex(text, "CapBnd");
	out->cap_amb = status_hex(text, "CapAmb");
	status_line(text, "Seccomp", value, sizeof(value));
	out->seccomp = isdigit((unsigned char)value[0]) ? value[0] - '0' : -1;
	return true;
}

static void read_args(int proc, pid_t pid, struct buf *out)
{
	AUTO_FREE char *text = malloc(ARGS_MAX);
	ssize_t len = text ? proc_file_read(proc, pid, "cmdline", text, ARGS_MAX) : 0;

	while (len > 0 && text[len - 1] == '\0')
		len--;
	for (ssize_t i = 0; i < len; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	if (len > 0)
		buf_add(out, text, (size_t)len);
}

/* Where the first thread has ended before the others: what these have, and do. 0: none. */
static pid_t look_at_others(int proc, pid_t pid, int level, struct process *out)
{
	struct process other = { 0 };
	pid_t thread = out->state == 'Z' ? living_thread_find(proc, pid) : 0;

	if (thread == 0 || !read_stat(proc, thread, &other) ||
	    !read_status(proc, thread, level, &other))
		return 0;
	out->state = other.state;
	out->vsz = other.vsz;
	out->rss = other.rss;
	return thread;
}

static bool read_process(int proc, pid_t pid, int level, struct process *out)
{
	pid_t thread;

	*out = (struct process){ .host_pid = pid };
	if (!read_stat(proc, pid, out) || !read_status(proc, pid, level, out))
		return false;
	thread = look_at_others(proc, pid, level, out);
	if (proc_file_read(proc, pid, "attr/current", out->label, sizeof(out->label)) > 0)
		out->label[strcspn(out->label, "\n")] = '\0';
	read_args(proc, thread > 0 ? thread : pid, &out->args);
	return true;
}

/* --- all of them --- */

/* How deep the container's PID namespace lies below ours: what its first process has more. */
static int level_of(int proc, pid_t init)
{
	char text[STATUS_MAX], value[256];
	int count = 0;

	if (proc_file_read(proc, init, "status", text, sizeof(text)) <= 0)
		return 0;
	status_line(text, "NSpid", value, sizeof(value));
	for (const char *at = value; *at; at += strcspn(at, "\t "), at += strspn(at, "\t "))
		count++;
	return count > 0 ? count - 1 : 0;
}

static int compare(const void *a, const void *b)
{
	pid_t left = ((const struct process *)a)->host_pid;
	pid_t right = ((const struct process *)b)->host_pid;

	return (left > right) - (left < right);
}

/* As the container counts, which is the order of their births. */
static int compare_inside(const void *a, const void *b)
{
	pid_t left = ((const struct process *)a)->pid;
	pid_t right = ((const struct process *)b)->pid;

	return (left > right) - (left < right);
}

/* The list is sorted. */
static void set_parents(struct processes *processes)
{
	for (size_t i = 0; i < processes->count; i++) {
		const struct process key = { .host_pid = processes->list[i].host_ppid };
		const struct process *parent =
			bsearch(&key, processes->list, processes->count, sizeof(key), compare);

		processes->list[i].ppid = parent ? parent->pid : 0;
	}
}

int processes_read(const char *cgroups_path, const struct engine_process *init,
		   struct processes *out, struct err *err)
{
	AUTO_PROCESSES struct processes found = PROCESSES_INIT;
	AUTO_CGROUP_MEMBERS struct cgroup_members pids = CGROUP_MEMBERS_INIT;
	AUTO_CLOSE int proc = -1;
	int r = identity_open_proc(&proc, err);

	if (r == 0)
		r = find_pids(cgroups_path, proc, init->pid, &pids, err);
	if (r == 0 && !(found.list = calloc(pids.count + 1, sizeof(*found.list))))
		r = err_sys(err, ENOMEM, "cannot list its processes");
	if (r == 0) {
		int level = level_of(proc, init->pid);

		for (size_t i = 0; i < pids.count; i++)
			found.count +=
				read_process(proc, pids.pids[i], level, &found.list[found.count]);
	}
	if (r < 0)
		return r;
	if (found.count == 0)
		return err_set(err, ERR_STATE, ESRCH, "it has no process any more");
	qsort(found.list, found.count, sizeof(*found.list), compare);
	set_parents(&found);
	qsort(found.list, found.count, sizeof(*found.list), compare_inside);
	*out = found;
	found = (struct processes)PROCESSES_INIT;
	return 0;
}
