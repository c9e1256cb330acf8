/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_IDENTITY_H
#define CMAN_MANAGER_RUNTIME_IDENTITY_H

/*
 * Which process it is: a number is given to others once its process is gone, the pair (number,
 * start time) is not. Start times are field 22 of /proc/<pid>/stat, in clock ticks since boot
 * (proc_pid_stat(5)).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"

/*
 * Open /proc, and see that it is a proc file system, of the caller's own PID namespace: in any
 * other the numbers mean other processes. For a caller that changes its root later.
 * ERR_UNSUPPORTED.
 */
int identity_open_proc(int *out, struct err *err);

/* Of one moment. */
struct identity_found {
	uint64_t start_time;
	bool has_executed; /* a program since it was forked: else it runs its parent's */
	/*
	 * It sleeps so that no signal but SIGKILL wakes it up: as one does that reads a disk, and
	 * not one that is held by ptrace(2), stopped, or frozen with its cgroup2 group.
	 */
	bool sleeps;
};

/*
 * ERR_STATE when there is no such process, or it has ended and only waits to be reaped. One whose
 * first thread has ended before the others is there.
 */
int identity_find(int proc_fd, pid_t pid, struct identity_found *out, struct err *err);
int identity_start_time(int proc_fd, pid_t pid, uint64_t *out, struct err *err);

/*
 * Whether the process with this start time is on its way out: it executes nothing any more, and
 * where it is process 1 of a PID namespace, waits until all others in that are gone. False when it
 * is gone itself.
 */
bool identity_is_exiting(int proc_fd, pid_t pid, uint64_t start_time);

/* Whether `thread` is one of the process that executes, or will: it is not on its way out. */
bool identity_thread_lives(int proc_fd, pid_t pid, pid_t thread);

/* The number of the process behind `pidfd`. ERR_STATE when it has been reaped. */
int identity_of_pidfd(int proc_fd, int pidfd, pid_t *out, struct err *err);

/* Whether the process runs the file that this one runs. One that has ended does not. */
int identity_runs_own_program(int proc_fd, pid_t pid, bool *out, struct err *err);

/*
 * How a process ended that has not been reaped yet, as waitpid(2) encodes it. ERR_STATE where it
 * has not ended, or is gone.
 */
int identity_end_status(int proc_fd, pid_t pid, int *out, struct err *err);

struct identity_stat {
	char state;
	uint64_t flags; /* PF_* of the kernel */
	uint64_t threads;
	uint64_t start_time;
	uint64_t end_status; /* of one that has ended */
};

/* What is said in the `len` bytes of a stat file; -EINVAL. */
int identity_parse_stat(const char *text, size_t len, struct identity_stat *out);

#endif
