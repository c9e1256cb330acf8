/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_OUTPUT_H
#define CMAN_MANAGER_CMD_OUTPUT_H

/*
 * Where a command writes an archive: standard output, or a file that is there whole or, when the
 * command fails, not at all (an earlier one of that name stays). Devices and FIFOs are written to
 * as they are.
 */

#include "image/interrupt.h"
#include "store/base/err.h"

struct output {
	int fd;
	const char *path; /* NULL: standard output */
	char *temporary;  /* its name until the end; NULL: none */
};

#define OUTPUT_INIT      \
	{                \
		.fd = -1 \
	}
#define AUTO_OUTPUT __attribute__((cleanup(output_abort)))
/* Remove what was begun. Harmless after output_finish(). */
void output_abort(struct output *output);

/* `path` NULL: standard output, which may be no terminal: ERR_USAGE naming `command`. */
int output_open(struct output *output, const char *path, const char *command, struct err *err);

/* Copy what `from` gives until its end. ERR_SYS, EINTR "interrupted". */
int output_copy(struct output *output, int from, const struct interrupt *interrupt,
		struct err *err);

/* The file gets its name. */
int output_finish(struct output *output, struct err *err);

#endif
