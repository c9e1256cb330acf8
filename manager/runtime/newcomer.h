/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_NEWCOMER_H
#define CMAN_MANAGER_RUNTIME_NEWCOMER_H

/*
 * The last step into a PID namespace that others live in. Who is there sees a newcomer from its
 * birth, and with CAP_SYS_PTRACE it can read and write its memory, take its descriptors and make it
 * do what it likes, until it executes its program and afterwards: no flag of ours is a bar to that
 * (ptrace(2), "Ptrace access mode checking"). So a newcomer is born with what its program is to
 * have, and with nothing more:
 *
 *	waiter   in the host's namespaces; the parent of both others
 *	maker    in the waiter's memory (clone_call.h): has joined all namespaces and become what
 *	         the payload is to be, but for the PID namespace: setns(2) moves the caller's
 *	         children only, so nobody inside sees it
 *	newcomer the maker's copy, and the waiter's child (CLONE_PARENT): a session, a terminal,
 *	         execve(2)
 *
 * Its descriptors are its three streams and the end of a pipe that tells why it could not execute
 * its program: the waiter believes nothing else of what comes from there. Its memory is a copy of
 * the maker's, which knows the container's own spec (so, by name, the files of the host that are
 * mounted in it), and shares nothing with it. /proc/PID/exe is cman, read-only (stage.h).
 */

#include <stdbool.h>
#include <sys/types.h>

#include "manager/runtime/engine.h"
#include "manager/runtime/payload.h"
#include "store/base/err.h"

struct newcomer {
	pid_t pid;	/* as the kernel tells it: 0 as long as there is none */
	int failure[2]; /* the pipe: the waiter's end, the newcomer's */
	struct err err; /* of the maker: why there is none */
};

#define NEWCOMER_INIT                  \
	{                              \
		.failure = { -1, -1 }, \
	}

/* In the waiter, before it makes the maker. */
int newcomer_open(struct newcomer *newcomer, struct err *err);
void newcomer_release(struct newcomer *newcomer);

/*
 * In the maker, last: make the newcomer, and end. All descriptors but 0 to 2 are closed before.
 * `filtered`: with the payload's filter loaded, which then has to let the maker do that, and the
 * newcomer do the rest (newcomer_passes); else the newcomer loads it.
 */
_Noreturn void newcomer_make(struct newcomer *newcomer, struct payload *payload, bool filtered);

/* Whether `filter` lets a process that it is loaded in make a newcomer and be one. */
bool newcomer_passes(const struct seccomp_filter *filter, bool terminal);

/*
 * In the waiter, when the maker, which is *process, has been READY and has ended: wait until the
 * newcomer, which is *process then, has executed its program. Reaps the maker. Errors as
 * engine_start's.
 */
int newcomer_await(struct newcomer *newcomer, int proc_fd, struct engine_process *process,
		   struct err *err);

/* In the waiter, when something failed and the maker is reaped: kill and reap what it made. */
void newcomer_kill(const struct newcomer *newcomer);

#endif
