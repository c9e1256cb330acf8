/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_CLOCK_H
#define CMAN_STORE_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* Nanoseconds since the epoch (CLOCK_REALTIME), the unit of every time on disk. */
int64_t clock_now_ns(void);

/* Nanoseconds of CLOCK_MONOTONIC: for spans of time within one boot, never kept. */
int64_t clock_monotonic_ns(void);

/*
 * Milliseconds from `now_ns` to `deadline_ns`, rounded up, so that a poll(2) that takes as long
 * does not return before it; 0 where it has passed, INT_MAX at most.
 */
int clock_ms_until(int64_t deadline_ns, int64_t now_ns);
/* The same from now, of a deadline of CLOCK_MONOTONIC. */
int clock_poll_timeout(int64_t deadline_ns);

#endif
