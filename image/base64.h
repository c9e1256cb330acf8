/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_BASE64_H
#define CMAN_IMAGE_BASE64_H

/* Base64 with the standard alphabet and padding (RFC 4648 section 4). */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/buf.h"

/* Add the text of `len` bytes. */
void base64_encode(struct buf *out, const void *data, size_t len);

/* Add the bytes of `text`. False where it is malformed; missing padding is not. */
bool base64_decode(struct buf *out, const char *text);

#endif
