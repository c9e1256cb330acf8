/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_STAGE_H
#define CMAN_STORE_BASE_STAGE_H

/*
 * Stages: entry points of this binary that are reached by re-executing it under another argv[0],
 * as Docker's reexec package does. main() asks stage_find() first thing, before any option is
 * looked at. A stage gets its input over descriptors only: its environment is empty and its command
 * line is its name, because both can be read by others in /proc.
 *
 * A stage is executed through a read-only detached clone of the mount that holds the binary
 * (open_tree(2), mount_setattr(2)), so that a process that gets at /proc/<pid>/exe from inside a
 * container can never open the host's binary for writing (the CVE-2019-5736 class). Where the
 * kernel lacks mount_setattr (before 5.12) a sealed memfd copy is executed instead.
 */

#include <sys/types.h>

#include "store/base/err.h"

typedef int stage_main(void); /* its return value is the process's exit status */

struct stage {
	const char *name; /* argv[0], such as "cman-monitor" */
	stage_main *main;
};

/* The stage called `name` in `stages` (ended by a NULL name) or NULL. A name twice aborts. */
const struct stage *stage_find(const struct stage *stages, const char *name);

struct stage_child {
	pid_t pid;
	int pidfd;
	void *memory; /* with no_wait: what it was started in, until stage_heard() or stage_end() */
};

/*
 * Start stage `name`. `fds[i]` becomes descriptor i of the stage for i < nfds (-1: /dev/null for
 * i < 3, closed above); nothing else is inherited. The stage starts with an empty environment,
 * all signals unblocked and default, and, if `parent_death_signal` is not 0, with that
 * PR_SET_PDEATHSIG. With `new_session` it calls setsid(2) first. Nothing of the caller's memory is
 * copied for it. The caller reaps child->pid and closes child->pidfd.
 */
struct stage_options {
	const int *fds;
	int nfds; /* at most 16 */
	int parent_death_signal;
	int new_session; /* bool */
	/*
	 * bool: return before it was executed; that it could not be is seen as exit status 127.
	 * `name` is a constant then.
	 */
	int no_wait;
	/*
	 * bool: descriptor `nfds` (3 or more) of the stage is the mount it is executed from, for it
	 * to mark as close-on-exec. Whoever closes the last one waits for a grace period of RCU:
	 * with this the stage does at its end, without it before its first instruction.
	 */
	int keep_mount;
};
int stage_spawn(const char *name, const struct stage_options *options, struct stage_child *child,
		struct err *err);

/*
 * Of a stage that was not waited for: something came from it, or an end of file. So it has been
 * executed, or is dead, and needs the memory no more that it was started in.
 */
void stage_heard(struct stage_child *child);

/*
 * Go on as the same program with the same arguments, but executed from what stages are executed
 * from: for who is to be seen from inside a container as it is. Returns only where that is so
 * already (0; also of who is not root, and of a read-only file system), or when it failed.
 */
int stage_execute_again(char *const argv[], struct err *err);

/*
 * What others read in /proc of this process, which goes on as something else than it was started
 * as: from now on `name` is its name and its whole command line, and its environment is empty.
 * `argv` is main()'s: all that it and the environment point to is overwritten.
 */
void stage_rename(char **argv, const char *name);

/*
 * Kill a stage that is dead or has no more to say (one that somebody has taken over might
 * stay), and return its wait status (waitpid(2)). child->pid is 0 afterwards; where it is
 * before, nothing is done and the status is 0. errno is kept.
 */
int stage_end(struct stage_child *child);

#endif
