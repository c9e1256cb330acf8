/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/usage_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/runtime/living_thread.h"
#include "manager/runtime/proc_file.h"
#include "store/base/clock.h"

#define TEXT_MAX 4096

/* The number after "\nkey"; false where there is none. */
static bool find_number(const char *text, const char *key, uint64_t *out)
{
	const char *at = strstr(text, key);

	if (!at)
		return false;
	*out = strtoull(at + strlen(key), NULL, 10);
	return true;
}

/* proc_pid_stat(5): fields 14 to 17 are processor time, 20 threads. */
static void add_stat(const char *text, struct usage_processes *sum)
{
	unsigned long long user, system, threads;
	long long children_user, children_system;
	const char *at = strrchr(text, ')');
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);

	if (!at || sscanf(at + 1,
			  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld %*d "
			  "%*d %llu",
			  &user, &system, &children_user, &children_system, &threads) != 5)
		return;
	sum->threads += threads;
	sum->cpu_ns += (user + system + (uint64_t)children_user + (uint64_t)children_system) *
		       (NS_PER_S / ticks);
}

/* False where there is none: the process, or its first thread alone, has ended. */
static bool add_memory_of(int proc_fd, pid_t pid, struct usage_processes *sum)
{
	char text[TEXT_MAX];
	uint64_t kilobytes;
	unsigned long long pages = 0;

	if (proc_file_read(proc_fd, pid, "smaps_rollup", text, sizeof(text)) >= 0 &&
	    find_number(text, "\nPss:", &kilobytes)) {
		sum->memory += kilobytes * 1024;
		if (find_number(text, "\nPss_Anon:", &kilobytes))
			sum->anonymous += kilobytes * 1024;
		return true;
	}
	if (proc_file_read(proc_fd, pid, "statm", text, sizeof(text)) < 0 ||
	    sscanf(text, "%*u %llu", &pages) != 1 || pages == 0)
		return false;
	sum->memory += pages * (uint64_t)sysconf(_SC_PAGESIZE);
	sum->memory_is_rss = true;
	return true;
}

static void add_memory(int proc_fd, pid_t pid, struct usage_processes *sum)
{
	pid_t thread = add_memory_of(proc_fd, pid, sum) ? 0 : living_thread_find(proc_fd, pid);

	if (thread > 0)
		(void)add_memory_of(proc_fd, thread, sum);
}

static bool read_anonymous(int proc_fd, pid_t pid, uint64_t *kilobytes)
{
	char text[TEXT_MAX];

	return proc_file_read(proc_fd, pid, "status", text, sizeof(text)) >= 0 &&
	       find_number(text, "\nRssAnon:", kilobytes);
}

/* False where this kernel does not count it, or it may not be seen. */
static bool add_block(int proc_fd, pid_t pid, struct usage_processes *sum)
{
	char text[TEXT_MAX];
	uint64_t read, written;
	ssize_t r = proc_file_read(proc_fd, pid, "io", text, sizeof(text));

	if (r == -ENOENT || r == -ESRCH)
		return faccessat(proc_fd, "self/io", F_OK, 0) == 0;
	if (r < 0 || !find_number(text, "\nread_bytes:", &read) ||
	    !find_number(text, "\nwrite_bytes:", &written))
		return false;
	sum->block_read += read;
	sum->block_written += written;
	return true;
}

void usage_processes_sum(int proc_fd, const struct cgroup_members *members,
			 struct usage_processes *out)
{
	char text[TEXT_MAX];

	*out = (struct usage_processes){ .has_block = true };
	for (size_t i = 0; i < members->count; i++) {
		const pid_t pid = members->pids[i];

		if (proc_file_read(proc_fd, pid, "stat", text, sizeof(text)) < 0)
			continue;
		add_stat(text, out);
		add_memory(proc_fd, pid, out);
		if (!add_block(proc_fd, pid, out))
			out->has_block = false;
	}
}

uint64_t usage_processes_anonymous(int proc_fd, const struct cgroup_members *members)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < members->count; i++) {
		const pid_t pid = members->pids[i];
		uint64_t kilobytes;

		if (read_anonymous(proc_fd, pid, &kilobytes) ||
		    read_anonymous(proc_fd, living_thread_find(proc_fd, pid), &kilobytes))
			sum += kilobytes * 1024;
	}
	return sum;
}
