/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_RECALL_H
#define CMAN_MANAGER_CMD_RECALL_H

/*
 * Files of <run>/ that keep what was answered the last time: guesses, by which a command prepares
 * while the database is still being read. There are so many of a kind, a question belongs to one of
 * them, and the newest wins. What is not there, damaged or of another version is as good as none.
 */

#include <stddef.h>
#include <stdint.h>

#define RECALL_NAME_SIZE 17

/*
 * The name of the file for a question, one of `nfiles` (4096 at most): "KIND-" and three digits.
 * KIND has 12 characters at most.
 */
void recall_name(const char *kind, uint32_t nfiles, const char *question, size_t len,
		 char name[RECALL_NAME_SIZE]);

#endif
