/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_BEGINS_H
#define CMAN_STORE_BASE_BEGINS_H

#include <stdbool.h>
#include <string.h>

/* Whether `text` begins with `start`. */
static inline bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

#endif
