/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_OUTLET_H
#define CMAN_MANAGER_MONITOR_OUTLET_H

/*
 * Where one client gets one stream of output: a pipe, and what it has not taken yet. How far a
 * client that is slow holds the container up depends on what it is:
 *
 *	OUTLET_PIPE	for as long as it likes, as the next program in a pipeline would. So
 *			`cman run … pg_dump | gzip` loses no byte, however slow gzip is.
 *	OUTLET_TERMINAL	while it goes on taking, as a terminal does. One that takes nothing for
 *			OUTLET_STALL_MS (a client that was stopped, a connection that is dead) is
 *			behind.
 *	OUTLET_WATCHER	when OUTLET_MAX bytes wait for it, and then for no longer than
 *			OUTLET_CATCH_UP_MS: it is behind unless it has taken all by then.
 *
 * Who is behind is let go by the caller. Memory is taken when something has to wait.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTLET_MAX ((size_t)1 << 20)
#define OUTLET_CATCH_UP_MS 2000
#define OUTLET_STALL_MS 5000

enum outlet_kind { OUTLET_PIPE, OUTLET_TERMINAL, OUTLET_WATCHER };

struct outlet {
	int fd; /* non-blocking; -1: none. Owned */
	enum outlet_kind kind;
	char *pending;
	size_t begin, end, capacity;
	int64_t taken_ns; /* CLOCK_MONOTONIC, when it took something last, or began to wait */
	int64_t full_ns;  /* a watcher: since when it has more to take than fits; 0: it has not */
};

#define OUTLET_INIT      \
	{                \
		.fd = -1 \
	}

/* Drop what is pending and close. */
void outlet_close(struct outlet *outlet);

bool outlet_is_delivered(const struct outlet *outlet);
/* For its sake nothing more is read from the container now. */
bool outlet_holds(const struct outlet *outlet);
/* How long until it is behind if nothing changes, in milliseconds: 0: it is, -1: it will not be. */
int outlet_patience(const struct outlet *outlet, int64_t now_ns);

/* Give it these bytes: now what it takes now, the rest later. One that is broken is closed. */
void outlet_put(struct outlet *outlet, const char *bytes, size_t len);

/* What it waits for (to take what is pending); fd -1: nothing. */
struct pollfd outlet_poll(const struct outlet *outlet);
/* That came. */
void outlet_step(struct outlet *outlet);

#endif
