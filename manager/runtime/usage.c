/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/runtime/cgroup_host.h"
#include "manager/runtime/cgroup_members.h"
#include "manager/runtime/cgroup_tree.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/living_thread.h"
#include "manager/runtime/process_family.h"
#include "manager/runtime/usage_files.h"
#include "manager/runtime/usage_processes.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"

#define LEVELS_MAX 16
#define NO_LIMIT_V1 (UINT64_C(1) << 62) /* no machine has as much: the kernel's word for none */

/* What has no counter yet. */
struct missing {
	bool cpu, memory, pids, block;
};

struct reader {
	struct cgroup_host host;
	const char *path;
	int v2; /* the group, -1 without */
	int proc_fd;
	pid_t init;
	struct missing missing;
	bool late; /* memory is counted by a group that the processes may have been moved into */
};

/* ---- files of groups ------------------------------------------------------------------------ */

static int open_v1(const struct reader *reader, const char *controller)
{
	AUTO_CLOSE int root = cgroup_host_v1_with(&reader->host, controller, reader->path);

	return root >= 0 ? cgroup_tree_open(root, reader->path) : root;
}

/* ---- the controllers ------------------------------------------------------------------------ */

static void read_cpu(struct reader *reader, struct usage *out)
{
	AUTO_CLOSE int limited = open_v1(reader, "cpu");
	uint64_t usec;

	reader->missing.cpu = true;
	if (reader->v2 >= 0 && usage_read_keyed(reader->v2, "cpu.stat", "usage_usec", &usec)) {
		out->cpu_ns = usec * 1000;
		reader->missing.cpu = false;
	}
	(void)usage_read_keyed(limited >= 0 ? limited : reader->v2, "cpu.stat", "nr_throttled",
			       &out->throttled);
}

/* A limit of a group above holds, too. */
static void read_limit_v2(int dir, struct usage *out)
{
	char file[3 * LEVELS_MAX + 16] = "";
	size_t len = 0;

	for (int level = 0; level < LEVELS_MAX; level++) {
		uint64_t limit;

		snprintf(file + len, sizeof(file) - len, "memory.max");
		if (faccessat(dir, file, F_OK, 0) < 0)
			break;
		if (usage_read_number(dir, file, &limit) &&
		    (!out->memory_limit || limit < out->memory_limit))
			out->memory_limit = limit;
		memcpy(file + len, "../", 3);
		len += 3;
	}
}

static void read_memory(struct reader *reader, struct usage *out)
{
	AUTO_CLOSE int v1 = -1;
	uint64_t used = 0, limit = 0;

	out->memory_source = USAGE_MEMORY_GROUP;
	if (reader->v2 >= 0 && usage_read_number(reader->v2, "memory.current", &used)) {
		(void)usage_read_keyed(reader->v2, "memory.stat", "inactive_file",
				       &out->memory_cache);
		read_limit_v2(reader->v2, out);
	} else {
		v1 = open_v1(reader, "memory");
		if (v1 < 0 || !usage_read_number(v1, "memory.usage_in_bytes", &used)) {
			reader->missing.memory = true;
			return;
		}
		(void)usage_read_keyed(v1, "memory.stat", "total_inactive_file",
				       &out->memory_cache);
		(void)usage_read_keyed(v1, "memory.stat", "hierarchical_memory_limit", &limit);
		out->memory_limit = limit < NO_LIMIT_V1 ? limit : 0;
		reader->late = true;
	}
	if (out->memory_cache > used)
		out->memory_cache = used;
	out->memory = used - out->memory_cache;
}

static void read_pids(struct reader *reader, struct usage *out)
{
	AUTO_CLOSE int v1 = -1;
	int dir = reader->v2;

	if (dir < 0 || !usage_read_number(dir, "pids.current", &out->pids)) {
		dir = v1 = open_v1(reader, "pids");
		if (v1 < 0 || !usage_read_number(v1, "pids.current", &out->pids)) {
			reader->missing.pids = true;
			return;
		}
	}
	(void)usage_read_number(dir, "pids.max", &out->pids_limit);
}

/* "8:0 rbytes=1 wbytes=2 …", one line a device. */
static void add_block_v2(char *line, struct usage *out)
{
	char *read = strstr(line, " rbytes="), *written = strstr(line, " wbytes=");

	out->block_read += read ? strtoull(read + 8, NULL, 10) : 0;
	out->block_written += written ? strtoull(written + 8, NULL, 10) : 0;
}

/* "8:0 Read 1", "8:0 Write 2", … */
static void add_block_v1(char *line, struct usage *out)
{
	char *read = strstr(line, " Read "), *written = strstr(line, " Write ");

	out->block_read += read ? strtoull(read + 6, NULL, 10) : 0;
	out->block_written += written ? strtoull(written + 7, NULL, 10) : 0;
}

/* It closes `fd`; where that is none, there is nothing to add. */
static bool add_lines_of(int fd, void (*add)(char *line, struct usage *out), struct usage *out)
{
	AUTO_FCLOSE FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	AUTO_FREE char *line = NULL;
	size_t cap = 0;

	if (!file) {
		cleanup_close(&fd);
		return false;
	}
	while (getline(&line, &cap, file) > 0)
		add(line, out);
	return true;
}

static bool add_lines(int dir, const char *name, void (*add)(char *line, struct usage *out),
		      struct usage *out)
{
	return add_lines_of(dir >= 0 ? openat(dir, name, O_RDONLY | O_CLOEXEC) : -1, add, out);
}

