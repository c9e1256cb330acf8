/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_SIGNALS_H
#define CMAN_MANAGER_SIGNALS_H

/*
 * Names of signals (signal(7)). RTMIN is 34 whatever libc cman is built with: what counts is the
 * numbering that the payload's libc sees, and that is 34 with glibc, in kill(1) and in Docker.
 */

#define SIGNAL_MAX 64
#define SIGNAL_NAME_MAX 16 /* bytes, NUL included */

/* "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3", "RTMAX-1" → number 1..64, or -EINVAL. */
int signal_from_name(const char *name);

/* "SIGTERM", "SIGRTMIN+3"; a number outside 1..64 is printed as it is. Returns `out`. */
const char *signal_name(int signal, char out[SIGNAL_NAME_MAX]);

#endif
