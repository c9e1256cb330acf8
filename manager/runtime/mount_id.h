/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_MOUNT_ID_H
#define CMAN_MANAGER_RUNTIME_MOUNT_ID_H

#include <stdint.h>

/*
 * The mount that `fd` (O_PATH is enough) is open on, by the number that proc_pid_mountinfo(5) has
 * in its first field: while both are open, that of another is another. 0 or -errno.
 */
int mount_id(int fd, uint64_t *out);

#endif
