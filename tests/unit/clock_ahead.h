/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_CLOCK_AHEAD_H
#define CMAN_TESTS_CLOCK_AHEAD_H

/*
 * Nobody can set the time of a file's last change (ctime), so a test moves the clock instead: this
 * one is linked in place of the library's.
 */

#include "store/base/clock.h"

static int64_t ahead_s; /* seconds that have gone by */

int64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return clock_ns(now) + ahead_s * NS_PER_S;
}

int64_t clock_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return clock_ns(now);
}

#endif
