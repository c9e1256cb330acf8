/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_PROC_FILE_H
#define CMAN_MANAGER_RUNTIME_PROC_FILE_H

/* Files of a process in /proc (proc(5)), which are made as they are read, and small. */

#include <stddef.h>
#include <sys/types.h>

/*
 * What the file `name` of `pid` holds, as far as it fits, NUL-terminated in any case. `proc_fd` is
 * /proc. Returns its length, or -errno: -ENOENT or -ESRCH when the process has ended.
 */
ssize_t proc_file_read(int proc_fd, pid_t pid, const char *name, char *text, size_t size);

#endif
