/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_ENGINE_H
#define CMAN_MANAGER_RUNTIME_ENGINE_H

/*
 * The engine turns a spec into a running process tree. It knows no store and no command line. The
 * caller, which must have one thread only, becomes the parent of the container's first process.
 *
 *	engine_create   clone3 … READY: the payload waits at the gate, everything is set up
 *	engine_start    the gate opens; returns when the payload was really exec'd, or why not
 *	engine_exec     a further process inside a running container
 *	engine_cleanup  what is left of it on the host: its cgroups
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * The payload's stdio. Without a terminal: the container's ends of pipes; -1 is the container's
 * /dev/null, and stdin may be ENGINE_STDIN_TERMINAL: a pseudo-terminal at its end, of which no more
 * than its settings can be had. With process.terminal all three are -1. The terminal of either
 * comes back as `console_fd`. The engine does not close them.
 */
#define ENGINE_STDIN_TERMINAL (-2)
struct engine_stdio {
	int in, out, err;
};

/*
 * Descriptors that ctinit keeps open, under these numbers, for a monitor that adopts the
 * container (pidfd_getfd(2)): both ends of the pipe of its records, the master of its terminal
 * (the payload's, or that of the end-of-file stdin), and what the request says. The payload gets
 * none of them. Where it gets `preserved` descriptors those come first, and each number here is so
 * much higher.
 */
enum engine_held {
	ENGINE_HELD_REPORT_WRITE = 3,
	ENGINE_HELD_REPORT_READ,
	ENGINE_HELD_CONSOLE,
	ENGINE_HELD_FIRST, /* hold_fds[0] */
};
#define ENGINE_HOLD_MAX 13

/* How long a start may take: only a file system that does not answer takes as long. */
#define ENGINE_SETUP_MS 10000

struct engine_process;

struct engine_request {
	const struct spec *spec;
	struct engine_stdio stdio;
	const int *hold_fds; /* only with spec->init */
	size_t nhold_fds;    /* at most ENGINE_HOLD_MAX */
	/* Descriptors that the payload is given as 3 and on, SPEC_PRESERVE_MAX at most. */
	const int *preserved;
	size_t npreserved;
	/*
	 * What belongs to the containers that spec->joins names: descriptors of their namespaces by
	 * the bits' numbers (-1: none; NULL: none at all), and a detached clone of the mount on
	 * /dev/shm of the one whose IPC namespace is joined. Borrowed.
	 */
	const int *join_fds;
	int shm_fd;
	/*
	 * Called when the process has its identity (pid, start_time, pidfd), while it is still
	 * being set up: time to write a record. 0 opens the gate, so that the payload goes on
	 * without waiting for engine_start(), which then only tells how that went. NULL: the gate
	 * stays shut until engine_start().
	 */
	int (*born)(void *data, const struct engine_process *process, struct err *err);
	void *born_data;
	/*
	 * A network namespace that was made for it already, with the loopback device up, or -1; the
	 * descriptor becomes the engine's. Called while the process makes its mounts, and only
	 * where the spec wants one. -1, NULL: the engine makes it.
	 */
	int (*network)(void *data);
	void *network_data;
	/*
	 * Where caches that survive a start live (compiled seccomp filters): a directory, root's
	 * own.
	 */
	int cache_fd;
};

struct engine_process {
	pid_t pid;	     /* as the host sees it */
	uint64_t start_time; /* field 22 of /proc/pid/stat */
	int pidfd;	     /* polls readable when it ended */
	int console_fd;	     /* pty master, non-blocking, with process.terminal; else -1 */
	int eof_console_fd;  /* master of the end-of-file terminal: must stay open; else -1 */
	int sync_fd;	     /* handshake, until engine_start */
	int report_fd;	     /* ctinit's records, until the end; -1 without init, once started */
	bool init;	     /* PID 1 is ctinit */
	bool launched;	     /* into a PID namespace of others: the gate alone is at sync_fd */
	bool gate_open;	     /* engine_start() need not open it */
	bool is_set_up;	     /* engine_await_setup() need not wait */
	char *program;	     /* the payload's file as it was resolved, for messages; owned */
};

