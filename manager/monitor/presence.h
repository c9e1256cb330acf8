/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_PRESENCE_H
#define CMAN_MANAGER_MONITOR_PRESENCE_H

/*
 * Which containers have a monitor, at the price of one system call each, so that a list of
 * thousands need not open the processes of them all. A monitor has a lock (fcntl(2), F_SETLK) on
 * one byte of a file `monitors-N` in the run-time directory, as long as it attends to the
 * container. Which one, says the container's ID; so a process that got a dead monitor's number is
 * not taken for it.
 */

#include <stdbool.h>
#include <sys/types.h>

struct store;

/*
 * In the monitor of container `id`, whose store stays open as long as it lives. One that cannot
 * have the lock, on a full disk, attends to its container all the same: it is only not seen this
 * way.
 */
void presence_hold(struct store *store, const char *id);

/* Before the next monitor may come: this process may have clients to serve yet. */
void presence_give_up(struct store *store, const char *id);

/* Whether process `monitor` holds that of container `id`. Whatever cannot be asked is not seen. */
bool presence_seen(struct store *store, const char *id, pid_t monitor);

#endif
