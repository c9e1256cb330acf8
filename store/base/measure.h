/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_MEASURE_H
#define CMAN_STORE_BASE_MEASURE_H

/*
 * Sizes and spans of time as people write them. -EINVAL for what is none, -ERANGE for what is more
 * than 64 bits hold; both without an error, as the caller knows whose value it is.
 */

#include <stdint.h>

/* 512, 64k, 100m, 1.5g (powers of 1024; also kb, KiB …). Bytes. */
int measure_size(const char *text, int64_t *out);
/* Seconds with fraction or a Go duration (1h30m, 90s, 500ms). Nanoseconds. */
int measure_time(const char *text, int64_t *out);

#endif