static void read_block(struct reader *reader, struct usage *out)
{
	AUTO_CLOSE int v1 = -1;

	out->has_block = add_lines(reader->v2, "io.stat", add_block_v2, out);
	if (out->has_block)
		return;
	v1 = open_v1(reader, "blkio");
	out->has_block =
		add_lines(v1, "blkio.throttle.io_service_bytes_recursive", add_block_v1, out);
	reader->missing.block = !out->has_block;
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int list_members(const struct reader *reader, struct cgroup_members *out, struct err *err)
{
	AUTO_CLOSE int devices = -1;

	if (reader->v2 >= 0)
		return cgroup_members_read(reader->v2, out, err);
	/* Without cgroup2 the rules for devices need their group on v1. */
	devices = open_v1(reader, "devices");
	if (devices >= 0)
		return cgroup_members_read(devices, out, err);
	return process_family_find(reader->proc_fd, reader->init, out, err);
}

static int read_processes(struct reader *reader, struct usage *out, struct err *err)
{
	AUTO_CGROUP_MEMBERS struct cgroup_members members = CGROUP_MEMBERS_INIT;
	struct missing *missing = &reader->missing;
	bool any = missing->cpu || missing->memory || missing->pids || missing->block;
	struct usage_processes sum;
	int r = any || reader->late ? list_members(reader, &members, err) : 0;

	if (r < 0)
		return r;
	/*
	 * A group of v1 that cgroup_update() has made counts what came after that alone: then it
	 * knows of less than what is surely the processes' own.
	 */
	if (reader->late)
		reader->late = usage_processes_anonymous(reader->proc_fd, &members) > out->memory;
	if (!any && !reader->late)
		return 0;
	usage_processes_sum(reader->proc_fd, &members, &sum);
	if (reader->late && sum.anonymous > out->memory)
		missing->memory = true;
	if (missing->cpu)
		out->cpu_ns = sum.cpu_ns;
	if (missing->pids)
		out->pids = sum.threads;
	if (missing->memory) {
		out->memory = sum.memory;
		out->memory_source = sum.memory_is_rss ? USAGE_MEMORY_RSS : USAGE_MEMORY_PSS;
	}
	if (missing->block) {
		out->has_block = sum.has_block;
		out->block_read = sum.block_read;
		out->block_written = sum.block_written;
	}
	return 0;
}

/* proc_pid_net(5), "dev": "eth0: received 7 more sent …" after two lines of headings. */
static void add_interface(char *line, struct usage *out)
{
	char *colon = strchr(line, ':');
	unsigned long long received, sent;
	const char *name = line + strspn(line, " ");

	if (!colon || begins_with(name, "lo:") ||
	    sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &received, &sent) != 2)
		return;
	out->received += received;
	out->sent += sent;
}

/* What passes there is that of the host, or whatever the caller is in. */
static bool is_in_our_network(const struct reader *reader)
{
	AUTO_CLOSE int fd = living_thread_open(reader->proc_fd, reader->init, "ns/net", O_RDONLY);
	struct stat theirs, ours;

	return fd >= 0 && fstat(fd, &theirs) == 0 &&
	       fstatat(reader->proc_fd, "self/ns/net", &ours, 0) == 0 &&
	       theirs.st_ino == ours.st_ino;
}

static void read_network(const struct reader *reader, struct usage *out)
{
	int fd = living_thread_open(reader->proc_fd, reader->init, "net/dev", O_RDONLY);

	out->has_network = add_lines_of(fd, add_interface, out);
}

static int read_all(struct reader *reader, bool own_network, struct usage *out, struct err *err)
{
	uint64_t start;
	int r = identity_open_proc(&reader->proc_fd, err);

	if (r < 0)
		return r;
	r = cgroup_host_find(&reader->host, err);
	if (r < 0)
		return r;
	if (reader->host.v2_root >= 0) {
		r = cgroup_tree_open(reader->host.v2_root, reader->path);
		if (r < 0 && r != -ENOENT)
			return err_sys(err, -r, "cannot open cgroup %s", reader->path);
		reader->v2 = r < 0 ? -1 : r;
	}
	read_cpu(reader, out);
	read_memory(reader, out);
	read_pids(reader, out);
	read_block(reader, out);
	usage_read_pressure(reader->v2, "cpu.pressure", &out->cpu_pressure);
	usage_read_pressure(reader->v2, "memory.pressure", &out->memory_pressure);
	usage_read_pressure(reader->v2, "io.pressure", &out->io_pressure);
	r = read_processes(reader, out, err);
	if (r == 0 && own_network && !is_in_our_network(reader))
		read_network(reader, out);
	/* What was read while it ended is not to be believed. */
	return r < 0 ? r : identity_start_time(reader->proc_fd, reader->init, &start, err);
}

int usage_read(const char *cgroups_path, pid_t init, bool own_network, struct usage *out,
	       struct err *err)
{
	struct reader reader = { .host = CGROUP_HOST_INIT,
				 .path = cgroups_path,
				 .v2 = -1,
				 .proc_fd = -1,
				 .init = init };
	struct usage usage = { 0 };
	int r = cgroup_tree_check(cgroups_path, err);

	if (r == 0)
		r = read_all(&reader, own_network, &usage, err);
	cgroup_host_release(&reader.host);
	cleanup_close(&reader.v2);
	cleanup_close(&reader.proc_fd);
	if (r == 0)
		*out = usage;
	return r;
}
