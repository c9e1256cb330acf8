/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_PROC_MOUNT_H
#define CMAN_MANAGER_RUNTIME_PROC_MOUNT_H

/*
 * A procfs shows the PID namespace of the process that made it (proc(5)), unless it is told of
 * another, which Linux 6.17 can be. A process that went inside for it would be seen there, with
 * the right to mount.
 */

#include "store/base/err.h"

/*
 * A detached mount of a procfs of the PID namespace open at `pid_ns`, which is below our own: a new
 * one, or before Linux 6.17 a clone of one that some process inside has at its /proc. Called in the
 * host's PID and mount namespaces; `proc_fd` is the host's procfs. ERR_UNSUPPORTED where an older
 * kernel has none to be cloned.
 */
int proc_mount_of(int pid_ns, int proc_fd, int *out, struct err *err);

#endif
