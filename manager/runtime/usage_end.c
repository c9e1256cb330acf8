/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/usage_end.h"

#include <fcntl.h>

#include "manager/runtime/cgroup_host.h"
#include "manager/runtime/cgroup_tree.h"
#include "manager/runtime/usage_files.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"

#define NO_LIMIT_V1 (UINT64_C(1) << 62) /* no machine has as much: the kernel's word for none */

static int open_v1(const struct cgroup_host *host, const char *controller, const char *path)
{
	AUTO_CLOSE int root = cgroup_host_v1_with(host, controller, path);

	return root >= 0 ? cgroup_tree_open(root, path) : -1;
}

static void read_memory(const struct cgroup_host *host, int v2, const char *path,
			struct usage_end *out)
{
	AUTO_CLOSE int v1 = -1;
	uint64_t limit = 0;

	if (usage_read_keyed(v2, "memory.events", "oom_kill", &out->oom_kills)) {
		(void)usage_read_number(v2, "memory.peak", &out->memory_peak);
		(void)usage_read_number(v2, "memory.max", &out->memory_limit);
		return;
	}
	v1 = open_v1(host, "memory", path);
	if (v1 < 0)
		return;
	(void)usage_read_number(v1, "memory.max_usage_in_bytes", &out->memory_peak);
	(void)usage_read_keyed(v1, "memory.oom_control", "oom_kill", &out->oom_kills);
	if (usage_read_keyed(v1, "memory.stat", "hierarchical_memory_limit", &limit) &&
	    limit < NO_LIMIT_V1)
		out->memory_limit = limit;
}

static void read_pids(const struct cgroup_host *host, int v2, const char *path,
		      struct usage_end *out)
{
	AUTO_CLOSE int v1 = -1;
	int dir = v2;

	if (!usage_read_keyed(dir, "pids.events", "max", &out->pids_refused)) {
		dir = v1 = open_v1(host, "pids", path);
		if (dir < 0)
			return;
		(void)usage_read_keyed(dir, "pids.events", "max", &out->pids_refused);
	}
	(void)usage_read_number(dir, "pids.peak", &out->pids_peak);
	(void)usage_read_number(dir, "pids.max", &out->pids_limit);
}

static void read_pressure(int v2, struct usage_end *out)
{
	AUTO_CLOSE int host = -1;

	usage_read_pressure(v2, "cpu.pressure", &out->cpu_pressure);
	if (out->cpu_pressure.known) {
		usage_read_pressure(v2, "memory.pressure", &out->memory_pressure);
		usage_read_pressure(v2, "io.pressure", &out->io_pressure);
		return;
	}
	host = open("/proc/pressure", O_PATH | O_DIRECTORY | O_CLOEXEC);
	out->pressure_of_host = true;
	usage_read_pressure(host, "cpu", &out->cpu_pressure);
	usage_read_pressure(host, "memory", &out->memory_pressure);
	usage_read_pressure(host, "io", &out->io_pressure);
}

void usage_read_end(const char *cgroups_path, struct usage_end *out)
{
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	AUTO_CLOSE int v2 = -1;
	struct err err = ERR_INIT;

	*out = (struct usage_end){ 0 };
	if (!cgroups_path)
		return;
	if (cgroup_tree_check(cgroups_path, &err) < 0 || cgroup_host_find(&host, &err) < 0) {
		log_debug("what it used is not known: %s", err.text);
		return;
	}
	if (host.v2_root >= 0)
		v2 = cgroup_tree_open(host.v2_root, cgroups_path);
	if (v2 < 0)
		v2 = -1;
	read_memory(&host, v2, cgroups_path, out);
	read_pids(&host, v2, cgroups_path, out);
	read_pressure(v2, out);
}
