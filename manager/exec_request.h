/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_EXEC_REQUEST_H
#define CMAN_MANAGER_EXEC_REQUEST_H

/*
 * What `cman exec` wants to run, on its way to the stage cman-exec: in a sealed memfd, because the
 * command line and the environment of a stage could be read by others.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"

struct exec_request {
	char **args;
	char **env; /* "KEY=VALUE", added to the container's own; of equal keys the last counts */
	char *cwd;  /* NULL: the container's */
	char *user; /* NULL: the container's */
	bool tty, open_stdin, detach;
	int log_level;	     /* of the stage: enum log_level */
	bool privileged;     /* all capabilities, whatever the container has */
	uint16_t rows, cols; /* of the terminal, 0: unknown */
};

#define EXEC_REQUEST_INIT    \
	{                    \
		.args = NULL \
	}
#define AUTO_EXEC_REQUEST __attribute__((cleanup(exec_request_release)))
void exec_request_release(struct exec_request *request);

int exec_request_write(const struct exec_request *request, int *fd, struct err *err);
int exec_request_read(int fd, struct exec_request *out, struct err *err);

#endif
