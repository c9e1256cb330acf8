/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_UTF8_H
#define CMAN_STORE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decode the first code point of text[0 … len) (RFC 3629: shortest form, no surrogates) into
 * *point. Returns the bytes it takes, or 0 where there is none.
 */
size_t utf8_decode(const char *text, size_t len, uint32_t *point);

/* Bytes at the beginning of text[0 … len) that are printable ASCII: nearly always all of it. */
size_t utf8_plain_length(const char *text, size_t len);

/* Whether all of `text` is UTF-8. */
bool utf8_is_valid(const char *text);

#endif
