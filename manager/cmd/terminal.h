/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TERMINAL_H
#define CMAN_MANAGER_CMD_TERMINAL_H

/*
 * The user's terminal in raw mode (termios(3), cfmakeraw), and back on every way out: by
 * terminal_restore(), at exit(3), and when a fault kills the program. Only one terminal can be raw
 * at a time. What is done to a signal that can be caught is the caller's business.
 */

#include <stdint.h>

#include "store/base/err.h"

/* One that is raw stays so. */
int terminal_make_raw(int fd, struct err *err);
/*
 * Back to what it was; nothing when it is not raw. Also from the background, without being stopped.
 */
void terminal_restore(void);

/* Rows and columns of the terminal `fd`; 0 and 0 where it has none. */
void terminal_size(int fd, uint16_t *rows, uint16_t *cols);

#endif
