/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/clock.h"

int64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return clock_ns(now);
}

int64_t clock_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return clock_ns(now);
}
