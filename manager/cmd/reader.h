/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_READER_H
#define CMAN_MANAGER_CMD_READER_H

/*
 * Whether somebody still reads stdout: a program that is about to wait for long, as `cman logs -f`
 * does, would learn it by its next write only, and `cman logs -f bird | head -n 1` end when there
 * is a second line.
 */

#include <poll.h>
#include <stdbool.h>

/* Stdout, for poll(2); an end of its reader is no event that has to be asked for. */
struct pollfd reader_poll(void);
bool reader_is_gone(const struct pollfd *polled);

/* End as the next write would: by SIGPIPE. Returns where that is ignored. */
void reader_follow(void);

#endif
