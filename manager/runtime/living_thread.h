/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_LIVING_THREAD_H
#define CMAN_MANAGER_RUNTIME_LIVING_THREAD_H

/*
 * A process lives as long as one of its threads. When the first one has ended before the others
 * (pthread_exit(3) in main), what goes by the process's number in /proc, and setns(2) by its pidfd,
 * finds a zombie: no memory, no root directory, no namespaces but those of processes and users.
 * What the others have is all the process's all the same.
 */

#include <sys/types.h>

/*
 * A thread of `pid` that is not on its way out; 0 where there is none. `proc_fd` is /proc, where it
 * can be looked up by that number as if it were a process.
 */
pid_t living_thread_find(int proc_fd, pid_t pid);

/*
 * openat(2) of `name` in the directory of the process in /proc, or else in that of a thread that
 * lives. -errno. The number is the process's for as long as that has not ended: look at its pidfd
 * afterwards.
 */
int living_thread_open(int proc_fd, pid_t pid, const char *name, int flags);

#endif
