/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_HUMAN_H
#define CMAN_MANAGER_CMD_HUMAN_H

/*
 * Times and sizes as people read them. No locale and no time zone is looked at, and what lists hold
 * in every row is made without printf(3), which took half the time of `cman ps -a`.
 */

#include <stddef.h>
#include <stdint.h>

#define HUMAN_MAX 48 /* bytes that any text made here fits in, NUL included */

/* Digits of `number` at `out`, which has room for 21 bytes. Returns their end, a NUL. */
char *human_number(int64_t number, char *out);

/* A span of time in its largest unit: "less than a second", "3 minutes", "2 weeks". Nanoseconds. */
void human_duration(int64_t ns, char out[HUMAN_MAX]);

/* Bytes in decimal units, three digits: "0 B", "980 kB", "183 MB", "1.25 GB". */
void human_size(int64_t bytes, char out[HUMAN_MAX]);

/* The same in units of 1024, as limits are given: "512 MiB", "1.25 GiB". */
void human_binary(int64_t bytes, char out[HUMAN_MAX]);

/* RFC 3339 in UTC with nanoseconds: "2026-01-31T09:05:00.000000000Z". Nanoseconds since the epoch. */
void human_time(int64_t ns, char out[HUMAN_MAX]);

#endif
