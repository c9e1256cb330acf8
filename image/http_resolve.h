/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_RESOLVE_H
#define CMAN_IMAGE_HTTP_RESOLVE_H

/*
 * libcurl tells only that a host name could not be resolved. Whether the name does not exist, which
 * no waiting changes, or nobody could be asked, is found out by looking it up once more, in a
 * thread, because that can take long. getaddrinfo(3).
 */

#include <stdbool.h>

struct http_lookup {
	int fd; /* readable when the answer is there; -1: none under way */
};

#define HTTP_LOOKUP_INIT \
	{                \
		.fd = -1 \
	}

/* Begin. False where that is not possible. */
bool http_lookup_start(struct http_lookup *lookup, const char *host);

/* The answer, once `fd` is readable: whether it may be another one next time. */
bool http_lookup_is_transient(struct http_lookup *lookup);

/* Want no answer any more. */
void http_lookup_release(struct http_lookup *lookup);

#endif
