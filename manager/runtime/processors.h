/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_PROCESSORS_H
#define CMAN_MANAGER_RUNTIME_PROCESSORS_H

/*
 * The host's processors, as the kernel lists them in /sys/devices/system/cpu (cputopology.rst).
 * musl's sysconf(3) tells those that this process may run on, which taskset(1) or a cpuset
 * makes fewer.
 */

#include <stdbool.h>

/*
 * Take the next range, such as "0-3" or "5", off a list of them with commas between. False at the
 * end, and at what is no range.
 */
bool processors_next(const char **list, unsigned *first, unsigned *last);

/* One more than the highest number that a processor can have here, 0 where it cannot be read. */
unsigned processors_possible(void);

/* How many are in use, 0 where it cannot be read. */
unsigned processors_online(void);

#endif