#define ENGINE_PROCESS_INIT                                                         \
	{                                                                           \
		.pidfd = -1, .console_fd = -1, .eof_console_fd = -1, .sync_fd = -1, \
		.report_fd = -1                                                     \
	}
void engine_process_release(struct engine_process *process); /* closes; kills nothing */

/*
 * On failure everything it made is gone again, and err names the phase's object. ERR_NO_PROGRAM
 * and ERR_NO_EXEC (exit status 127, 126) when the payload cannot be resolved. ERR_UNSUPPORTED for
 * a kernel before 5.11.
 */
int engine_create(const struct engine_request *request, struct engine_process *out,
		  struct err *err);

/*
 * ERR_NO_PROGRAM / ERR_NO_EXEC when the execve failed; the process is then reaped and gone. The
 * same where, without ctinit, it executed /proc/self/exe, which is the caller's program, and has
 * not ended yet: that helps who typed it. The caller must run from a file that nobody can write to
 * by that name (stage.h) wherever there is no ctinit.
 */
int engine_start(struct engine_process *process, struct err *err);

/*
 * Wait (waitid on the pidfd; the process must have ended or will) and give the payload's status
 * as waitpid(2) encodes it: ctinit's final record where there is one, so that death by signal is
 * told apart from exit 128+n.
 */
int engine_wait(struct engine_process *process, int *wait_status, struct err *err);

/* Remove the cgroups of `spec` after killing whatever is still in them. */
int engine_cleanup(const struct spec *spec, struct err *err);

/* Signal process 1 of the container by pidfd. */
int engine_kill(const struct engine_process *process, int signal, struct err *err);

/*
 * Open a running container's init from its recorded identity: pidfd, checked against the start
 * time. ERR_STATE when that process is gone. Only pid, start_time, pidfd and is_set_up of *out are
 * set.
 */
int engine_open(pid_t pid, uint64_t start_time, struct engine_process *out, struct err *err);

/*
 * Wait until the container of `init` is set up. A record names its first process from its birth;
 * until it executes a program, that process stands in the host's file system, holds the host's
 * descriptors, and is not to be joined or taken over. ERR_STATE when it ended, or after 10 s.
 */
int engine_await_setup(const struct engine_process *init, struct err *err);

/*
 * Who is asked once, when all is prepared, before a process appears in the container, or anything
 * else that is seen there: 0, or it fails with that. NULL: nobody is. It may be asked in a child
 * that shares the caller's memory, which has kept `fd`, and has joined all but the PID namespace.
 * Of the control groups those are joined before that limit nothing and are not frozen: who looks at
 * them from outside may see it there.
 */
struct engine_permission {
	int (*ask)(int fd, struct err *err);
	int fd; /* what it listens to */
};

struct engine_exec_request {
	const struct spec *container;	    /* its confinement */
	const struct engine_process *init;  /* process 1 */
	const struct spec_process *process; /* args, env, cwd, user, terminal */
	const struct engine_stdio *stdio;
	bool privileged;
	int cache_fd; /* as in engine_request */
	struct engine_permission permission;
};

/*
 * Run a further process in a running container. Called in the `cman-exec` stage, single-threaded:
 * the caller's namespaces stay as they are, a child joins those of the container by pidfd and its
 * cgroup by clone3. Returns once the payload was exec'd, or says why not (as engine_start). It gets
 * no capability that process 1 could not have, unless it is `privileged`; nor is there ever a
 * process for the container to see that has more (newcomer.h). *out is the new process, child of
 * the caller, without a start time: reap with engine_wait.
 */
int engine_exec(const struct engine_exec_request *request, struct engine_process *out,
		struct err *err);

#endif
