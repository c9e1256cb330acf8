/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_DRAFT_NAME_H
#define CMAN_STORE_DRAFT_NAME_H

#include <stddef.h>

/* What is only to be removed, by whoever comes by. */
#define TRASH_PREFIX "trash-"

/*
 * A name below tmp/ that nobody else makes: `prefix`, which tells sweep.c what it is, and 16 random
 * hex digits. 0 or -errno.
 */
int draft_name(char *out, size_t size, const char *prefix);

#endif
