/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_PROCESSES_H
#define CMAN_MANAGER_RUNTIME_PROCESSES_H

/*
 * The processes of a running container as /proc of the host tells of them, so that nothing in the
 * image is needed, nor executed: proc_pid_stat(5), proc_pid_status(5), cgroups(7),
 * pid_namespaces(7). Command lines and names are the container's: escape them.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "manager/runtime/engine.h"
#include "store/base/buf.h"
#include "store/base/err.h"

struct process {
	pid_t host_pid, host_ppid;
	pid_t pid;  /* as the container sees it */
	pid_t ppid; /* 0: outside */
	char comm[64];
	char state;
	int64_t pgid; /* as the host sees it */
	int tty;      /* device number, 0: none */
	int64_t nice;
	uint64_t cpu_ticks;	       /* user and system time, of CLOCK_TICKS a second */
	uint64_t start_ticks;	       /* since boot */
	uint64_t vsz, rss;	       /* bytes */
	uint32_t uid, ruid, gid, rgid; /* effective and real, as the host sees them */
	char groups[512];	       /* supplementary ones, "10 20", as the host sees them */
	uint64_t cap_inh, cap_prm, cap_eff, cap_bnd, cap_amb;
	int seccomp;	 /* 0 disabled, 1 strict, 2 filter; -1: not told */
	char label[128]; /* of a security module; "" none */
	struct buf
		args; /* the command line, words parted by a blank; empty: a thread of the kernel */
};

struct processes {
	struct process *list; /* by pid */
	size_t count;
};

#define PROCESSES_INIT \
	{              \
		0      \
	}
#define AUTO_PROCESSES __attribute__((cleanup(processes_release)))
void processes_release(struct processes *processes);

/*
 * All in the cgroup `cgroups_path`, and below it; where that cannot be told, those that
 * process_family_find() tells by `init`. What ends meanwhile is not among them. ERR_STATE when
 * there are none.
 */
int processes_read(const char *cgroups_path, const struct engine_process *init,
		   struct processes *out, struct err *err);

#endif
