/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INTERRUPT_H
#define CMAN_IMAGE_INTERRUPT_H

/*
 * While a pull runs, SIGINT, SIGTERM and SIGHUP are read from a descriptor, so that it can end its
 * stages and keep what can be resumed, and SIGPIPE is an error of write(2). Signals that the
 * caller ignores stay ignored. signalfd(2).
 */

#include <signal.h>

#include "store/base/err.h"

struct interrupt {
	int fd;
	sigset_t before;
};

#define INTERRUPT_INIT   \
	{                \
		.fd = -1 \
	}
#define AUTO_INTERRUPT __attribute__((cleanup(interrupt_end)))

int interrupt_begin(struct interrupt *interrupt, struct err *err);
void interrupt_end(struct interrupt *interrupt);

/*
 * Wait until `fd` (-1: none) has one of `events` (poll(2)) or is broken: 1; or until `timeout_ms`
 * (-1: none) have passed: 0. -EINTR "interrupted" when one of the signals came.
 */
int interrupt_poll(const struct interrupt *interrupt, int fd, short events, int timeout_ms,
		   struct err *err);

#endif
