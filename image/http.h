/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_H
#define CMAN_IMAGE_HTTP_H

/*
 * One GET request by libcurl: http and https only, at most 10 redirects, none from https to
 * http, certificates always verified.
 */

#include <stdbool.h>
#include <stddef.h>

#include "image/fetch_stage.h"
#include "store/base/err.h"

struct http_trust {
	const void *pem; /* certificates; NULL: none, and https fails */
	size_t len;
};

/* Where the response goes to. A negative return ends the transfer with that error. */
struct http_sink {
	int (*head)(const struct fetch_event *head, void *data, struct err *err);
	int (*body)(const void *bytes, size_t len, void *data, struct err *err);
	void *data;
};

/* Before anything is confined: libraries read what they need from the host. */
int http_init(struct err *err);

/*
 * Make the request. The body of a response that is neither 200 nor 206 is not read; that is not
 * an error here. Fails with ERR_NETWORK, ERR_INVALID for a URL or redirect that cannot be
 * followed, or the sink's error. *transient: whether it may go better next time.
 */
int http_get(const struct fetch_job *job, const struct http_trust *trust,
	     const struct http_sink *sink, bool *transient, struct err *err);

#endif
