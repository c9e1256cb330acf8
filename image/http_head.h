/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_HEAD_H
#define CMAN_IMAGE_HTTP_HEAD_H

/*
 * The header of an HTTP response, as far as a download needs it (RFC 9110). Pure: lines in, values
 * out. What is malformed is taken for missing.
 */

#include <stddef.h>
#include <stdint.h>

#define HTTP_VALIDATOR_MAX 256 /* bytes, NUL included; a longer one is of no use */

struct http_head {
	int status;		       /* 0: none seen yet */
	int64_t length;		       /* Content-Length; -1: not told */
	int64_t range_first;	       /* Content-Range: first byte of this part; -1: not told */
	int64_t range_total;	       /* of the whole; -1: not told */
	char etag[HTTP_VALIDATOR_MAX]; /* a strong one, with its quotes; "": none */
	char last_modified[HTTP_VALIDATOR_MAX]; /* as it was written; "": none */
};

void http_head_reset(struct http_head *head);

/* One line, with or without its line ending. A status line begins a new response. */
void http_head_line(struct http_head *head, const char *line, size_t len);

/*
 * What If-Range may compare (RFC 9110, 13.1.5): a strong entity tag, else the time of modification,
 * else "".
 */
const char *http_head_validator(const struct http_head *head);

#endif
