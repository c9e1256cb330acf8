/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_LOGS_TIME_H
#define CMAN_MANAGER_CMD_LOGS_TIME_H

/* Times as they are written after --since and --until, and before each line with -t. */

#include <stdint.h>

#include "manager/cmd/cmd.h"

/*
 * Nanoseconds since the epoch. One of: RFC 3339 (2026-01-31T12:00:00.5Z, +02:00); the same without
 * a zone, without seconds, or the date alone, in the local zone; seconds since the epoch, with a
 * fraction or without; a Go duration, with days and weeks as well, before `now_ns` (90s, 1h30m,
 * 2d, 2d ago, -2d) or after it (+90s); now, today, yesterday. ERR_USAGE naming the option.
 */
int logs_time_parse(const struct cmd_option *option, const char *text, int64_t now_ns, int64_t *out,
		    struct err *err);

/* "2026-01-31T12:00:00.500000000Z": always UTC, always nine digits. */
#define LOGS_TIME_MAX 48
void logs_time_print(int64_t time_ns, char out[LOGS_TIME_MAX]);

#endif
