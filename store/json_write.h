/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_JSON_WRITE_H
#define CMAN_STORE_JSON_WRITE_H

/*
 * JSON written straight into a buffer, without a tree: compact, members in the order they are
 * added. It is the text that json_print() makes of the same document, in a fraction of the time.
 * The buffer holds one document and nothing else: commas are added by what it ends with. What is
 * begun is to be ended, and that a key is there once only is for the caller to see to.
 *
 * Errors stick in the buffer: a text that is not UTF-8 fails it as missing memory does, later calls
 * do nothing, and buf_failed() or buf_steal() tells it at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"

/* `key` is that of a member of the object that is open; NULL for what has none. */
void json_begin_object(struct buf *out, const char *key);
void json_begin_array(struct buf *out, const char *key);
void json_end_object(struct buf *out);
void json_end_array(struct buf *out);
/* End the object; with nothing in it, cut the text to the length `before` that it was begun at. */
void json_end_object_or_drop(struct buf *out, size_t before);

/* A value that is NULL is left out, and its key with it. */
void json_add_string(struct buf *out, const char *key, const char *value);
/* A string of `len` bytes; also of a NUL among them. */
void json_add_text(struct buf *out, const char *key, const char *text, size_t len);
/* An array of strings; left out where it is NULL. */
void json_add_strv(struct buf *out, const char *key, char *const *strings);
void json_add_int(struct buf *out, const char *key, int64_t value);
void json_add_bool(struct buf *out, const char *key, bool value);
/* A value that is compact JSON already. */
void json_add_raw(struct buf *out, const char *key, const char *json);
/* A key that is part of a longer text: what is added next, without a key, is its value. */
void json_add_key(struct buf *out, const char *key, size_t len);

/* For writers of strings with rules of their own. */

/* Length of the beginning of `text` that is ASCII and needs no escape: nearly always all of it. */
size_t json_plain_length(const char *text, size_t len);
/* Add a code point below U+10000 as the escape that a string has for it: \n, \", \u001B … */
void json_add_escape(struct buf *out, uint32_t point);

#endif
