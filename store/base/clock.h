/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_CLOCK_H
#define CMAN_STORE_BASE_CLOCK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* Nanoseconds since the epoch (CLOCK_REALTIME), the unit of every time on disk. */
int64_t clock_now_ns(void);
/* A time of the kernel's, such as that of a file's last change, in the same. */
static inline int64_t clock_ns(struct timespec time)
{
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

/* Nanoseconds of CLOCK_MONOTONIC: for spans of time within one boot, never kept. */
int64_t clock_monotonic_ns(void);

/*
 * Milliseconds from `now_ns` to `deadline_ns`, rounded up, so that a poll(2) that takes as long
 * does not return before it; 0 where it has passed, INT_MAX at most.
 */
static inline int clock_ms_until(int64_t deadline_ns, int64_t now_ns)
{
	int64_t ms = deadline_ns > now_ns ? (deadline_ns - now_ns - 1) / NS_PER_MS + 1 : 0;

	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* The same from now, of a deadline of CLOCK_MONOTONIC. */
static inline int clock_poll_timeout(int64_t deadline_ns)
{
	return clock_ms_until(deadline_ns, clock_monotonic_ns());
}

#endif
