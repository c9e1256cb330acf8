/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTINIT_CLOCK_H
#define CTINIT_CLOCK_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Nanoseconds on a clock of clock_gettime(2). By system call: the library's way, through the vDSO,
 * is for those who ask often, and would cost more memory than anything else here.
 */
static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	syscall(SYS_clock_gettime, clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

#endif
