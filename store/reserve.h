/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_RESERVE_H
#define CMAN_STORE_RESERVE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A little of the disk, kept in a file `reserve` for what has to be recorded when the disk is full.
 * The state directory has one for how a container ended and that one, or an image, is removed: a
 * payload that fills the disk has an exit status all the same, and `cman rm`, `rmi` and `prune` can
 * make room. The directory of a
 * container that talks has one for how many of its records were lost.
 */

/*
 * Have it, where it is not there. Best effort: on a full disk, a read-only one, or a file system
 * that allocates nothing in advance (fallocate(2)), there is none.
 */
void reserve_keep(int dir_fd, off_t bytes);

/* Free it, for what is written next. False when there was none. */
bool reserve_spend(int dir_fd);

#endif
