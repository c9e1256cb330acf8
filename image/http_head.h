/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_HEAD_H
#define CMAN_IMAGE_HTTP_HEAD_H

/*
 * The header of an HTTP response, as far as downloads and registries need it (RFC 9110). Pure:
 * lines in, values out. What is malformed or too long is taken for missing; texts hold printable
 * ASCII only.
 */

#include <stddef.h>
#include <stdint.h>

#define HTTP_VALIDATOR_MAX 256 /* bytes, NUL included; a longer one is of no use */
#define HTTP_TYPE_MAX 256
#define HTTP_DIGEST_MAX 160
#define HTTP_LINK_MAX 8192
#define HTTP_CHALLENGE_MAX 8192

struct http_head {
	int status;		       /* 0: none seen yet */
	int64_t length;		       /* Content-Length; -1: not told */
	int64_t range_first;	       /* Content-Range: first byte of this part; -1: not told */
	int64_t range_total;	       /* of the whole; -1: not told */
	int64_t range_end;	       /* Range of a registry's upload, "0-N": N; -1: not told */
	char etag[HTTP_VALIDATOR_MAX]; /* a strong one, with its quotes; "": none */
	char last_modified[HTTP_VALIDATOR_MAX]; /* as it was written; "": none */
	char content_type[HTTP_TYPE_MAX];	/* lower case, without parameters; "": none */
	char digest[HTTP_DIGEST_MAX];		/* Docker-Content-Digest; "": none */
	char location[HTTP_LINK_MAX];		/* as it was written; "": none */
	char next[HTTP_LINK_MAX];		/* Link of rel=next (RFC 8288); "": none */
	/* WWW-Authenticate, all of them with commas between; for image/challenge.h */
	char challenge[HTTP_CHALLENGE_MAX];
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
