/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_TTY_H
#define CMAN_MANAGER_RUNTIME_TTY_H

/*
 * Pseudo-terminals of a container's own devpts (pty(7)). Neither end becomes anyone's controlling
 * terminal by being opened.
 */

#include <stdint.h>

#include "store/base/err.h"

/*
 * A new pair from /dev/pts/ptmx below `root_fd`, which has to be a devpts, or ERR_UNSUPPORTED;
 * `proc_fd` as of node_open(). The master does not block; the slave is opened with `access`: O_RDWR
 * or O_RDONLY.
 */
int tty_open_pair(int root_fd, int proc_fd, int access, int *master, int *slave, struct err *err);

/* Window size in characters; 0 leaves a terminal as it is. */
int tty_resize(int fd, uint16_t rows, uint16_t cols, struct err *err);

/*
 * Make a slave that nobody types into read as an end of file at once and for ever: without line
 * editing, and with neither a minimum of bytes nor a time to wait for (termios(3), "MIN == 0,
 * TIME == 0"). A program that sets a mode of its own and waits for keys, as top does, waits in
 * peace.
 */
int tty_set_end_of_file(int slave, struct err *err);

/* Make `slave` the controlling terminal of the calling process, a session leader. */
int tty_take_control(int slave, struct err *err);

#endif
