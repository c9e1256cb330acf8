/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_CLAIM_H
#define CMAN_MANAGER_MONITOR_CLAIM_H

/*
 * Who may attend to a container: the process that holds the lock on a file of its directory, for as
 * long as it lives. Nobody ever waits for the lock: who does not get it finds out from the row what
 * the other one made of the container. A monitor lets it go just before the end is recorded, so
 * that whoever finds the record exited can have the lock.
 */

#include <stdbool.h>

/* Of the container whose directory is `dir_fd`; *out is closed to let it go. -EBUSY, or -errno. */
int claim_take(int dir_fd, int *out);
/* Whether somebody ever did. */
bool claim_is_known(int dir_fd);

#endif
