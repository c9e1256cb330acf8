/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/clock.h"

#include <limits.h>
#include <time.h>

int64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int clock_ms_until(int64_t deadline_ns, int64_t now_ns)
{
	int64_t ms = deadline_ns > now_ns ? (deadline_ns - now_ns - 1) / NS_PER_MS + 1 : 0;

	return ms > INT_MAX ? INT_MAX : (int)ms;
}

int clock_poll_timeout(int64_t deadline_ns)
{
	return clock_ms_until(deadline_ns, clock_monotonic_ns());
}
