/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_LOGS_PRINT_H
#define CMAN_MANAGER_CMD_LOGS_PRINT_H

/*
 * Log records as output: those of stdout to stdout, those of stderr to stderr, parts joined to the
 * lines they were. Bytes go out as they came in, but to a terminal only what cannot do harm to it:
 * text, tabs and colours (SGR); the rest is made visible. Of several containers each line begins
 * with the name of its own, in colour on a terminal.
 */

#include <stdbool.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/logs.h"

struct logs_speaker {
	const char *name; /* of the container */
	int colour; /* a number of its own among those whose logs are shown together, from 0 */
};

struct logs_stream {
	int fd;
	bool terminal;
	/* Whose last record was a part: what comes next of it goes on. NULL: a line begins. */
	const struct logs_speaker *in_line;
	bool coloured;
	struct buf buf;
};

struct logs_print {
	bool timestamps;
	int name_width; /* columns that names are padded to; 0: lines have none before them */
	bool colours;	/* before the lines, on a terminal */
	struct logs_stream out, err;
};

void logs_print_init(struct logs_print *print, bool timestamps, int name_width);
void logs_print_release(struct logs_print *print);

/* Add a record that `speaker` said. Fails when stdout or stderr cannot be written. */
int logs_print_record(struct logs_print *print, const struct logs_speaker *speaker,
		      const struct log_record *record, struct err *err);
/* Write all out. At the end a terminal gets its own colours back. */
int logs_print_flush(struct logs_print *print, bool end, struct err *err);

/* Text of a line for a terminal. *coloured is set when a colour was passed on. */
void logs_print_safe(struct buf *buf, const char *text, size_t len, bool *coloured);

#endif
