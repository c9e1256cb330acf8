/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_PROGRESS_H
#define CMAN_MANAGER_CMD_PROGRESS_H

/*
 * How a long transfer is watched, on stderr: a bar on a terminal, drawn over itself; a plain line
 * now and then elsewhere, without a byte that only a terminal understands.
 */

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool quiet;
	bool terminal;
	bool drawn; /* a bar is on the current line */
	int64_t started_ns;
	int64_t shown_ns;
	int64_t first; /* bytes that were there when it began */
};

void progress_begin(struct progress *progress, bool quiet);
/* A line of text. What could act on a terminal is made visible. */
void progress_line(struct progress *progress, const char *text);
/* `done` of `total` bytes (-1: not known). Drawn a few times a second at most. */
void progress_update(struct progress *progress, int64_t done, int64_t total);
/* Take the bar away: the line is free. */
void progress_end(struct progress *progress);

#endif
