/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEXT_H
#define CMAN_MANAGER_CMD_TEXT_H

/*
 * Text on a terminal and in JSON: columns and strings. The libc's wcwidth(3) is not used: it
 * depends on the locale with glibc, and output must not depend on how cman was built.
 */

#include <stddef.h>

#include "store/base/buf.h"

/* Columns that printable UTF-8 takes on a terminal: none for combining marks, 2 for wide signs. */
size_t text_width(const char *text, size_t len);

/* Bytes of the longest beginning of `text` that fits into `columns`. */
size_t text_fit(const char *text, size_t len, size_t columns);

/*
 * Add `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD; what could
 * act on a terminal (DEL, C1, bidirectional overrides) is written as \uXXXX.
 */
void text_add_json(struct buf *buf, const char *text, size_t len);

/*
 * Add JSON that somebody else printed, with what could act on a terminal as \uXXXX: outside of
 * strings valid JSON has none of it.
 */
void text_add_safe_json(struct buf *buf, const char *json, size_t len);

#endif
