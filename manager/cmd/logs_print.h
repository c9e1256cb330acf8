/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_LOGS_PRINT_H
#define CMAN_MANAGER_CMD_LOGS_PRINT_H

/*
 * Log records as output: those of stdout to stdout, those of stderr to stderr, parts joined to the
 * lines they were. Bytes go out as they came in, but to a terminal only what cannot do harm to it:
 * text, tabs and colours (SGR); the rest is made visible.
 */

#include <stdbool.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/logs.h"

struct logs_stream {
	int fd;
	bool terminal;
	bool in_line; /* the last record was a part: what comes next goes on */
	bool coloured;
	struct buf buf;
};

struct logs_print {
	const char *name; /* of the container, for messages */
	bool timestamps;
	struct logs_stream out, err;
};

void logs_print_init(struct logs_print *print, const char *name, bool timestamps);
void logs_print_release(struct logs_print *print);

/* Add a record. Fails when stdout or stderr cannot be written. */
int logs_print_record(struct logs_print *print, const struct log_record *record, struct err *err);
/* Write all out. At the end a terminal gets its own colours back. */
int logs_print_flush(struct logs_print *print, bool end, struct err *err);

/* Text of a line for a terminal. *coloured is set when a colour was passed on. */
void logs_print_safe(struct buf *buf, const char *text, size_t len, bool *coloured);

#endif
