/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_PAYLOAD_H
#define CMAN_MANAGER_RUNTIME_PAYLOAD_H

/*
 * How a process becomes the payload: the steps that the container's first process (child.c) and
 * the maker of one that comes later (join.c, newcomer.h) have in common. Each runs in the forked
 * child, where "/" is the container's root, and in the order of declaration.
 */

#include "manager/runtime/engine.h"
#include "manager/runtime/seccomp.h"
#include "manager/runtime/spec.h"
#include "store/base/err.h"

struct payload {
	struct spec_process process; /* a shallow copy; the user is filled in when looked up */
	struct engine_stdio stdio;
	const struct seccomp_filter *filter; /* NULL: unconfined */
	int sync_fd;			     /* the child's end of the handshake */
	int root_fd;			     /* on "/" of the container */
	int proc_fd; /* on a procfs that shows this process; -1: the container's does */
	int console; /* master of its terminal, or of the end-of-file one, or -1 */
	struct engine_permission permission; /* still to be asked for */
	unsigned preserved;		     /* descriptors from 3 on that the program is to have */
	char **env;
	char *program;
};

void payload_begin(struct payload *payload, const struct spec_process *process,
		   const struct engine_stdio *stdio, const struct seccomp_filter *filter,
		   int sync_fd);

/*
 * One phase of a child's way: a step of the payload's, or one of the child's own, given its
 * context.
 */
struct phase {
	const char *name;
	int (*step)(struct payload *payload, struct err *err);
	int (*own)(void *context, struct err *err);
};

/*
 * Run the phases in order. The last one does not return when it succeeds; the first that fails is
 * told to the parent of `payload`, with its name, and ends the process.
 */
_Noreturn void payload_run(const struct phase *phases, struct payload *payload, void *context);

/*
 * Ask for it, where that has not been done. The steps below do so themselves before anything that
 * others see or that may be in the way of asking: a terminal, a directory, an early filter.
 */
int payload_ask_permission(struct payload *payload, struct err *err);

/* Descriptors 0 to 2: what was given, or the terminal, whose master goes to the parent. */
int payload_open_stdio(struct payload *payload, struct err *err);
/* Stand in process.cwd, made where missing, and see that it is inside. */
int payload_enter_directory(struct payload *payload, struct err *err);
/* A session keyring of its own, and the resource limits. */
int payload_limit(struct payload *payload, struct err *err);
/*
 * The filter, where it has to come early: without no_new_privs it takes CAP_SYS_ADMIN to load it.
 */
int payload_filter_privileged(struct payload *payload, struct err *err);
/*
 * Look the user up, with no more power than the container has (and what it takes to become that
 * user): the image's files are foreign bytes. Gives HOME to an environment that has none.
 */
int payload_find_user(struct payload *payload, struct err *err);
int payload_apply_credentials(struct payload *payload, struct err *err);
int payload_resolve_program(struct payload *payload, struct err *err);
/* Tell the parent that all is set up. */
int payload_tell_ready(struct payload *payload, struct err *err);
/* The filter, where no_new_privs lets it come last. */
int payload_filter_unprivileged(struct payload *payload, struct err *err);

#endif
