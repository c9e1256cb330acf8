/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_CLOCK_H
#define CMAN_STORE_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since the epoch (CLOCK_REALTIME), the unit of every time on disk. */
int64_t clock_now_ns(void);

/* Nanoseconds of CLOCK_MONOTONIC: for spans of time within one boot, never kept. */
int64_t clock_monotonic_ns(void);

#endif
