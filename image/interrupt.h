/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_INTERRUPT_H
#define CMAN_IMAGE_INTERRUPT_H

/*
 * While a pull runs, SIGINT, SIGTERM and SIGHUP are read from a descriptor, so that it can end its
 * stages and keep what can be resumed, and SIGPIPE is an error of write(2). Signals that the
 * caller ignores stay ignored. signalfd(2).
 *
 * Begun and ended by the main thread, before and after all others, which inherit the blocked
 * signals; all of them may poll, and all see a signal and the stop.
 */

#include <signal.h>
#include <stdbool.h>

#include "store/base/err.h"

struct interrupt {
	int fd;	  /* signalfd(2); what came is left in it to the end */
	int stop; /* eventfd(2) */
	sigset_t before;
};

#define INTERRUPT_INIT               \
	{                            \
		.fd = -1, .stop = -1 \
	}
#define AUTO_INTERRUPT __attribute__((cleanup(interrupt_end)))

int interrupt_begin(struct interrupt *interrupt, struct err *err);
void interrupt_end(struct interrupt *interrupt);

/* Whether one of the signals came. */
bool interrupt_came(const struct interrupt *interrupt);

/* One thread has failed: all that poll from now on fail with -ECANCELED. For good. */
void interrupt_stop(const struct interrupt *interrupt);

/*
 * Wait until `fd` (-1: none) has one of `events` (poll(2)) or is broken: 1; or until `timeout_ms`
 * (-1: none) have passed: 0. -EINTR "interrupted" when one of the signals came, -ECANCELED
 * "stopped" after interrupt_stop().
 */
int interrupt_poll(const struct interrupt *interrupt, int fd, short events, int timeout_ms,
		   struct err *err);

#endif
