/* SPDX-License-Identifier: Apache-2.0 */
/* From ctinit to the payload: session, terminal, signals, exec. */
#ifndef CTINIT_PAYLOAD_H
#define CTINIT_PAYLOAD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts program (its arguments, ends with a null pointer; program[0] is searched for in PATH) as a
 * child in a session of its own, with no signal blocked or ignored. If stdin is a terminal and
 * no_tty is not set, that becomes the session's controlling terminal.
 *
 * Returns the child's process ID once it executes the program; 0 with *error set to the errno of
 * the exec that failed; -1 with *error set if there could be no child (*error is 0 on success). The
 * slot before program[0] is used and must exist: in an argument vector, it does.
 */
pid_t payload_start(char **program, bool no_tty, int *error);

/*
 * The same in this process, of which nothing stays: returns the errno of the exec that failed.
 * `listener` is the number by which LISTEN_PID means it. A parent in another PID namespace has none
 * in this one.
 */
int payload_become(char **program, bool no_tty, pid_t listener);

enum { PAYLOAD_LISTENER_SIZE = 24 }; /* LISTEN_PID= and a number */

/*
 * Sockets passed by sd_listen_fds(3) are for the process that LISTEN_PID names: where that is
 * `from`, it is `to` from now on. `room` is part of the environment then.
 */
void payload_rename_listener(pid_t from, pid_t to, char room[static PAYLOAD_LISTENER_SIZE]);

/* What shells exit with if the exec of a program failed with this errno: 127 not found, else 126.
 */
int payload_exit_status(int error);

#endif
