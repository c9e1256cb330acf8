/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_STRV_H
#define CMAN_STORE_BASE_STRV_H

/* NULL-terminated vectors of strings, as execve(2) takes them. NULL stands for an empty one. */

#include <stddef.h>

#define AUTO_STRV __attribute__((cleanup(strv_release)))

void strv_free(char **v);
void strv_release(char ***v);
size_t strv_len(char *const *v);
/* Append a copy of `text`. 0 or -ENOMEM (then *v is unchanged). */
int strv_add(char ***v, const char *text);
/* Append copies of all of `more`. 0 or -ENOMEM (then *v has what it had). */
int strv_extend(char ***v, char *const *more);
/* "KEY=…" strings: replace the one with the same KEY, or append. */
int strv_set_env(char ***v, const char *assignment);
/*
 * Of several "KEY=…" strings with the same KEY (without '=': all of it) the last one stays, where
 * the first one was: as if each had been set in turn, in far less time where there are thousands.
 * 0 or -ENOMEM (then v[] is unchanged).
 */
int strv_unique_env(char **v);
/* Value of KEY in "KEY=VALUE" strings, or NULL. */
const char *strv_get_env(char *const *v, const char *key);

#endif
