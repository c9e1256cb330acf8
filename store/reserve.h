/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_RESERVE_H
#define CMAN_STORE_RESERVE_H

#include <stdbool.h>

/*
 * A little of the disk, kept in a file of the state directory for what has to be recorded when the
 * disk is full: how a container ended, and that one is removed. A payload that fills the disk has
 * an exit status all the same, and `cman rm` can make room.
 */

/*
 * Have it, where it is not there. Best effort: on a full disk, a read-only one, or a file system
 * that allocates nothing in advance (fallocate(2)), there is none.
 */
void reserve_keep(int root_fd);

/* Free it, for what is written next. False when there was none. */
bool reserve_spend(int root_fd);

#endif
